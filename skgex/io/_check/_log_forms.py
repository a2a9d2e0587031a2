"""Of what values are logarithms, where sums or whole numbers give it away."""

from dataclasses import dataclass

import numpy as np

_BASES = {"log2": 2.0, "ln": np.e, "log10": 10.0}
_MILLION = 1e6
_MAX_SAMPLES = 50
# No logarithm of expression is larger, in that base.
_LARGEST = {"log2": 40.0, "ln": 28.0, "log10": 12.0}
# Where a whole number is sought: larger ones are lost in rounded logarithms.
_SMALL = 60


@dataclass
class LogForm:
    """What values are logarithms of.

    Attributes
    ----------
    base : {"log2", "ln", "log10"}
        The base.
    of : str
        What it was taken of, such as "TPM or CPM + 1".
    counts : bool
        Whether these are whole counts that were not scaled.
    """

    base: str
    of: str
    counts: bool = False

    def __str__(self):
        return f"{self.base}({self.of})"


def log_form(X):
    """Return what the values of some samples are logarithms of, or None.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_genes)
        Values; NaN are left out.
    """
    X = X[:_MAX_SAMPLES].astype(np.float64)
    floor = np.nanmin(X)
    for base, number in _BASES.items():
        if np.nanmax(X) > _LARGEST[base]:
            continue
        offset = 1.0 if floor >= 0 else number**floor
        if offset > 1.0:
            continue
        linear = number**X - offset
        if _sums_to_a_million(linear):
            return LogForm(base, f"TPM or CPM + {offset:.3g}")
        if floor >= 0 and _is_whole(linear):
            return LogForm(base, "counts + 1", counts=True)
    return None


def undone(X):
    """Yield what X may be logarithms of, by the ways in which people take them."""
    for base in ("log2", "ln", "log10"):
        if np.nanmax(X) <= 6:
            yield _BASES[base] ** X - 1


def _sums_to_a_million(linear):
    sums = np.nansum(linear, axis=1)
    complete = ~np.isnan(linear).any(axis=1)
    return complete.all() and (np.abs(sums / _MILLION - 1) < 0.02).all()


def _is_whole(linear):
    small = linear[(linear > 0.3) & (linear < _SMALL)]
    if len(small) < 50:
        return False
    nearest = np.rint(small)
    if len(np.unique(nearest)) < 5:
        return False
    # Rounding to four decimals, or to float32, moves a value by less.
    near = np.abs(small - nearest) < 0.01 + 1e-4 * nearest
    return near.mean() > 0.98

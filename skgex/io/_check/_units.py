"""The unit of values, found from some samples."""

from dataclasses import dataclass, field

import numpy as np

from . import _words as words
from ._log_forms import log_form
from ._logged_twice import logged_twice

_LARGEST_LOG = 30
_MILLION = 1e6
# Fewer genes tell little of a distribution.
_MIN_GENES = 50


@dataclass
class Unit:
    """The unit of a table.

    Attributes
    ----------
    name : {"counts", "TPM or CPM", "logarithms", "z-scores", "unknown"}
        The unit.
    detail : str
        A sentence that says so, with what else is known.
    findings : list of Finding
        What is odd about it.
    linear : bool
        Whether logarithms have still to be taken.
    """

    name: str
    detail: str
    findings: list = field(default_factory=list)
    linear: bool = False


class Facts:
    """What decides on the unit: the range, whole numbers, sums and tails.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_genes)
        Values of some samples; NaN are left out.
    """

    def __init__(self, X):
        self.X = X
        self.values = X[~np.isnan(X)]
        self.lowest = float(self.values.min())
        self.highest = float(self.values.max())
        whole = np.rint(self.values) == self.values
        self.whole = bool(whole.all())
        used = self.values != 0
        self.share_whole = float(whole[used].mean()) if used.any() else 1.0
        self.share_zero = 1 - float(used.mean())
        self.share_negative = float((self.values < 0).mean())
        self.n_genes = X.shape[1]
        self.sums = np.nansum(X, axis=1, dtype=np.float64)
        self.is_million = bool((np.abs(self.sums / _MILLION - 1) < 0.01).all())

    def tail(self):
        """Return how far the largest value is above the 99th percentile."""
        top = np.nanmax(self.X, axis=1)
        high = np.nanpercentile(self.X, 99, axis=1)
        return float(np.median(top / np.maximum(high, 1e-6)))


def find_unit(X):
    """Find the unit of the values of some samples.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_genes)
        Values; NaN are left out.

    Returns
    -------
    unit : Unit
        What was found.
    """
    X = X[~np.isnan(X).all(axis=1)]
    if not X.size:
        return Unit("unknown", "There are no values.")
    facts = Facts(X)
    if facts.highest == facts.lowest:
        return Unit("unknown", f"All values are {facts.highest:g}.")
    rules = (_ranks, _whole, _standardized, _signed, _shares, _logarithms, _linear)
    unit = next(unit for unit in (rule(facts) for rule in rules) if unit)
    if unit.name != "counts" and _is_one_distribution(X):
        unit.findings.append(words.same_distribution())
    return unit


def _ranks(facts):
    """Ranks add up to the same in each sample, also where some are shared."""
    n = facts.n_genes
    if n < 20 or facts.lowest < 0 or np.isnan(facts.X).any():
        return None
    if (np.rint(2 * facts.values) != 2 * facts.values).any():
        return None
    for first in (0, 1):
        if np.allclose(facts.sums, n * (n - 1) / 2 + n * first, rtol=1e-6):
            return Unit("unknown", "Values are ranks of genes in each sample.")
    return None


def _whole(facts):
    if not facts.whole:
        return None
    if facts.lowest < 0:
        # A few codes for missing values among counts, but no differences.
        if facts.share_negative < 0.2 and facts.highest > 50:
            return Unit("counts", "Values are whole numbers, like counts.", linear=True)
        return Unit("unknown", "Values are whole numbers, also below zero.")
    if facts.highest <= 1:
        return Unit("unknown", "All values are 0 or 1.")
    if facts.is_million and facts.n_genes >= _MIN_GENES:
        return Unit(
            "TPM or CPM",
            "Values are TPM or CPM, rounded: each sample adds up to a million.",
            linear=True,
        )
    if _is_one_distribution(facts.X):
        return Unit("unknown", "Values are ranks, the same in each sample.")
    if facts.highest <= _LARGEST_LOG and facts.share_zero < 0.3:
        return Unit(
            "unknown", "Values are small whole numbers, perhaps rounded logarithms."
        )
    return Unit("counts", "Values are counts, whole numbers.", linear=True)


def _standardized(facts):
    if facts.lowest >= 0:
        return None
    for axis, of in ((0, "gene"), (1, "sample")):
        X = facts.X if axis == 0 else facts.X.T
        X = X[:, (~np.isnan(X)).sum(axis=0) >= 5]
        if not X.shape[1] or min(facts.X.shape) < 5:
            continue
        if _near(np.nanmean(X, axis=0), np.nanstd(X, axis=0), 0.2, share=0.8):
            detail = f"Values are z-scores: each {of} has mean 0 and spread 1."
            return Unit("z-scores", detail)
    if facts.highest > _LARGEST_LOG and len(facts.X) >= 20:
        low, middle, high = np.nanpercentile(facts.X, (16, 50, 84), axis=0)
        if _near(middle, (high - low) / 2, 0.5, share=0.5):
            detail = "Values are z-scores of genes, some extremely large."
            return Unit("z-scores", detail)
    return None


def _near(center, spread, tolerance, share):
    varies = spread > 1e-6
    near = (np.abs(center) < tolerance) & (np.abs(spread - 1) < tolerance)
    return varies.any() and near[varies].mean() > share


def _signed(facts):
    if facts.lowest >= 0:
        return None
    if -_LARGEST_LOG <= facts.lowest and facts.highest <= _LARGEST_LOG:
        form = log_form(facts.X)
        detail = f", {form}" if form else ", some below zero"
        return Unit("logarithms", f"Values are logarithms{detail}.")
    return Unit(
        "unknown",
        f"Values are between {facts.lowest:.4g} and {facts.highest:.4g}, neither "
        "counts nor logarithms.",
    )


def _shares(facts):
    if facts.highest > 1:
        return None
    low, high = np.nanmin(facts.X, axis=0), np.nanmax(facts.X, axis=0)
    if ((low == 0) & (high == 1)).mean() > 0.5:
        return Unit("unknown", "Each gene was scaled to the range from 0 to 1.")
    ends = (facts.values < 0.2).mean(), (facts.values > 0.8).mean()
    found = [words.beta_values()] if min(ends) > 0.1 and sum(ends) > 0.4 else []
    return Unit("unknown", "All values are between 0 and 1.", found)


def _logarithms(facts):
    if facts.highest > _LARGEST_LOG:
        return None
    if facts.n_genes >= _MIN_GENES and facts.tail() > 8:
        return None  # a few genes far above all others: TPM of a panel
    form = log_form(facts.X)
    if form is None:
        twice = logged_twice(facts)
        if twice:
            return Unit("logarithms", "Values are logarithms.", [twice])
    detail = f", {form}" if form else ""
    found = []
    if form and form.counts and np.ptp(facts.sums) > 1e-3 * facts.sums.mean():
        found = [words.unscaled_logarithms()]
    return Unit("logarithms", f"Values are logarithms{detail}.", found)


def _linear(facts):
    if facts.is_million:
        detail = "Values are TPM or CPM: each sample adds up to a million."
        return Unit("TPM or CPM", detail, linear=True)
    if facts.share_whole > 0.3:
        detail = "Values are counts, of which some are estimated with fractions."
        return Unit("counts", detail, linear=True)
    if facts.share_zero < 1e-3 and facts.lowest > 0 and facts.n_genes >= _MIN_GENES:
        detail = "Values are above zero and no logarithms, perhaps intensities."
        return Unit("unknown", detail, linear=True)
    if np.median(facts.sums) > 2 * _MILLION and facts.n_genes >= 5000:
        detail = "Values are estimated or scaled counts, with fractions."
        return Unit("counts", detail, linear=True)
    detail = "Values are no logarithms and have fractions: TPM, FPKM, CPM or the like."
    return Unit("TPM or CPM", detail, linear=True)


def _is_one_distribution(X):
    """Tell whether all samples have the same values in another order."""
    X = X[:50]
    if len(X) < 3 or X.shape[1] < 20 or np.isnan(X).any():
        return False
    values = np.sort(X, axis=1)
    if len(np.unique(values[0])) < 20 or (X == X[0]).all():
        return False
    # The upper half, since zeros are alike anyway; and not by the range, which in
    # counts is far above most of them.
    values = values[:, values.shape[1] // 2 :]
    spread = np.subtract(*np.percentile(values[0], (75, 25)))
    return bool((np.abs(values - values[0]) < 1e-3 * spread).mean() > 0.99)

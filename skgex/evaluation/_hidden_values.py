"""Hide measured values, and compare them with what an estimator fills in."""

import numpy as np
import pandas as pd

from .._warn import warn_caller
from ._align import align_genes
from ._filled_in import restore, standard_deviations
from ._jobs import Failure

# Of what is true and of what is restored, in standard deviations.
LIMIT = 10.0
# Relative to the largest absolute value of a gene, or to a standard deviation.
TINY = 1e-6
# Values of a gene that make a correlation.
MIN_VALUES = 5
# Standard deviations to either side that hold 90 % of a normal distribution.
WITHIN_90 = 1.6448536269514722


class HiddenValues:
    """Samples of which some values are hidden, to be restored by estimators.

    Samples without a hidden value are left out.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_samples, n_genes)
        All samples, for the standard deviation of each gene.
    rows : ndarray of shape (n_rows,)
        Samples to restore.
    hidden : ndarray of shape (n_rows, n_genes)
        Which of their values are hidden.
    """

    columns = ("error", "r")
    names = ("n", "squared", "error", "inside", "r")

    def __init__(self, X, rows, hidden):
        values = np.asarray(X)
        some = hidden.any(axis=1)
        rows, self.hidden = rows[some], hidden[some]
        self.truth = values[rows].astype(float)
        self.mean, self.std = moments(values)
        # The correlation and the error of constant genes have no unit.
        self.scored = self.hidden & (self.std > 0)
        shown = np.where(self.hidden, np.nan, values[rows])
        self.shown = _table(shown, X, rows)
        self.about = rows, self.hidden

    @classmethod
    def at_random(cls, X, rows, rate, rng):
        """Hide a share of the values of each sample that has two measured values."""
        values = np.asarray(X)[rows]
        some = np.sum(~np.isnan(values), axis=1) >= 2
        return cls(X, rows[some], hide(values[some], rate, rng))

    def measure(self, estimator):
        """Return sums over the hidden values of each gene of a fitted estimator.

        Returns
        -------
        measured : dict of str to ndarray of shape (n_genes,)
            `n` hidden values; `squared` errors in variances, NaN if some were not
            restored; `error`, of which a positive one is too high; how many are
            `inside` an interval of 90 %, NaN if the estimator gives none; and the
            correlation `r` across samples: zero if one value was restored for all, NaN
            if there are less than five, or if one is true for all.
        """
        n = self.scored.sum(axis=0)
        if not n.any():
            return {
                "n": n,
                **dict.fromkeys(self.names[1:], n * 0.0),
            }
        restored = self._own_genes(restore, estimator)
        if not np.isfinite(restored[self.scored]).any():
            raise ValueError(
                "no hidden value was restored: the output needs the genes of X, in the "
                "units of X."
            )
        spread = self._own_genes(standard_deviations, estimator)
        with np.errstate(invalid="ignore"):
            inside = np.abs(restored - self.truth) <= WITHIN_90 * spread
        inside = np.where(np.isnan(spread), np.nan, inside)
        std = np.where(self.std > 0, self.std, 1)
        truth, restored = (
            np.clip((part - self.mean) / std, -LIMIT, LIMIT)
            for part in (self.truth, restored)
        )
        error = np.where(self.scored, restored - truth, 0)
        return {
            "n": n,
            "squared": (error**2).sum(axis=0),
            "error": error.sum(axis=0),
            "inside": np.where(self.scored, inside, 0).sum(axis=0),
            "r": correlations(truth, restored, self.scored),
        }

    def _own_genes(self, function, estimator):
        """Return what a function makes of the samples, with the genes of these."""
        shown = align_genes(estimator, self.shown)
        output = function(estimator, shown)
        if shown is self.shown:
            return output
        place = shown.columns.get_indexer(self.shown.columns)
        return np.where(place >= 0, output[:, place], np.nan)

    def scores(self, measured):
        """Return error and correlation of each estimator; NaN where one failed."""
        return [row[: len(self.columns)] for row in scores(measured)]


def scores(measured):
    """Return error, correlation, bias and coverage of each; NaN where one failed.

    Parameters
    ----------
    measured : list of dict or Failure
        What estimators made of the same hidden values. The genes are those that all
        restore.
    """
    found = [m for m in measured if not isinstance(m, Failure)]
    genes = [np.isfinite(m["squared"]) & (m["n"] > 0) for m in found]
    genes = np.logical_and.reduce(genes) if found else np.zeros(0, bool)
    return [
        (np.nan,) * 4
        if isinstance(m, Failure) or not genes.any()
        else (
            np.sqrt(m["squared"][genes].sum() / m["n"][genes].sum()),
            _median(m["r"][genes]),
            m["error"][genes].sum() / m["n"][genes].sum(),
            m["inside"][genes].sum() / m["n"][genes].sum(),
        )
        for m in measured
    ]


def warn_of_left_out_genes(cells):
    """Warn of genes that some don't restore."""
    counts = {}
    for (name, *_), found in cells.items():
        if not isinstance(found, Failure):
            n = np.sum(~np.isfinite(found["squared"]))
            counts[name] = max(n, counts.get(name, 0))
    names = [f"{name!r} (up to {n} genes)" for name, n in counts.items() if n]
    if names:
        warn_caller(
            "Genes are scored that all estimators restore in a draw. Not all are "
            f"restored by {', '.join(names)}."
        )


def hide(values, rate, rng):
    """Hide a share of the measured values of each row: one at least, and not all."""
    measured = ~np.isnan(values)
    n_measured = measured.sum(axis=1)
    n_hidden = np.clip(np.round(rate * n_measured), 1, n_measured - 1)
    drawn = np.where(measured, rng.random(values.shape), 2)
    return np.argsort(np.argsort(drawn, axis=1), axis=1) < n_hidden[:, None]


def moments(values):
    """Return mean and standard deviation of each gene; zero for constant genes."""
    measured = ~np.isnan(values)
    count = np.maximum(measured.sum(axis=0), 1)
    mean = np.where(measured, values, 0).sum(axis=0, dtype=float) / count
    centred = np.where(measured, values - mean, 0)
    std = np.sqrt((centred**2).sum(axis=0) / count)
    largest = np.abs(np.where(measured, values, 0)).max(axis=0)
    return mean, np.where(std > TINY * largest, std, 0)


def correlations(truth, restored, used):
    """Return the correlation of the used values of each gene."""
    count = used.sum(axis=0)

    def centred(values):
        mean = np.where(used, values, 0).sum(axis=0) / np.maximum(count, 1)
        return np.where(used, values - mean, 0)

    A, B = centred(truth), centred(restored)
    size_a, size_b = (np.sqrt((part**2).sum(axis=0)) for part in (A, B))
    r = (A * B).sum(axis=0) / np.maximum(size_a * size_b, TINY**2)
    r[size_b <= TINY] = 0  # NaN, where a value is not restored, stays
    r[(count < MIN_VALUES) | (size_a <= TINY)] = np.nan
    return r


def _median(r):
    known = r[~np.isnan(r)]
    return np.median(known) if len(known) else np.nan


def _table(values, like, rows):
    """Return a table of pandas with some rows of another, if that is one."""
    if not hasattr(like, "columns"):
        return values
    return pd.DataFrame(values, like.index[rows], like.columns)

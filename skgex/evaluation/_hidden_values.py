"""Hide measured values, and compare them with what an estimator fills in."""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from .._containers import refuse_containers, without_mask
from ._align import align_genes

# Of what is true and of what is restored, in standard deviations.
LIMIT = 10.0
# Relative to the largest absolute value of a gene, or to a standard deviation.
TINY = 1e-6
# Values of a gene that make a correlation.
MIN_VALUES = 5


class Measured(NamedTuple):
    """The errors of each gene.

    `squared` is the sum over the hidden values, in variances; NaN if some were not
    restored. `r` is the correlation across samples: zero if one value was restored for
    all, NaN if there are less than five, or if one is true for all.
    """

    squared: np.ndarray
    r: np.ndarray


class HiddenValues:
    """Test samples of which some values are hidden, to be restored by estimators.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_samples, n_genes)
        All samples, for the standard deviation of each gene.
    test : ndarray
        Rows to test on. Those with less than two measured values are left out.
    rate : float
        Share of the measured values of each row that is hidden.
    rng : Generator
        Draws what is hidden.
    """

    columns = ("error", "r")

    def __init__(self, X, test, rate, rng):
        values = np.asarray(X)
        test = test[np.sum(~np.isnan(values[test]), axis=1) >= 2]
        self.truth = values[test].astype(float)
        self.hidden = hide(self.truth, rate, rng)
        self.mean, self.std = moments(values)
        # The correlation and the error of constant genes have no unit.
        self.scored = self.hidden & (self.std > 0)
        shown = np.where(self.hidden, np.nan, values[test])
        self.shown = _table(shown, X, test)

    def measure(self, estimator):
        """Return the errors of each gene of a fitted estimator."""
        shown = align_genes(estimator, self.shown)
        restored = restore(estimator, shown)
        if shown is not self.shown:
            place = shown.columns.get_indexer(self.shown.columns)
            restored = np.where(place >= 0, restored[:, place], np.nan)
        if not np.isfinite(restored[self.scored]).any():
            raise ValueError(
                "no hidden value was restored: the output needs the genes of X, in the "
                "units of X."
            )
        std = np.where(self.std > 0, self.std, 1)
        truth, restored = (
            np.clip((part - self.mean) / std, -LIMIT, LIMIT)
            for part in (self.truth, restored)
        )
        error = np.where(self.scored, restored - truth, 0)
        r = correlations(truth, restored, self.scored)
        return Measured((error**2).sum(axis=0), r)

    def scores(self, measured):
        """Return error and correlation of each estimator; NaN where one failed.

        The genes are those that all restore.
        """
        restored = [np.isfinite(m.squared) for m in measured if isinstance(m, Measured)]
        genes = np.logical_and.reduce([self.scored.any(axis=0), *restored])
        n_values = self.scored[:, genes].sum()
        if not n_values:
            return [(np.nan, np.nan)] * len(measured)
        return [
            (np.sqrt(m.squared[genes].sum() / n_values), _median(m.r[genes]))
            if isinstance(m, Measured)
            else (np.nan, np.nan)
            for m in measured
        ]


def check_profiles(X):
    """Return X as it will be read: an array, or a table of pandas."""
    refuse_containers(X)
    values = check_array(
        without_mask(X),
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan",
        input_name="X",
    )
    if not hasattr(X, "columns"):
        return values
    return pd.DataFrame(values, getattr(X, "index", None), X.columns)


def warn_of_left_out_genes(cells):
    """Warn, in the name of the caller's caller, of genes that some don't restore."""
    counts = {}
    for (name, _, _), found in cells.items():
        if isinstance(found, Measured):
            n = np.sum(~np.isfinite(found.squared))
            counts[name] = max(n, counts.get(name, 0))
    names = [f"{name!r} (up to {n} genes)" for name, n in counts.items() if n]
    if names:
        warnings.warn(
            "Genes are scored that all estimators restore in a draw. Not all are "
            f"restored by {', '.join(names)}.",
            UserWarning,
            stacklevel=3,
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


def restore(estimator, table):
    """Return what an estimator makes of a table; NaN for genes that it leaves out."""
    if hasattr(estimator, "restore"):
        output, found = estimator.restore(table), None
    else:
        output = estimator.transform(table)
        found = _names_out(estimator, output)
    values = np.asarray(output, dtype=float)
    if found is None and values.shape != table.shape:
        raise ValueError(
            f"{values.shape[1]} columns were returned for {table.shape[1]} genes, "
            "without names; an imputer is needed, or an embedder with `restore`."
        )
    if found is None or found == list(getattr(table, "columns", [])):
        return values
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = [f"x{i}" for i in range(table.shape[1])]
    place = pd.Index(found).get_indexer(names)
    return np.where(place >= 0, values[:, place], np.nan)


def _names_out(estimator, output):
    """Return the names of the columns that were returned, or None."""
    if hasattr(output, "columns"):
        return list(output.columns)
    try:
        return list(estimator.get_feature_names_out())
    except AttributeError:  # also of a pipeline with such a step
        return None


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

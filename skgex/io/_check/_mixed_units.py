"""Samples in another unit than the others."""

import numpy as np

from . import _words as words

_LARGEST_LOG = 30
_MIN_GENES = 50
_COMPARED = 20


def likely_kinds(low, high, whole):
    """Tell of samples whether they look linear, like logarithms, or neither.

    Parameters
    ----------
    low, high : ndarray of shape (n_samples,)
        Least and largest value.
    whole : ndarray of shape (n_samples,), dtype bool
        Whether all values are whole numbers.

    Returns
    -------
    linear, logarithmic : ndarray of shape (n_samples,), dtype bool
        What they look like.
    """
    with np.errstate(invalid="ignore"):
        linear = (low >= 0) & (high > 100)
        logarithmic = ~whole & (high <= _LARGEST_LOG) & (high > 0)
    return linear, logarithmic


def main_rows(X):
    """Return the samples of the unit that most have."""
    if X.shape[1] < _MIN_GENES:
        return X
    whole = ((np.rint(X) == X) | np.isnan(X)).all(axis=1)
    low, high = np.fmin.reduce(X, axis=1), np.fmax.reduce(X, axis=1)
    linear, logarithmic = likely_kinds(low, high, whole)
    if not linear.any() or not logarithmic.any():
        return X
    return X[~logarithmic] if linear.sum() >= logarithmic.sum() else X[~linear]


def mixed_units(table, measures):
    """Return the finding that some samples are logarithms, others not, or None."""
    if table.shape[1] < _MIN_GENES:
        return None
    linear, logarithmic = likely_kinds(
        measures.row_low, measures.row_high, measures.row_whole
    )
    if not linear.any() or not logarithmic.any():
        return None
    groups = [np.flatnonzero(kind) for kind in (linear, logarithmic)]
    evenly = [g[:: max(1, -(-len(g) // _COMPARED))] for g in groups]
    if not _same_genes_high(*(table.take(rows) for rows in evenly)):
        return None
    fewer = int(len(groups[1]) <= len(groups[0]))
    names = [table.samples[i] for i in groups[fewer]]
    return words.mixed_units(names, "logarithms" if fewer else "no logarithms")


def _same_genes_high(linear, logarithmic):
    """Tell logarithms from samples in which simply little was found."""
    usual = np.log2(_medians(linear) + 1)
    other = _medians(logarithmic)
    high = (usual > 6) & ~np.isnan(other)
    if high.sum() < 10:
        return False
    ratio = np.median(other[high] / usual[high])
    measured = ~np.isnan(usual) & ~np.isnan(other)
    usual, other = usual[measured], other[measured]
    if not np.ptp(other):
        return False
    return 0.2 < ratio < 1.3 and np.corrcoef(usual, other)[0, 1] > 0.5


def _medians(X):
    medians = np.full(X.shape[1], np.nan)
    some = ~np.isnan(X).all(axis=0)
    medians[some] = np.nanmedian(X[:, some], axis=0)
    return medians

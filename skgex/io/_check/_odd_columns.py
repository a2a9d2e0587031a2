"""Columns of large whole numbers beside logarithms, such as lengths or ids."""

import numpy as np

_LARGEST_LOG = 30
_MIN_GENES = 50


def odd_columns(X):
    """Tell which columns are large whole numbers, where all others are logarithms.

    One such column hides that values are logarithms.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_genes)
        Values of some samples; NaN are left out.
    """
    none = np.zeros(X.shape[1], dtype=bool)
    if X.shape[1] < _MIN_GENES or np.isnan(X).all():
        return none
    high = np.nan_to_num(np.fmax.reduce(np.abs(X), axis=0))
    large = high > 2 * _LARGEST_LOG
    if not large.any() or large.sum() > max(3, 0.005 * X.shape[1]):
        return none
    rest = high[~large].max()
    if rest > _LARGEST_LOG or high[large].min() < 3 * rest:
        return none
    if _share_whole(X[:, ~large]) > 0.9 or _share_whole(X[:, large]) < 1:
        return none
    return large


def _share_whole(X):
    values = X[~np.isnan(X) & (X != 0)]
    return (np.rint(values) == values).mean() if len(values) else 0.0

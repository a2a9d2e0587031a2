"""The check of strata, within which patients are compared."""

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d


def check_strata(strata, X):
    """Return the stratum of each sample as a number from 0 on.

    Parameters
    ----------
    strata : array-like of shape (n_samples,) or None
        Labels, such as the names of cohorts. None puts all samples into one stratum.
    X : array-like of shape (n_samples, ...)
        What there is a label for each sample of.

    Returns
    -------
    stratum : ndarray of shape (n_samples,), dtype int
        In the order of the sorted labels.

    Raises
    ------
    ValueError
        If there are not as many labels as samples, or some are missing.
    """
    if strata is None:
        return np.zeros(len(X), dtype=int)
    strata = column_or_1d(strata, dtype=None)
    check_consistent_length(X, strata)
    # By text where types are mixed: numbers and words have no common order.
    if strata.dtype.kind == "O":
        missing = np.array([label is None or label != label for label in strata])
        strata = strata.astype(str)
    else:
        missing = strata != strata
    if missing.any():
        raise ValueError(
            f"strata has no label for {missing.sum()} of {len(strata)} samples, the "
            f"first is sample {missing.argmax()}: give them a stratum of their own, "
            'such as "unknown", or leave these samples out.'
        )
    return np.unique(strata, return_inverse=True)[1]

"""The check of strata, within which patients are compared."""

from numbers import Real

import numpy as np
from sklearn.utils import column_or_1d


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
    return np.unique(check_labels(strata, X), return_inverse=True)[1]


def check_labels(strata, X):
    """Return the label of each sample, in an array that can be sorted.

    Parameters
    ----------
    strata : array-like of shape (n_samples,)
        Labels.
    X : array-like of shape (n_samples, ...)
        What there is a label for each sample of.

    Returns
    -------
    labels : ndarray of shape (n_samples,)
        Texts, where labels are not all numbers.
    """
    shape = np.shape(strata)
    if (
        isinstance(strata, str)
        or len(shape) not in (1, 2)
        or shape[1:] not in ((), (1,))
    ):
        given = repr(strata) if not shape else f"an array of shape {shape}"
        raise ValueError(
            f"strata must be labels, one for each sample, such as a column of a table, "
            f"but is {given}."
        )
    strata = column_or_1d(strata, dtype=None)
    if len(strata) != len(X):
        raise ValueError(
            f"strata has {len(strata)} labels for {len(X)} samples: give one for each."
        )
    if strata.dtype.kind == "O":
        # pandas' NA is neither equal to itself nor not.
        missing = np.array([x is None or str(x == x) != "True" for x in strata])
        numbers = all(isinstance(x, Real) for x in strata)
        # By text where types are mixed: numbers and words have no common order.
        strata = np.array(strata.tolist()) if numbers else strata.astype(str)
    else:
        missing = strata != strata
    if missing.any():
        raise ValueError(
            f"strata has no label for {missing.sum()} of {len(strata)} samples, the "
            f"first is sample {missing.argmax()}: give them a stratum of their own, "
            'such as "unknown", or leave these samples out.'
        )
    return strata


def find_strata(strata, X, known):
    """Return the place of each sample's stratum among those that a model knows.

    Parameters
    ----------
    strata : array-like of shape (n_samples,) or None
        Labels.
    X : array-like of shape (n_samples, ...)
        What there is a label for each sample of.
    known : ndarray of shape (n_strata,) or None
        Labels in `fit`, sorted. None if it was without strata.

    Returns
    -------
    place : ndarray of shape (n_samples,), dtype int

    Raises
    ------
    ValueError
        If labels are missing, or not wanted, or were not seen in `fit`.
    """
    if known is None:
        if strata is not None:
            raise ValueError(
                "strata were passed, but the model was fitted without; pass them "
                "to fit as well."
            )
        return np.zeros(len(X), dtype=int)
    if strata is None:
        raise ValueError(
            "The model was fitted with strata, each of which has a baseline hazard "
            "of its own: pass strata= with one of "
            f"{', '.join(map(str, known[:5]))} ... for each sample. predict "
            "needs none."
        )
    strata = check_labels(strata, X)
    place = np.searchsorted(known, strata).clip(max=len(known) - 1)
    unknown = strata != known[place]
    if unknown.any():
        raise ValueError(
            f"Stratum {strata[unknown].tolist()[0]!r} was not seen in fit; there "
            f"were {', '.join(map(str, known))}."
        )
    return place

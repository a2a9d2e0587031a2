"""Folds that keep groups together and share out classes."""

import warnings
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from .._containers import refuse_unread
from ._profiles import refuse_mixed


def make_folds(cv, X, y, groups, strata, random_state):
    """Return the rows to train on and to test on of each fold.

    Parameters
    ----------
    cv : int or splitter
        Number of shuffled folds, or a splitter of scikit-learn.
    strata : array-like or None
        What each fold shall have its share of, if `cv` is a number.

    Raises
    ------
    ValueError
        If a group is on both sides of a split.
    """
    rows = np.zeros((X.shape[0], 1))
    if isinstance(cv, Integral) and not isinstance(cv, bool):
        _check_number(cv, len(rows), groups, strata)
        options = {"n_splits": int(cv), "shuffle": True, "random_state": random_state}
        if strata is None:
            splitter = KFold(**options) if groups is None else GroupKFold(**options)
        elif groups is None:
            splitter = StratifiedKFold(**options)
        else:
            splitter = StratifiedGroupKFold(**options)
        folds = list(splitter.split(rows, strata, groups))
    elif hasattr(cv, "split") and not isinstance(cv, str):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The groups parameter is ignored")
            folds = list(cv.split(rows, y, groups))
    else:
        raise ValueError(f"cv={cv!r} must be a number of folds or a splitter.")
    if not folds:
        raise ValueError(f"cv={cv!r} makes no split.")
    for i, (train, test) in enumerate(folds):
        shared = [] if groups is None else np.intersect1d(groups[train], groups[test])
        if len(shared):
            raise ValueError(
                f"cv={cv!r} has group {shared.tolist()[0]!r} in training and in test "
                f"of split {i}: use a splitter that keeps groups together, such as "
                "GroupKFold, or a number of folds."
            )
    return folds


def as_groups(groups, n_samples):
    """Return groups as an array without missing values, or None."""
    if groups is None:
        return None
    refuse_unread(groups, "groups")
    groups = np.asarray(groups)
    if groups.ndim != 1:
        raise ValueError(
            f"groups must be one value of each sample, not of shape {groups.shape}."
        )
    if len(groups) != n_samples:
        raise ValueError(f"groups has {len(groups)} values for {n_samples} samples.")
    missing = pd.isna(groups)
    if missing.any():
        raise ValueError(
            f"groups has no value for sample {missing.argmax()}: give each sample "
            "without a known group one of its own."
        )
    refuse_mixed(groups, "groups")
    if len(groups) > 1 and len(np.unique(groups)) == 1:
        raise ValueError(
            f"groups has the one value {groups.tolist()[0]!r} for all samples: two at "
            "least are needed. None takes each sample for a group of its own."
        )
    return groups


def _check_number(n_folds, n_samples, groups, strata):
    """Refuse more folds than there are groups, or samples of the largest class."""
    n_parts, what = n_samples, "samples"
    if groups is not None:
        n_parts, what = len(np.unique(groups)), "groups"
    elif strata is not None:
        n_parts = np.unique(strata, return_counts=True)[1].max()
        what = "samples of the largest class, or of events,"
    if not 2 <= n_folds <= n_parts:
        raise ValueError(
            f"cv={n_folds} must be a number of folds from 2 to the {n_parts} {what} "
            "that there are."
        )

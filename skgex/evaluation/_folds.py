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
    return groups

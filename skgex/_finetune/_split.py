"""LabeledKFold: folds of labelled samples, the others in each training part."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import (
    BaseCrossValidator,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.model_selection._split import GroupsConsumerMixin
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import type_of_target

from ._marks import is_marked, warn_of_absent_mark, without_objects


class LabeledKFold(GroupsConsumerMixin, BaseCrossValidator):
    """Split labelled samples into folds, with the unlabelled in each training part.

    No prediction can match the mark of samples that have no label, so that in test
    folds they make each score wrong. Here, another splitter splits the labelled
    samples, and those without a label join each training part, where an embedder
    learns from them.

    Parameters
    ----------
    cv : int or splitter, default=5
        What splits the labelled samples. A number of folds stands for `StratifiedKFold`
        where targets are classes, and for `KFold` where they are continuous;
        with `groups` for `StratifiedGroupKFold` and `GroupKFold`. Whole numbers are
        classes.
    unlabeled : label, default=nan
        Target value of samples that have no label, as in :class:`FineTunedClassifier`.
        NaN or None stands for all that is missing: NaN, None and pandas.NA.

    See Also
    --------
    FineTunedClassifier : Learns from labelled and unlabelled samples.
    EventStratifiedKFold : Folds for survival.

    Notes
    -----
    With `groups`, unlabelled samples of a group that has samples in the test fold take
    no part in the training: they are left out of this split.

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import LabeledKFold
    >>> y = np.array(["a", "b", "?", "a", "b", "?", "?"])
    >>> cv = LabeledKFold(2, unlabeled="?")
    >>> for train, test in cv.split(y, y):
    ...     print(y[train], y[test])
    ['?' 'a' 'b' '?' '?'] ['a' 'b']
    ['a' 'b' '?' '?' '?'] ['a' 'b']

    Patients with samples of both kinds are on one side only:

    >>> patient = np.array([1, 2, 1, 3, 4, 4, 5])
    >>> for train, test in cv.split(y, y, groups=patient):
    ...     print(patient[train], patient[test])
    [2 3 5] [1 4]
    [1 1 4 4 5] [2 3]
    """

    def __init__(self, cv: Any = 5, *, unlabeled: Any = np.nan):
        self.cv = cv
        self.unlabeled = unlabeled

    def split(self, X, y, groups=None):
        """Generate indices of the training and test samples of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of samples is used.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; `unlabeled` marks samples without.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as a patient, are not in training and test, if
            `cv` is a number or takes groups.

        Yields
        ------
        train : ndarray
            Indices of the training samples, in their order.
        test : ndarray
            Indices of the test samples, each of which has a label.
        """
        rows, others, y, groups = self._take_apart(X, y, groups, warn=True)
        parts = self._splitter(y, groups).split(
            np.zeros(len(rows)), y, None if groups is None else groups[rows]
        )
        for train, test in parts:
            train, test = rows[train], rows[test]
            join = others
            if groups is not None:
                join = others[~np.isin(groups[others], groups[test])]
            yield np.sort(np.concatenate([train, join])), test

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Only its number of samples is used, where `cv` needs it.
        y : array-like of shape (n_samples,), default=None
            Targets, where `cv` needs them or the number of samples.
        groups : array-like of shape (n_samples,), default=None
            Groups, where `cv` needs them.

        Returns
        -------
        n_splits : int
            The number of splits.
        """
        splitter = self._splitter(None, None)
        if y is None or isinstance(self.cv, Integral):
            return splitter.get_n_splits(X, y, groups)
        rows, _, y, groups = self._take_apart(X, y, groups)
        groups = None if groups is None else groups[rows]
        return splitter.get_n_splits(np.zeros(len(rows)), y, groups)

    def _splitter(self, y, groups):
        """Return what splits the labelled samples."""
        if not isinstance(self.cv, Integral):
            if hasattr(self.cv, "split") and not isinstance(self.cv, str):
                return self.cv
            raise ValueError(
                f"cv={self.cv!r} is not a number of folds or a splitter, such as "
                "StratifiedGroupKFold(5)."
            )
        classes = y is not None and type_of_target(y) in ("binary", "multiclass")
        if groups is None:
            return StratifiedKFold(self.cv) if classes else KFold(self.cv)
        return StratifiedGroupKFold(self.cv) if classes else GroupKFold(self.cv)

    def _take_apart(self, X, y, groups, warn=False):
        """Return labelled and other samples, labels of the former, and all groups."""
        if y is None:
            raise ValueError(
                "LabeledKFold needs y, which says what has a label, but y is None."
            )
        check_consistent_length(X, y, groups)
        are_objects = isinstance(getattr(y, "dtype", None), np.dtypes.ObjectDType)
        y = np.asarray(y)
        marked = is_marked(y, self.unlabeled)
        if warn and not marked.any():
            warn_of_absent_mark(y, self.unlabeled)
        if marked.all():
            raise ValueError(
                f"Each sample of y is marked by unlabeled={self.unlabeled!r}: none is "
                "left to split."
            )
        if groups is not None:
            groups = check_array(
                groups, input_name="groups", ensure_2d=False, dtype=None
            )
        rows, others = np.flatnonzero(~marked), np.flatnonzero(marked)
        known = without_objects(y[rows])
        if are_objects and known.dtype != object:
            raise ValueError(
                "y has numbers in an array of objects, as beside None, and no scorer "
                "of scikit-learn takes them: give y.astype(float), in which what is "
                "missing is NaN, or a Series of dtype 'Int64'."
            )
        return rows, others, known, groups

"""Scores of samples that have a label."""

import numpy as np
from sklearn.utils import _safe_indexing, check_consistent_length

from ._marks import as_labels, is_marked, refuse_missing, without_objects


class LabeledScoreMixin:
    """Let `score` leave out samples that are marked as having no label."""

    def score(self, X, y, sample_weight=None):
        """Return the accuracy, or R2 in regression, on samples that have a label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; samples that `unlabeled` marks are left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            Higher is better, 1 the best.
        """
        y = as_labels(y)
        if self.unlabeled is not None and y is not None:
            check_consistent_length(X, y, sample_weight)
            marked = is_marked(y, self.unlabeled)
            if marked.all():
                raise ValueError(
                    f"Each sample is marked by unlabeled={self.unlabeled!r}: there is "
                    "nothing to score. In cross-validation, LabeledKFold has labelled "
                    "samples only in test folds."
                )
            if marked.any():
                rows = np.flatnonzero(~marked)
                X, y, sample_weight = (
                    part if part is None else _safe_indexing(part, rows)
                    for part in (X, y, sample_weight)
                )
                y = without_objects(np.asarray(y))
        elif np.ndim(y):
            values = np.asarray(y)
            refuse_missing(values, np.ones(len(values), dtype=bool))
        return super().score(X, y, sample_weight)

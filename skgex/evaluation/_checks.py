"""Checks that protocols have in common."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring

# What would never end is a mistake.
_MOST = 1_000_000


def check_counts(**counts):
    """Refuse what are no positive whole numbers."""
    for name, values in counts.items():
        whole = np.ndim(values) == 1 and all(isinstance(n, Integral) for n in values)
        if not whole or not len(values) or min(values) < 1 or max(values) > _MOST:
            raise ValueError(
                f"{name}={values!r} must be positive whole numbers, at most {_MOST:,}."
            )


def check_scores(estimators, scoring):
    """Refuse what is no score of all estimators."""
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise ValueError(f"scoring={scoring!r} must be one score.")
    for estimator in estimators.values():
        check_scoring(estimator, scoring)


def strata_of(estimators, y):
    """Return what folds are to have their share of: classes, events, or None."""
    if y.dtype.names:
        return y[y.dtype.names[0]]
    if y.ndim == 1 and any(map(is_classifier, estimators.values())):
        return y
    return None

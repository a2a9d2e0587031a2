"""Checks that protocols have in common."""

from collections.abc import Mapping
from numbers import Integral, Real
from os import PathLike

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring

# What would never end is a mistake.
_MOST = 1_000_000
# Seeds of draws are counted on from the first.
_LARGEST_SEED = 2**32 - 1 - _MOST


def check_counts(**counts):
    """Refuse what are no positive whole numbers."""
    for name, values in counts.items():
        whole = np.ndim(values) == 1 and all(isinstance(n, Integral) for n in values)
        if not whole or not len(values) or min(values) < 1 or max(values) > _MOST:
            raise ValueError(
                f"{name}={values!r} must be positive whole numbers, at most {_MOST:,}."
            )


def check_share(name, share):
    """Refuse what is no number between zero and one."""
    if not isinstance(share, Real) or not 0 < share < 1:
        raise ValueError(f"{name}={share!r} must lie in (0, 1).")


def check_run(random_state, n_jobs, cache_dir):
    """Refuse what is no seed, no number of jobs, or no folder."""
    if not _is_whole(random_state) or not 0 <= random_state <= _LARGEST_SEED:
        raise ValueError(
            f"random_state={random_state!r} must be a whole number from 0 to "
            f"{_LARGEST_SEED:,}, so that each result can be had again."
        )
    if n_jobs is not None and not (
        _is_whole(n_jobs) and n_jobs and abs(n_jobs) <= _MOST
    ):
        raise ValueError(
            f"n_jobs={n_jobs!r} must be None or a whole number other than zero: -1 is "
            "for all processors."
        )
    if not (cache_dir is None or isinstance(cache_dir, str | PathLike)):
        raise ValueError(f"cache_dir={cache_dir!r} must be a path or None.")


def check_estimators(estimators, name="estimators"):
    """Refuse what is no dictionary of estimators by name."""
    if not isinstance(estimators, Mapping) or not len(estimators):
        raise ValueError(
            f"{name}={estimators!r:.60} must be a dictionary of estimators by name, "
            "with one at least."
        )
    for key, estimator in estimators.items():
        if not isinstance(key, str):
            raise ValueError(f"{name} has the name {key!r}, which must be text.")
        if isinstance(estimator, type) or not (
            hasattr(estimator, "fit") and hasattr(estimator, "get_params")
        ):
            made = "a class: make one of it, as by its name and ()"
            other = "no estimator with `fit` and `get_params`"
            raise ValueError(
                f"Estimator {key!r} is {estimator!r:.60}, "
                f"{made if isinstance(estimator, type) else other}."
            )


def check_scores(estimators, scoring):
    """Refuse what is no score of all estimators."""
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise ValueError(f"scoring={scoring!r} must be one score.")
    for name, estimator in estimators.items():
        if scoring is None and not hasattr(estimator, "score"):
            raise ValueError(
                f"Estimator {name!r} has no method `score`: give scoring, or an "
                "estimator that predicts."
            )
        check_scoring(estimator, scoring)


def strata_of(estimators, y, name="y"):
    """Return what folds are to have their share of: classes, events, or None."""
    if y.dtype.names:
        return y[y.dtype.names[0]]
    if y.ndim > 1 or not any(map(is_classifier, estimators.values())):
        return None
    if y.dtype.kind == "f" and (y != np.rint(y)).any():
        classifier = next(key for key in estimators if is_classifier(estimators[key]))
        raise ValueError(
            f"{name} has values such as {y[y != np.rint(y)][0]}, but estimator "
            f"{classifier!r} is a classifier, which needs classes."
        )
    return y


def strata_of_sizes(estimators, y, sizes):
    """Return the class of each sample, if samples are to be drawn by class."""
    strata = None if y is None else strata_of(estimators, y)
    if strata is None:
        return None
    unit = "kinds (event and censored)" if y.dtype.names else "classes"
    n_classes = len(pd.unique(strata))
    if min(sizes) < n_classes:
        raise ValueError(
            f"sizes has {min(sizes)}, but there are {n_classes} {unit}, of which each "
            "needs a sample: leave out smaller sizes."
        )
    return strata


def _is_whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool)

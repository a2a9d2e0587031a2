"""Fit each estimator to each set of rows, and measure it: the cells of a table."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.utils.validation import has_fit_parameter

from ._align import align_genes
from ._label_efficiency import _rows, _seeded


class Draw(NamedTuple):
    """A split of the samples.

    `subsets` are sets of rows to fit to. `task` is what estimators are tested by, with
    the methods `measure`, of a fitted estimator, and `scores`, of what was measured.
    """

    seed: int
    subsets: list
    task: Any


class Failure(str):
    """The error with which an estimator failed."""


class Prediction:
    """Test samples whose target is to be predicted."""

    columns = ("score",)

    def __init__(self, X, y, scoring):
        self.X, self.y, self.scoring = X, y, scoring

    def measure(self, estimator):
        """Return the score of a fitted estimator."""
        score = check_scoring(estimator, self.scoring)
        return float(score(estimator, align_genes(estimator, self.X), self.y))

    def scores(self, measured):
        """Return a row of scores for each estimator; NaN where one failed."""
        return [(np.nan if isinstance(m, Failure) else m,) for m in measured]


def fit_cells(estimators, X, y, groups, draws, n_jobs):
    """Fit and measure all estimators with all subsets of all draws.

    Returns
    -------
    cells : dict of (name, draw, subset) to object
        What was measured, or `Failure`; draws and subsets are given by their places.
    """
    jobs = {}
    for name, estimator in estimators.items():
        # What is frozen is the same with all subsets.
        subsets = slice(1 if isinstance(estimator, FrozenEstimator) else None)
        for i, draw in enumerate(draws):
            for j, rows in enumerate(draw.subsets[subsets]):
                seeded = _seeded(clone(estimator), draw.seed)
                job = delayed(_cell)(seeded, X, y, groups, rows, draw.task)
                jobs[name, i, j] = job
    found = Parallel(n_jobs=n_jobs)(jobs.values())
    found = dict(zip(jobs, found, strict=True))
    return {
        (name, i, j): found.get((name, i, j), found[name, i, 0])
        for name in estimators
        for i, draw in enumerate(draws)
        for j in range(len(draw.subsets))
    }


def _cell(estimator, X, y, groups, rows, task):
    target = None if y is None else y[rows]
    arguments = {}
    if groups is not None and has_fit_parameter(estimator, "groups"):
        arguments["groups"] = groups[rows]
    try:
        table = align_genes(estimator, _rows(X, rows))
        return task.measure(estimator.fit(table, target, **arguments))
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")


def warn_of_failures(cells, sizes):
    """Warn of each failure, in the name of the caller's caller."""
    for (name, draw, subset), found in cells.items():
        if isinstance(found, Failure):
            warnings.warn(
                f"Estimator {name!r} failed in draw {draw} with {sizes[subset]} "
                f"samples, and is recorded as NaN: {found}",
                FitFailedWarning,
                stacklevel=3,
            )

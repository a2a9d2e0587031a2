"""Fit each estimator to each set of rows, and measure it: the cells of a table."""

import time
from typing import Any, NamedTuple

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.utils.validation import has_fit_parameter

from ._align import align_genes
from ._jobs import Cell, Job, score_of


class Draw(NamedTuple):
    """A split of the samples.

    `subsets` are sets of rows to fit to, and `labels` their names. `task` is what
    estimators are tested by, with the methods `measure`, of a fitted estimator, and
    `scores`, of what was measured, and `about`, what it depends on. `names` are those
    of what is measured.
    """

    seed: int
    subsets: list
    labels: list
    task: Any


class Prediction:
    """Test samples whose target is to be predicted."""

    columns = names = ("score",)

    def __init__(self, X, y, rows, scoring):
        self.X, self.y, self.scoring = take_rows(X, rows), y[rows], scoring
        self.about = rows, scoring

    def measure(self, estimator):
        """Return the score of a fitted estimator."""
        score = check_scoring(estimator, self.scoring)
        return {
            "score": float(score(estimator, align_genes(estimator, self.X), self.y))
        }

    def scores(self, measured):
        """Return a row of scores for each estimator; NaN where one failed."""
        return [(score_of(m),) for m in measured]


def make_jobs(estimators, X, y, groups, draws):
    """Return what is to be fitted and measured: all estimators, draws and subsets.

    The keys of cells are (name, draw, subset), by the places of draw and subset.
    """
    jobs = []
    for name, estimator in estimators.items():
        # What is frozen is the same with all subsets.
        subsets = slice(1 if isinstance(estimator, FrozenEstimator) else None)
        for i, draw in enumerate(draws):
            seeded = with_seed(clone(estimator), draw.seed)
            for j, rows in enumerate(draw.subsets[subsets]):
                cell = Cell(
                    (name, i, j),
                    f"draw {i} with {draw.labels[j]}",
                    (rows, draw.task.about),
                    _fit_and_measure,
                    (X, y, groups, rows, draw.task),
                    (*draw.task.names, "fit_seconds"),
                )
                jobs.append(Job(seeded, [cell]))
    return jobs


def all_subsets(cells, estimators, draws):
    """Return what was measured in all cells, also where it is the same."""
    return {
        (name, i, j): cells.get((name, i, j), cells[name, i, 0])
        for name in estimators
        for i, draw in enumerate(draws)
        for j in range(len(draw.subsets))
    }


def _fit_and_measure(estimator, X, y, groups, rows, task):
    fitted, seconds = fit_timed(clone(estimator), X, y, groups, rows)
    return {**task.measure(fitted), "fit_seconds": seconds}


def fit_timed(estimator, X, y, groups, rows):
    """Fit an estimator to some rows, and return it and the seconds that it took."""
    target = None if y is None else y[rows]
    arguments = {}
    if groups is not None and has_fit_parameter(estimator, "groups"):
        arguments["groups"] = groups[rows]
    table = align_genes(estimator, take_rows(X, rows))
    start = time.perf_counter()
    fitted = estimator.fit(table, target, **arguments)
    return fitted, time.perf_counter() - start


def with_seed(estimator, seed):
    """Give a seed to all parts of an estimator that have none."""
    for name, value in estimator.get_params().items():
        if name.split("__")[-1] == "random_state" and value is None:
            estimator.set_params(**{name: seed})
    return estimator


def take_rows(X, rows):
    """Return some rows of an array or a table."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]

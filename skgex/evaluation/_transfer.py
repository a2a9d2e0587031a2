"""What an estimator of one cohort is worth in another."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import check_scoring

from ._align import align_genes
from ._cells import fit_timed, take_rows, with_seed
from ._checks import check_estimators, check_run, check_scores, strata_of
from ._folds import as_groups, make_folds
from ._jobs import Cell, Job, error_message, run_jobs, score_of, warn_of_failures
from ._profiles import as_target, check_profiles


def transfer_matrix(
    estimators,
    cohorts,
    *,
    cv: Any = 5,
    scoring: Any = None,
    random_state=0,
    n_jobs=None,
    cache_dir=None,
    verbose=0,
):
    """Fit estimators to each cohort, and score them in each.

    Parameters
    ----------
    estimators : dict of str to estimator
        Classifiers, regressors or survival models by name.
    cohorts : dict of str to tuple or Bunch
        Cohorts by name: ``(X, y)``, ``(X, y, groups)``, or a Bunch as of
        :mod:`skgex.datasets`, with `data`, `target` and, if it has them, `groups`. The
        genes of tables are matched by name; arrays must have the same genes.
    cv : int or splitter, default=5
        Number of shuffled folds that each cohort is split in, which share out classes
        and events, or a splitter of scikit-learn.
    scoring : str, callable or None, default=None
        Score of predictions, as in :func:`sklearn.model_selection.cross_val_score`.
        None takes the method `score` of each estimator.
    random_state : int, default=0
        Seed of the folds, which estimators with a `random_state` of None are given too.
    n_jobs : int, default=None
        Number of scores that are worked on at a time.
    cache_dir : path-like or None, default=None
        Folder in which the scores are kept, in files of their own. When the function is
        called again, as after an interruption, what is there is not computed again.
        None keeps nothing.
    verbose : int, default=0
        Whether to print a line for each source and target, or for each fold at home.

    Returns
    -------
    table : DataFrame
        One row for each estimator, source, target and fold of the target, with the
        columns `estimator`, `source`, `target`, `split`, `score` and `n_genes`, the
        genes that both have; then `n_train` and `n_test`, the samples that it was
        fitted to and scored with, and `error_message` of an estimator that failed, else
        "".

    Raises
    ------
    ValueError
        If two cohorts have no gene in common.

    Warns
    -----
    FitFailedWarning
        If an estimator fails; its score is NaN then.

    See Also
    --------
    cohort_size_curve : Compares a model from elsewhere with own samples of a cohort.
    paired_difference : Differences between estimators, with intervals.
    skgex.QuantileNormalizer : Brings cohorts of other units to one distribution.

    Notes
    -----
    A model of a source is fitted to all samples of it, with the genes that it shares
    with the target in the order of the source, and scored in each fold of the target.
    Where source and target are the same, it is fitted to the other folds, as in
    cross-validation. So all scores of a target are of the same samples, and what is
    gained by samples of the own cohort is seen in a column of the matrix.

    Values are taken as they are: cohorts need one unit, or estimators that begin with a
    step such as :class:`~skgex.QuantileNormalizer`. Leave out of one cohort the
    patients that are in another. Samples of a class that the source lacks count as
    errors.

    Examples
    --------
    Tissues, in two cohorts that are halves of one here, of which one has fewer genes:

    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgex.datasets import load_tissues_u133
    >>> from skgex.evaluation import transfer_matrix
    >>> tissues = load_tissues_u133(as_frame=True)
    >>> X, y, donors = tissues.data, tissues.target, tissues.groups
    >>> half = np.isin(donors, np.unique(donors)[::2])
    >>> cohorts = {
    ...     "one": (X[half], y[half], donors[half]),
    ...     "other": (X[~half].iloc[:, :40], y[~half], donors[~half]),
    ... }
    >>> model = make_pipeline(StandardScaler(), LogisticRegression())
    >>> table = transfer_matrix({"lr": model}, cohorts, cv=2)
    >>> table.groupby(["source", "target"]).n_genes.first().to_list()
    [500, 40, 40, 40]
    """
    check_run(random_state, n_jobs, cache_dir)
    check_estimators(estimators)
    check_scores(estimators, scoring)
    if not isinstance(cohorts, Mapping) or not len(cohorts):
        raise ValueError(
            "cohorts must be a dictionary of cohorts by name, with one at least."
        )
    cohorts = {name: _read(name, cohort) for name, cohort in cohorts.items()}
    folds = {
        name: make_folds(
            cv, X, y, groups, strata_of(estimators, y, _target(name)), random_state
        )
        for name, (X, y, groups) in cohorts.items()
    }
    shared = {pair: _shared(*pair, cohorts) for pair in product(cohorts, repeat=2)}
    jobs = []
    for name, source in product(estimators, cohorts):
        seeded = with_seed(clone(estimators[name]), random_state)
        jobs += _at_home(name, source, seeded, shared, folds, scoring)
        jobs += _abroad(name, source, seeded, shared, folds, scoring)
    data = [part for cohort in cohorts.values() for part in cohort]
    cells = run_jobs(jobs, data, n_jobs=n_jobs, cache_dir=cache_dir, verbose=verbose)
    warn_of_failures(jobs, cells)
    order = list(product(estimators, cohorts, cohorts))
    in_order = sorted(cells, key=lambda key: order.index(key[:3]))
    return _as_table({key: cells[key] for key in in_order}, shared, folds)


def _at_home(name, source, estimator, shared, folds, scoring):
    """Return the jobs of an estimator that is tested in the cohort it is fitted to."""
    own = shared[source, source][0]
    jobs = []
    for split, (train, test) in enumerate(folds[source]):
        key = name, source, source, (split,)
        cell = _cell(key, train, own, [test], scoring)
        jobs.append(Job(estimator, [cell], _fit, (*own, train)))
    return jobs


def _abroad(name, source, estimator, shared, folds, scoring):
    """Return the jobs of an estimator that is tested in the other cohorts."""
    # One fit serves all targets that have the same genes.
    jobs = {}
    for target in (target for target in folds if target != source):
        own, other = shared[source, target]
        rows, tests = np.arange(len(own[0])), [test for _, test in folds[target]]
        genes = tuple(getattr(own[0], "columns", [type(own[0])]))
        job = jobs.setdefault(genes, Job(estimator, [], _fit, (*own, rows)))
        key = name, source, target, tuple(range(len(tests)))
        job.cells.append(_cell(key, rows, other, tests, scoring))
    return jobs.values()


def _as_table(cells, shared, folds):
    columns = ["estimator", "source", "target", "split", "score", "n_genes"]
    columns += ["n_train", "n_test", "error_message"]
    rows = []
    for (name, source, target, splits), cell in cells.items():
        X = shared[source, target][0][0]
        for place, split in enumerate(splits):
            n_train = len(folds[source][split][0]) if source == target else len(X)
            n_test = len(folds[target][split][1])
            rows.append(
                (
                    *(name, source, target, split, score_of(cell, place), X.shape[1]),
                    *(n_train, n_test, error_message(cell)),
                )
            )
    return pd.DataFrame(rows, columns=columns)


def _cell(key, train, other, tests, scoring):
    _, source, target, splits = key
    return Cell(
        key,
        f"{source} to {target}, split {', '.join(map(str, splits))}",
        ("transfer", source, target, train, tests, scoring),
        _scores,
        (other, tests, scoring),
    )


def _fit(estimator, X, y, groups, rows):
    return fit_timed(clone(estimator), X, y, groups, rows)[0]


def _scores(fitted, other, tests, scoring):
    """Return the score in each set of rows of a cohort."""
    score, (X, y, _) = check_scoring(fitted, scoring), other
    shown = [align_genes(fitted, take_rows(X, test)) for test in tests]
    scores = [score(fitted, X, y[test]) for X, test in zip(shown, tests, strict=True)]
    return {"score": np.array(scores, dtype=float)}


def _shared(source, target, cohorts):
    """Return both cohorts with the genes that both have, in the same order."""
    (X, *own), (Z, *other) = cohorts[source], cohorts[target]
    if not hasattr(X, "columns") or not hasattr(Z, "columns"):
        if X.shape[1] != Z.shape[1]:
            raise ValueError(
                f"Cohorts {source!r} and {target!r} have {X.shape[1]} and {Z.shape[1]} "
                "genes; give tables with names, by which genes are matched."
            )
        # Names of one alone tell nothing.
        named = hasattr(X, "columns") == hasattr(Z, "columns")
        X, Z = (X, Z) if named else (np.asarray(X), np.asarray(Z))
    elif list(X.columns) != list(Z.columns):
        genes = X.columns[X.columns.isin(Z.columns)]
        if not len(genes):
            raise ValueError(
                f"Cohorts {source!r} and {target!r} have no gene in common, such as "
                f"{X.columns[0]!r} and {Z.columns[0]!r}: bring the names of both to "
                "those of one."
            )
        X, Z = X[genes], Z[genes]
    return (X, *own), (Z, *other)


def _read(name, cohort):
    """Return genes, target and groups of a cohort."""
    if hasattr(cohort, "data") and hasattr(cohort, "target"):
        X, y, groups = cohort.data, cohort.target, cohort.get("groups")
    elif isinstance(cohort, tuple) and len(cohort) in (2, 3):
        X, y, groups = (*cohort, None)[:3]
    else:
        raise ValueError(
            f"Cohort {name!r} must be (X, y), (X, y, groups) or a Bunch with `data` "
            "and `target`."
        )
    X = check_profiles(X)
    return X, as_target(y, len(X), _target(name)), as_groups(groups, len(X))


def _target(name):
    return f"y of cohort {name!r}"

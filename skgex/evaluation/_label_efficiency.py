"""How much a classifier makes of few labels."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d

from .._warn import warn_caller
from ._cells import take_rows, with_seed
from ._checks import check_counts, check_estimators, check_run, check_scores, strata_of
from ._folds import as_groups
from ._jobs import Cell, Job, error_message, run_jobs, score_of, warn_of_failures
from ._pretrain import without_labels
from ._profiles import as_table, as_target


def label_efficiency_curve(
    estimators,
    X,
    y,
    *,
    groups=None,
    fractions: Iterable[float] = (0.02, 0.05, 0.1, 0.2, 1.0),
    n_splits=3,
    n_draws=1,
    test_size=0.3,
    scoring: Any = "accuracy",
    random_state=0,
    n_jobs=None,
    cache_dir=None,
    verbose=0,
):
    """Compare classifiers when only a share of the training samples has labels.

    In each split all that needs no labels is fitted once on all training samples: the
    `embedder` of a fine-tuned classifier, and the steps of a pipeline before the
    last. The rest is fitted on the labelled samples, of which there is at least one for
    each class; estimators with a parameter `unlabeled` are given the others, too, as
    samples without a label. The labelled samples are the same for all estimators, and
    those of a smaller share are among those of a larger one.

    Parameters
    ----------
    estimators : dict of str to classifier
        The classifiers by name. Any estimator of scikit-learn will do.
    X : array-like of shape (n_samples, n_genes)
        Expression profiles.
    y : array-like of shape (n_samples,)
        Classes.
    groups : array-like of shape (n_samples,), default=None
        Patients or donors; all samples of a group are either in training or in test.
        None takes each sample for a group of its own.
    fractions : sequence of float, default=(0.02, 0.05, 0.1, 0.2, 1.0)
        Shares of each class that are labelled, in (0, 1].
    n_splits : int, default=3
        Number of random splits into training and test.
    n_draws : int, default=1
        Number of times labelled samples are drawn in each split.
    test_size : float, default=0.3
        Share of the groups to test on.
    scoring : str or callable, default="accuracy"
        Score, as in :func:`sklearn.model_selection.cross_val_score`.
    random_state : int, default=0
        Seed of the splits and the draws; split i has the seed ``random_state + i``,
        which estimators with a parameter `random_state` of None are given too.
    n_jobs : int, default=None
        Number of estimators and splits that are worked on at a time.
    cache_dir : path-like or None, default=None
        Folder in which the score of each estimator, split, draw and share is kept, in a
        file of its own. When the function is called again, as after an interruption,
        what is there is not computed again. None keeps nothing.
    verbose : int, default=0
        Whether to print a line for each score.

    Returns
    -------
    table : DataFrame
        One row for each estimator, split, draw and share, with the columns
        `estimator`, `split`, `draw`, `fraction`, `n_labeled` and `score`; then
        `n_train` and `n_test`, the samples of either part, and `error_message` of an
        estimator that failed, else "".

    Raises
    ------
    ValueError
        If a share is outside (0, 1].

    Warns
    -----
    FitFailedWarning
        If an estimator fails; its score is NaN then.
    UserWarning
        If a class is absent from a training part: no estimator can predict it.

    See Also
    --------
    labels_saved : What share of the labels an estimator saves.
    paired_difference : Differences between estimators, with intervals.

    References
    ----------
    .. [1] Dradjat K., Hamidi M., Bartet P., Hanczar B. "Self-supervised representation
       learning on gene expression data", Bioinformatics 41(11), 2025, whose labelled
       samples, unlike here, are not drawn at random.
       :doi:`10.1093/bioinformatics/btaf533`

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgex.datasets import load_tissues_u133
    >>> from skgex.evaluation import label_efficiency_curve
    >>> tissues = load_tissues_u133()
    >>> table = label_efficiency_curve(
    ...     {
    ...         "genes": make_pipeline(StandardScaler(), LogisticRegression()),
    ...         "components": make_pipeline(
    ...             StandardScaler(), PCA(10), LogisticRegression()
    ...         ),
    ...     },
    ...     tissues.data,
    ...     tissues.target,
    ...     groups=tissues.groups,
    ...     fractions=[0.05, 0.5],
    ... )
    >>> table.groupby(["estimator", "fraction"]).score.mean().unstack().shape
    (2, 2)
    """
    X = as_table(X)
    y = column_or_1d(as_target(y, X.shape[0]))
    groups = as_groups(groups, len(y))
    check_run(random_state, n_jobs, cache_dir)
    check_counts(n_splits=[n_splits], n_draws=[n_draws])
    fractions = np.asarray(fractions, dtype=float)
    inside = (fractions > 0) & (fractions <= 1)
    if fractions.ndim != 1 or not len(fractions) or not inside.all():
        raise ValueError(f"fractions={fractions.tolist()} must lie in (0, 1].")
    check_estimators(estimators)
    check_scores(estimators, scoring)
    strata_of(estimators, y)
    units = np.arange(len(y)) if groups is None else groups
    seeds = [random_state + split for split in range(n_splits)]
    splits = [_split(y, units, test_size, seed) for seed in seeds]
    _warn_of_absent_classes(y, splits)
    drawn = {
        (split, draw, fraction): (train[labeled], train, test)
        for split, (train, test) in enumerate(splits)
        for draw in range(n_draws)
        for fraction, labeled in zip(
            fractions.tolist(),
            _draw(y[train], fractions, [seeds[split], draw]),
            strict=True,
        )
    }
    jobs = []
    for split, name in product(range(n_splits), estimators):
        seeded = with_seed(clone(estimators[name]), seeds[split])
        cells = [
            _cell((name, *place), X, y, rows, scoring)
            for place, rows in drawn.items()
            if place[0] == split
        ]
        jobs.append(Job(seeded, cells, without_labels, (X, splits[split][0])))
    cells = run_jobs(jobs, (X, y), n_jobs=n_jobs, cache_dir=cache_dir, verbose=verbose)
    warn_of_failures(jobs, cells)
    return _as_table(cells, drawn)


def _split(y, units, test_size, seed):
    splitter = GroupShuffleSplit(1, test_size=test_size, random_state=seed)
    return next(splitter.split(y, groups=units))


def _warn_of_absent_classes(y, splits):
    for split, (train, _) in enumerate(splits):
        absent = np.setdiff1d(y, y[train])
        if len(absent):
            warn_caller(
                f"Class {absent.tolist()[0]!r} has no sample in the training part of "
                f"split {split}, so its test samples count as errors for all "
                "estimators; drop classes of few groups."
            )


def _cell(key, X, y, rows, scoring):
    """Return a cell of the table; `rows` are labelled, of training and of test."""
    _, split, draw, _ = key
    label = f"split {split}, draw {draw} with {len(rows[0])} labels"
    given = *rows, scoring
    return Cell(key, label, ("labels", *given), _score, (X, y, *given))


def _as_table(cells, drawn):
    columns = ["estimator", "split", "draw", "fraction"]
    columns += ["n_labeled", "score", "n_train", "n_test", "error_message"]
    rows = []
    for key, cell in cells.items():
        n_labeled, n_train, n_test = map(len, drawn[key[1:]])
        rows.append(
            (*key, n_labeled, score_of(cell), n_train, n_test, error_message(cell))
        )
    return pd.DataFrame(rows, columns=columns)


def _score(estimator, X, y, labeled, train, test, scoring):
    fitted = clone(estimator)
    mark = _takes_unlabeled(fitted)
    if mark and len(labeled) < len(train):
        target = np.full(len(train), None, dtype=object)
        known = np.isin(train, labeled)
        target[known] = y[train[known]]
        fitted.set_params(**{mark: np.nan}).fit(take_rows(X, train), target)
    else:
        fitted.fit(take_rows(X, labeled), y[labeled])
    score = check_scoring(fitted, scoring)
    return {"score": float(score(fitted, take_rows(X, test), y[test]))}


def _takes_unlabeled(estimator):
    """Return the name of the parameter that marks unlabelled samples, if unset."""
    mark = "unlabeled"
    if isinstance(estimator, Pipeline):
        mark = f"{estimator.steps[-1][0]}__unlabeled"
    parameters = estimator.get_params()
    return mark if mark in parameters and parameters[mark] is None else None


def _draw(y, fractions, seed):
    """Rows to label for each share: nested, and one of each class at least."""
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(np.flatnonzero(y == c)) for c in np.unique(y)]
    return [
        np.sort(np.concatenate([o[: max(1, round(f * len(o)))] for o in orders]))
        for f in fractions
    ]

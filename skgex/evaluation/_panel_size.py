"""How many genes it takes to predict."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import pandas as pd
from sklearn.base import clone
from sklearn.metrics import check_scoring

from ._align import align_genes
from ._cells import with_seed
from ._checks import (
    check_counts,
    check_estimators,
    check_run,
    check_scores,
    strata_of,
)
from ._folds import as_groups, make_folds
from ._jobs import (
    Cell,
    Job,
    error_message,
    run_jobs,
    score_of,
    warn_of_failures,
)
from ._panels import COUNTS, draw_panels, select_panels, take_panel
from ._pretrain import without_labels
from ._profiles import as_target, check_profiles


def panel_size_curve(
    estimators,
    X,
    y,
    *,
    sizes: Iterable[int] = (16, 32, 64),
    n_draws=3,
    selector=None,
    pretrained: Iterable[str] = (),
    cv: Any = 5,
    groups=None,
    scoring: Any = None,
    random_state=0,
    n_jobs=None,
    cache_dir=None,
    verbose=0,
):
    """Compare estimators that see few of the genes, and more.

    Shows what is lost by a small panel, and how much of it a model makes up for that
    was pretrained on all genes. All estimators see the same panels and samples.

    Parameters
    ----------
    estimators : dict of str to estimator
        Classifiers, regressors or survival models by name. They are fitted to the
        columns of the panel alone, but for `pretrained` ones.
    X : array-like of shape (n_samples, n_genes)
        Expression profiles with all genes.
    y : array-like of shape (n_samples,)
        Classes, values, or a structured array of event and time.
    sizes : sequence of int, default=(16, 32, 64)
        Numbers of genes in a panel.
    n_draws : int, default=3
        Number of random panels of each size; the genes of a smaller one are among those
        of a larger one of the same draw. They are the same in all splits. Of no effect
        with `selector`.
    selector : estimator or None, default=None
        Selector that chooses the genes, fitted to the training part of each split with
        each size: with a parameter `k`, `n_genes`, `n_features_to_select`, `n_features`
        or `max_features`, and a method `get_support`. None draws genes at random.
    pretrained : sequence of str, default=()
        Names of estimators that take all genes of `X`, those outside the panel being
        missing (NaN) in training and in test. What needs no labels of them is fitted
        first, to all genes of all samples of the training part, once in each split,
        and frozen: the steps of a pipeline before the last, and the `embedder` of a
        fine-tuned estimator. The rest is fitted to the panel.
    cv : int or splitter, default=5
        Number of shuffled folds, which share out classes and events, or a splitter of
        scikit-learn.
    groups : array-like of shape (n_samples,), default=None
        Patients or donors; all samples of a group are either in training or in test.
        None takes each sample for a group of its own.
    scoring : str, callable or None, default=None
        Score of predictions, as in :func:`sklearn.model_selection.cross_val_score`.
        None takes the method `score` of each estimator.
    random_state : int, default=0
        Seed of the folds and panels; in split i estimators with a `random_state` of
        None have the seed ``random_state + i``, so that each score can be had alone.
    n_jobs : int, default=None
        Number of scores, or of splits of a pretrained estimator, that are worked on at
        a time.
    cache_dir : path-like or None, default=None
        Folder in which each score is kept, in a file of its own. When the function is
        called again, as after an interruption, what is there is not computed again.
        None keeps nothing.
    verbose : int, default=0
        Whether to print a line for each score.

    Returns
    -------
    table : DataFrame
        One row for each estimator, size, draw and split, with the columns `estimator`,
        `n_genes`, `draw`, `split` and `score`; then `n_train` and `n_test`, the samples
        of either part, and `error_message` of an estimator that failed, else "".

    Raises
    ------
    ValueError
        If a size is more than there are genes, or a splitter parts a group.

    Warns
    -----
    FitFailedWarning
        If an estimator fails; its score is NaN then.

    See Also
    --------
    cohort_size_curve : Compares estimators over numbers of samples.
    paired_difference : Differences between estimators, with intervals.

    Notes
    -----
    A pretrained estimator knows all genes of the training samples, and no label and no
    gene of test samples beyond the panel: the case of a new panel for patients like
    those of a large cohort. Weights from elsewhere are had by an estimator with a
    ``FrozenEstimator`` inside, which is left as it is. A ``FrozenEstimator`` that
    predicts itself is shown the genes that it knows, NaN for those outside the panel.

    Examples
    --------
    Simple models read the panel; in the last one the genes outside it are restored:

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgex import GexBERT, GexImputer
    >>> from skgex.datasets import load_tissues_u133
    >>> from skgex.evaluation import panel_size_curve
    >>> tissues = load_tissues_u133()
    >>> genes = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    >>> imputer = GexImputer(GexBERT(max_epochs=0))
    >>> table = panel_size_curve(
    ...     {"panel": genes, "restored": make_pipeline(imputer, genes)},
    ...     tissues.data[:, :60],
    ...     tissues.target,
    ...     groups=tissues.groups,
    ...     sizes=[4, 16],
    ...     n_draws=2,
    ...     pretrained=["restored"],
    ...     cv=2,
    ... )
    >>> scores = table.groupby(["estimator", "n_genes"]).score.mean().unstack()
    >>> scores.idxmax().to_dict()
    {4: 'restored', 16: 'restored'}
    """
    X = check_profiles(X)
    y, groups = as_target(y, len(X)), as_groups(groups, len(X))
    check_run(random_state, n_jobs, cache_dir)
    check_counts(sizes=sizes, n_draws=[n_draws])
    sizes = list(dict.fromkeys(map(int, sizes)))
    check_estimators(estimators)
    check_scores(estimators, scoring)
    _check_names(estimators, X, sizes, selector, pretrained)
    strata = strata_of(estimators, y)
    folds = make_folds(cv, X, y, groups, strata, random_state)
    run = {"n_jobs": n_jobs, "cache_dir": cache_dir, "verbose": verbose}
    if selector is None:
        panels = draw_panels(X.shape[1], sizes, n_draws, len(folds), random_state)
    else:
        panels = select_panels(selector, X, y, sizes, folds, random_state, run)
    jobs = []
    for name, split in product(estimators, range(len(folds))):
        fold, whole = folds[split], name in pretrained
        seeded = with_seed(clone(estimators[name]), random_state + split)
        cells = [
            _cell((name, *key), X, y, (genes, whole, *fold, scoring))
            for key, genes in panels.items()
            if key[-1] == split
        ]
        if whole:
            jobs.append(Job(seeded, cells, without_labels, (X, fold[0])))
        else:
            jobs += [Job(seeded, [cell]) for cell in cells]
    cells = run_jobs(jobs, (X, y), **run)
    warn_of_failures(jobs, cells)
    in_order = sorted(panels, key=lambda key: sizes.index(key[0]))
    order = [(name, *key) for name, key in product(estimators, in_order)]
    return _as_table(cells, order, folds)


def _cell(key, X, y, given):
    _, size, draw, split = key
    label = f"{size} genes, draw {draw}, split {split}"
    return Cell(key, label, ("panel", *given), _score, (X, y, *given))


def _as_table(cells, order, folds):
    columns = ["estimator", "n_genes", "draw", "split", "score"]
    columns += ["n_train", "n_test", "error_message"]
    rows = [
        (
            *(*key, score_of(cells[key])),
            *(*map(len, folds[key[-1]]), error_message(cells[key])),
        )
        for key in order
    ]
    return pd.DataFrame(rows, columns=columns)


def _score(estimator, X, y, genes, whole, train, test, scoring):
    parts = [take_panel(X, rows, genes, whole) for rows in (train, test)]
    fitted = clone(estimator).fit(align_genes(estimator, parts[0]), y[train])
    score = check_scoring(fitted, scoring)
    shown = align_genes(fitted, parts[1])
    return {"score": float(score(fitted, shown, y[test]))}


def _check_names(estimators, X, sizes, selector, pretrained):
    if max(sizes) > X.shape[1]:
        raise ValueError(f"sizes has {max(sizes)}, but X has {X.shape[1]} genes.")
    if isinstance(pretrained, str):
        raise ValueError(f"pretrained={pretrained!r} must be a sequence of names.")
    for name in pretrained:
        if name not in estimators:
            raise ValueError(f"pretrained has {name!r}, which is not in estimators.")
    if selector is not None and not (
        hasattr(selector, "get_support")
        and any(name in selector.get_params(deep=False) for name in COUNTS)
    ):
        raise ValueError(
            f"selector={selector!r} must have `get_support` and a number of features "
            f"called one of {', '.join(COUNTS)}."
        )

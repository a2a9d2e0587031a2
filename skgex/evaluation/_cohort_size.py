"""How many samples of a cohort it takes to fit an estimator."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ._cells import Draw, Prediction, all_subsets, make_jobs
from ._checks import (
    check_counts,
    check_estimators,
    check_run,
    check_scores,
    check_share,
    strata_of_sizes,
)
from ._folds import as_groups
from ._hidden_values import HiddenValues, warn_of_left_out_genes
from ._jobs import error_message, run_jobs, warn_of_failures
from ._pool import split_pool
from ._profiles import as_table, as_target, check_profiles


def cohort_size_curve(
    estimators,
    X,
    y=None,
    *,
    groups=None,
    sizes: Iterable[int] = (10, 20, 40, 100),
    n_draws=5,
    rate=0.5,
    test_size=0.3,
    scoring: Any = None,
    random_state=0,
    n_jobs=None,
    cache_dir=None,
    verbose=0,
):
    """Compare estimators that are fitted to few samples of a cohort, and to more.

    Shows what is gained by a model pretrained elsewhere, as it is or adapted to the
    cohort, over one that is fitted to the cohort alone, and up to which size. Without
    `y` values of the test samples are hidden, and estimators restore them; with `y`
    they predict it. In each draw the samples of a smaller size are among those of a
    larger one, and all estimators see the same samples and the same hidden values.

    Parameters
    ----------
    estimators : dict of str to estimator
        Estimators by name. Without `y` they are imputers, whose `transform` returns
        `X` filled in, or embedders with a method `restore`; what they return is in the
        units of `X`. A ``FrozenEstimator`` is used as it is, for the units that it
        knows.
    X : array-like of shape (n_samples, n_genes)
        Expression profiles; NaN where a gene was not measured.
    y : array-like of shape (n_samples,), default=None
        Classes, values, or a structured array of event and time. None restores.
    groups : array-like of shape (n_samples,), default=None
        Patients or donors; all samples of a group are either in training or in test.
        Also given to estimators whose `fit` takes `groups`. None takes each sample for
        a group of its own.
    sizes : sequence of int, default=(10, 20, 40, 100)
        Numbers of samples to fit to.
    n_draws : int, default=5
        Number of random splits into training pool and test, and of draws from the pool.
    rate : float, default=0.5
        Share of the measured values of each test sample that is hidden, in (0, 1): one
        value at least, and not all. Of no effect with `y`.
    test_size : float, default=0.3
        Share of the groups to test on.
    scoring : str, callable or None, default=None
        Score of predictions, as in :func:`sklearn.model_selection.cross_val_score`.
        None takes the method `score` of each estimator.
    random_state : int, default=0
        Seed of the draws and of what is hidden; draw i has the seed ``random_state +
        i``, which estimators with a `random_state` of None are given too.
    n_jobs : int, default=None
        Number of estimators, draws and sizes that are worked on at a time.
    cache_dir : path-like or None, default=None
        Folder in which each result is kept, in a file of its own. When the function is
        called again, as after an interruption, what is there is not computed again.
    verbose : int, default=0
        Whether to print a line for each result.

    Returns
    -------
    table : DataFrame
        One row for each estimator, draw and size, with the columns `estimator`, `draw`,
        `n_samples`, and `score` with `y`, of which more is better. Without `y` the
        columns are instead `error`, of which less is better, the root mean squared
        error of the hidden values in standard deviations of their gene, and `r`, the
        median over genes of the correlation across samples between hidden and
        restored values. Then follow `n_train`, the samples that were not for testing,
        `n_test`, and `error_message` of an estimator that failed, else "".

    Raises
    ------
    ValueError
        If there are fewer samples to train on than a size asks for, or fewer than
        classes.

    Warns
    -----
    FitFailedWarning
        If an estimator fails; its score is NaN then.
    UserWarning
        If an estimator does not restore all genes.

    See Also
    --------
    label_efficiency_curve : Compares classifiers over shares of labels; what needs no
        labels is fitted to all training samples.

    Notes
    -----
    Each size is met exactly. Groups come whole and in random order, but for the last
    one, of which only some samples may be needed. If `y` has classes, each has about
    its share of the test samples and of the samples of each size, and one sample of a
    size at least, which may be a part of its group; a group counts for its rarest
    class. Samples with and without an event are such classes, too.

    Means and standard deviations of genes are those over all samples of `X`, so that
    errors of all draws, sizes and estimators have the same unit; standardised values
    are clipped at 10 to either side. Genes without variance are not scored. A
    correlation takes five hidden values, and is zero if the same value is restored for
    all. Test samples with less than two measured values are left out.

    Names of genes may differ from those that a ``FrozenEstimator`` was fitted to, if
    `X` is a table: it is shown its own genes, NaN for those that `X` lacks. The genes
    that are scored in a draw are those that all estimators restore with all sizes.

    Examples
    --------
    A cohort of pancreatic cancers, and an embedder pretrained on other cancers:

    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.impute import KNNImputer
    >>> from skgex import GexBERT
    >>> from skgex.datasets import load_tcga_pancancer
    >>> from skgex.evaluation import cohort_size_curve
    >>> tcga = load_tcga_pancancer(as_frame=True)
    >>> X = tcga.data.loc[:, tcga.data.min() > 0]
    >>> pancreas = tcga.target == "PAAD"
    >>> model = GexBERT(max_epochs=0, random_state=0).fit(X[~pancreas][::30])
    >>> table = cohort_size_curve(
    ...     {
    ...         "neighbours": KNNImputer(),
    ...         "own rows": GexBERT(max_epochs=0),
    ...         "as it is": FrozenEstimator(model),
    ...         "adapted": GexBERT(max_epochs=0, start=FrozenEstimator(model)),
    ...     },
    ...     X[pancreas],
    ...     groups=tcga.groups[pancreas],
    ...     sizes=[10, 40],
    ...     n_draws=1,
    ... )
    >>> errors = table.pivot(index="estimator", columns="n_samples", values="error")
    >>> errors.idxmin().to_dict()
    {10: 'adapted', 40: 'adapted'}
    """
    check_run(random_state, n_jobs, cache_dir)
    check_counts(sizes=sizes, n_draws=[n_draws])
    check_share("rate", rate)
    check_share("test_size", test_size)
    sizes = list(dict.fromkeys(map(int, sizes)))
    check_estimators(estimators)
    X, y = _check_data(estimators, X, y, scoring)
    groups = as_groups(groups, X.shape[0])
    strata = strata_of_sizes(estimators, y, sizes)
    units = np.arange(X.shape[0]) if groups is None else groups
    draws, counts = [], []
    for seed in range(random_state, random_state + n_draws):
        rng = np.random.default_rng(seed)
        pool, test = split_pool(units, strata, test_size, rng)
        if max(sizes) > len(pool):
            raise ValueError(
                f"sizes has {max(sizes)}, but only {len(pool)} of the {X.shape[0]} "
                f"samples are not for testing in draw {len(draws)}: lower sizes, or "
                f"test_size={test_size}."
            )
        if y is None:
            task = HiddenValues.at_random(X, test, rate, rng)
        else:
            task = Prediction(X, y, test, scoring)
        subsets = [np.sort(pool[:n]) for n in sizes]
        draws.append(Draw(seed, subsets, [f"{n} samples" for n in sizes], task))
        counts.append((len(pool), len(test)))
    jobs = make_jobs(estimators, X, y, groups, draws)
    cells = run_jobs(
        jobs, (X, y, groups), n_jobs=n_jobs, cache_dir=cache_dir, verbose=verbose
    )
    warn_of_failures(jobs, cells)
    cells = all_subsets(cells, estimators, draws)
    if y is None:
        warn_of_left_out_genes(cells)
    return _as_table(cells, draws, sizes, counts)


def _as_table(cells, draws, sizes, counts):
    rows = {}
    for i, draw in enumerate(draws):
        keys = [key for key in cells if key[1] == i]
        scores = draw.task.scores([cells[key] for key in keys])
        rows.update(zip(keys, scores, strict=True))
    return pd.DataFrame(
        [
            (
                name,
                i,
                sizes[j],
                *rows[name, i, j],
                *counts[i],
                error_message(cells[key]),
            )
            for key in cells
            for name, i, j in [key]
        ],
        columns=[
            *("estimator", "draw", "n_samples", *draws[0].task.columns),
            *("n_train", "n_test", "error_message"),
        ],
    )


def _check_data(estimators, X, y, scoring):
    if y is not None:
        check_scores(estimators, scoring)
        X = as_table(X)
        return X, as_target(y, X.shape[0])
    if scoring is not None:
        raise ValueError(f"scoring={scoring!r} is for predictions, which need y.")
    for name, estimator in estimators.items():
        if not hasattr(estimator, "restore") and not hasattr(estimator, "transform"):
            raise ValueError(
                f"Estimator {name!r} has neither `restore` nor `transform` to fill in "
                "hidden values with; give y to have estimators predict."
            )
    return check_profiles(X), None

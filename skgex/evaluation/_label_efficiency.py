"""How much a classifier makes of few labels."""

import warnings

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, indexable


def label_efficiency_curve(
    estimators,
    X,
    y,
    *,
    groups=None,
    fractions=(0.02, 0.05, 0.1, 0.2, 1.0),
    n_splits=3,
    n_draws=1,
    test_size=0.3,
    scoring="accuracy",
    random_state=0,
    n_jobs=None,
):
    """Compare classifiers when only a share of the training samples has labels.

    In each split all that needs no labels is fitted once on all training samples: the
    `embedder` of a fine-tuned classifier, and the steps of a pipeline before the
    last. The rest is fitted on the labelled samples only, of which there is at least
    one for each class. The labelled samples are the same for all estimators, and those
    of a smaller share are among those of a larger one.

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

    Returns
    -------
    table : DataFrame
        One row for each estimator, split, draw and share, with the columns
        `estimator`, `split`, `draw`, `fraction`, `n_labeled` and `score`.

    Raises
    ------
    ValueError
        If a share is outside (0, 1].

    Warns
    -----
    UserWarning
        If a class is absent from a training part: no estimator can predict it.

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
    X, y, groups = indexable(X, np.asarray(y), groups)
    check_consistent_length(X, y, groups)
    fractions = np.asarray(fractions, dtype=float)
    if fractions.size == 0 or fractions.min() <= 0 or fractions.max() > 1:
        raise ValueError(f"fractions={fractions.tolist()} must lie in (0, 1].")
    units = np.arange(len(y)) if groups is None else groups
    jobs = []
    for split in range(n_splits):
        seed = random_state + split
        splitter = GroupShuffleSplit(1, test_size=test_size, random_state=seed)
        train, test = next(splitter.split(y, groups=units))
        absent = np.setdiff1d(y, y[train])
        if len(absent):
            warnings.warn(
                f"Class {absent.tolist()[0]!r} has no sample in the training part of "
                f"split {split}, so its test samples count as errors for all "
                "estimators; drop classes of few groups.",
                UserWarning,
                stacklevel=2,
            )
        draws = [_draw(y[train], fractions, [seed, draw]) for draw in range(n_draws)]
        for name, estimator in estimators.items():
            estimator = _seeded(clone(estimator), seed)
            job = delayed(_curve)(estimator, X, y, train, test, draws, scoring)
            jobs.append((name, split, job))
    results = Parallel(n_jobs=n_jobs)(job for _, _, job in jobs)
    return pd.DataFrame(
        {
            "estimator": name,
            "split": split,
            "draw": draw,
            "fraction": fraction,
            "n_labeled": n_labeled,
            "score": score,
        }
        for (name, split, _), curve in zip(jobs, results, strict=True)
        for (draw, i, n_labeled, score) in curve
        for fraction in [fractions[i]]
    )


def _curve(estimator, X, y, train, test, draws, scoring):
    X_train, X_test = _rows(X, train), _rows(X, test)
    estimator = _without_labels(estimator, X_train)
    score = check_scoring(estimator, scoring)
    curve = []
    for draw, subsets in enumerate(draws):
        for i, labeled in enumerate(subsets):
            fitted = clone(estimator).fit(_rows(X_train, labeled), y[train][labeled])
            curve.append((draw, i, len(labeled), score(fitted, X_test, y[test])))
    return curve


def _without_labels(estimator, X):
    """Fit and freeze what needs no labels."""
    if isinstance(estimator, Pipeline):
        *steps, (last_name, last) = estimator.steps
        if not steps:
            return estimator
        head = FrozenEstimator(Pipeline(steps).fit(X))
        return Pipeline([("unsupervised", head), (last_name, last)])
    embedder = estimator.get_params(deep=False).get("embedder")
    if embedder is not None and not isinstance(embedder, FrozenEstimator):
        estimator.set_params(embedder=FrozenEstimator(embedder.fit(X)))
    return estimator


def _draw(y, fractions, seed):
    """Rows to label for each share: nested, and one of each class at least."""
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(np.flatnonzero(y == c)) for c in np.unique(y)]
    return [
        np.sort(np.concatenate([o[: max(1, round(f * len(o)))] for o in orders]))
        for f in fractions
    ]


def _seeded(estimator, seed):
    for name, value in estimator.get_params().items():
        if name.split("__")[-1] == "random_state" and value is None:
            estimator.set_params(**{name: seed})
    return estimator


def _rows(X, rows):
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]

"""Fit once what needs no labels."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from ._cells import take_rows


def without_labels(estimator, X, rows):
    """Fit and freeze what needs no labels.

    These are the steps of a pipeline before the last, and the embedder of a fine-tuned
    estimator.
    """
    X = take_rows(X, rows)
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

"""Which output of an estimator is asked for."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._finetune._tuned import TunedEncoder
from ..pretext import GexBERT
from ..pretext._base import BaseEmbedder


def check_estimator(estimator):
    """Return the estimator to explain.

    Raises
    ------
    ValueError
        If it is of another kind, or has no gradients.
    """
    if isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    if not isinstance(estimator, BaseEmbedder | TunedEncoder):
        raise ValueError(
            f"estimator is of type {type(estimator).__name__}, and only embedders and "
            "fine-tuned estimators of skgex have attributions" + _remedy(estimator)
        )
    check_is_fitted(estimator)
    encoder = estimator.encoder_
    if getattr(getattr(encoder, "value", None), "kind", None) == "bins":
        raise ValueError(
            f"A {GexBERT.__name__} with value_encoder='bins' has no gradients: values "
            "of one bin are the same to it. Fit one with value_encoder='continuous'."
        )
    return estimator


def _remedy(estimator):
    if hasattr(estimator, "steps"):
        return (
            ". Of a pipeline give the last step, and what the steps before make of X: "
            'pipeline[-1], pipeline[:-1].set_output(transform="pandas").transform(X).'
        )
    if hasattr(estimator, "param_grid") or hasattr(estimator, "best_estimator_"):
        return ". Of a search give best_estimator_."
    return "."


def find_asked(estimator, X, target):
    """Return which output is asked of each sample.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like of shape (n_samples, n_genes)
        The samples, as they were passed.
    target : object
        See `gene_attributions`.

    Returns
    -------
    asked : ndarray of shape (n_samples,), dtype int64, or None
        Positions of outputs; None for the distance of an embedding to the baseline.
    """
    if hasattr(estimator, "predict_survival_function"):
        if target is not None:
            raise ValueError(
                f"target={target!r}, but survival estimators have one output, that of "
                "predict: leave target out."
            )
        place = 0
    elif is_classifier(estimator):
        return _find_classes(estimator, X, target)
    elif is_regressor(estimator):
        n_outputs = len(estimator._y_mean)
        if target is None and n_outputs > 1:
            raise ValueError(
                f"The regressor has {n_outputs} outputs: say which by target, as a "
                "position."
            )
        place = _check_place(0 if target is None else target, n_outputs, "outputs")
    elif target is None:
        return None
    else:
        names = estimator.get_feature_names_out().tolist()
        if isinstance(target, str) and target in names:
            target = names.index(target)
        place = _check_place(target, len(names), "dimensions")
    return np.full(len(X), place)


def _check_place(target, n_outputs, what):
    whole = isinstance(target, Integral) and not isinstance(target, bool)
    if not whole or not -n_outputs <= target < n_outputs:
        raise ValueError(
            f"target={target!r} is none of the {n_outputs} {what}: give a position, "
            f"from 0 to {n_outputs - 1}."
        )
    return int(target) % n_outputs


def _find_classes(estimator, X, target):
    classes = estimator.classes_
    labels = estimator.predict(X) if target is None else np.asarray(target)
    if labels.ndim and labels.shape != (len(X),):
        raise ValueError(
            f"target has shape {labels.shape}: give one class, or one for each of the "
            f"{len(X)} samples."
        )
    place = {label: i for i, label in enumerate(classes.tolist())}
    labels = np.broadcast_to(labels, len(X)).tolist()
    unknown = [label for label in labels if label not in place]
    if unknown:
        raise ValueError(
            f"target has {unknown[0]!r}, which is no class; the classes are "
            f"{', '.join(map(repr, place))}."
        )
    return np.array([place[label] for label in labels])

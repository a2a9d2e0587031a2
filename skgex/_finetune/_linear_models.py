"""Linear models of scikit-learn, as coefficients of a layer."""

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV

from .._training import quiet
from ._sample_span import SampleSpan

# Messages of scikit-learn where classes have few labels, which is the use here.
MANY_CLASSES = "The number of unique classes is greater than 50%"


def logistic_regression(features, target, weight, C):
    """Fit logistic regression.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
        Features.
    target : ndarray of shape (n_samples,)
        Classes, 0 to n_classes - 1.
    weight : ndarray of shape (n_samples,)
        Weights, of which the mean does not matter.
    C : float
        Inverse of the penalty.

    Returns
    -------
    coef : ndarray of shape (n_classes, n_features)
    intercept : ndarray of shape (n_classes,)
    """
    model = LogisticRegression(C=C, max_iter=300)
    # It need not converge to the last digit, and may have few samples of a class.
    with quiet(ConvergenceWarning), quiet(message=MANY_CLASSES):
        model.fit(features, target, sample_weight=weight / weight.mean())
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    # The logit of two classes, shared between two outputs.
    return (
        np.concatenate([-model.coef_, model.coef_]) / 2,
        np.concatenate([-model.intercept_, model.intercept_]) / 2,
    )


def ridge_regression(features, target, weight, alphas):
    """Fit ridge regression, with the penalty chosen by leaving one sample out.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
        Features.
    target : ndarray of shape (n_samples, n_outputs)
        Targets.
    weight : ndarray of shape (n_samples,)
        Weights, of which the mean does not matter.
    alphas : sequence of float
        Penalties to choose from.

    Returns
    -------
    coef : ndarray of shape (n_outputs, n_features)
    intercept : ndarray of shape (n_outputs,)
    """
    model = RidgeCV(alphas=alphas)
    model.fit(features, target, sample_weight=weight / weight.mean())
    return model.coef_.reshape(-1, features.shape[1]), model.intercept_


def some_rows(features, rows):
    """Return some rows, which are in order; the same array where they are all."""
    return features if len(rows) == len(features) else features[rows]


def in_own_span(fit, features, *arguments):
    """Fit a ridge-penalised model in the span of its few samples.

    Parameters
    ----------
    fit : callable
        Fits coefficients of shape (n_outputs, n_features), and intercepts.
    features : ndarray of shape (n_samples, n_features)
        Features.
    *arguments : object
        What `fit` is given beside features.

    Returns
    -------
    coef : ndarray of shape (n_outputs, n_features)
    intercept : ndarray of shape (n_outputs,)
    """
    span = SampleSpan(features)
    if not span.scores.shape[1]:  # samples of which nothing is known but means
        return fit(features, *arguments)
    coef, intercept = fit(span.scores.numpy(), *arguments)
    coef = [span.coefficients(theta).numpy() for theta in torch.from_numpy(coef)]
    return np.stack(coef), intercept

"""Discriminant analysis that also learns from samples without a label."""

from itertools import islice
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from .._training import quiet
from ._linear_models import logistic_regression

N_STEPS = 16
N_FOLDS = 5
# Share of the mean variance in the covariance, which is that of a sphere to this part.
_SHRINKAGE = 0.3
# Genes are not independent of each other given a class, as their principal components
# would have to be: posteriors of a Gaussian are too sure, and log odds are divided.
_TEMPERATURE = 3.0
# What all labelled samples weigh at least, beside the others.
_LABELED_SHARE = 0.5
_RARE_CLASSES = "The least populated class in y has only"


class ClassMixture(NamedTuple):
    """Logits of classes, which are linear as the covariance is shared."""

    coef: np.ndarray | None  # (n_classes, n_components); None without steps
    intercept: np.ndarray | None  # (n_classes,)
    n_steps: int  # of expectation maximisation


def fit_class_mixture(scores, rows, target, weight, n_classes, groups=None):
    """Fit a Gaussian for each class, all with one covariance, to all samples.

    By expectation maximisation, in which samples without a label belong to each class
    by its posterior probability (McLachlan 1975; Nigam et al. 2000), from logistic
    regression on the labelled samples. Classes drift where samples are not like such a
    mixture, as where a class has clusters. So the number of steps is the one with the
    fewest errors in labelled samples that were held out, of a vote with the logistic
    regression that steps start from; more steps, where that does not tell.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_components)
        Principal components of all samples.
    rows : ndarray of shape (n_labeled,)
        Which samples are labelled.
    target : ndarray of shape (n_labeled,)
        Their classes, 0 to `n_classes` - 1; each has a sample.
    weight : ndarray of shape (n_labeled,)
        Their weights, of which the mean does not matter.
    n_classes : int
        Number of classes.
    groups : ndarray of shape (n_labeled,), default=None
        Patients or donors, which are not split when samples are held out.

    Returns
    -------
    found : ClassMixture

    References
    ----------
    .. [1] McLachlan G. J. "Iterative reclassification procedure for constructing an
       asymptotically optimal rule of allocation in discriminant analysis", JASA
       70(350), 1975.
    .. [2] Nigam K., McCallum A. K., Thrun S., Mitchell T. "Text classification from
       labeled and unlabeled documents using EM", Machine Learning 39, 2000.
    """
    n_steps = _choose_steps(scores, rows, target, weight, n_classes, groups)
    if not n_steps:
        return ClassMixture(None, None, 0)
    steps = _steps(scores, rows, target, weight, n_classes)
    coef, intercept = next(islice(steps, n_steps, None))
    return ClassMixture(coef, intercept, n_steps)


def _choose_steps(scores, rows, target, weight, n_classes, groups):
    errors = np.zeros(N_STEPS + 1)
    for fit, held_out in _folds(target, groups):
        known = np.isin(target[held_out], target[fit])
        held_out = held_out[known]
        found, encoded = np.unique(target[fit], return_inverse=True)
        if len(found) < 2 or not len(held_out) or not weight[fit].any():
            continue
        steps = _steps(scores, rows[fit], encoded, weight[fit], len(found))
        X, y = scores[rows[held_out]], target[held_out]
        found_log_odds = [
            log_softmax(X @ coef.T + intercept, axis=1)
            for coef, intercept in islice(steps, N_STEPS + 1)
        ]
        for step, log_odds in enumerate(found_log_odds):
            vote = found_log_odds[0] + log_odds
            errors[step] += (found[vote.argmax(axis=1)] != y) @ weight[held_out]
    # Sums of the same weights may differ in their last digits.
    best = errors <= errors.min() + 1e-9 * weight.sum()
    return int(np.flatnonzero(best)[-1])


def _folds(target, groups):
    """Yield the places of samples to fit to and to test on."""
    n_folds = int(np.clip(np.bincount(target).min(), 2, N_FOLDS))
    if groups is None:
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    elif len(np.unique(groups)) >= n_folds:
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
    else:
        return
    # scikit-learn refuses folds where no class has as many samples.
    if np.bincount(target).max() >= n_folds:
        with quiet(message=_RARE_CLASSES):
            folds = list(splitter.split(target, target, groups))
        yield from folds


def _steps(scores, rows, target, weight, n_classes):
    """Yield coefficients and intercepts: of the start, and after each step."""
    coef, intercept = logistic_regression(scores[rows], target, weight, C=1.0)
    yield coef, intercept
    belongs = softmax(scores @ coef.T + intercept, axis=1)
    n_others = len(scores) - len(rows)
    size = np.ones(len(scores))
    size[rows] = max(1.0, _LABELED_SHARE * n_others / len(rows))
    size[rows] *= weight / weight.mean()
    labels = np.eye(n_classes)[target]
    while True:
        belongs[rows] = labels
        coef, intercept = _discriminant(scores, belongs, size)
        yield coef, intercept
        belongs = softmax(scores @ coef.T + intercept, axis=1)


def _discriminant(scores, belongs, size):
    """Return what linear discriminant analysis makes of samples with probabilities."""
    share = belongs * size[:, None]
    mean = (share.T @ scores) / np.maximum(share.sum(axis=0), 1e-9)[:, None]
    within = scores - belongs @ mean
    covariance = (within * size[:, None]).T @ within / size.sum()
    sphere = np.trace(covariance) / len(covariance)
    covariance *= 1 - _SHRINKAGE
    covariance.flat[:: len(covariance) + 1] += max(_SHRINKAGE * sphere, 1e-12)
    coef = np.linalg.solve(covariance, mean.T).T
    intercept = -0.5 * np.einsum("kd,kd->k", coef, mean)
    return coef / _TEMPERATURE, intercept / _TEMPERATURE

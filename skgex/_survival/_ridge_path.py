"""Ridge-penalised Cox regression in the span of the samples, along a path."""

import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

_TOLERANCE = 1e-11
_MAX_NEWTON, _MAX_CONJUGATE, _MAX_HALVINGS = 50, 200, 30


def ridge_path(scores, likelihood, alphas, *, tolerance=None):
    """Minimise the negative log partial likelihood + alpha / 2 * |theta|^2.

    By Newton's method, each step by conjugate gradients with a diagonal
    preconditioner, for which the axes of `scores` should be orthogonal. Each penalty
    starts from the solution of the one before.

    Parameters
    ----------
    scores : tensor of shape (n_samples, rank), dtype float64
        Features.
    likelihood : CoxLikelihood
        Of the same samples.
    alphas : sequence of float
        Penalties, from the largest to the smallest.
    tolerance : float or None, default=None
        Newton stops when it expects less from a further step, in likelihood ratios of
        one for each event.

    Returns
    -------
    thetas : tensor of shape (n_alphas, rank), dtype float64
    """
    theta = scores.new_zeros(scores.shape[1])
    enough = (tolerance or _TOLERANCE) * float(likelihood.event_weight.sum())
    curvature = scores.square().mean(dim=0) * likelihood.event_weight.sum()
    thetas = []
    for alpha in alphas:
        theta = _newton(scores, likelihood, float(alpha), theta, curvature, enough)
        thetas.append(theta)
    return torch.stack(thetas)


def penalty_path(scores, likelihood, n_alphas=12):
    """Return penalties from one that leaves next to nothing to a weak one.

    In proportion to the sum of the curvatures of the likelihood along all axes, so that
    they suit few features and many.
    """
    total = scores.square().mean(dim=0).sum() * likelihood.event_weight.sum()
    return np.geomspace(0.15, 1.5e-4, n_alphas) * max(float(total), 1e-12)


def _newton(scores, likelihood, alpha, theta, curvature, enough):
    def objective(theta):
        value, slope = likelihood.value_and_gradient(scores @ theta)
        value = value + alpha / 2 * theta @ theta
        return value, scores.T @ slope + alpha * theta

    value, gradient = objective(theta)
    for _ in range(_MAX_NEWTON):
        product = likelihood.hessian_product(scores @ theta)
        step = _conjugate_gradients(
            lambda v, product=product: scores.T @ product(scores @ v) + alpha * v,
            -gradient,
            1 / (curvature + alpha),
        )
        decrement = float(-(gradient @ step))
        if decrement <= enough:
            return theta
        # Near the optimum rounding hides what a step gains: any that is not worse will
        # do.
        slack = 1e-13 * abs(float(value))
        size = 1.0
        for _ in range(_MAX_HALVINGS):
            trial = theta + size * step
            new_value, new_gradient = objective(trial)
            if new_value <= value - 1e-4 * size * decrement + slack:
                break
            size /= 2
        else:
            return theta
        theta, value, gradient = trial, new_value, new_gradient
    warnings.warn(
        f"Ridge regression with alpha={alpha:.3g} did not converge in {_MAX_NEWTON} "
        "Newton steps; raise alpha.",
        ConvergenceWarning,
        stacklevel=3,
    )
    return theta


def _conjugate_gradients(product, target, preconditioner):
    """Solve ``product(x) = target`` to a tolerance that tightens as `target` falls."""
    x = torch.zeros_like(target)
    residual, scaled = target, preconditioner * target
    direction, old = scaled, residual @ scaled
    # Few digits while Newton is far from the optimum, more as it comes near.
    enough = old * min(1e-2, float(old) ** 0.5) ** 2
    for _ in range(_MAX_CONJUGATE):
        if not old > 0:
            break
        image = product(direction)
        length = old / (direction @ image)
        x = x + length * direction
        residual = residual - length * image
        scaled = preconditioner * residual
        new = residual @ scaled
        if new <= enough:
            break
        direction = scaled + new / old * direction
        old = new
    return x

"""Ridge-penalised Cox regression in the span of the samples, along a path."""

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from .._warn import warn_caller

_TOLERANCE = 1e-11
_MAX_NEWTON, _MAX_CONJUGATE, _MAX_HALVINGS = 50, 200, 30


def ridge_path(scores, likelihood, alphas, *, n_free=0, tolerance=None, offset=0.0):
    """Minimise the negative log partial likelihood + alpha / 2 * |theta|^2.

    By Newton's method, each step by conjugate gradients with a diagonal
    preconditioner, for which the axes of `scores` should be orthogonal. Features that
    are free of the penalty take part in each step, with their whole block of the
    Hessian as preconditioner. Each penalty starts from the solution of the one before.

    Parameters
    ----------
    scores : tensor of shape (n_samples, rank), dtype float64
        Features.
    likelihood : CoxLikelihood
        Of the same samples.
    alphas : sequence of float
        Penalties, from the largest to the smallest.
    n_free : int, default=0
        How many of the first features are not penalised.
    tolerance : float or None, default=None
        Newton stops when it expects less from a further step, in likelihood ratios of
        one for each event.
    offset : tensor of shape (n_samples,) or float, default=0.0
        What is added to the log risk, and known.

    Returns
    -------
    thetas : tensor of shape (n_alphas, rank), dtype float64
    """
    theta = scores.new_zeros(scores.shape[1])
    enough = (tolerance or _TOLERANCE) * float(likelihood.event_weight.sum())
    curvature = scores.square().mean(dim=0) * likelihood.event_weight.sum()
    thetas = []
    for alpha in alphas:
        penalty = torch.full_like(theta, float(alpha))
        penalty[:n_free] = 0
        theta = _newton(
            scores, likelihood, penalty, theta, curvature, enough, n_free, offset
        )
        thetas.append(theta)
    return torch.stack(thetas)


def penalty_path(scores, likelihood, n_alphas=12):
    """Return penalties from one that leaves next to nothing to a weak one.

    In proportion to the sum of the curvatures of the likelihood along all axes, so that
    they suit few features and many.
    """
    total = scores.square().mean(dim=0).sum() * likelihood.event_weight.sum()
    return np.geomspace(0.15, 1.5e-4, n_alphas) * max(float(total), 1e-12)


def _newton(scores, likelihood, penalty, theta, curvature, enough, n_free, offset):
    def objective(theta):
        value, slope = likelihood.value_and_gradient(scores @ theta + offset)
        value = value + penalty * theta @ theta / 2
        return value, scores.T @ slope + penalty * theta

    value, gradient = objective(theta)
    for _ in range(_MAX_NEWTON):
        product = likelihood.hessian_product(scores @ theta + offset)
        step = _conjugate_gradients(
            lambda v, product=product: scores.T @ product(scores @ v) + penalty * v,
            -gradient,
            _preconditioner(scores, product, curvature + penalty, n_free),
        )
        decrement = float(-(gradient @ step))
        if decrement <= enough:
            # Of what is free, digits count that the likelihood hardly notices.
            return theta + step if n_free else theta
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
    warn_caller(
        f"Ridge regression with alpha={float(penalty.max()):.3g} did not converge in "
        f"{_MAX_NEWTON} Newton steps; raise alpha.",
        ConvergenceWarning,
    )
    return theta


def _preconditioner(scores, product, diagonal, n_free):
    """Return a function that nearly divides by the Hessian."""
    if not n_free:
        return lambda vector: vector / diagonal
    free = scores[:, :n_free]
    inverse = pseudo_inverse(free.T @ torch.stack([product(c) for c in free.T], 1))

    def divide(vector):
        out = vector / diagonal
        out[:n_free] = inverse @ vector[:n_free]
        return out

    return divide


def pseudo_inverse(matrix):
    """Invert a symmetric matrix, but for directions that it knows nothing of."""
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    known = values > 1e-10 * values[-1].clamp(min=1e-300)
    return (vectors[:, known] / values[known]) @ vectors[:, known].T


def _conjugate_gradients(product, target, precondition, accuracy=None):
    """Solve ``product(x) = target`` to a tolerance that tightens as `target` falls."""
    x = torch.zeros_like(target)
    residual, scaled = target, precondition(target)
    direction, old = scaled, residual @ scaled
    # Few digits while Newton is far from the optimum, more as it comes near.
    enough = old * (accuracy or min(1e-2, float(old) ** 0.5)) ** 2
    for _ in range(_MAX_CONJUGATE):
        if not old > 0:
            break
        image = product(direction)
        length = old / (direction @ image)
        x = x + length * direction
        residual = residual - length * image
        scaled = precondition(residual)
        new = residual @ scaled
        if new <= enough:
            break
        direction = scaled + new / old * direction
        old = new
    return x


def profiled_information(free, scores, likelihood, risk, penalty):
    """Return the information of unpenalised coefficients, the others profiled out.

    That is the Schur complement of the penalised block in the Hessian of the penalised
    likelihood; its inverse is their block of the inverse Hessian.

    Parameters
    ----------
    free : tensor of shape (n_samples, n_free), dtype float64
        Features that are not penalised.
    scores : tensor of shape (n_samples, n_penalised), dtype float64
        Those that are.
    likelihood : CoxLikelihood
        Of the same samples.
    risk : tensor of shape (n_samples,), dtype float64
        Log risk at the optimum.
    penalty : float
        Of the squares of the coefficients of `scores`, times two.

    Returns
    -------
    information : tensor of shape (n_free, n_free), dtype float64
    """
    product = likelihood.hessian_product(risk)
    bent = torch.stack([product(column) for column in free.T], 1)
    information = free.T @ bent
    if not scores.shape[1]:
        return information
    shared = scores.T @ bent
    curvature = scores.square().mean(dim=0) * likelihood.event_weight.sum() + penalty

    def hessian(vector):
        return scores.T @ product(scores @ vector) + penalty * vector

    solved = torch.stack(
        [
            _conjugate_gradients(hessian, column, lambda v: v / curvature, 1e-10)
            for column in shared.T
        ],
        1,
    )
    # Errors of the solutions enter by their square.
    image = torch.stack([hessian(column) for column in solved.T], 1)
    cross = solved.T @ shared
    return information - cross - cross.T + solved.T @ image

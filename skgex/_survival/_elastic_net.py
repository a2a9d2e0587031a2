"""Cox regression with a penalty on absolute coefficients, along a path."""

import torch
from sklearn.exceptions import ConvergenceWarning

from .._warn import warn_caller
from ._ridge_path import ridge_path

_TOLERANCE = 1e-9
_MAX_STEPS = 5000


def largest_penalty(features, likelihood, l1_ratio, risk=None):
    """Return the smallest penalty that leaves every coefficient at zero.

    Beside `risk`, of shape (n_samples,), what is not penalised says without them.
    """
    if risk is None:
        risk = features.new_zeros(len(features))
    _, slope = likelihood.value_and_gradient(risk)
    return float((features.T @ slope).abs().max()) / l1_ratio


def elastic_net_path(features, likelihood, alphas, l1_ratio, tolerance=None, n_free=0):
    """Minimise the negative log partial likelihood with an elastic-net penalty.

    The penalty is ``alpha * (l1_ratio * |b|_1 + (1 - l1_ratio) / 2 * |b|^2)``. By
    accelerated proximal gradient steps with backtracking, restarted where the momentum
    leads uphill; each penalty starts from the solution of the one before.

    Parameters
    ----------
    features : tensor of shape (n_samples, n_features), dtype float64
        Features.
    likelihood : CoxLikelihood
        Of the same samples.
    alphas : sequence of float
        Penalties, from the largest to the smallest.
    l1_ratio : float
        Between 0 and 1.
    tolerance : float or None, default=None
        Step, relative to the coefficients, at which to stop.
    n_free : int, default=0
        How many of the first features are not penalised.

    Returns
    -------
    coefs : tensor of shape (n_alphas, n_features), dtype float64

    References
    ----------
    Beck A., Teboulle M. "A fast iterative shrinkage-thresholding algorithm", SIAM J.
    Imaging Sciences 2(1), 2009. :doi:`10.1137/080716542`
    O'Donoghue B., Candes E. "Adaptive restart for accelerated gradient schemes", Found.
    Comput. Math. 15, 2015. :doi:`10.1007/s10208-013-9150-3`
    """
    coef = features.new_zeros(features.shape[1])
    if n_free:
        # Without genes, which is where the path begins.
        free = features[:, :n_free]
        coef[:n_free] = ridge_path(free, likelihood, [0.0], n_free=n_free)[0]
    coefs = []
    rate = 1 / max(float(features.square().sum()) / len(features), 1e-12)
    for alpha in alphas:
        penalised = (torch.arange(len(coef)) >= n_free).double()
        lasso, ridge = alpha * l1_ratio * penalised, alpha * (1 - l1_ratio) * penalised
        coef, rate = _descend(
            features, likelihood, coef, rate, lasso, ridge, tolerance or _TOLERANCE
        )
        coefs.append(coef)
    return torch.stack(coefs)


def _descend(features, likelihood, coef, rate, lasso, ridge, tolerance):
    def smooth(coef):
        value, slope = likelihood.value_and_gradient(features @ coef)
        return (
            value + ridge * coef @ coef / 2,
            features.T @ slope + ridge * coef,
        )

    ahead, momentum = coef, 1.0
    rate *= 4
    for _ in range(_MAX_STEPS):
        value, gradient = smooth(ahead)
        while True:
            new = _shrink(ahead - rate * gradient, rate * lasso)
            step = new - ahead
            bound = value + gradient @ step + step @ step / (2 * rate)
            new_value, _ = likelihood.value_and_gradient(features @ new)
            if new_value + ridge * new @ new / 2 <= bound + 1e-12 * abs(value):
                break
            rate /= 2
        moved = new - coef
        if step.norm() <= tolerance * max(float(new.norm()), 1e-8):
            return new, rate
        # Momentum that leads uphill is dropped.
        uphill = bool(step @ moved < 0)
        next_momentum = 1.0 if uphill else (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (0 if uphill else (momentum - 1) / next_momentum) * moved
        coef, momentum = new, next_momentum
    warn_caller(
        f"The elastic net did not converge in {_MAX_STEPS} steps; raise alpha, or "
        "lower l1_ratio.",
        ConvergenceWarning,
    )
    return coef, rate


def _shrink(values, by):
    return values.sign() * (values.abs() - by).clamp(min=0)

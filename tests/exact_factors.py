"""Simulated samples with holes, and exact variational EM to compare a fit with."""

import numpy as np
import torch

from skgex._low_rank import FactorAnalysis
from skgex._low_rank._fit_holes import MEAN_PRECISION, NOISE_COUNT
from skgex._low_rank._start import MIN_NOISE


def make_model(n_genes, rank, noise=0.3, seed=0):
    """Return loadings, noise and mean: factors of different size, unit variances."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_genes, rank)) * np.linspace(1.5, 0.7, rank)
    loadings *= np.sqrt(1 - noise) / np.linalg.norm(loadings, axis=1, keepdims=True)
    return loadings, np.full(n_genes, noise), 0.3 * rng.normal(size=n_genes)


def uncertain_model(n_genes, rank, seed=0, uncertain=True, least_noise=0.2):
    """Return a model whose loadings are uncertain, each by another factor."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(rank, rank)) / rank * uncertain
    arrays = (
        rng.normal(size=(n_genes, rank)),
        rng.uniform(least_noise, 2.0, n_genes),
        rng.normal(size=n_genes),
        root @ root.T,
        rng.uniform(0.5, 3, n_genes),
    )
    return FactorAnalysis(*(torch.tensor(array).float() for array in arrays))


def draw(n, model, seed=1):
    loadings, noise, mean = model
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, loadings.shape[1])) @ loadings.T + mean
    X += rng.normal(size=X.shape) * np.sqrt(noise)
    return X.astype(np.float32)


def with_holes(X, kind, seed=5):
    X, rng = X.copy(), np.random.default_rng(seed)
    n, n_genes = X.shape
    if "one hole" in kind:
        X[3, 4] = np.nan
    if "block" in kind:
        X[: n // 2, : n_genes // 2] = np.nan
    if "panels" in kind:
        order = rng.permutation(n_genes)
        for cohort in range(3):
            lacking = order[cohort * n_genes // 4 : (cohort + 1) * n_genes // 4]
            X[cohort::3, lacking] = np.nan
    if "rare gene" in kind:
        X[4:, 3] = np.nan
    for percent in (10, 40):
        if f"{percent} %" in kind:
            X[rng.random(X.shape) < percent / 100] = np.nan
    return X


def arrays(model):
    """Return loadings, noise, mean, and the covariance of the loadings of each gene."""
    names = ("loadings", "noise", "mean", "uncertainty", "uncertainty_scale")
    *rest, uncertainty, scale = (
        getattr(model, name).double().numpy() for name in names
    )
    return *rest, scale[:, None, None] * uncertainty


def exact_posterior(X, parameters):
    """Return means and covariances of the factors of each sample."""
    loadings, noise, mean, spread = parameters
    means, covariances = [], []
    for row in X:
        seen = ~np.isnan(row)
        own, weight = loadings[seen], loadings[seen] / noise[seen, None]
        precision = np.eye(loadings.shape[1]) + own.T @ weight + spread[seen].sum(0)
        covariances.append(np.linalg.inv(precision))
        means.append(covariances[-1] @ weight.T @ (row - mean)[seen])
    return np.array(means), np.array(covariances)


def exact_iteration(X, parameters, pooled):
    """Return the parameters after an iteration of variational EM, slowly."""
    loadings, noise, mean, spread = parameters
    (n, n_genes), rank = X.shape, loadings.shape[1]
    size = (loadings**2 / noise[:, None]).sum(0) + np.einsum("jkk->k", spread)
    prior = np.diag([*(n_genes / size), MEAN_PRECISION])
    factors, covariances = exact_posterior(X, parameters)
    rows = np.column_stack([factors, np.ones(n)])
    second = rows[:, :, None] * rows[:, None, :]
    second[:, :rank, :rank] += covariances
    weights, spread = np.empty((n_genes, rank + 1)), np.empty_like(spread)
    square = np.empty(n_genes)
    for j in range(n_genes):
        seen = ~np.isnan(X[:, j])
        inverse = np.linalg.inv(second[seen].sum(0) + prior)
        weights[j] = inverse @ rows[seen].T @ X[seen, j]
        spread[j] = inverse[:rank, :rank]
        own = weights[j, :rank]
        square[j] = ((X[seen, j] - rows[seen] @ weights[j]) ** 2).sum()
        square[j] += own @ (covariances[seen].sum(0) + prior[:rank, :rank]) @ own
    count = (~np.isnan(X)).sum(0)
    common = square.sum() / count.sum()
    noise = (square + NOISE_COUNT * common) / (count + NOISE_COUNT)
    if pooled:
        # One matrix for all genes, times a number for each.
        shape = spread.mean(0) / np.trace(spread.mean(0))
        spread = np.einsum("jkk->j", spread)[:, None, None] * shape
    # Factors are brought to mean 0 and variance 1.
    off = factors - factors.mean(0)
    root = np.linalg.cholesky(off.T @ off / n + covariances.mean(0))
    mean = weights[:, rank] + weights[:, :rank] @ factors.mean(0)
    spread = root.T @ spread @ root
    return weights[:, :rank] @ root, np.maximum(noise, MIN_NOISE), mean, spread


def exact_fit(X, parameters, pooled, tolerance=1e-6):
    change = np.inf
    while change > tolerance:
        last = parameters[0] @ parameters[0].T
        parameters = exact_iteration(X, parameters, pooled)
        change = np.abs(parameters[0] @ parameters[0].T - last).max()
    return parameters

"""The linear part of a risk: penalised Cox regression on all genes."""

from typing import NamedTuple

import numpy as np
import torch

from ._elastic_net import elastic_net_path, largest_penalty
from ._ridge_path import SampleSpan, penalty_path, ridge_path

N_ALPHAS = 12
# Gains in likelihood that choose a penalty need not be known better than this.
_ROUGH = 1e-7


class LinearRisk(NamedTuple):
    """A linear log risk, and how its penalty was chosen."""

    coef: np.ndarray  # (n_genes,)
    alpha: float
    alphas: np.ndarray  # (n_alphas,)
    gains: np.ndarray | None  # (n_alphas,), in log likelihood of samples held out
    held_out: np.ndarray | None  # (n_samples,), log risk by models of the other folds


class _Ridge:
    """Ridge regression, in the span of the samples."""

    def __init__(self, G, data, ties):
        self.data, self.ties = data, ties
        self.span = SampleSpan(G)
        self.features = self.span.scores

    def alphas(self):
        return penalty_path(self.features, self.data.likelihood(self.ties), N_ALPHAS)

    def path(self, alphas, rows=slice(None), tolerance=None):
        likelihood = self.data.take(rows).likelihood(self.ties)
        return ridge_path(self.features[rows], likelihood, alphas, tolerance=tolerance)

    def coefficients(self, solution):
        return self.span.coefficients(solution).numpy()


class _ElasticNet:
    """Elastic net, gene by gene."""

    def __init__(self, G, data, ties, l1_ratio):
        self.data, self.ties, self.l1_ratio = data, ties, l1_ratio
        self.features = torch.from_numpy(G).double()

    def alphas(self):
        likelihood = self.data.likelihood(self.ties)
        largest = largest_penalty(self.features, likelihood, self.l1_ratio)
        return largest * np.geomspace(1, 0.05, N_ALPHAS)

    def path(self, alphas, rows=slice(None), tolerance=None):
        likelihood = self.data.take(rows).likelihood(self.ties)
        return elastic_net_path(
            self.features[rows], likelihood, alphas, self.l1_ratio, tolerance
        )

    def coefficients(self, solution):
        return solution.numpy()


def fit_linear_risk(G, data, *, alpha, l1_ratio, ties, folds):
    """Fit a linear log risk by the penalised partial likelihood.

    Parameters
    ----------
    G : ndarray of shape (n_samples, n_genes)
        Scaled genes, without NaN.
    data : SurvivalData
        Their follow-up.
    alpha : float or "cv"
        Penalty; "cv" chooses the one with the best likelihood of samples held out.
    l1_ratio : float
        Share of the penalty that is on absolute coefficients.
    ties : {"efron", "breslow"}
        What is done about tied events.
    folds : list of (ndarray, ndarray)
        Rows of the training and held-out samples; may be empty.

    Returns
    -------
    risk : LinearRisk
    """
    G = G - G.mean(axis=0)
    model = _ElasticNet(G, data, ties, l1_ratio) if l1_ratio else _Ridge(G, data, ties)
    alphas = model.alphas() if alpha == "cv" else np.array([float(alpha)])
    gains = held_out = None
    best = 0
    if folds:
        gains = np.zeros(len(alphas))
        risks = torch.zeros(len(alphas), len(G), dtype=torch.float64)
        for train, test in folds:
            solutions = model.path(alphas, train, _ROUGH)
            risks[:, test] = solutions @ model.features[test].T
            likelihood = data.take(test).likelihood(ties)
            nothing = likelihood(torch.zeros(len(test)))
            gains += [float(nothing - likelihood(risk)) for risk in risks[:, test]]
        best = int(gains.argmax())
        held_out = risks[best].numpy()
    solution = model.path(alphas[: best + 1])[-1]
    coef = model.coefficients(solution)
    return LinearRisk(coef, float(alphas[best]), alphas, gains, held_out)

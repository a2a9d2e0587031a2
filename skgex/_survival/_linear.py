"""The linear part of a risk: penalised Cox regression on all genes."""

from typing import NamedTuple

import numpy as np
import torch

from .._finetune._sample_span import SampleSpan
from ._elastic_net import elastic_net_path, largest_penalty
from ._prior_weight import WEIGHTS, average_choice
from ._ridge_path import penalty_path, ridge_path

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
    prior_weight: float


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


def fit_linear_risk(
    G, data, *, alpha, l1_ratio, ties, folds, prior=None, prior_weight=0.0, added=0.0
):
    """Fit a linear log risk by the penalised partial likelihood.

    The coefficients of an earlier model are added to those that are learnt, which know
    nothing of them. To learn only what the earlier ones leave needs a path for each
    weight, and predicted a little worse.

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
    prior : ndarray of shape (n_genes,) or None, default=None
        Coefficients of an earlier model.
    prior_weight : float or "cv", default=0.0
        How much of it is added. "cv" lets the folds choose, or takes all of it where
        there are none.
    added : ndarray of shape (n_samples,) or float, default=0.0
        What else the earlier model says of the log risk. It takes part in the choice
        of its weight, and in nothing else.

    Returns
    -------
    risk : LinearRisk
    """
    G = G - G.mean(axis=0)
    model = _ElasticNet(G, data, ties, l1_ratio) if l1_ratio else _Ridge(G, data, ties)
    alphas = model.alphas() if alpha == "cv" else np.array([float(alpha)])
    earlier = np.zeros(len(G)) if prior is None else G @ prior
    choose, best, gains, held_out = prior_weight == "cv", 0, None, None
    if folds:
        weights = WEIGHTS if choose else [0.0]
        known = torch.from_numpy(np.multiply.outer(weights, earlier + added))
        gains, held_out = _judge(model, alphas, folds, known)
        best = int(gains[0].argmax())
    if choose:
        prior_weight, best = average_choice(gains) if folds else (1.0, 0)
    coef = model.coefficients(model.path(alphas[: best + 1])[-1])
    if prior is not None:
        coef = coef + prior_weight * prior
    if folds:
        gains, held_out = gains[0], held_out[best].numpy() + prior_weight * earlier
    return LinearRisk(coef, float(alphas[best]), alphas, gains, held_out, prior_weight)


def _judge(model, alphas, folds, known):
    """Return how well samples held out are predicted, and their risks.

    Parameters
    ----------
    model : _Ridge or _ElasticNet
        Of all samples: what depends on the genes alone is not made again.
    alphas : ndarray of shape (n_alphas,)
        Penalties.
    folds : list of (ndarray, ndarray)
        Rows of the training and held-out samples.
    known : tensor of shape (n_weights, n_samples)
        Log risks by weights of an earlier model, to which the learnt ones are added.

    Returns
    -------
    gains : ndarray of shape (n_weights, n_alphas)
        In log partial likelihood, over none of the genes.
    risks : tensor of shape (n_alphas, n_samples)
        The learnt log risks, by models of the other folds.
    """
    gains = np.zeros((len(known), len(alphas)))
    risks = torch.zeros(len(alphas), known.shape[1], dtype=torch.float64)
    for train, test in folds:
        solutions = model.path(alphas, train, _ROUGH)
        risks[:, test] = solutions @ model.features[test].T
        likelihood = model.data.take(test).likelihood(model.ties)
        nothing = likelihood(torch.zeros(len(test), dtype=torch.float32))
        for earlier, gain in zip(known[:, test], gains, strict=True):
            gain += [float(nothing - likelihood(r + earlier)) for r in risks[:, test]]
    return gains, risks

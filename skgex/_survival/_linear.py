"""The linear part of a risk: Cox regression on covariates and, penalised, on genes."""

from typing import NamedTuple

import numpy as np
import torch

from .._finetune._sample_span import SampleSpan
from ._elastic_net import elastic_net_path, largest_penalty
from ._prior_weight import WEIGHTS, average_choice
from ._ridge_path import penalty_path, profiled_information, ridge_path

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
    covariates: np.ndarray  # (n_covariates,), their coefficients
    information: np.ndarray  # (n_covariates, n_covariates), genes profiled out
    held_out_covariates: np.ndarray | None  # (n_samples,), their part of the log risk


class _Penalised:
    """Cox regression on covariates as they are, and on genes under a penalty."""

    def __init__(self, genes, C, data, ties):
        self.data, self.ties, self.n_free = data, ties, C.shape[1]
        self.genes = genes
        self.C = torch.from_numpy(np.ascontiguousarray(C))
        self.features = torch.cat([self.C, genes], 1) if self.n_free else genes

    def likelihood(self, rows=slice(None)):
        return self.data.take(rows).likelihood(self.ties)

    def covariates_alone(self, rows=slice(None)):
        """Return the coefficients of the covariates in a model without genes."""
        C = self.C[rows]
        if not self.n_free:
            return C.new_zeros(0)
        return ridge_path(C, self.likelihood(rows), [0.0], n_free=self.n_free)[0]

    def covariates_beside(self, risk, rows=slice(None), tolerance=None):
        """Return the coefficients of the covariates beside a log risk that is known."""
        C, options = self.C[rows], {"n_free": self.n_free, "tolerance": tolerance}
        return ridge_path(C, self.likelihood(rows), [0.0], offset=risk, **options)[0]

    def information(self, solution, alpha, risk):
        """Return that of the covariates, where genes adapt to what they say."""
        genes, penalty = self.in_model(solution, alpha)
        likelihood = self.likelihood()
        return profiled_information(self.C, genes, likelihood, risk, penalty).numpy()


class _Ridge(_Penalised):
    """Ridge regression, in the span of the samples."""

    def __init__(self, G, C, data, ties):
        self.span = SampleSpan(G)
        super().__init__(self.span.scores, C, data, ties)

    def alphas(self):
        return penalty_path(self.genes, self.likelihood(), N_ALPHAS)

    def path(self, alphas, rows=slice(None), tolerance=None):
        return ridge_path(
            self.features[rows],
            self.likelihood(rows),
            alphas,
            n_free=self.n_free,
            tolerance=tolerance,
        )

    def coefficients(self, solution):
        return self.span.coefficients(solution[self.n_free :]).numpy()

    def in_model(self, solution, alpha):
        return self.genes, alpha


class _ElasticNet(_Penalised):
    """Elastic net, gene by gene."""

    def __init__(self, G, C, data, ties, l1_ratio):
        self.l1_ratio = l1_ratio
        super().__init__(torch.from_numpy(G).double(), C, data, ties)

    def alphas(self):
        risk = self.C @ self.covariates_alone()
        largest = largest_penalty(self.genes, self.likelihood(), self.l1_ratio, risk)
        return largest * np.geomspace(1, 0.05, N_ALPHAS)

    def path(self, alphas, rows=slice(None), tolerance=None):
        return elastic_net_path(
            self.features[rows],
            self.likelihood(rows),
            alphas,
            self.l1_ratio,
            tolerance,
            self.n_free,
        )

    def coefficients(self, solution):
        return solution[self.n_free :].numpy()

    def in_model(self, solution, alpha):
        # Genes that were left out are taken for left out.
        kept = solution[self.n_free :] != 0
        return self.genes[:, kept], alpha * (1 - self.l1_ratio)


def fit_linear_risk(
    G,
    data,
    *,
    alpha,
    l1_ratio,
    ties,
    folds,
    prior=None,
    prior_weight=0.0,
    added=0.0,
    C=None,
):
    """Fit a linear log risk by the penalised partial likelihood.

    The coefficients of an earlier model are added to those that are learnt, which know
    nothing of them. To learn only what the earlier ones leave needs a path for each
    weight, and predicted a little worse. Covariates, which no penalty holds back, are
    fitted beside both.

    Parameters
    ----------
    G : ndarray of shape (n_samples, n_genes)
        Scaled genes, without NaN, of mean 0: no copy is made of what may be large.
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
    C : ndarray of shape (n_samples, n_covariates) or None, default=None
        Standardised covariates, which are not penalised.

    Returns
    -------
    risk : LinearRisk
    """
    C = np.empty((len(G), 0)) if C is None else C
    if l1_ratio:
        model = _ElasticNet(G, C, data, ties, l1_ratio)
    else:
        model = _Ridge(G, C, data, ties)
    alphas = model.alphas() if alpha == "cv" else np.array([float(alpha)])
    earlier = np.zeros(len(G)) if prior is None else G @ prior
    choose, best = prior_weight == "cv", 0
    gains = held_out = held_out_covariates = None
    if folds:
        weights = WEIGHTS if choose else np.array([0.0, prior_weight])
        known = torch.from_numpy(np.multiply.outer(weights, earlier + added))
        gains, held_out, held_out_covariates = _judge(model, alphas, folds, known)
        # Beside what an earlier model says, less is left to learn.
        best = int(gains[-1].argmax())
    if choose:
        prior_weight, best = average_choice(gains) if folds else (1.0, 0)
    solution = model.path(alphas[: best + 1])[-1]
    coef, covariates = model.coefficients(solution), solution[: model.n_free]
    known = model.genes @ solution[model.n_free :]
    if prior is not None:
        coef = coef + prior_weight * prior
        known = known + torch.from_numpy(prior_weight * (earlier + added))
        if prior_weight and model.n_free:
            covariates = model.covariates_beside(known)
    if folds:
        gains, held_out = gains[0], held_out[best].numpy() + prior_weight * earlier
        near = np.abs(weights - prior_weight).argmin()
        held_out_covariates = held_out_covariates[near, best].numpy()
    information = np.empty((0, 0))
    if model.n_free:
        risk = known + model.C @ covariates
        information = model.information(solution, alphas[best], risk)
    return LinearRisk(
        coef,
        float(alphas[best]),
        alphas,
        gains,
        held_out,
        prior_weight,
        covariates.numpy(),
        information,
        held_out_covariates,
    )


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
        In log partial likelihood, over none of the genes: over the covariates alone,
        by models of the same folds.
    risks : tensor of shape (n_alphas, n_samples)
        The learnt log risks of genes, by models of the other folds.
    of_covariates : tensor of shape (n_weights, n_alphas, n_samples)
        Those of covariates, beside genes and the earlier model.
    """
    gains = np.zeros((len(known), len(alphas)))
    risks = torch.zeros(len(alphas), known.shape[1], dtype=torch.float64)
    of_covariates = torch.zeros(len(known), *risks.shape, dtype=torch.float64)
    for train, test in folds:
        solutions = model.path(alphas, train, _ROUGH)
        free, penalised = solutions.tensor_split([model.n_free], dim=1)
        risk = penalised @ model.genes.T
        risks[:, test] = risk[:, test]
        likelihood = model.likelihood(test)
        nothing = likelihood(model.C[test] @ model.covariates_alone(train))
        for w, earlier in enumerate(known):
            beside = free
            if model.n_free and earlier.any():
                seen = risk[:, train] + earlier[train]
                beside = [model.covariates_beside(r, train, _ROUGH) for r in seen]
                beside = torch.stack(beside)
            of_covariates[w][:, test] = beside @ model.C[test].T
            both = risk[:, test] + of_covariates[w][:, test] + earlier[test]
            gains[w] += [float(nothing - likelihood(r)) for r in both]
    return gains, risks, of_covariates

"""The score test of each gene in Cox models that have covariates."""

import numpy as np
import torch

from ._data import SurvivalData
from ._gene_chunks import gene_chunks, groups_of_genes
from ._ridge_path import pseudo_inverse, ridge_path
from ._score_test import make_risk_sets, score_and_information

# What is left of the information of a gene that does not follow from covariates.
_LEFT = 1e-9
# Nobody's hazard is zero beside the largest, also where covariates order the times.
_LARGEST_RISK = 300.0


def adjusted_score_test(X, C, event, time, *, stratum, weight, ties):
    """Test for each gene whether the hazard depends on it, given covariates.

    The model of the covariates is fitted once, then for each gene the score and its
    information at a coefficient of zero, less what the covariates explain of it::

        z = U_g / sqrt(I_gg - I_gc I_cc^-1 I_cg)

    A gene that was not measured in some samples is tested in the others, for which the
    model of the covariates is fitted again: once for each pattern of holes.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        Finite, or NaN where a gene was not measured.
    C : ndarray of shape (n_samples, n_covariates), dtype float64
        Covariates.
    event, time, stratum, weight : ndarray of shape (n_samples,)
        As for `cox_score_test`, strata as numbers from 0 on.
    ties : {"efron", "breslow"}
        What is done about events at the same time.

    Returns
    -------
    z : ndarray of shape (n_genes,)
        As of `cox_score_test`. Zero for a gene that follows from the covariates.
    """
    z = np.zeros(X.shape[1])
    complete = _Given(C, event, time, stratum, weight, ties)
    holes = {}
    for genes, x in gene_chunks(X):
        missing = np.isnan(x)
        whole = np.flatnonzero(~missing.any(axis=0))
        z[genes.start + whole] = complete.test(x[:, whole])
        for gene in np.flatnonzero(missing.any(axis=0)):
            pattern = missing[:, gene].tobytes()
            holes.setdefault(pattern, []).append(genes.start + gene)
    groups = groups_of_genes(X, list(holes.values()))
    for (pattern, genes), x in zip(holes.items(), groups, strict=True):
        rows = ~np.frombuffer(pattern, dtype=bool)
        part = (values[rows] for values in (C, event, time, stratum, weight))
        given = _Given(*part, ties)
        z[genes] = given.test(np.array(x[rows], dtype=np.float64, order="C"))
    return z


class _Given:
    """The fitted model of the covariates, and what it says of others."""

    def __init__(self, C, event, time, stratum, weight, ties):
        self.ties, self.informative = ties, bool((event & (weight > 0)).any())
        if not self.informative:
            return
        C = C - C.mean(axis=0)
        scale = C.std(axis=0)
        C = torch.from_numpy(C / np.where(scale > 0, scale, 1.0))
        columns = (torch.from_numpy(a.copy()) for a in (event, time, stratum, weight))
        likelihood = SurvivalData(*columns).likelihood(ties)
        coef = ridge_path(C, likelihood, [0.0], n_free=C.shape[1])[0]
        risk = C @ coef
        product = likelihood.hessian_product(risk)
        bent = torch.stack([product(column) for column in C.T], 1)
        self.bent = bent.numpy()
        self.inverse = pseudo_inverse(C.T @ bent).numpy()
        hazard = (risk - risk.max()).clamp(min=-_LARGEST_RISK).exp().numpy()
        self.sets = make_risk_sets(event, time, stratum, weight, hazard)
        self.present = np.ones((len(C), 1))

    def test(self, x):
        """Return z of each gene in `x`, of shape (n, n_genes), without NaN."""
        z = np.zeros(x.shape[1])
        if not self.informative or not x.size:
            return z
        # Centred, or digits are lost in the variance of genes that are far from zero.
        x = x - x.mean(axis=0)
        score, own = score_and_information(self.sets, x, self.present, self.ties)
        shared = x.T @ self.bent
        left = own - np.einsum("gc,cd,gd->g", shared, self.inverse, shared)
        varies = left > _LEFT * np.maximum(own, np.finfo(float).tiny)
        z[varies] = score[varies] / np.sqrt(left[varies])
        return z

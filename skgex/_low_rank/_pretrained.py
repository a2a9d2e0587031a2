"""What a fitted prior brings to the genes of a cohort."""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from ._adapt import CohortMoments
from ._factor_analysis import FactorAnalysis
from ._gene_curves import GeneCurves
from ._low_rank_prior import LowRankPrior


class Pretrained(NamedTuple):
    """What was learnt elsewhere, brought to the genes and units of a cohort.

    Attributes
    ----------
    model : FactorAnalysis
        Loadings and noise in standard deviations of the genes; zero loadings for genes
        that were not known.
    known : bool tensor of shape (n_genes,)
        Which of the genes of the cohort were known.
    curves : GeneCurves or None
        Their curves; straight ones for genes that were not known.
    """

    model: FactorAnalysis
    known: torch.Tensor
    curves: GeneCurves | None = None

    def to(self, device):
        """Return the same on a device."""
        return Pretrained(*(part if part is None else part.to(device) for part in self))


def pretrained_for(prior, places):
    """Return what a fitted prior knows of the genes of a cohort.

    Parameters
    ----------
    prior : LowRankPrior
        Fitted elsewhere.
    places : ndarray of shape (n_genes,)
        Where it had each gene, -1 for a gene that it has not.

    Returns
    -------
    start : Pretrained
    """
    places = torch.from_numpy(places)
    model, known = unit_variance(prior.model), places >= 0
    loadings = model.loadings.new_zeros(len(places), model.rank)
    noise = model.noise.new_ones(len(places))
    loadings[known] = model.loadings[places[known]]
    noise[known] = model.noise[places[known]]
    model = FactorAnalysis(loadings, noise)
    return Pretrained(model, known, curves_for(prior, places.numpy()))


def unit_variance(model):
    """Return a model in standard deviations of the genes, by what it says they are.

    Where genes were not standardised, or have outliers that were clipped, it is for
    other units than these.
    """
    variance = model.loadings.square().sum(1) + model.noise
    return FactorAnalysis(
        model.loadings * variance.rsqrt()[:, None], model.noise / variance
    )


class OtherGenes(nn.Module):
    """Genes that a cohort lacks, as a pretrained prior expects them.

    Parameters
    ----------
    names : list of str
        The genes.
    prior : LowRankPrior
        For the genes of the cohort, and then for these.
    mean, scale : tensor of shape (n_other,)
        Their means and standard deviations.
    """

    def __init__(self, names, prior, mean, scale):
        super().__init__()
        self.names = names
        self.prior = prior
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, Z, with_variance=False):
        """Return what is expected of these genes, and its variance if asked.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles of the cohort; NaN where a gene was not measured.
        with_variance : bool, default=False
            Whether to return the variance as well, or None.

        Returns
        -------
        values : tensor of shape (n, n_other)
        variance : tensor of shape (n, n_other) or None
        """
        n_genes = Z.shape[1]
        Z = pad(Z, (0, len(self.names)), value=torch.nan)
        found = self.prior(Z, with_covariance=with_variance)
        values = found.values[:, n_genes:]
        if not with_variance:
            return values, None
        return values, sum(self.prior.variance(Z, found))[:, n_genes:]


def regression_on_factors(model, start):
    """Return how the factors of a pretrained model follow from those of another.

    Of samples as the pretrained model would draw them, in the genes that it knows.

    Parameters
    ----------
    model : FactorAnalysis
        Of a cohort.
    start : Pretrained
        For the genes of the cohort.

    Returns
    -------
    weights : tensor of shape (start_rank, rank)
        Pretrained factors are expected to be these times those of `model`.
    """
    pretrained, known, _ = start
    loadings, noise = model.loadings[known], model.noise[known]
    eye = torch.eye(model.rank, dtype=noise.dtype, device=noise.device)
    evidence = (loadings / noise[:, None]).T
    covariance = torch.linalg.inv(eye + evidence @ loadings)
    reading = covariance @ evidence
    own = reading @ pretrained.loadings[known]
    second = own @ own.T + (reading * pretrained.noise[known]) @ reading.T + covariance
    return torch.linalg.solve(second, own).T


def moved_prior(prior, places, others, blocks, weight):
    """Return a pretrained prior for the genes of a cohort, and for genes it lacks.

    Loadings of the cohort's genes are moved to the cohort. Mixture, curves, and all of
    the genes that it lacks are as they were.

    Parameters
    ----------
    prior : LowRankPrior
        Fitted elsewhere.
    places : ndarray of shape (n_genes,)
        Where it had each gene of the cohort, -1 for a gene that it has not.
    others : ndarray of shape (n_other,)
        Where it has the genes that the cohort lacks.
    blocks : Blocks
        The samples of the cohort.
    weight : float
        How many samples the pretrained loadings count as.

    Returns
    -------
    prior : LowRankPrior
        For `n_genes` and then `n_other` genes.
    """
    start = pretrained_for(prior, places).to(blocks.reader.device)
    moved = CohortMoments(start, blocks).moved(weight).cpu()
    rest = pretrained_for(prior, others).model
    model = FactorAnalysis(
        torch.cat([moved.loadings, rest.loadings]),
        torch.cat([moved.noise, rest.noise]),
        torch.cat([moved.mean, rest.mean]),
        moved.uncertainty,
        torch.cat([moved.uncertainty_scale, torch.zeros_like(rest.noise)]),
    )
    curves = curves_for(prior, np.append(places, others))
    return LowRankPrior(model, deepcopy(prior.mixture), curves)


def curves_for(prior, places):
    """Return the curves that a prior has for genes in some places, or None.

    Those of genes that it has not, in place -1, are straight.
    """
    if prior.curves is None:
        return None
    heights = prior.curves.heights[places]
    heights[torch.from_numpy(places < 0)] = 0
    return GeneCurves(heights)

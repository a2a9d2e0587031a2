"""What a fitted prior brings to the genes of a cohort."""

from typing import NamedTuple

import torch

from ._factor_analysis import FactorAnalysis
from ._gene_curves import GeneCurves


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


def curves_for(prior, places):
    """Return the curves that a prior has for genes in some places, or None.

    Those of genes that it has not, in place -1, are straight.
    """
    if prior.curves is None:
        return None
    heights = prior.curves.heights[places]
    heights[torch.from_numpy(places < 0)] = 0
    return GeneCurves(heights)

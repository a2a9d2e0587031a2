"""Genes that a cohort lacks: what is known of them is kept, to restore them."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from ._adapt import CohortMoments
from ._factor_analysis import FactorAnalysis
from ._gene_curves import GeneCurves
from ._low_rank_prior import LowRankPrior
from ._new_genes import prior_for_genes
from ._pretrained import curves_for, pretrained_for


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


class SeveralOtherGenes(nn.Module):
    """Genes that a cohort lacks, known by several models.

    Parameters
    ----------
    parts : sequence of OtherGenes
        For the same cohort, each for genes of its own.
    """

    def __init__(self, parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    @property
    def names(self):
        """The genes of all parts."""
        return [name for part in self.parts for name in part.names]

    @property
    def mean(self):
        """Means of the genes."""
        return torch.cat([part.mean for part in self.parts])

    @property
    def scale(self):
        """Standard deviations of the genes."""
        return torch.cat([part.scale for part in self.parts])

    def forward(self, Z, with_variance=False):
        """Return what is expected of all genes: see :class:`OtherGenes`."""
        found = [part(Z, with_variance) for part in self.parts]
        values, variance = zip(*found, strict=True)
        return torch.cat(values, 1), torch.cat(variance, 1) if with_variance else None


def join_other_genes(parts):
    """Return one module for the genes of some parts, None if there are none."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return SeveralOtherGenes(parts)


def parts_of_other_genes(prior):
    """Return what a fitted prior keeps of genes that its cohort lacks, by model."""
    other = getattr(prior, "other", None)
    if other is None:
        return []
    return list(other.parts) if isinstance(other, SeveralOtherGenes) else [other]


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


def prior_with_others(prior, places, others, reader, prepare):
    """Return a prior for the genes of another cohort, and for genes it lacks.

    As :func:`prior_for_genes`: all genes that were known are as they were.

    Parameters
    ----------
    prior : LowRankPrior
        Fitted to another cohort.
    places : ndarray of shape (n_genes,)
        Where it had each gene of the new cohort, -1 for a new gene.
    others : ndarray of shape (n_other,)
        Where it has the genes that the new cohort lacks.
    reader : RowReader
        The new cohort.
    prepare : callable
        Standardises a batch; NaN stays NaN.

    Returns
    -------
    prior : LowRankPrior
        For `n_genes` and then `n_other` genes.
    """
    here = prior_for_genes(prior, places, reader, prepare)
    own, old = here.model, prior.model
    model = FactorAnalysis(
        torch.cat([own.loadings, old.loadings[others]]),
        torch.cat([own.noise, old.noise[others]]),
        torch.cat([own.mean, old.mean[others]]),
        own.uncertainty,
        torch.cat([own.uncertainty_scale, old.uncertainty_scale[others]]),
    )
    curves = here.curves
    if curves is not None:
        heights = prior.curves.heights[others]
        curves = GeneCurves(torch.cat([curves.heights, heights]))
    return LowRankPrior(model, here.mixture, curves)

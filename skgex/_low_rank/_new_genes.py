"""A prior for a cohort with other genes, from one that is fitted already."""

from copy import deepcopy

import torch
from torch.nn.functional import pad

from ..nn._draws import permutation
from ._blocks import Blocks
from ._factor_analysis import FactorAnalysis
from ._fit_factors import Moments, maximise
from ._gene_curves import GeneCurves
from ._low_rank_prior import LowRankPrior
from ._start import relevance_of

# Samples with holes of their own have each their own posterior, which takes time.
N_ROWS, N_ROWS_HOLES = 4096, 384


def prior_for_genes(prior, places, reader, prepare):
    """Return a prior for the genes of another cohort.

    Shared genes keep loadings, noise and curves, so that what they tell of the factors
    is as before. Loadings of new genes are those of a step of expectation maximisation
    in the new cohort: the regression of the gene on the factors that the shared genes
    make expect. Their curves are straight.

    Parameters
    ----------
    prior : LowRankPrior
        Fitted to another cohort.
    places : ndarray of shape (n_genes,)
        Where it had each gene, -1 for a new gene.
    reader : RowReader
        The new cohort.
    prepare : callable
        Standardises a batch; NaN stays NaN.

    Returns
    -------
    prior : LowRankPrior
        For all genes of the new cohort.
    """
    places = torch.from_numpy(places)
    new = places < 0
    model = _for_places(prior.model, places)
    if new.any():
        rows = permutation(len(reader))[:N_ROWS]
        found = _regress(model, new, reader, rows, prepare)
        for name in ("loadings", "noise", "mean", "uncertainty_scale"):
            getattr(model, name)[new] = getattr(found, name)[new]
        # The one matrix of the model is of the cohort that it is from.
        share = found.uncertainty.trace() / model.uncertainty.trace().clamp(min=1e-12)
        model.uncertainty_scale[new] *= share
    curves = prior.curves
    if curves is not None:
        curves = GeneCurves(_taken(curves.heights, places, 0.0))
    return LowRankPrior(model, deepcopy(prior.mixture), curves)


def _for_places(model, places):
    """Return the model for other genes, of which new ones say nothing."""
    return FactorAnalysis(
        _taken(model.loadings, places, 0.0),
        _taken(model.noise, places, 1.0),
        _taken(model.mean, places, 0.0),
        model.uncertainty.clone(),
        _taken(model.uncertainty_scale, places, 0.0),
    )


def _taken(values, places, fill):
    taken = values[places.clamp(min=0)].clone()
    taken[places < 0] = fill
    return taken


def _regress(model, new, reader, rows, prepare):
    """Return the model after a step of expectation maximisation."""
    model = deepcopy(model).to(reader.device)
    blocks = Blocks(reader, rows, prepare)
    if any(Z[:, ~new].isnan().any() for Z in blocks):
        blocks = Blocks(reader, rows[:N_ROWS_HOLES], prepare)
    n_genes, rank = len(model.loadings), model.rank + 1
    zeros = model.loadings.new_zeros
    count, square, cross = zeros(n_genes), zeros(n_genes), zeros(n_genes, rank)
    second = zeros(rank, rank)
    for Z in blocks:
        mean, covariance, pattern, *_ = model.posterior(Z)
        factors = pad(mean, (0, 1), value=1.0)
        count += (~Z.isnan()).sum(0)
        Z = Z.nan_to_num(nan=0.0)
        square += Z.square().sum(0)
        cross.addmm_(Z.T, factors)
        second.addmm_(factors.T, factors)
        n_alike = pattern.bincount(minlength=len(covariance))[:, None, None]
        second += pad((n_alike * covariance).sum(0), (0, 1, 0, 1))
    # Holes take away from the products what they take from the values.
    measured = len(blocks) / count.clamp(min=1)
    square, cross = square * measured, cross * measured[:, None]
    moments = Moments(torch.full_like(count, len(blocks)), square, cross, second)
    known = FactorAnalysis(
        model.loadings[~new],
        model.noise[~new],
        uncertainty=model.uncertainty,
        uncertainty_scale=model.uncertainty_scale[~new],
    )
    return maximise(moments, relevance_of(known))[0].cpu()

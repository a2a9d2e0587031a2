"""Fit factor analysis to profiles with any values missing, in bounded memory."""

from typing import NamedTuple

import torch
from torch.nn.functional import pad

from ._blocks import Blocks
from ._factor_analysis import FactorAnalysis
from ._fit_holes import MEAN_PRECISION, fit_with_holes, shrunk_noise
from ._start import FIRST_ROWS, principal_components, relevance_of

N_ITER = 5
# So many of them are over all samples, however many there are.
N_LAST = 2
# Factors that samples and genes support at the most, as shares of both.
_PER_SAMPLE, _PER_GENE = 0.75, 0.6


class Moments(NamedTuple):
    """Sums over the samples, with a constant as the last factor."""

    count: torch.Tensor
    square: torch.Tensor
    cross: torch.Tensor
    second: torch.Tensor


def supported_rank(n_samples, n_genes):
    """Return how many factors so many samples support at the most.

    Too many factors fade, and cost time.
    """
    return max(1, int(min(_PER_SAMPLE * n_samples, _PER_GENE * n_genes)))


def fit_factor_analysis(reader, rows, prepare, max_rank, complete=False):
    """Fit factor analysis by variational Bayes.

    Loadings have a Gaussian prior whose precision is learnt for each factor, so that
    factors that the data do not support fade (automatic relevance determination) and
    too many do little harm. Only products with the data are taken, never a matrix of
    genes by genes, and a missing value is never filled in: the posterior of the factors
    is taken given the genes that were measured. Of many samples some are enough for
    the first iterations.

    Parameters
    ----------
    reader : RowReader
        The samples.
    rows : int64 tensor
        Which of them to fit.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    max_rank : int
        Upper bound on the number of factors.
    complete : bool, default=False
        Whether it is known that no value is missing; otherwise this is looked up.

    Returns
    -------
    model : FactorAnalysis
        With the factors in descending order of what is known of them.
    """
    n_rows, n_genes = len(rows), reader.shape[1]
    blocks = Blocks(reader, rows, prepare)
    complete = complete or blocks.are_complete()
    rank = max(1, min(max_rank, n_rows - 1, n_genes - 1))
    if not complete:
        return fit_with_holes(blocks, rank, N_ITER, N_LAST).ordered()[0]
    model = principal_components(blocks, rank)
    relevance = relevance_of(model)
    some = blocks.spread(FIRST_ROWS)
    for n_left in range(N_ITER, 0, -1):
        moments = _expect(model, blocks if n_left <= N_LAST else some)
        model, relevance = maximise(moments, relevance)
    return model.ordered()[0]


def _expect(model, blocks):
    """Return the expected moments of the factors where no value is missing."""
    n_genes, rank = len(model.loadings), model.rank + 1
    new = model.loadings.new_zeros
    square, cross, second = new(n_genes), new(n_genes, rank), new(rank, rank)
    # All samples share their covariance.
    covariance = model.posterior(model.mean[None]).covariance[0]
    projection = (model.loadings / model.noise[:, None]) @ covariance
    offset = model.mean @ projection
    for Z in blocks:
        factors = pad(Z @ projection - offset, (0, 1), value=1.0)
        square += Z.square().sum(0)
        cross.addmm_(Z.T, factors)
        second.addmm_(factors.T, factors)
    second += len(blocks) * pad(covariance, (0, 1, 0, 1))
    return Moments(torch.full_like(square, len(blocks)), square, cross, second)


def maximise(moments, relevance):
    """Return the model, and the relevance of its factors, for some moments."""
    count, square, cross, second = moments
    rank = len(relevance)
    prior = torch.diag(pad(relevance, (0, 1), value=MEAN_PRECISION))
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(second + prior))
    weights = cross @ inverse
    model = FactorAnalysis(
        weights[:, :rank].contiguous(),
        shrunk_noise(square - (weights * cross).sum(1), count),
        weights[:, rank].contiguous(),
        inverse[:-1, :-1].contiguous(),
    )
    return model, relevance_of(model)

"""Fit factor analysis to profiles with any values missing, in bounded memory."""

from typing import NamedTuple

import torch
from torch.nn.functional import pad

from ._blocks import Blocks
from ._factor_analysis import FactorAnalysis
from ._start import (
    FIRST_ROWS,
    MIN_NOISE,
    approximate,
    principal_components,
    relevance_of,
)

N_ITER = 5
# What was read into holes to start from takes longer to forget.
N_ITER_HOLES = 10
N_ROUNDS = 8
# So many of them are over all samples, however many there are.
N_LAST = 2
NOISE_COUNT = 20.0
# Bounds on the moments that are kept for each gene if values are missing, and on the
# multiplications of an iteration that takes the posterior of each sample.
_MOMENT_BYTES = 256 * 2**20
_MAX_WORK = 3e9


class Moments(NamedTuple):
    """Sums over the samples, with a constant as the last factor.

    The second moments of the factors are a matrix if no value is missing, else a
    packed matrix for each gene, over the samples in which it was measured.
    """

    count: torch.Tensor
    square: torch.Tensor
    cross: torch.Tensor
    second: torch.Tensor


def supported_rank(n_samples, n_genes, complete):
    """Return how many factors so many samples support at the most.

    Too many factors fade, and cost time. Where values are missing, and the posterior of
    each sample takes too long, half as many as samples are safe: the noise of genes
    could vanish with more.
    """
    rank = 0.75 * n_samples
    if not complete:
        rank = min(rank, max(n_samples / 2, _exact_rank(n_samples, n_genes)))
    return max(1, int(min(rank, 0.6 * n_genes)))


def _exact_rank(n_samples, n_genes):
    """Return with how many factors missing values are treated exactly."""
    by_work = (_MAX_WORK / (n_samples * n_genes)) ** 0.5
    by_memory = (2 * _MOMENT_BYTES / (4 * n_genes)) ** 0.5
    return min(by_work, by_memory)


def fit_factor_analysis(reader, rows, prepare, max_rank, complete=False):
    """Fit factor analysis by variational Bayes.

    Loadings have a Gaussian prior whose precision is learnt for each factor, so that
    factors that the data do not support fade (automatic relevance determination) and
    too many do little harm. Only products with the data are taken, never a matrix of
    genes by genes, and a missing value is never filled in: the posterior of the factors
    is taken given the genes that were measured. Where values are missing it is exact
    if the data are small; otherwise it is reached by gradient steps. Of many samples
    some are enough for the first iterations.

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
    n_iter = N_ITER
    model = principal_components(blocks, rank)
    if not complete:
        if rank <= _exact_rank(n_rows, n_genes):
            n_iter = N_ITER_HOLES
        else:
            n_iter, model = 0, approximate(blocks, model, N_ROUNDS)
    relevance = relevance_of(model)
    some = blocks.spread(FIRST_ROWS)
    for n_left in range(n_iter, 0, -1):
        moments = _expect(model, blocks if n_left <= N_LAST else some, complete)
        model, relevance = maximise(moments, relevance)
    return _ordered(model)


def _expect(model, blocks, complete):
    """Return the expected moments of the factors, under their exact posterior."""
    return (_expect_complete if complete else _expect_holes)(model, blocks)


def _expect_complete(model, blocks):
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


def _expect_holes(model, blocks):
    n_genes, rank = len(model.loadings), model.rank + 1
    new = model.loadings.new_zeros
    count, square, cross = new(n_genes), new(n_genes), new(n_genes, rank)
    pairs = torch.triu_indices(rank, rank, device=cross.device)
    second = new(n_genes, pairs.shape[1])
    for Z in blocks:
        mean, covariance, pattern, *_ = model.posterior(Z)
        factors = pad(mean, (0, 1), value=1.0)
        covariance = pad(covariance, (0, 1, 0, 1))
        observed = (~Z.isnan()).to(Z.dtype)
        Z = Z.nan_to_num(nan=0.0)
        count += observed.sum(0)
        square += Z.square().sum(0)
        cross.addmm_(Z.T, factors)
        own = factors[:, pairs[0]] * factors[:, pairs[1]]
        own += covariance[:, pairs[0], pairs[1]][pattern]
        second.addmm_(observed.T, own)
    return Moments(count, square, cross, second)


def maximise(moments, relevance):
    """Return the model, and the relevance of its factors, for some moments."""
    count, square, cross, second = moments
    rank = len(relevance)
    # The constant has no prior, but for a trace that keeps the matrix regular.
    prior = torch.diag(torch.cat([relevance, relevance.new_tensor([1e-3])]))
    if second.shape[1] == rank + 1:
        weights, spread = _solve(second[None] + prior, cross)
        scale = torch.ones_like(count)
    else:
        weights, spread, scale = _solve_genes(second, cross, prior)
    rest = square - (weights * cross).sum(1)
    # The noise of a gene is drawn to that of all, with the weight of some samples.
    common = rest.sum() / count.sum().clamp(min=1)
    noise = (rest + NOISE_COUNT * common) / (count + NOISE_COUNT)
    model = FactorAnalysis(
        weights[:, :rank].contiguous(),
        noise.clamp(min=MIN_NOISE),
        weights[:, rank].contiguous(),
        spread,
        scale,
    )
    return model, relevance_of(model)


def _solve(matrix, cross):
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(matrix))
    return cross @ inverse[0], inverse[0, :-1, :-1].contiguous()


def _solve_genes(second, cross, prior):
    """Solve for each gene; the uncertainties are kept as one matrix, and its scale."""
    size = len(prior)
    pairs = torch.triu_indices(size, size, device=second.device)
    weights, scale = torch.empty_like(cross), torch.empty_like(cross[:, 0])
    spread = torch.zeros_like(prior)
    for genes in torch.arange(len(cross)).split(256):
        matrix = second.new_empty(len(genes), size, size)
        matrix[:, pairs[0], pairs[1]] = second[genes]
        matrix[:, pairs[1], pairs[0]] = second[genes]
        matrix += prior
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(matrix))
        weights[genes] = (inverse @ cross[genes][:, :, None])[:, :, 0]
        scale[genes] = inverse[:, :-1, :-1].diagonal(dim1=1, dim2=2).sum(1)
        spread += inverse.sum(0)
    spread = spread[:-1, :-1] / len(cross)
    return weights, spread.contiguous(), scale / spread.trace().clamp(min=1e-12)


def _ordered(model):
    """Rotate the factors so that those come first of which most is known."""
    information = (model.loadings / model.noise[:, None]).T @ model.loadings
    information = (information + information.T).double() / 2
    rotation = torch.linalg.eigh(information).eigenvectors.flip(1).float()
    return FactorAnalysis(
        model.loadings @ rotation,
        model.noise,
        model.mean,
        rotation.T @ model.uncertainty @ rotation,
        model.uncertainty_scale,
    )

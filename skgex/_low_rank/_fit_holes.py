"""Fit factor analysis to profiles with any values missing: variational EM.

A missing value is never filled in. For any pattern of holes the fixed points are those
of expectation maximisation with a posterior covariance for each sample and for each
gene; only these matrices are averaged, over samples and over genes with like patterns.
"""

import torch
from torch.nn.functional import pad

from ._factor_analysis import FactorAnalysis
from ._pattern_groups import pattern_groups
from ._shared_posterior import average_covariance, solve_factors
from ._start import FIRST_ROWS, MIN_NOISE, principal_components, relevance_of

NOISE_COUNT = 20.0
# The means of the factors take so many steps where they are new, and one after that.
_FIRST_STEPS = 2
# Precision of the prior of the means of genes: a trace that keeps matrices regular.
MEAN_PRECISION = 1e-3


def fit_with_holes(blocks, rank, n_iter, n_last):
    """Fit factor analysis where values are missing.

    An iteration moves the factors of each sample, and then the loadings of each gene,
    by an exact gradient along a direction that would be the solution if all of a group
    had its average pattern, as far as is best. It costs five products with the data.

    Parameters
    ----------
    blocks : Blocks
        The samples.
    rank : int
        Number of factors.
    n_iter : int
        Number of iterations.
    n_last : int
        How many of them are over all samples, however many there are.

    Returns
    -------
    model : FactorAnalysis
    """
    part, model = None, None
    for n_left in range(n_iter, 0, -1):
        wanted = blocks if n_left <= n_last else blocks.spread(FIRST_ROWS)
        if part is None or len(wanted) != len(part):
            part, groups, n_steps = wanted, pattern_groups(wanted), _FIRST_STEPS
            if model is None:
                some = part.only(_most_complete(groups, rank))
                model = principal_components(some, rank)
            factors = model.loadings.new_zeros(len(part), model.rank)
        model = _iterate(part, groups, model, factors, n_steps)
        n_steps = 1
    return model


def _most_complete(groups, rank):
    """Return the samples of the most complete groups: half of all, or enough."""
    n_wanted = max(len(groups.row_group) / 2, 2 * rank)
    order = groups.share.mean(1).argsort(descending=True)
    before = groups.n_rows[order].cumsum(0) - groups.n_rows[order]
    chosen = order[before < n_wanted]
    return torch.isin(groups.row_group, chosen).nonzero()[:, 0]


def _iterate(blocks, groups, model, factors, n_steps):
    """Update the factors in place, and return the next model."""
    averages = [average_covariance(model, share) for share in groups.share]
    covariance = torch.stack([average.covariance for average in averages])
    cross, square = _move_factors(blocks, groups, model, factors, covariance, n_steps)
    count = groups.n_rows @ groups.share
    prior = pad(relevance_of(model), (0, 1), value=MEAN_PRECISION)
    weights = torch.cat([model.loadings, model.mean[:, None]], 1)
    gradient = cross - weights * prior
    known = torch.zeros_like(square)
    for average, share, n_rows in zip(
        averages, groups.share, groups.n_rows, strict=True
    ):
        size = n_rows * share
        pull = (size * average.shrinkage)[:, None] * model.loadings
        gradient[:, :-1] -= pull @ average.covariance
        known += size * average.known
    direction, spread, scale = _directions(groups, factors, covariance, prior, gradient)
    along = _along(blocks, factors, direction)
    bend = along + (direction.square() * prior).sum(1)
    for average, share, n_rows in zip(
        averages, groups.share, groups.n_rows, strict=True
    ):
        loadings = direction[:, :-1]
        own = ((loadings @ average.covariance) * loadings).sum(1)
        bend += n_rows * share * own
    length = (gradient * direction).sum(1) / bend.clamp(min=1e-20)
    weights = weights + length[:, None] * direction
    # The squared error is quadratic in the step.
    square += length * (length * along - 2 * (cross * direction).sum(1))
    square += (weights.square() * prior)[:, :-1].sum(1) + known * model.noise
    noise = shrunk_noise(square, count)
    found = FactorAnalysis(
        weights[:, :-1].contiguous(),
        noise,
        weights[:, -1].contiguous(),
        spread,
        scale,
    )
    return _expanded(found, groups, factors, covariance)


def _expanded(model, groups, factors, covariance):
    """Return the same model for factors of mean 0 and variance 1, and make them so.

    The prior of the factors could have any mean and variance, which loadings make up
    for; with the best of them (parameter expansion) fewer iterations are needed.
    """
    mean = factors.mean(0)
    factors -= mean
    second = factors.T @ factors + (groups.n_rows[:, None, None] * covariance).sum(0)
    root = torch.linalg.cholesky(second / len(factors))
    factors.copy_(torch.linalg.solve_triangular(root, factors.T, upper=False).T)
    return FactorAnalysis(
        model.loadings @ root,
        model.noise,
        model.mean + model.loadings @ mean,
        root.T @ model.uncertainty @ root,
        model.uncertainty_scale,
    )


def _move_factors(blocks, groups, model, factors, covariance, n_steps):
    """Move the factors; return products with what is left, and its squares."""
    n_genes = len(model.noise)
    cross = model.noise.new_zeros(n_genes, model.rank + 1)
    square, start = model.noise.new_zeros(n_genes), 0
    for Z in blocks:
        rows = slice(start, start + len(Z))
        start += len(Z)
        group = groups.row_group[rows]
        rest = solve_factors(model, Z, factors[rows], covariance, group, n_steps)
        cross.addmm_(rest.T, pad(factors[rows], (0, 1), value=1.0))
        square += rest.square_().sum(0)
    return cross, square


def _along(blocks, factors, direction):
    """Return the sum of squares of what a step along the direction changes."""
    total, start = torch.zeros_like(direction[:, 0]), 0
    for Z in blocks:
        rows = pad(factors[start : start + len(Z)], (0, 1), value=1.0)
        start += len(Z)
        change = (rows @ direction.T).masked_fill_(Z.isnan(), 0)
        total += change.square_().sum(0)
    return total


def _directions(groups, factors, covariance, prior, gradient):
    """Return where the loadings of each gene go, and how uncertain they are."""
    direction, scale = torch.empty_like(gradient), torch.empty_like(gradient[:, 0])
    spread = torch.zeros_like(covariance[0])
    count = groups.n_rows @ groups.share
    rows = pad(factors, (0, 1), value=1.0)
    for number in range(groups.gene_share.shape[1]):
        genes = (groups.gene_group == number).nonzero()[:, 0]
        share = groups.gene_share[:, number]
        size = groups.n_rows * share
        moment = (rows * share[groups.row_group][:, None]).T @ rows
        moment[:-1, :-1] += (size[:, None, None] * covariance).sum(0)
        matrix = moment + torch.diag(prior)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(matrix))
        direction[genes] = gradient[genes] @ inverse
        # Of a gene that was measured less often than its group more is uncertain, up
        # to what the prior leaves.
        inverse, own = inverse[:-1, :-1], moment.diagonal()[:-1]
        times = (count[genes] / size.sum().clamp(min=1e-6))[:, None]
        ratio = (1 / (prior[:-1] + times * own)).sum(1)
        scale[genes] = inverse.trace() * ratio / (1 / (prior[:-1] + own)).sum()
        spread += scale[genes].sum() / inverse.trace() * inverse
    spread /= len(gradient)
    return direction, spread, scale / spread.trace().clamp(min=1e-12)


def shrunk_noise(square, count):
    """Return the noise of genes, drawn to that of all with the weight of some samples.

    Parameters
    ----------
    square : tensor of shape (n_genes,)
        Expected squared errors, summed over samples.
    count : tensor of shape (n_genes,)
        Number of samples in which each gene was measured.

    Returns
    -------
    noise : tensor of shape (n_genes,)
    """
    common = square.sum() / count.sum().clamp(min=1)
    noise = (square + NOISE_COUNT * common) / (count + NOISE_COUNT)
    return noise.clamp(min=MIN_NOISE)

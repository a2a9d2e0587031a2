"""The posterior of the factors of many samples, with one covariance for each group.

Samples with holes at random have each a posterior covariance of their own, and each
costs the inverse of a matrix. In the fit nothing is asked of them but averages, and
these are known without any of them, while the means are found by a few steps.
"""

from typing import NamedTuple

import torch

from ._factor_posterior import FactorPosterior

_N_ROUNDS = 3
_MAX_STEPS = 12
_TOLERANCE = 1e-3


class AverageCovariance(NamedTuple):
    """Posterior covariance of the factors, averaged over patterns.

    Attributes
    ----------
    covariance : tensor of shape (rank, rank)
        The average.
    known : tensor of shape (n_genes,)
        ``w_j' C w_j / noise_j`` averaged over samples in which gene j was measured.
    shrinkage : tensor of shape (n_genes,)
        What takes the average of ``C w_j`` over all samples to that over samples in
        which gene j was measured.
    """

    covariance: torch.Tensor
    known: torch.Tensor
    shrinkage: torch.Tensor


def average_covariance(model, share):
    """Return the average covariance where each gene was measured at random.

    The mean of an inverse is not the inverse of the mean. With ``a_j = w_j /
    noise_j^1/2``, and `q_j` for what ``a_j' C a_j`` is without gene j, the average is
    the inverse of ``I + sum_j g_j a_j a_j'`` with ``g_j = share_j / (1 + (1 - share_j)
    q_j)``, but for terms that vanish as genes and factors become many [1]_. It is exact
    where each share is 0 or 1.

    Parameters
    ----------
    model : FactorAnalysis
        The model.
    share : tensor of shape (n_genes,)
        Share of the samples in which each gene was measured.

    Returns
    -------
    average : AverageCovariance

    References
    ----------
    .. [1] Hachem W., Loubaton P., Najim J. "Deterministic equivalents for certain
       functionals of large random matrices", The Annals of Applied Probability 17,
       2007. :doi:`10.1214/105051606000000925`
    """
    scaled = model.loadings * model.noise.rsqrt()[:, None]
    fixed = (share @ model.uncertainty_scale) * model.uncertainty
    fixed = fixed + torch.eye(model.rank, dtype=fixed.dtype, device=fixed.device)
    weight = share
    for _ in range(1 if _is_certain(share) else _N_ROUNDS):
        precision = torch.addmm(fixed, (scaled * weight[:, None]).T, scaled)
        covariance = torch.cholesky_inverse(torch.linalg.cholesky(precision))
        with_gene = ((scaled @ covariance) * scaled).sum(1)
        without = with_gene / (1 - weight * with_gene).clamp(min=1e-4)
        used = weight
        weight = share / (1 + (1 - share) * without)
    known = without / (1 + without)
    return AverageCovariance(covariance, known, (1 + used * without) / (1 + without))


def _is_certain(share):
    return bool(((share == 0) | (share == 1)).all())


class SharedPosterior:
    """The posterior of samples in groups, with one covariance for each group.

    Parameters
    ----------
    model : FactorAnalysis
        The model.
    share : tensor of shape (n_groups, n_genes)
        Share of the samples of a group in which each gene was measured.
    """

    def __init__(self, model, share):
        self.model = model
        self.certain = _is_certain(share)
        self.covariance = torch.stack(
            [average_covariance(model, part).covariance for part in share]
        )

    def __call__(self, Z, group):
        """Return the posterior of some samples: exact means, average covariances.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Profiles; NaN where a gene was not measured.
        group : int64 tensor of shape (n,)
            The group of each sample.

        Returns
        -------
        posterior : FactorPosterior
        """
        if self.certain:
            # All samples of a group have its pattern.
            rest = (Z - self.model.mean).nan_to_num_(nan=0.0)
            evidence = rest @ (self.model.loadings / self.model.noise[:, None])
            factors = by_group(evidence, self.covariance, group)
        else:
            factors = Z.new_zeros(len(Z), self.model.rank)
            solve_factors(self.model, Z, factors, self.covariance, group, _MAX_STEPS)
        return FactorPosterior(factors, self.covariance, group, shared=True)


def solve_factors(model, Z, factors, covariance, group, n_steps):
    """Move factors, in place, to their posterior means.

    By conjugate gradients, with the average covariance of a group for preconditioner:
    one step is enough for samples with the pattern of their group.

    Parameters
    ----------
    model : FactorAnalysis
        The model.
    Z : tensor of shape (n, n_genes)
        Profiles; NaN where a gene was not measured.
    factors : tensor of shape (n, rank)
        Where to start.
    covariance : tensor of shape (n_groups, rank, rank)
        Average covariance of each group.
    group : int64 tensor of shape (n,)
        The group of each sample.
    n_steps : int
        Upper bound on the number of steps.

    Returns
    -------
    rest : tensor of shape (n, n_genes)
        What is left of the measured values; 0 where none was measured.
    """
    measured = (~Z.isnan()).to(Z.dtype)
    size = (measured @ model.uncertainty_scale)[:, None]
    evidence = model.loadings / model.noise[:, None]
    rest = (Z - model.expected(factors)).nan_to_num_(nan=0.0)
    gradient = rest @ evidence - factors - size * (factors @ model.uncertainty)
    direction = by_group(gradient, covariance, group)
    decrease = first = (gradient * direction).sum(1, keepdim=True)
    for n_left in range(n_steps - 1, -1, -1):
        step = (direction @ model.loadings.T).mul_(measured)
        bend = direction + size * (direction @ model.uncertainty)
        curvature = (step.square() @ model.noise.reciprocal())[:, None]
        curvature += (bend * direction).sum(1, keepdim=True)
        length = decrease / curvature.clamp(min=1e-20)
        factors += length * direction
        rest.addcmul_(length, step, value=-1)
        if not n_left or bool((decrease <= _TOLERANCE * first.clamp(min=1e-6)).all()):
            break
        gradient -= length * (step @ evidence + bend)
        following = by_group(gradient, covariance, group)
        last, decrease = decrease, (gradient * following).sum(1, keepdim=True)
        direction = following + decrease / last.clamp(min=1e-20) * direction
    return rest


def by_group(vectors, matrices, group):
    """Return each row times the symmetric matrix of its group."""
    if len(matrices) == 1:
        return vectors @ matrices[0]
    product = torch.empty_like(vectors)
    for number in group.unique().tolist():
        rows = (group == number).nonzero()[:, 0]
        product[rows] = vectors[rows] @ matrices[number]
    return product


def posteriors(model, blocks, groups, mask):
    """Yield samples, and the posterior of their factors where a mask hides genes.

    Parameters
    ----------
    model : FactorAnalysis
        The model.
    blocks : Blocks
        The samples.
    groups : PatternGroups
        Of these samples.
    mask : bool tensor of shape (n_genes,)
        The genes that are hidden.

    Yields
    ------
    Z, view : tensor of shape (n, n_genes)
        Prepared samples, and with NaN for what is hidden.
    posterior : FactorPosterior
    """
    posterior, start = SharedPosterior(model, groups.share * ~mask), 0
    for Z in blocks:
        group = groups.row_group[start : start + len(Z)]
        start += len(Z)
        view = Z.masked_fill(mask, torch.nan)
        yield Z, view, posterior(view, group)

"""Where the fit of factor analysis starts from."""

import torch

from ._factor_analysis import FactorAnalysis

# No gene is trusted beyond this share of its variance: a duplicate of another gene
# would otherwise pin the factors down, and rounding errors with them.
MIN_NOISE = 0.01
# Bound on the precision of the loadings on a factor that the data do not support.
MAX_RELEVANCE = 1e8
_START_ROWS = 4096
_START_BYTES = 384 * 2**20
# Rounds of subspace iteration: the fit goes on from there.
N_POWER = 2
N_MORE = 8
# Of more samples these are enough to begin with: the last iterations, or rounds, make
# up for the others but for less than a hundredth of the error, by
# examples/benchmarks/low_rank_rows.py.
FIRST_ROWS = 8192
N_LAST_ROUNDS = 3
# Where little was measured the curvature differs between samples, and Newton steps may
# go too far: tried again with a larger curvature.
DAMPING = (1.0, 4.0, 16.0)
# The error of what was measured rises a little where loadings are shrunk, and without
# bounds where steps go too far.
MAX_RISE = 1.1


def principal_components(blocks, rank):
    """Return probabilistic principal components of some rows, holes read as means."""
    Z, mean = _centred(blocks, rank)
    variance, V = _leading(Z, rank)
    square = sum(part.square().sum(0) for part in Z.split(blocks.size)) / len(Z)
    rest = (square.sum() - variance.sum()) / max(Z.shape[1] - rank, 1)
    loadings = V * (variance - rest.clamp(min=1e-3)).clamp(min=1e-4).sqrt()
    noise = square - loadings.square().sum(1)
    return FactorAnalysis(loadings, noise.clamp(min=MIN_NOISE), mean)


def _centred(blocks, rank):
    """Return some rows around the mean of each gene, with zeros for holes."""
    n_genes, device = blocks.reader.shape[1], blocks.reader.device
    # Nothing else of this size is made.
    fitting = max(2 * rank, _START_BYTES // (4 * n_genes))
    some = blocks.spread(min(_START_ROWS, fitting))
    Z = torch.empty(len(some), n_genes, device=device)
    count, total, start = Z.new_zeros(n_genes), Z.new_zeros(n_genes), 0
    for part in some:
        count += (~part.isnan()).sum(0)
        total += part.nansum(0)
        Z[start : start + len(part)] = part
        start += len(part)
    mean = total / count.clamp(min=1)
    # Holes take away from the spread what they take from the values.
    share = count.double().sum() / Z.numel()
    return Z.sub_(mean).nan_to_num_(nan=0.0).mul_(share.rsqrt().float()), mean


def _leading(Z, rank):
    """Return variances and directions of the leading components, nearly.

    By subspace iteration, as in :func:`torch.svd_lowrank` but without its SVD.
    """
    # Some more than are wanted, as one that is nearly missed would be slow to come.
    size = min(rank + N_MORE, *Z.shape)
    V = Z.T @ torch.randn(len(Z), size, device=Z.device)
    for _ in range(N_POWER):
        V = Z.T @ (Z @ torch.linalg.qr(V).Q)
    V = torch.linalg.qr(V).Q
    scores = Z @ V
    variance, rotation = torch.linalg.eigh(scores.T @ scores / len(Z))
    variance, rotation = variance.flip(0)[:rank], rotation.flip(1)[:, :rank]
    return variance.clamp(min=0), V @ rotation


def relevance_of(model):
    """Return the precision of the prior of the loadings, for each factor."""
    size = (model.loadings.square() / model.noise[:, None]).sum(0)
    size = size + model.uncertainty.diagonal() * model.uncertainty_scale.sum()
    return (len(model.loadings) / size.clamp(min=1e-6)).clamp(max=MAX_RELEVANCE)


def approximate(blocks, model, n_rounds):
    """Fit where values are missing, without the posterior covariance of each sample.

    The means of the factors and the loadings take Newton steps with exact gradients.
    The curvature is that of complete data, times the share of the values that were
    measured of the sample, or of the gene. A round costs three products with the data.

    Parameters
    ----------
    blocks : Blocks
        The samples.
    model : FactorAnalysis
        Where to start.
    n_rounds : int
        Number of rounds.

    Returns
    -------
    model : FactorAnalysis
    """
    for damping in DAMPING:
        found = _rounds(blocks, model, n_rounds, damping)
        if found is not None:
            return found
    return model


def _rounds(blocks, model, n_rounds, damping):
    """Return the model after some rounds, or None if the errors rise."""
    some, part = blocks.spread(FIRST_ROWS), None
    for n_done in range(n_rounds):
        wanted = blocks if n_rounds - n_done <= N_LAST_ROUNDS else some
        if wanted is not part:
            part, least = wanted, torch.inf
            factors = model.loadings.new_zeros(len(part), model.rank)
        model, error = _round(part, model, factors, damping, first=n_done == 0)
        if not error <= MAX_RISE * least:
            return None
        least = min(least, error)
    return model


def _round(blocks, model, factors, damping, first):
    """Update the factors in place; return the next model and the squared error."""
    W, noise, mean = model.loadings, model.noise, model.mean
    n_genes, rank = W.shape
    spread = model.uncertainty * model.uncertainty_scale.mean()
    scaled = W / noise[:, None]
    known, U = torch.linalg.eigh(scaled.T @ W + n_genes * spread)
    known = known.clamp(min=0)
    new = W.new_zeros
    count, total, square = new(n_genes), new(n_genes), new(n_genes)
    cross, shrinkage, start = new(n_genes, rank), new(rank), 0
    # The first loadings stem from filled values: they are found anew.
    W = torch.zeros_like(W) if first else W
    for Z in blocks:
        observed = (~Z.isnan()).to(Z.dtype)
        Z = (Z - mean).nan_to_num_(nan=0.0)
        share = observed.mean(1, keepdim=True)
        M = factors[start : start + len(Z)]
        start += len(Z)
        gradient = ((Z - (M @ W.T) * observed) @ scaled) - M
        gradient -= share * n_genes * (M @ spread)
        M += ((gradient @ U) / (1 + damping * share * known)) @ U.T
        rest = Z - (M @ W.T) * observed
        cross.addmm_(rest.T, M)
        count += observed.sum(0)
        total += rest.sum(0)
        square += rest.square().sum(0)
        shrinkage += (1 / (1 + share * known)).sum(0)
    count.clamp_(min=1)
    # Not in units of the noise, which is another in each round.
    error = float(square.sum())
    uncertain = U, shrinkage
    moments = count, total, square
    return _newton(model, W, factors, cross, moments, uncertain, damping), error


def _newton(model, W, factors, cross, moments, uncertain, damping):
    """Return the model after a Newton step of the loadings."""
    n = len(factors)
    (count, total, square), (U, shrinkage) = moments, uncertain
    covariance = (U * shrinkage) @ U.T
    moment = factors.T @ factors
    relevance = relevance_of(model)
    scale = relevance.rsqrt()
    curvature = scale[:, None] * (covariance + moment) * scale
    size, V = torch.linalg.eigh((curvature + curvature.T) / 2)
    size = size.clamp(min=0)
    share = (count / n)[:, None]
    gradient = cross - share * (W @ covariance) - W * relevance
    step = (((gradient * scale) @ V) / (1 + damping * share * size)) @ V.T * scale
    loadings = W + step
    error = square - 2 * (step * cross).sum(1)
    error += share[:, 0] * ((step @ moment) * step).sum(1)
    error = error / count - (total / count).square()
    error += ((loadings @ covariance) * loadings).sum(1) / n
    uncertainty = (scale[:, None] * V / (1 + size)) @ V.T * scale
    return FactorAnalysis(
        loadings,
        error.clamp(min=MIN_NOISE),
        model.mean + total / count,
        uncertainty,
        n / count,
    )

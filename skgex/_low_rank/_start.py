"""Where the fit of factor analysis starts from."""

import torch

from ..nn._draws import normal
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
# Of more samples these are enough to begin with: the last iterations make up for the
# others but for less than a hundredth of the error, by
# examples/benchmarks/low_rank_rows.py.
FIRST_ROWS = 8192


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
    Z = torch.empty(len(some), n_genes, dtype=torch.float32, device=device)
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
    V = Z.T @ normal((len(Z), size), Z.device)
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

"""Which samples lack the same genes, and which genes are lacking together."""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.cluster import KMeans

from ..nn._draws import integers, new_seed, permutation

# So many patterns are taken as they are; more are put into groups, at most as many.
MAX_GROUPS = 16
# More groups must explain this share of what genes differ in within groups.
_MIN_GAIN = 0.1
_SMALLEST = 16
# Signs that a pattern is summed up by: sums of them are exact in single precision, and
# equal for equal patterns alone, but for a chance that is not worth a thought.
_N_SIGNS = 64
# By its powers the sums become one number; any that is odd and large would do.
_FACTOR = 6364136223846793005
_CLUSTER_ROWS = 1024


class PatternGroups(NamedTuple):
    """Groups of samples, and of genes, with like patterns of measured values.

    Where there are few patterns, each is a group, and shares are 0 or 1. Within a
    group of several patterns the genes of a sample are taken to be measured at random.

    Attributes
    ----------
    row_group : int64 tensor of shape (n,)
        The group of each sample.
    gene_group : int64 tensor of shape (n_genes,)
        The group of each gene.
    share : tensor of shape (n_row_groups, n_genes)
        Share of the samples of a group in which a gene was measured.
    n_rows : tensor of shape (n_row_groups,)
        Number of samples in each group.
    gene_share : tensor of shape (n_row_groups, n_gene_groups)
        Mean of `share` over the genes of a group.
    """

    row_group: torch.Tensor
    gene_group: torch.Tensor
    share: torch.Tensor
    n_rows: torch.Tensor
    gene_share: torch.Tensor


def pattern_groups(blocks):
    """Return the groups of samples and genes, in two passes over the samples.

    Parameters
    ----------
    blocks : Blocks or list of tensor of shape (n, n_genes)
        The samples, a block at a time.

    Returns
    -------
    groups : PatternGroups
    """
    rows, genes, signs = [], 0.0, None
    for Z in blocks:
        measured = _measured(Z)
        signs = _signs(Z.shape[1], Z.device) if signs is None else signs
        rows.append(measured @ signs)
        genes = genes + measured.T @ _signs(len(Z), Z.device)
    row_group, n_row_groups = _group(torch.cat(rows))
    gene_group, n_gene_groups = _group(genes)
    count = genes.new_zeros(n_row_groups, len(genes))
    start = 0
    for Z in blocks:
        group = row_group[start : start + len(Z)]
        count.index_add_(0, group, _measured(Z))
        start += len(Z)
    size = row_group.bincount(minlength=n_row_groups).to(count.dtype)
    share = count / size[:, None]
    member = torch.nn.functional.one_hot(gene_group, n_gene_groups).to(count.dtype)
    return PatternGroups(
        row_group, gene_group, share, size, share @ (member / member.sum(0))
    )


def _measured(Z):
    return (~Z.isnan()).to(Z.dtype)


def _signs(n, device):
    return integers(2, (n, _N_SIGNS), device).float() * 2 - 1


def _digests(sums):
    """Return a number for each pattern; torch takes long to sort rows of many."""
    factor = torch.full((_N_SIGNS,), _FACTOR, dtype=torch.int64, device=sums.device)
    # Modulo 2^64: powers of an odd number, none of which loses a bit.
    return (sums.long() * factor.cumprod(0)).sum(1)


def _group(sums):
    """Return the group of each pattern, given sums of signs, and how many there are."""
    distinct, group = torch.unique(_digests(sums), return_inverse=True)
    if len(distinct) <= MAX_GROUPS:
        return group, len(distinct)
    some = sums[permutation(len(sums))[:_CLUSTER_ROWS]].cpu().numpy()
    seed, best, n_clusters = new_seed(), None, 1
    inertia = ((some - some.mean(0)) ** 2).sum()
    n_most = min(MAX_GROUPS, len(some) // _SMALLEST, len(np.unique(some, axis=0)))
    while 2 * n_clusters <= n_most:
        n_clusters *= 2
        finer = KMeans(n_clusters, n_init=1, random_state=seed).fit(some)
        if finer.inertia_ > (1 - _MIN_GAIN) * inertia:
            break
        best, inertia = finer, finer.inertia_
    if best is None:
        return group.new_zeros(len(sums)), 1
    found = torch.from_numpy(best.predict(sums.cpu().numpy())).long()
    # A group may have none but samples that were not looked at, or none at all.
    distinct, group = torch.unique(found.to(sums.device), return_inverse=True)
    return group, len(distinct)

"""Curves that genes share, by how skewed each is: few samples are enough for them."""

import torch

from ._curve_equations import N_KNOTS, bending, full_matrices, right_sides
from ._gene_curves import GeneCurves

# What a skewness of zero weighs, in samples; and the largest one.
_SKEWNESS_ROWS, _MOST_SKEWED = 10.0, 2.5
# Prior weight of a shared curve of zero, in values of all genes.
_PENALTY = 100.0
_MIN_VARIANCE = 1e-6


def power_sums(blocks, n_genes):
    """Return the count of each gene's values, and the sums of their first powers.

    Parameters
    ----------
    blocks : iterable of tensor of shape (n, n_genes)
        Standardised samples; NaN where missing.
    n_genes : int
        Number of genes, should there be no samples.

    Returns
    -------
    sums : float64 tensor of shape (4, n_genes)
    """
    total = torch.zeros(4, n_genes, dtype=torch.float64)
    for Z in blocks:
        total = total.to(Z.device)
        known = (~Z.isnan()).double()
        Z = Z.nan_to_num(nan=0.0).double()
        for power in range(4):
            total[power] += known.sum(0) if power == 0 else (Z**power).sum(0)
    return total


def skewness(sums):
    """Return the skewness of each gene from its power sums, drawn to zero.

    Parameters
    ----------
    sums : float64 tensor of shape (4, n_genes)
        See `power_sums`.

    Returns
    -------
    skewness : float32 tensor of shape (n_genes,)
    """
    count = sums[0].clamp(min=1)
    mean, square, cube = sums[1:] / count
    variance = (square - mean**2).clamp(min=_MIN_VARIANCE)
    third = cube - 3 * mean * square + 2 * mean**3
    found = third / variance**1.5 * (count / (count + _SKEWNESS_ROWS))
    return found.clamp(-_MOST_SKEWED, _MOST_SKEWED).float()


def features(sums, with_level):
    """Return what shared curves are multiplied by for each gene.

    That is its skewness, and with a level also one.
    """
    skewed = skewness(sums)
    columns = [torch.ones_like(skewed), skewed] if with_level else [skewed]
    return torch.stack(columns, 1)


def shared_curves(parts, designs, at, known=None):
    """Return curves that are the same for all genes, times features of the gene.

    ``h_j = known_j + sum_k a_jk c_k`` with few curves ``c_k``, that are found from the
    values of all genes by penalised least squares.

    Parameters
    ----------
    parts : sequence of (gram, cross)
        Normal equations, of each fold.
    designs : sequence of tensor of shape (n_genes, n_features)
        For each fold the features of the genes by the other samples: what is learnt of
        a value must not come from a skewness to which it has itself contributed.
    at : tensor of shape (n_genes, n_features)
        Features of the genes for which the curves are wanted.
    known : GeneCurves or None, default=None
        To which the shared curves are added.

    Returns
    -------
    curves : GeneCurves
    """
    n_features, size = at.shape[1], 2 * N_KNOTS
    matrix = at.new_zeros(n_features**2, size**2, dtype=torch.float64)
    right = at.new_zeros(n_features, size, dtype=torch.float64)
    for (gram, cross), design in zip(parts, designs, strict=True):
        full, side = full_matrices(gram), right_sides(cross)
        if known is not None:
            side = side - torch.einsum("jst,jt->js", full, known.heights.flatten(1))
        products = (design[:, :, None] * design[:, None, :]).flatten(1)
        matrix += products.T @ full.flatten(1)
        right += design.T @ side
    matrix = matrix.unflatten(1, (size, size)).unflatten(0, (n_features, n_features))
    matrix = matrix.transpose(1, 2).flatten(2).flatten(0, 1)
    penalty = bending(_PENALTY, matrix)
    matrix += torch.block_diag(*[penalty] * n_features)
    found = torch.linalg.solve(matrix, right.flatten()).unflatten(0, (-1, size))
    heights = at @ found.to(at.dtype)
    if known is not None:
        heights = heights + known.heights.flatten(1)
    return GeneCurves(heights.unflatten(1, (2, N_KNOTS)).contiguous())

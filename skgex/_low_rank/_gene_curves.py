"""A curve for each gene: its mean is not linear in what a linear model expects."""

import torch
from torch import nn

LIMIT = 3.0


class GeneCurves(nn.Module):
    """Correct what a linear model expects by a curve of its own for each gene.

    Expression is skewed and has floors, so that the mean of a gene given what a linear
    model expects of it is not that expectation. The correction is piecewise linear in
    the expectation, and changes linearly with how uncertain the factors are.

    Parameters
    ----------
    heights : tensor of shape (n_genes, 2, n_knots)
        Correction at equally spaced knots, and its change with the uncertainty.

    Notes
    -----
    The outermost knots lie at three standard deviations of the gene. The curve is
    constant beyond them.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank import GeneCurves
    >>> curves = GeneCurves(torch.tensor([[[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]]))
    >>> curves(torch.tensor([[-1.5], [1.5], [9.0]]), torch.tensor([0.0, 0.0, 0.5]))
    tensor([[0.2500],
            [0.2500],
            [1.0000]])
    """

    def __init__(self, heights):
        super().__init__()
        self.register_buffer("heights", heights)

    def forward(self, expected, uncertainty, genes=None):
        """Return the correction of the expectation of genes.

        Parameters
        ----------
        expected : tensor of shape (n, n_genes)
            What a linear model expects.
        uncertainty : tensor of shape (n,)
            Uncertainty of the factors, between 0 and 1.
        genes : int64 tensor of shape (n_genes,), default=None
            Which genes these are; None for all.

        Returns
        -------
        correction : tensor of shape (n, n_genes)
        """
        n_genes, _, n_knots = self.heights.shape
        left, share = knot_place(expected, n_knots)
        if genes is None:
            genes = torch.arange(n_genes, device=left.device)
        left += n_knots * genes
        level, change = (
            torch.lerp(heights[left], heights[left + 1], share)
            for heights in self.heights.transpose(0, 1).flatten(1)
        )
        return level + uncertainty[:, None] * change


def knot_place(expected, n_knots, limit=LIMIT):
    """Return the knot to the left of each value, and how far it is beyond it.

    Parameters
    ----------
    expected : tensor of any shape
        Values.
    n_knots : int
        Number of equally spaced knots, from ``-limit`` to ``limit``.
    limit : float, default=3.0
        Where the outermost knots lie; values beyond are moved there.

    Returns
    -------
    left : int64 tensor
        Number of the knot, below ``n_knots - 1``.
    share : tensor
        Share of the way to the next knot, between 0 and 1.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank import knot_place
    >>> knot_place(torch.tensor([-3.0, 0.75, 9.0]), 5)
    (tensor([0, 2, 3]), tensor([0.0000, 0.5000, 1.0000]))
    """
    place = (expected / limit).clamp(-1, 1).add(1) * ((n_knots - 1) / 2)
    left = place.floor().clamp_(max=n_knots - 2)
    return left.long(), place - left

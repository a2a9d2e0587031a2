"""The normal equations of curves, and their solution."""

import torch

from ._gene_curves import GeneCurves

N_KNOTS = 13


def full_matrices(gram):
    """Return the matrices of normal equations, of which the bands are given.

    Parameters
    ----------
    gram : tensor of shape (n_genes * n_knots, 2, 3)
        Products of each knot with itself and with the next one, times 1, u and u^2
        for the uncertainty u.

    Returns
    -------
    matrices : tensor of shape (n_genes, 2 * n_knots, 2 * n_knots)
    """
    gram = gram.unflatten(0, (-1, N_KNOTS))
    full = gram.new_zeros(len(gram), 2 * N_KNOTS, 2 * N_KNOTS)
    knots = torch.arange(N_KNOTS, device=gram.device)
    for a in range(2):
        for b in range(2):
            block = full[:, a * N_KNOTS :, b * N_KNOTS :]
            block[:, knots, knots] = gram[:, :, 0, a + b]
            block[:, knots[:-1], knots[1:]] = gram[:, :-1, 1, a + b]
            block[:, knots[1:], knots[:-1]] = gram[:, :-1, 1, a + b]
    return full


def right_sides(cross):
    """Return the right-hand sides, of shape (n_genes, 2 * n_knots)."""
    return cross.unflatten(0, (-1, N_KNOTS)).transpose(1, 2).flatten(1)


def bending(weight, like):
    """Return the penalty on a curve and on its change, for heights side by side.

    Parameters
    ----------
    weight : float
        Weight of a curve of zero, in samples; a straight one has twice as much.
    like : tensor
        Of the type and on the device that are wanted.

    Returns
    -------
    penalty : tensor of shape (2 * n_knots, 2 * n_knots)
    """
    eye = torch.eye(N_KNOTS, dtype=like.dtype, device=like.device)
    bend = eye.diff(n=2, dim=0)
    penalty = weight * (eye + 2 * bend.T @ bend)
    return torch.block_diag(penalty, penalty)


def solve_curves(gram, cross, weight, drawn_to=None):
    """Return the curves that solve the penalised normal equations.

    Parameters
    ----------
    gram, cross : tensor
        The equations.
    weight : float
        Weight of the curves that they are drawn to; with an infinite one they are
        these.
    drawn_to : GeneCurves or None, default=None
        None for curves of zero.

    Returns
    -------
    curves : GeneCurves or None
    """
    if weight == torch.inf:
        return drawn_to
    full, right = full_matrices(gram), right_sides(cross)
    penalty = bending(weight, full)
    if drawn_to is not None:
        right = right + drawn_to.heights.flatten(1) @ penalty
    heights = torch.linalg.solve(full + penalty, right)
    return GeneCurves(heights.unflatten(1, (2, N_KNOTS)).contiguous())

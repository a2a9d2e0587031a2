"""Inverses of many precisions of factors, of which the leading columns are wanted."""

import torch


class LeadingInverse:
    """Inverses of precisions, in blocks: leading factors, and others.

    Of a Gaussian the precision of the leading factors, whatever the others are, is what
    is left when those are eliminated (a Schur complement). It is wanted itself, and its
    inverse gives the leading columns of the whole inverse, for less than to solve for
    them.

    Parameters
    ----------
    precision : tensor of shape (n_patterns, rank, rank)
        Symmetric and positive definite.
    n_columns : int
        How many columns will be asked for: as many factors lead.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank._leading_inverse import LeadingInverse
    >>> precision = torch.tensor([[[2.0, 1.0], [1.0, 2.0]]])
    >>> inverse = LeadingInverse(precision, 1)
    >>> inverse.moments()
    (tensor([[[ 0.6667],
             [-0.3333]]]), tensor([[[1.5000]]]))
    """

    def __init__(self, precision, n_columns):
        q = n_columns
        self.following = torch.linalg.cholesky(precision[:, q:, q:])
        # What those that follow lose for each that leads.
        self.across = torch.cholesky_solve(precision[:, q:, :q], self.following)
        lost = torch.bmm(precision[:, :q, q:], self.across)
        self.precision = precision[:, :q, :q] - lost
        self.root = torch.linalg.cholesky(self.precision)

    def times(self, vectors, sets):
        """Return the product with the inverse of its pattern for each vector."""
        leading, following = sets.columns(vectors).split(
            [self.root.shape[1], self.following.shape[1]], dim=1
        )
        across = sets.of(self.across)
        leading = leading - torch.bmm(across.mT, following)
        leading = sets.solve_columns(self.root, leading)
        following = sets.solve_columns(self.following, following)
        following = following - torch.bmm(across, leading)
        return sets.rows(torch.cat([leading, following], 1))

    def moments(self):
        """Return the first columns, and the precision of the leading factors."""
        leading = torch.cholesky_inverse(self.root)
        columns = torch.cat([leading, -torch.bmm(self.across, leading)], 1)
        return columns, self.precision


def inverses(matrices):
    """Return the inverses of symmetric positive definite matrices."""
    return torch.cholesky_inverse(torch.linalg.cholesky(matrices))

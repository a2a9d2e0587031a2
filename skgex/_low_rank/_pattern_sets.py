"""Vectors of samples, put side by side where a matrix is the same for several."""

import torch

# To solve for so many vectors takes hardly longer than to solve for one.
_SIZE = 8


class PatternSets:
    """Samples in sets of one size, each of samples that share a matrix.

    What is computed for a sample then has the same shape whether others share its
    pattern of measured genes or not, and so the same bits.

    Parameters
    ----------
    pattern : int64 tensor of shape (n,)
        Which pattern each sample has.
    n_patterns : int
        How many there are.
    size : int, default=8
        Of how many samples a set is.

    Attributes
    ----------
    pattern : int64 tensor of shape (n_sets,)
        Which pattern the samples of a set have.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank._pattern_sets import PatternSets
    >>> sets = PatternSets(torch.tensor([1, 0, 1]), 2)
    >>> vectors = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> sets.columns(vectors).shape, sets.pattern  # filled up with zeros
    (torch.Size([2, 2, 8]), tensor([0, 1]))
    >>> torch.equal(sets.rows(sets.columns(vectors)), vectors)
    True
    """

    def __init__(self, pattern, n_patterns, size=_SIZE):
        self._size = size
        count = pattern.bincount(minlength=n_patterns)
        n_sets = (count + size - 1) // size
        order = pattern.argsort(stable=True)
        number = torch.empty_like(pattern)
        first = (count.cumsum(0) - count)[pattern[order]]
        number[order] = torch.arange(len(pattern), device=pattern.device) - first
        self._set = (n_sets.cumsum(0) - n_sets)[pattern] + number // size
        self._column = number % size
        self._each_once = bool((n_sets == 1).all())
        self.pattern = torch.arange(n_patterns, device=pattern.device)
        self.pattern = self.pattern.repeat_interleave(n_sets)

    def of(self, matrices):
        """Return the matrix of each set, given that of each pattern."""
        return matrices if self._each_once else matrices[self.pattern]

    def columns(self, vectors):
        """Return vectors of shape (..., n, k) as columns, (..., n_sets, k, size)."""
        *outer, _, k = vectors.shape
        sets = vectors.new_zeros(*outer, len(self.pattern), self._size, k)
        sets[..., self._set, self._column, :] = vectors
        return sets.mT.contiguous()

    def rows(self, columns):
        """Return columns of shape (..., n_sets, k, size) as vectors, (..., n, k)."""
        return columns.mT[..., self._set, self._column, :]

    def times(self, matrices, vectors):
        """Return the product of the matrix of its pattern with each vector."""
        return self.rows(torch.bmm(self.of(matrices), self.columns(vectors)))

    def solve(self, cholesky, vectors):
        """Solve for each vector with the matrix of its pattern, given its root."""
        return self.rows(self.solve_columns(cholesky, self.columns(vectors)))

    def solve_columns(self, cholesky, columns):
        """Solve for columns of shape (n_sets, k, size), as those are returned."""
        # Transposed, as roots lie in memory, those of rows are copied faster.
        upper = self.of(cholesky.mT)
        half = torch.linalg.solve_triangular(upper.mT, columns, upper=False)
        return torch.linalg.solve_triangular(upper, half, upper=True)

"""Corrupted views of a batch of expression profiles.

At 20,000 genes drawing a view can cost as much as encoding it, so random numbers are
drawn sparingly: 16 bits for an entry of a Bernoulli mask, one permutation of the genes
for a whole batch of exact masks, one shift per gene for all its replacements.
"""

from types import MappingProxyType

import torch
from torch import nn

from ._draws import bernoulli_mask, integers, permutation, random_int16
from ._gene_shifts import GeneShifts
from ._missing import may_have_missing
from ._shares import own_rows

_LEVELS = 2**16
_MAX_SHIFTS = 4


def exact_mask(shape, rate, device="cpu", rows=slice(None)):
    """Draw a mask of shape (n, d) with exactly floor(rate * d) True in each row.

    Each row is a uniformly random subset of that size. Rows are windows, at random
    offsets, into one random order of the genes: their subsets are not independent of
    each other within a batch. Only those of some `rows` are returned.
    """
    n, d = shape
    # The smallest of errors in rate * d must not lose a gene: 0.29 * 100 < 29.
    size = int(rate * d + 1e-9)
    # The smaller the integers, the faster.
    integer = torch.int16 if d < _LEVELS // 2 else torch.int32
    rank = permutation(d, device).to(integer)
    offset = integers(d, (n, 1), device, integer)[rows]
    # (n, d) in (-d, d): the place of a gene in the window of a sample, modulo d
    place = rank - offset
    return ((place >= 0) & (place < size)) | (place < size - d)


def _select(mask, source, X):
    """Do what `torch.where` does, in a fraction of its time on a CPU, into `source`."""
    if X.dtype != torch.float32:
        return torch.where(mask, source, X)
    bits = X.view(torch.int32)
    all_ones = mask.to(torch.int32).neg_()  # -1 has all bits set
    picked = source.view(torch.int32).bitwise_xor_(bits).bitwise_and_(all_ones)
    return picked.bitwise_xor_(bits).view(torch.float32)


class GeneCorruption(nn.Module):
    """Draw views in which a share of the genes has the values of other samples.

    Parameters
    ----------
    rate : float
        Share of the genes to corrupt, in [0, 1].
    replacement : {"marginal", "uniform"}, default="marginal"
        `"marginal"` takes the value of the same gene in another sample of the batch,
        drawn for each gene on its own, so that co-expression is broken; `"uniform"`
        draws uniformly between `low` and `high`.
    exact : bool, default=False
        Whether every sample has exactly ``floor(rate * n_genes)`` genes selected;
        otherwise each gene is selected independently with probability `rate`.
    low, high : tensor of shape (n_genes,), default=None
        Range of each gene, needed when `replacement="uniform"`.

    Notes
    -----
    A gene that was not measured (NaN) is neither corrupted nor a source of values.

    For `"marginal"` sample ``i`` takes gene ``j`` from sample
    ``(i + shift[j]) % n``; the batch is in random order and the shifts are independent,
    so each replacement is a uniform draw from the other samples, independent
    between genes.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import GeneCorruption
    >>> X = torch.arange(20.0).reshape(2, 10)
    >>> view, corrupted = GeneCorruption(0.3, exact=True)(X)
    >>> corrupted.sum(1)
    tensor([3, 3])
    >>> bool((view[corrupted] != X[corrupted]).all())
    True
    """

    # Ranges are those of the cohort at hand, not of one before it.
    gene_axes = MappingProxyType({"low": None, "high": None})

    def __init__(
        self, rate, replacement="marginal", *, exact=False, low=None, high=None
    ):
        super().__init__()
        self.rate = rate
        self.replacement = replacement
        self.exact = exact
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        self._shifts = {}

    def __getstate__(self):
        # They are as large as a batch and are drawn again when needed.
        return {**self.__dict__, "_shifts": {}}

    def forward(self, X):
        """Return the view and the mask of the corrupted genes, both like `X`.

        Where several processes train, `X` is the whole batch, and what is returned are
        the rows of this process.
        """
        rows = own_rows()
        make_mask = exact_mask if self.exact else bernoulli_mask
        mask = make_mask(X.shape, self.rate, X.device, rows)
        make_source = self._uniform if self.replacement == "uniform" else self._other
        # Also where rows of others are sources of values.
        has_missing = may_have_missing(X)
        source, X = make_source(X, rows), X[rows]
        if has_missing:
            mask &= ~(X + source).isnan()
        return _select(mask, source, X), mask

    def clear(self):
        """Free the memory that is kept between batches."""
        self._shifts.clear()

    def _uniform(self, X, rows):
        share = random_int16(X.shape, X.device)[rows].to(X.dtype)
        share.add_(_LEVELS // 2).div_(_LEVELS - 1)
        return torch.lerp(self.low.to(X.dtype), self.high.to(X.dtype), share)

    def _other(self, X, rows):
        n, d = X.shape
        if n < 2:
            raise ValueError("A view of a single sample has no source of values.")
        if (n, d) not in self._shifts:
            if len(self._shifts) >= _MAX_SHIFTS:
                self._shifts.clear()
            self._shifts[n, d] = GeneShifts(n, d, X.device)
        return self._shifts[n, d].take(X, rows)


def swap_genes(X, rate, *, exact=False):
    """Replace a random share of the genes by their values in other samples.

    Parameters
    ----------
    X : tensor of shape (n, n_genes)
        Profiles; NaN where a gene was not measured.
    rate : float
        Share of the genes to swap, in [0, 1].
    exact : bool, default=False
        Whether each sample has exactly ``floor(rate * n_genes)`` genes selected.

    Returns
    -------
    view : tensor of shape (n, n_genes)
        The corrupted copy.
    mask : bool tensor of shape (n, n_genes)
        Where a gene was swapped.

    See Also
    --------
    GeneCorruption : The same as a module, faster over many batches.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import swap_genes
    >>> view, mask = swap_genes(torch.randn(4, 50), 0.2)
    >>> view.shape, mask.dtype
    (torch.Size([4, 50]), torch.bool)
    """
    return GeneCorruption(rate, exact=exact)(X)

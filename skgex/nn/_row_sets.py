"""Apply a function to a few rows at a time, always as many."""

import torch

# Few, as a network has many numbers for each row: so many stay in the cache.
_CPU_ROWS = 8
# Rows that differ mostly do so in the first columns.
_FIRST = 256


def by_row_sets(function, Z, *others, key=None):
    """Return what a function makes of rows, given some of them at a time.

    What it makes of a row then does not depend on how many there are. A row that is
    the same as the one before, as in a block that was filled up, is not computed again.

    Parameters
    ----------
    function : callable
        Of tensors of shape (n, ...), to a tensor of shape (n, ...); each row of it
        depends on the same rows of its arguments alone.
    Z : tensor of shape (n, n_genes)
        Rows that tell the others: if two are equal bit for bit, so are those.
    *others : tensor of shape (n, ...) or None
        Further arguments; None is passed on.
    key : tensor of shape (n, n_columns), default=None
        What tells rows in place of `Z`.

    Returns
    -------
    output : tensor of shape (n, ...)

    Examples
    --------
    >>> import torch
    >>> from skgex.nn._row_sets import by_row_sets
    >>> by_row_sets(lambda Z: Z.sum(1), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([3., 7.])
    """
    # Where gradients are asked for, rows that fill up a set would need memory.
    key = Z if key is None else key
    if key.device.type != "cpu" or key.requires_grad:
        return function(Z, *others)
    rows, place = runs(key)
    n_sets = -(-len(rows) // _CPU_ROWS)
    # Places beyond the last one stand for it.
    sets = torch.arange(n_sets * _CPU_ROWS).clamp_(max=len(rows) - 1)
    parts = []
    for some in rows[sets].split(_CPU_ROWS):
        given = (None if part is None else part[some] for part in others)
        parts.append(function(Z[some], *given))
    return torch.cat(parts)[place]


def runs(Z):
    """Return the first of each run of equal rows, and the run that each row is in.

    Parameters
    ----------
    Z : tensor of shape (n, n_columns)
        Rows that are equal if all of their bits are.

    Returns
    -------
    first : int64 tensor of shape (n_runs,)
    run : int64 tensor of shape (n,)

    Examples
    --------
    >>> import torch
    >>> from skgex.nn._row_sets import runs
    >>> runs(torch.tensor([[1.0], [torch.nan], [torch.nan], [1.0]]))
    (tensor([0, 1, 3]), tensor([0, 1, 1, 2]))
    """
    # NaN is not equal to itself, but its bits are.
    bits = Z.contiguous().view(torch.int32)
    new = (bits[1:, :_FIRST] != bits[:-1, :_FIRST]).any(1)
    if not new.all():
        new = (bits[1:] != bits[:-1]).any(1)
    new = torch.cat([new.new_ones(min(1, len(Z))), new])
    return new.nonzero()[:, 0], new.cumsum(0) - 1

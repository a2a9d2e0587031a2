"""Rows in blocks of one size, so that none depends on how many others there are.

Libraries of linear algebra choose their order of summation by the shape of a matrix,
and the last bits of a sum are those of its order: a sample alone, and among others,
would be embedded a little differently. In blocks of one shape it is not. Where in the
block it lies does not matter, as long as the size is a multiple of the number of values
that a processor takes at a time.
"""

import torch

# On a processor blocks of a few rows stay in its cache, and are faster than large ones.
_CPU_ROWS = 64
_DEVICE_ROWS = 1024
_WORK_BYTES = 512 * 2**20


def block_rows(module, device, n_genes):
    """Return in how many rows at a time a module is applied.

    Parameters
    ----------
    module : torch.nn.Module
        A part of it that needs more for a row than the row itself has an attribute
        `bytes_per_row`.
    device : torch.device
        Where to compute.
    n_genes : int
        Number of values of a row.

    Returns
    -------
    size : int
        A power of two. It depends on nothing but these, and not on the rows of a call.

    Examples
    --------
    >>> import torch
    >>> from skgex._training._fixed_blocks import block_rows
    >>> block_rows(torch.nn.Identity(), torch.device("cpu"), 20_000)
    64
    """
    per_row = [4 * n_genes]
    per_row += [getattr(part, "bytes_per_row", 0) for part in module.modules()]
    size = _CPU_ROWS if device.type == "cpu" else _DEVICE_ROWS
    while size > 1 and size * max(per_row) > _WORK_BYTES:
        size //= 2
    return size


def fill_block(batch, size):
    """Return rows with the last of them repeated until there are `size`.

    Parameters
    ----------
    batch : tensor of shape (n, n_genes)
        At most `size` rows, and one at least.
    size : int
        Number of rows wanted.

    Returns
    -------
    block : tensor of shape (size, n_genes)

    Examples
    --------
    >>> import torch
    >>> from skgex._training._fixed_blocks import fill_block
    >>> fill_block(torch.tensor([[1.0], [2.0]]), 4).flatten()
    tensor([1., 2., 2., 2.])
    """
    if len(batch) == size:
        return batch
    return torch.cat([batch, batch[-1:].expand(size - len(batch), -1)])

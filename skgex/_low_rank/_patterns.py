"""Which patterns of measured genes there are."""

import torch


def distinct_rows(mask):
    """Return the distinct rows of a boolean matrix, and which one each row is.

    Parameters
    ----------
    mask : bool tensor of shape (n, n_genes)

    Returns
    -------
    distinct : bool tensor of shape (n_distinct, n_genes)
        Each row that there is, once.
    row : int64 tensor of shape (n,)
        Which of them each row is.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank import distinct_rows
    >>> distinct, row = distinct_rows(torch.tensor([[True], [False], [True]]))
    >>> distinct.flatten(), row
    (tensor([False,  True]), tensor([1, 0, 1]))
    """
    if (mask == mask[:1]).all():
        return mask[:1], torch.zeros(len(mask), dtype=torch.int64, device=mask.device)
    return torch.unique(mask, dim=0, return_inverse=True)

"""Tell samples of the fit from others, without keeping them."""

import torch

# Odd, and far from simple ratios: the golden ratio of 2^64.
_FACTOR = 0x9E3779B97F4A7C15 - 2**64


def fingerprints(Z):
    """Return a number for each sample, the same if all of its values are the same.

    Parameters
    ----------
    Z : float32 tensor of shape (n, n_genes)
        Profiles; NaN where a gene was not measured.

    Returns
    -------
    number : int64 tensor of shape (n,)

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank._fingerprints import fingerprints
    >>> number = fingerprints(torch.tensor([[1.0, torch.nan], [1.0, 2.0], [1.0, 2.0]]))
    >>> number[0] == number[1], number[1] == number[2]
    (tensor(False), tensor(True))
    """
    # There are many bit patterns that are no number: one stands for all.
    bits = Z.contiguous().view(torch.int32).long().masked_fill_(Z.isnan(), 1)
    place = torch.arange(1, Z.shape[1] + 1, device=Z.device)
    weight = (2 * place + 1) * _FACTOR
    # Sums wrap around; squares of sums of value and place tell orders apart.
    mixed = bits * weight + place * _FACTOR
    return (mixed * (mixed | 1)).sum(1)

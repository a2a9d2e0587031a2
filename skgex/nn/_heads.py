"""Modules that stand above an encoder."""

from torch import nn

from ._layers import batch_norm, linear


def projection_head(d_in, d_hidden, d_out, *, normalization=True):
    """Linear, batch normalisation, ReLU, linear: the head of contrastive methods.

    Parameters
    ----------
    d_in, d_hidden, d_out : int
        Sizes of the input, the hidden layer and the output.
    normalization : bool, default=True
        Whether to normalise the hidden layer over the batch.

    Returns
    -------
    head : torch.nn.Sequential
        Module (n, d_in) -> (n, d_out).

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import projection_head
    >>> projection_head(32, 64, 16)(torch.randn(8, 32)).shape
    torch.Size([8, 16])
    """
    return nn.Sequential(
        linear(d_in, d_hidden),
        batch_norm(d_hidden) if normalization else nn.Identity(),
        nn.ReLU(),
        linear(d_hidden, d_out),
    )

"""Layers of torch as this package makes them, whatever the state of torch is.

Their constructors would draw from the global generator, in the default dtype and on the
default device, which a caller may have changed for the whole process.
"""

import torch
from torch import nn

from ._draws import generator

MADE = {"device": "cpu", "dtype": torch.float32}


def linear(d_in, d_out):
    """Return a linear layer with weights from the generator in force.

    They have the distribution that torch starts with.

    Parameters
    ----------
    d_in, d_out : int
        Sizes of the input and of the output.

    Returns
    -------
    layer : torch.nn.Linear
    """
    layer = nn.utils.skip_init(nn.Linear, d_in, d_out, **MADE)
    bound = d_in**-0.5
    for parameter in (layer.weight, layer.bias):
        nn.init.uniform_(parameter, -bound, bound, generator=generator())
    return layer


def zero_linear(d_in, d_out):
    """Return a linear layer that is zero to begin with."""
    layer = nn.utils.skip_init(nn.Linear, d_in, d_out, **MADE)
    for parameter in (layer.weight, layer.bias):
        nn.init.zeros_(parameter)
    return layer


def layer_norm(dim):
    """Return layer normalisation."""
    return nn.LayerNorm(dim, **MADE)


def batch_norm(dim):
    """Return batch normalisation."""
    return nn.BatchNorm1d(dim, **MADE)

"""What the methods share whose encoder is a multilayer perceptron."""

from itertools import pairwise
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from .._memory import check_network
from ..nn import MLPEncoder
from ._base import BaseEmbedder


def check_widths(name, value, layers, n_layers=None):
    """Refuse a parameter that does not list the widths of some layers."""
    widths = np.asarray(value)
    if (
        widths.ndim != 1
        or widths.dtype.kind not in "iu"
        or not 0 < len(widths) == (n_layers or len(widths))
        or widths.min() < 1
    ):
        raise ValueError(
            f"{name}={value!r} must list the width of {layers}, as positive integers, "
            "for example (256, 256)."
        )


def check_encoder_size(widths, n_genes):
    """Refuse an encoder, with a head or a decoder, that is too large to be trained."""
    widths = [int(width) for width in widths]
    n_weights = sum(n * m for n, m in pairwise([n_genes, *widths]))
    # Of two layers above it, as wide as it is or as there are genes.
    n_weights += 2 * widths[-1] * max(widths[-1], n_genes)
    check_network(
        f"hidden_dims={_shortened(widths)}", "hidden_dims", n_weights, len(widths)
    )


def _shortened(widths):
    text = ", ".join(map(str, widths[:5])) + (", ..." if len(widths) > 5 else "")
    return f"({text})"


class BaseMLPEmbedder(BaseEmbedder):
    """Base class of the methods whose encoder is a multilayer perceptron."""

    _parameter_constraints: dict = {
        **BaseEmbedder._parameter_constraints,
        "hidden_dims": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "normalization": [StrOptions({"batch", "layer"}), None],
    }

    def __init__(self, *, hidden_dims, dropout, normalization, **shared):
        super().__init__(**shared)
        self.hidden_dims = hidden_dims
        self.dropout = dropout
        self.normalization = normalization

    def _make_encoder(self, n_genes):
        check_widths("hidden_dims", self.hidden_dims, "one layer or more")
        check_encoder_size(self.hidden_dims, n_genes)
        return MLPEncoder(
            n_genes,
            self.hidden_dims,
            dropout=self.dropout,
            normalization=self.normalization,
        )

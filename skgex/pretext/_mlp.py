"""What the methods share whose encoder is a multilayer perceptron."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

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
        return MLPEncoder(
            n_genes,
            self.hidden_dims,
            dropout=self.dropout,
            normalization=self.normalization,
        )

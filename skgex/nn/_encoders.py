"""From genes to an embedding: standardisation and the multilayer perceptron."""

import itertools
from collections.abc import Iterable
from types import MappingProxyType

import torch
from torch import nn

from ._dropout import Dropout
from ._layers import batch_norm, layer_norm, linear

NORMALIZATIONS = {"batch": batch_norm, "layer": layer_norm, None: nn.Identity}


class GeneStandardizer(nn.Module):
    """Standardise each gene with fixed moments and clip extreme z-scores.

    NaN (a gene that was not measured) stays NaN: what a missing gene means is the
    business of the encoder and of the objective.

    Parameters
    ----------
    mean, scale : array-like of shape (n_genes,)
        Moments of each gene, in the units of the data. A `scale` of 1 is expected
        for constant genes.
    clip : float or None, default=None
        Bound on the absolute z-score. Nearly constant genes otherwise reach z-scores
        in the hundreds in new samples.

    Notes
    -----
    Shape: (n, n_genes) -> (n, n_genes).

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import GeneStandardizer
    >>> standardizer = GeneStandardizer([5.0, 8.0], [1.0, 2.0], clip=3)
    >>> standardizer(torch.tensor([[6.0, 4.0], [50.0, torch.nan]]))
    tensor([[ 1., -2.],
            [ 3., nan]])
    """

    gene_axes = MappingProxyType({"mean": 0, "scale": 0})

    def __init__(self, mean, scale, clip=None):
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean).to(torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale).to(torch.float32))
        # Whatever does not fit in single precision bounds nothing.
        largest = torch.finfo(torch.float32).max
        self.clip = clip if clip is None else min(float(clip), largest)

    def forward(self, X):
        """Return the z-scores of `X` as a new tensor."""
        # The mean is subtracted before scaling, not folded into one multiply-add: for
        # a gene with a large mean and a small spread that would lose digits.
        Z = X.sub(self.mean).div_(self.scale)
        return Z if self.clip is None else Z.clamp_(-self.clip, self.clip)


class MLPEncoder(nn.Module):
    """Multilayer perceptron over all genes.

    Parameters
    ----------
    n_genes : int
        Number of input genes.
    hidden_dims : sequence of int, default=(256, 256)
        Width of each layer; the last one is the dimension of the embedding.
    dropout : float, default=0.0
        Dropout rate after each activation.
    normalization : {"batch", "layer"} or None, default="batch"
        Normalisation before each activation.

    Attributes
    ----------
    embedding_dim : int
        Dimension of the output.

    Notes
    -----
    Shape: (n, n_genes) -> (n, embedding_dim). Inputs are z-scores; a missing gene
    (NaN) is read as zero, which is its mean over the training samples.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import MLPEncoder
    >>> encoder = MLPEncoder(1000, hidden_dims=(64, 32))
    >>> encoder(torch.randn(8, 1000)).shape
    torch.Size([8, 32])
    """

    gene_axes = MappingProxyType({"layers.0.weight": 1})

    def __init__(
        self,
        n_genes,
        hidden_dims: Iterable[int] = (256, 256),
        *,
        dropout=0.0,
        normalization: str | None = "batch",
    ):
        super().__init__()
        normalize = NORMALIZATIONS[normalization]
        dims = [n_genes, *hidden_dims]
        self.layers = nn.Sequential()
        for d_in, d_out in itertools.pairwise(dims):
            self.layers.extend(
                [linear(d_in, d_out), normalize(d_out), nn.ReLU()]
                + ([Dropout(dropout)] if dropout else [])
            )
        self.embedding_dim = dims[-1]

    def forward(self, X):
        """Embed standardised profiles."""
        return self.layers(X.nan_to_num(nan=0.0))

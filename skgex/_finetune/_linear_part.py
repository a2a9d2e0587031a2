"""The linear model of all genes that votes beside the network."""

import numpy as np
import torch
from torch import nn

from .._training import RowReader, gene_moments, is_constant
from ..nn import GeneStandardizer
from ..nn._fill import FillWithMean
from ..nn._layers import zero_linear

CLIP = 10.0
# Of more values than this a random part of the samples is enough: what a linear model
# learns from the rest is little, and they would all be held in memory.
MAX_VALUES = 2**27
_PART_VALUES = 2**23


class Vote(nn.Module):
    """The weighted mean of what a network and a linear model make of profiles."""

    def __init__(self, network, linear, linear_weight):
        super().__init__()
        self.network, self.linear = network, linear
        self.linear_weight = linear_weight

    def forward(self, X):
        """Return outputs of shape (n, n_outputs)."""
        output = self.network(X)
        # In steps: the last digits of `lerp` depend on where in the batch a row lies.
        return output + self.linear_weight * (self.linear(X) - output)


def fit_linear_part(estimator, X, labels, n_outputs, groups=None):
    """Fit a linear model to the samples.

    The moments of the genes are those of all samples of `X`, whatever the embedder was
    pretrained on.

    Parameters
    ----------
    estimator : BaseFineTuned
        Its `_fit_linear` fits the model.
    X : ndarray of shape (n_samples, n_genes)
        Checked training data.
    labels : (tensor, tensor, tensor)
        Rows, encoded targets and weights of the labelled samples.
    n_outputs : int
        Number of outputs.
    groups : array-like of shape (n_samples,), default=None
        Samples of a group are not split when some are held out.

    Returns
    -------
    linear : torch.nn.Sequential or None
        From genes in the units of `X` to outputs. None if no gene varies.
    learnt : dict
        Fitted attributes that say how.
    """
    reader = RowReader(X)
    mean, std, _ = gene_moments(reader)
    scale = np.where(is_constant(mean, std), 1.0, std)
    scaler = nn.Sequential(
        GeneStandardizer(np.nan_to_num(mean), np.nan_to_num(scale, nan=1.0), CLIP),
        FillWithMean(),
    )
    rows, target, weight = (values.numpy() for values in labels)
    some, chosen = _at_most(rows, target, len(X), max(2, MAX_VALUES // X.shape[1]))
    genes = _scaled(scaler, reader, some)
    if not genes.any():  # none varies
        return None, {}
    coef, intercept, learnt = estimator._fit_linear(
        genes,
        np.searchsorted(some, rows[chosen]),
        target[chosen],
        weight[chosen],
        None if groups is None else np.asarray(groups)[rows[chosen]],
    )
    layer = zero_linear(X.shape[1], n_outputs)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(coef))
        layer.bias.copy_(torch.from_numpy(intercept))
    return nn.Sequential(*scaler, layer), learnt


def _at_most(rows, target, n_samples, n_most):
    """Return the samples to read, and which of the labelled ones are among them.

    Labelled samples come first, and of each class one at least.
    """
    chosen = np.arange(len(rows))
    if n_samples <= n_most:
        return np.arange(n_samples), chosen
    rng = np.random.default_rng(0)
    if len(rows) > n_most:
        order = rng.permutation(len(rows))
        if target.dtype.kind == "i":
            first = np.unique(target[order], return_index=True)[1]
            order = np.concatenate([order[first], np.delete(order, first)])
        chosen = np.sort(order[:n_most])
    others = np.setdiff1d(np.arange(n_samples), rows)
    others = rng.permutation(others)[: n_most - len(chosen)]
    return np.sort(np.concatenate([rows[chosen], others])), chosen


def _scaled(scaler, reader, rows):
    """Return standardised rows, read part by part."""
    scaled = np.empty((len(rows), reader.shape[1]), np.float32)
    size = max(1, _PART_VALUES // reader.shape[1])
    for start in range(0, len(rows), size):
        part = reader.take(torch.from_numpy(rows[start : start + size]))
        scaled[start : start + size] = scaler(part).numpy()
    return scaled

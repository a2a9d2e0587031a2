"""The linear layer above the encoder."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from .._training import apply_by_batches
from ..nn._layers import linear


def new_head(estimator, X, pretrained, labels, n_outputs, device):
    """Return a linear head; a "probe" starts as a linear model on the embedding.

    From a random head the first steps would pull the encoder about to suit noise.
    With few labels there are few steps to make up for that (Kumar et al.,
    "Fine-tuning can distort pretrained features", ICLR 2022).
    """
    head = linear(pretrained[1].embedding_dim, n_outputs)
    if estimator.head_init == "random":
        return head
    rows, target, weight = (values.numpy() for values in labels)
    X = X if len(rows) == len(X) else X[rows]
    Z = apply_by_batches(nn.Sequential(*pretrained), X, device).astype(np.float64)
    mean = Z.mean(axis=0)
    # One scale for all dimensions: the regularisation means the same for each
    # embedder, and the relative weight of the dimensions is kept. Covariates, which
    # come last, are standardised already.
    n_covariates = len(estimator.covariates_)
    embedding, _ = np.split(Z, [Z.shape[1] - n_covariates], axis=1)
    scale = np.sqrt(embedding.var(axis=0).mean()) or 1.0
    if n_covariates:
        scale = np.repeat([scale, 1.0], [embedding.shape[1], n_covariates])
    coef, intercept = estimator._probe((Z - mean) / scale, target, weight)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(coef / scale))
        head.bias.copy_(torch.from_numpy(intercept - coef @ (mean / scale)))
    return head


def old_head(estimator, n_outputs, learnt):
    """Return a copy of the head of the last fit, for `warm_start`."""
    same_classes = np.array_equal(
        learnt.get("classes_", ()), getattr(estimator, "classes_", ())
    )
    if estimator.head_.out_features != n_outputs or not same_classes:
        raise ValueError(
            "warm_start=True needs the targets of the last fit, but the classes "
            "or the number of outputs have changed; set warm_start=False."
        )
    return deepcopy(estimator.head_)

"""Covariates beside an embedding: what the head sees, and the encoder does not."""

import numpy as np
import torch
from torch import nn

from .._covariates import covariate_labels
from .._mapped_table import MappedTable


class Beside(nn.Module):
    """Apply a module to the genes, and pass on the covariates, the last columns.

    Parameters
    ----------
    module : torch.nn.Module
        Standardizer or encoder.
    n_covariates : int
        Number of covariates.
    """

    def __init__(self, module, n_covariates):
        super().__init__()
        self.module = module
        self.n_covariates = n_covariates
        if hasattr(module, "embedding_dim"):
            self.embedding_dim = module.embedding_dim + n_covariates

    def forward(self, X):
        """Return (n, d + n_covariates) of (n, n_genes + n_covariates)."""
        genes, covariates = X.tensor_split([X.shape[1] - self.n_covariates], dim=1)
        return torch.cat([self.module(genes), covariates], dim=1)


def put_beside(modules, n_covariates):
    """Return modules that pass covariates on; the same ones without covariates."""
    if not n_covariates:
        return modules
    return tuple(Beside(module, n_covariates) for module in modules)


def take_from(module):
    """Return the module inside of a `Beside`, or the module."""
    return module.module if isinstance(module, Beside) else module


def fit_covariates(estimator, C, rows):
    """Learn mean and scale of covariates from the labelled samples.

    Raises
    ------
    ValueError
        If a covariate is constant.
    """
    center, scale = C[rows].mean(axis=0), C[rows].std(axis=0)
    for name, mean, std in zip(covariate_labels(estimator), center, scale, strict=True):
        if not std > 1e-9 * max(abs(mean), 1e-300):
            raise ValueError(
                f"Covariate {str(name)!r} has the same value, {mean:g}, in all "
                "labelled samples of fit: leave it out of X and of covariates."
            )
    return {"_covariate_center": center, "_covariate_scale": scale}


def append_covariates(values, C, learnt):
    """Append standardised covariates to genes, or to an embedding."""
    if not C.shape[1]:
        return values
    C = (C - learnt["_covariate_center"]) / learnt["_covariate_scale"]
    if isinstance(values, MappedTable):
        return values._beside(C)
    return np.concatenate([values, C.astype(values.dtype)], axis=1)

"""What a model is given, in parts along which attributions are taken."""

from typing import NamedTuple

import numpy as np
import torch

from .._covariates import covariate_places, gene_columns, take_covariates, take_genes


class Part(NamedTuple):
    """Some of the inputs of a model.

    Attributes
    ----------
    values, origin : tensor of shape (n, n_columns)
        At the samples, and at the baseline. A gene that was not measured has the same
        value in both.
    places : ndarray of shape (n_columns,), dtype int
        The column of `X` that each is computed from.
    """

    values: torch.Tensor
    origin: torch.Tensor
    places: np.ndarray


def split_parts(estimator, score, X, baseline, device):
    """Return the parts of some samples, and what was measured.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    score : torch.nn.Module or None
        See `Explained`.
    X : ndarray of shape (n, n_columns)
        Checked samples.
    baseline : ndarray of shape (n_columns,)
        What they are compared with.
    device : torch.device
        Where the tensors are to be.

    Returns
    -------
    parts : list of Part
        The genes; their scores, if there is a `score`; covariates, if there are any.
    measured : bool tensor of shape (n, n_genes)
    """
    origin = np.broadcast_to(baseline, X.shape)
    covariates = covariate_places(estimator)
    places = np.arange(X.shape[1])[gene_columns(estimator)]
    genes, zero = (
        torch.from_numpy(np.array(take_genes(estimator, rows), np.float32)).to(device)
        for rows in (X, origin)
    )
    measured = ~genes.isnan()
    genes = genes.where(measured, zero)
    parts = [Part(genes, zero, places)]
    if score is not None:
        parts.append(Part(score(genes), score(zero), places))
    if len(covariates):
        scaled = (
            (rows - estimator._covariate_center) / estimator._covariate_scale
            for rows in (take_covariates(estimator, X), origin[:, covariates])
        )
        tensors = (torch.from_numpy(rows).float().to(device) for rows in scaled)
        parts.append(Part(*tensors, covariates))
    return parts, measured

"""The scale on which genes enter the linear part of a risk."""

import numpy as np
import torch
from torch import nn

from .._training import RowReader, apply_by_batches, gene_moments
from ..nn import GeneStandardizer, NormalScores, SampleStandardizer

N_KNOTS = 256
CLIP = 6.0
# Of fewer genes the mean says too much of each.
MIN_GENES = 200


def fit_scaling(X, scaling, gene_names=None):
    """Learn how to scale genes for a linear model.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_genes)
        Training data.
    scaling : {"rank", "standard"}
        See `FineTunedCoxPH`.
    gene_names : sequence of str, default=None
        Names for messages.

    Returns
    -------
    scaler : torch.nn.Module
        NaN becomes 0, the mean.
    """
    stages = []
    if scaling == "rank":
        stages.append(NormalScores(_rank_knots(X)))
        if X.shape[1] >= MIN_GENES:
            stages.append(SampleStandardizer())
    scaled = X
    if stages:
        module = nn.Sequential(*stages)
        scaled = apply_by_batches(module, X, torch.device("cpu"), gene_names)
    mean, std, _ = gene_moments(RowReader(scaled), gene_names)
    constant = ~(std > 1e-7 * np.maximum(np.abs(mean), 1e-3))
    stages.append(
        GeneStandardizer(np.nan_to_num(mean), np.where(constant, 1.0, std), CLIP)
    )
    return nn.Sequential(*stages, FillWithMean())


def scaled_by_stratum(X, scaler, scaling, stratum, gene_names=None):
    """Return scaled genes; with several strata each is scaled by itself.

    Only samples of one stratum are compared, so that what differs between strata, such
    as the tissue, must not spend the scale of a gene.
    """
    device = torch.device("cpu")
    strata = np.unique(stratum)
    if len(strata) == 1:
        return apply_by_batches(scaler, X, device, gene_names)
    scaled = np.empty(X.shape, np.float32)
    for name in strata:
        rows = np.flatnonzero(stratum == name)
        part = X[rows]
        own = fit_scaling(part, scaling, gene_names)
        scaled[rows] = apply_by_batches(own, part, device, gene_names)
    return scaled


def _rank_knots(X):
    """Return values of each gene at evenly spaced ranks."""
    n_samples, n_genes = X.shape
    n_knots = min(n_samples, N_KNOTS)
    knots = np.empty((n_genes, n_knots), np.float32)
    step = max(1, 2**22 // n_samples)
    for start in range(0, n_genes, step):
        part = np.array(X[:, start : start + step], np.float32)
        missing = np.isnan(part)
        ranks = np.linspace(0, 1, n_knots)
        if not missing.any():
            values = np.quantile(part, ranks, axis=0, overwrite_input=True)
        else:
            # A gene that nobody measured has one value, and scores of zero.
            part[:, missing.all(axis=0)] = 0
            values = np.nanquantile(part, ranks, axis=0)
        knots[start : start + step] = values.T
    return torch.from_numpy(knots)


class FillWithMean(nn.Module):
    """Replace NaN by 0, the mean of a standardised gene."""

    def forward(self, X):
        """Return the filled values."""
        return X.nan_to_num(nan=0.0)

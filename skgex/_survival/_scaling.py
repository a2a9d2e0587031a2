"""The scale on which genes enter the linear part of a risk."""

import numpy as np
import torch
from torch import nn

from .._training import RowReader, apply_by_batches, apply_in_place, gene_moments
from ..nn import GeneStandardizer, NormalScores, SampleStandardizer
from ..nn._fill import FillWithMean

N_KNOTS = 256
CLIP = 6.0
# Of fewer genes the mean says too much of each.
MIN_GENES = 200


def fit_scaling(X, scaling, gene_names=None):
    """Learn how to scale genes for a linear model.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        Training data.
    scaling : {"rank", "standard"}
        See `FineTunedCoxPH`.
    gene_names : sequence of str, default=None
        Names for messages.

    Returns
    -------
    scaler : torch.nn.Module
        NaN becomes 0, the mean.
    scaled : ndarray of shape (n_samples, n_genes), dtype float32
        The training data, scaled.
    """
    stages, scaled = [], X
    if scaling == "rank":
        # Read as a whole, as ranks are of columns, and scaled where it lies then.
        scaled = _in_memory(X)
        stages.append(NormalScores(_rank_knots(scaled)))
        if X.shape[1] >= MIN_GENES:
            stages.append(SampleStandardizer())
        apply_in_place(nn.Sequential(*stages), scaled, gene_names)
    mean, std, _ = gene_moments(RowReader(scaled), gene_names)
    constant = ~(std > 1e-7 * np.maximum(np.abs(mean), 1e-3))
    last = nn.Sequential(
        GeneStandardizer(np.nan_to_num(mean), np.where(constant, 1.0, std), CLIP),
        FillWithMean(),
    )
    if scaling == "rank":
        apply_in_place(last, scaled)
    else:
        scaled = apply_by_batches(last, X, torch.device("cpu"))
    return nn.Sequential(*stages, *last), scaled


def scale_by_stratum(X, scaled, scaling, stratum, gene_names=None):
    """Return scaled genes; with several strata each is scaled by itself.

    Only samples of one stratum are compared, so that what differs between strata, such
    as the tissue, must not spend the scale of a gene.
    """
    strata = np.unique(stratum)
    if len(strata) == 1:
        return scaled
    for name in strata:
        rows = np.flatnonzero(stratum == name)
        scaled[rows] = fit_scaling(X[rows], scaling, gene_names)[1]
    return scaled


def _in_memory(X):
    """Return a copy in single precision; what is infinite then is refused later."""
    with np.errstate(over="ignore"):
        return np.array(X, np.float32, order="C")


def _rank_knots(X):
    """Return values of each gene at evenly spaced ranks."""
    n_samples, n_genes = X.shape
    n_knots = min(n_samples, N_KNOTS)
    knots = np.empty((n_genes, n_knots), np.float32)
    step = max(1, 2**22 // n_samples)
    for start in range(0, n_genes, step):
        # Missing values come last.
        part = np.sort(X[:, start : start + step].T, axis=1)
        count = n_samples - np.isnan(part).sum(axis=1)
        # A gene that nobody measured has one value, and scores of zero.
        part[count == 0] = 0
        place = np.linspace(0, np.maximum(count - 1, 0), n_knots, axis=1)
        left = place.astype(int)
        right = np.minimum(left + 1, np.maximum(count - 1, 0)[:, None])
        low, high = (np.take_along_axis(part, i, axis=1) for i in (left, right))
        knots[start : start + step] = low + (place - left) * (high - low)
    return torch.from_numpy(knots)

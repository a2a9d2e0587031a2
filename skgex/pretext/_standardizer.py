"""Learn how genes are standardised, and refuse what cannot be."""

import numpy as np

from .._inputs import gene_label
from .._shrunken_moments import shrunken_moments
from .._training import gene_moments, is_constant
from .._warn import warn_caller
from ..nn import GeneStandardizer


def fit_standardizer(reader, names, standardize, clip, known=None, warn=True):
    """Return a standardizer with the moments of the genes.

    Parameters
    ----------
    reader : RowReader
        The training rows, which are checked on the way.
    names : sequence of str or None
        Names of the genes for messages.
    standardize : bool
        Whether to standardise, or to leave values as they are.
    clip : float or None
        Bound on the absolute standardised value.
    known : (ndarray, ndarray), default=None
        Means and standard deviations known from elsewhere, NaN for genes of which
        nothing is known: moments of few samples are drawn to them.
    warn : bool, default=True
        Whether to say which genes are constant.

    Raises
    ------
    ValueError
        If a gene was measured in no sample, or all genes are constant.
    """
    mean, std, count = gene_moments(reader, names)
    if not count.all():
        missing = np.flatnonzero(count == 0)
        raise ValueError(
            f"Input X contains NaN in every sample for {len(missing)} gene(s), the "
            f"first being gene {gene_label(missing[0], names)}; drop genes that "
            "were measured in no training sample."
        )
    constant = is_constant(mean, std)
    if constant.all():
        raise ValueError(
            "Every gene in X is constant (zero variance): there is nothing to "
            "learn from. Check how X was made."
        )
    if warn and constant.any():
        first = gene_label(np.flatnonzero(constant)[0], names)
        warn_caller(
            f"{constant.sum()} gene(s) are constant in X, the first being gene "
            f"{first}. They are kept and carry no information."
        )
    if not standardize:
        return GeneStandardizer(np.zeros_like(mean), np.ones_like(std))
    scale = np.where(constant, 1.0, std)
    if known is not None:
        std = np.where(constant, 0.0, std)
        mean, shrunk = shrunken_moments(mean, std, count, *known)
        scale = np.where(shrunk > 0, shrunk, scale)
    return GeneStandardizer(mean, scale, clip)

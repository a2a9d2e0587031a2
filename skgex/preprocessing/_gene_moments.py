"""Mean and variance of each gene, in one pass over the rows."""

import numpy as np

from ._rows import checked_rows

# Small enough that a chunk is still in the cache of the processor at the second look.
_CHUNK_BYTES = 2 * 2**20


def gene_moments(X, gene_names=None):
    """Return mean, variance and number of measured values of each gene.

    The first measured value of a gene is taken off first, which keeps the digits of
    values that are far from zero, and makes the variance of a constant gene exactly
    zero. Moments of chunks, in the precision of the data, are merged in float64 by
    the formula of Chan, Golub and LeVeque (1983).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_genes), dtype float32 or float64
        An array or a memory map. NaN is not counted.
    gene_names : sequence of str, default=None
        Names for error messages.

    Returns
    -------
    mean, variance : ndarray of shape (n_genes,)
        NaN for a gene without a measured value. The variance divides by the count.
    count : ndarray of shape (n_genes,)
        Number of measured values.
    """
    count, mean, spread = np.zeros((3, X.shape[1]))
    origin = np.full(X.shape[1], np.nan, X.dtype)
    # Values near the limit of their dtype have an infinite variance.
    with np.errstate(over="ignore"):
        for _, chunk in checked_rows(X, gene_names, chunk_bytes=_CHUNK_BYTES):
            _find_origin(origin, chunk)
            n_new, new_mean, new_spread = _moments(chunk - origin)
            total = count + n_new
            share = n_new / np.maximum(total, 1)
            shift = new_mean - mean
            mean += shift * share
            spread += new_spread + shift**2 * count * share
            count = total
    unknown = count == 0
    variance = spread / np.maximum(count, 1)
    mean[unknown] = variance[unknown] = np.nan
    return mean + origin, variance, count.astype(int)


def _find_origin(origin, chunk):
    """Fill in the first measured value of genes that had none so far."""
    unknown = np.flatnonzero(np.isnan(origin))
    if len(unknown):
        first = np.argmax(~np.isnan(chunk[:, unknown]), axis=0)
        origin[unknown] = chunk[first, unknown]


def _moments(values):
    """Count, mean and sum of squares about it; the values are overwritten."""
    n = len(values)
    mean = values.sum(axis=0) / n
    if np.isnan(mean).any():
        missing = np.isnan(values)
        values[missing] = 0
        n = n - missing.sum(axis=0)
        mean = values.sum(axis=0) / np.maximum(n, 1)
        values -= mean.astype(values.dtype)
        values[missing] = 0
    else:
        values -= mean
    return n, mean, np.einsum("ij,ij->j", values, values)

"""Mean and variance of each gene, in one pass over the rows."""

import numpy as np

from .._inputs import gene_label
from ._rows import checked_rows

# Small enough that a chunk is still in the cache of the processor at the second look.
_CHUNK_BYTES = 2 * 2**20


def gene_moments(X, gene_names=None):
    """Return mean, variance and number of measured values of each gene.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        Of dtype float32 or float64. NaN is not counted.
    gene_names : sequence of str, default=None
        Names for error messages.

    Returns
    -------
    mean, variance : ndarray of shape (n_genes,)
        NaN for a gene without a measured value. The variance divides by the count.
    count : ndarray of shape (n_genes,)
        Number of measured values.
    """
    moments = RunningMoments(X.shape[1], X.dtype)
    for _, chunk in checked_rows(X, gene_names, chunk_bytes=_CHUNK_BYTES):
        moments.add(chunk)
    return moments.result()


def batch_moments(X, codes, gene_names=None):
    """Return the same for the batches of a table, in one pass as well.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        Of dtype float32 or float64. NaN is not counted.
    codes : ndarray of shape (n_samples,)
        Number of the batch of each sample, from 0 on. Those of -1 are left out.
    gene_names : sequence of str, default=None
        Names for error messages.

    Returns
    -------
    mean, variance, count : ndarray of shape (n_batches, n_genes)
        As of `gene_moments`.
    """
    moments = [RunningMoments(X.shape[1], X.dtype) for _ in range(codes.max() + 1)]
    for rows, chunk in checked_rows(X, gene_names, chunk_bytes=_CHUNK_BYTES):
        for code in np.unique(codes[rows]):
            if code >= 0:
                moments[code].add(chunk[codes[rows] == code])
    found = tuple(np.array([m.result() for m in moments]).transpose(1, 0, 2))
    too_large = np.isinf(found[1]).any(axis=0)
    if too_large.any():
        first = np.argmax(too_large)
        raise ValueError(
            f"Gene {gene_label(first, gene_names)} of X has values so large that their "
            f"squares are beyond {X.dtype}: take logarithms, or look for marks of "
            "missing values."
        )
    return found


class RunningMoments:
    """Mean and variance of each gene over rows that come chunk by chunk.

    The first measured value of a gene is taken off first, which keeps the digits of
    values that are far from zero, and makes the variance of a constant gene exactly
    zero. Moments of chunks, in the precision of the data, are merged in float64 by
    the formula of Chan, Golub and LeVeque (1983).

    Parameters
    ----------
    n_genes : int
        Number of columns.
    dtype : dtype
        That of the rows.
    """

    def __init__(self, n_genes, dtype):
        self._count, self._mean, self._spread = np.zeros((3, n_genes))
        self._origin = np.full(n_genes, np.nan, dtype)

    def add(self, chunk):
        """Take in rows of shape (n, n_genes), in which NaN is not counted."""
        _find_origin(self._origin, chunk)
        # Values near the limit of their dtype have an infinite variance.
        with np.errstate(over="ignore", invalid="ignore"):
            n_new, new_mean, new_spread = _moments(chunk - self._origin)
            total = self._count + n_new
            share = n_new / np.maximum(total, 1)
            shift = new_mean - self._mean
            self._mean += shift * share
            self._spread += new_spread + shift**2 * self._count * share
            self._count = total

    def result(self):
        """Return mean, variance and count, as `gene_moments` does."""
        unknown = self._count == 0
        variance = self._spread / np.maximum(self._count, 1)
        variance[np.isnan(variance)] = np.inf
        variance[unknown] = np.nan
        mean = np.where(unknown, np.nan, self._mean) + self._origin
        return mean, variance, self._count.astype(int)


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

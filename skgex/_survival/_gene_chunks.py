"""Genes of a table some at a time."""

import numpy as np

# Values of a chunk of genes: four megabytes in double precision, for the cache.
_CHUNK_VALUES = 2**19
# So much is read at once of a table on disk, as each of its rows is looked up.
_BAND_BYTES = 32 * 2**20


def gene_chunks(X):
    """Yield the values of some genes after the other.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        An array, or a table on disk, which is read some tens of megabytes at a time.

    Yields
    ------
    genes : slice
        Which genes they are.
    x : ndarray of shape (n_samples, n), dtype float64
        A copy in row order.
    """
    n_samples, n_genes = X.shape
    step = max(16, _CHUNK_VALUES // n_samples)
    per_band = max(1, _BAND_BYTES // (X.dtype.itemsize * n_samples * step))
    for first in range(0, n_genes, step * per_band):
        band = X[:, first : first + step * per_band]
        for start in range(0, band.shape[1], step):
            x = np.array(band[:, start : start + step], dtype=np.float64, order="C")
            yield slice(first + start, first + start + x.shape[1]), x


def groups_of_genes(X, groups):
    """Yield the values of one group of genes after the other.

    Groups that are small are read together: of a table on disk each read looks up all
    rows.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        An array, or a table on disk.
    groups : list of list of int
        Which genes are in each group.

    Yields
    ------
    x : ndarray of shape (n_samples, n)
        In the order of the group.
    """
    n_most = _BAND_BYTES // (X.dtype.itemsize * len(X))
    place = np.cumsum([0, *map(len, groups)])
    start = 0
    while start < len(groups):
        fitting = np.searchsorted(place, place[start] + n_most, side="right") - 1
        stop = max(start + 1, fitting)
        band = X[:, np.concatenate(groups[start:stop])]
        yield from np.split(band, place[start + 1 : stop] - place[start], axis=1)
        start = stop

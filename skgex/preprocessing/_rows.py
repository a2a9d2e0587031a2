"""Read an expression matrix by rows, checked, in bounded memory."""

import mmap

import numpy as np

from .._inputs import gene_label
from .._mapped_table import MappedTable, memory_map

_CHUNK_BYTES = 8 * 2**20
_RELEASE_BYTES = 16 * 2**20


def checked_rows(X, gene_names=None, *, allow_empty=False, chunk_bytes=None):
    """Yield the rows of a matrix in chunks, after a check of their values.

    Pages of a memory map that were read count as memory of the process until they
    are given back, which they are on the way.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        An array, or a table on disk that may be larger than memory.
    gene_names : sequence of str, default=None
        Names for the error message; positions are given without them.
    allow_empty : bool, default=False
        Whether a sample may be without any measured gene.
    chunk_bytes : int, default=None
        About so much is read at once; None for 8 MB.

    Yields
    ------
    rows : slice
        Which rows they are.
    chunk : ndarray of shape (n, n_genes)
        A view of them, or what was read of them, not to be used after the next one
        was asked for.

    Raises
    ------
    ValueError
        Naming the sample and the gene of an infinite value, or the sample without
        any measured gene.
    """
    pages = memory_map(X)
    row_bytes = max(1, X.dtype.itemsize * X.shape[1])
    size = max(1, (chunk_bytes or _CHUNK_BYTES) // row_bytes)
    unreleased = 0
    for start in range(0, len(X), size):
        rows = slice(start, min(start + size, len(X)))
        # As large as of an array: sums depend on where chunks begin.
        is_lazy = isinstance(X, MappedTable)
        chunk = X[rows]._read() if is_lazy else np.asarray(X[rows])
        check_values(chunk, start, gene_names, allow_empty)
        yield rows, chunk
        unreleased += len(chunk) * row_bytes
        if pages is not None and unreleased >= _RELEASE_BYTES:
            pages.madvise(mmap.MADV_DONTNEED)
            unreleased = 0


def check_rows(X, gene_names=None):
    """Refuse infinite values in any of the rows."""
    for _ in checked_rows(X, gene_names, allow_empty=True):
        pass


def check_values(X, first_row=0, gene_names=None, allow_empty=False):
    """Refuse infinite values and samples without any measured gene."""
    # Both are rare: one sum, in which either leaves a trace, answers for most chunks.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(X.sum()):
            return
    infinite = np.isinf(X)
    if infinite.any():
        row, gene = np.argwhere(infinite)[0]
        raise ValueError(
            f"Input X contains infinity: sample {first_row + row}, gene "
            f"{gene_label(gene, gene_names)}. Mark values that were not measured as "
            "NaN, and take logarithms of x + 1 rather than of x."
        )
    empty = np.isnan(X).all(axis=1)
    if empty.any() and not allow_empty:
        raise ValueError(
            f"Input X contains NaN in every gene of sample "
            f"{first_row + np.argmax(empty)}; drop samples without a measured gene."
        )

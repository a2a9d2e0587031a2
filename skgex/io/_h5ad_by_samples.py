"""A matrix of an AnnData file of which samples are read, block by block."""

import numpy as np

from ._h5ad_matrix import H5adMatrix
from ._matrix import BLOCK_BYTES, as_slice


class H5adBySamples(H5adMatrix):
    """A matrix whose samples lie together: dense, CSR, or CSC of genes x samples."""

    def _plan(self, strips, size):
        """Return the rows of each block: all samples of one strip of the file."""
        n_genes = self._layout.shape[1 - strips.axis]
        wanted = size or max(1, BLOCK_BYTES // (n_genes * self.dtype.itemsize))
        width = max(1, wanted // strips.chunk) * strips.chunk
        rows = np.argsort(self._places, kind="stable")
        strip = self._places[rows] // width
        return np.split(rows, np.flatnonzero(np.diff(strip)) + 1)

    def _block(self, strips, rows):
        needed = self._selection.needed
        places = self._layout.gene_places[needed]
        values = self._read(strips, self._places[rows], places)
        self._check_finite(values, rows, needed)
        return as_slice(rows), slice(None), self._selection.apply(values)

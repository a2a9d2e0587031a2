"""A matrix of an AnnData file of which genes are read, block by block."""

import numpy as np

from ._h5ad_matrix import H5adMatrix
from ._matrix import BLOCK_BYTES, as_slice

# Blocks of this many genes fill whole pages of a memory map, which are written once.
_PAGE = 1024


class H5adByGenes(H5adMatrix):
    """A matrix whose genes lie together: CSC, or genes x samples, dense or CSR."""

    def _plan(self, strips, size):
        """Return the columns of each block: single ones, repeated and absent ones."""
        chosen = self._selection
        size = size or self._block_genes(strips)
        present = np.flatnonzero(chosen.first >= 0)
        present = present[np.argsort(chosen.first[present])]
        repeated = chosen.repeated[present]
        blocks = []
        for columns in (present[~repeated], present[repeated]):
            blocks += [columns[i : i + size] for i in range(0, len(columns), size)]
        absent = np.flatnonzero(chosen.first < 0)
        return [*blocks, absent] if len(absent) else blocks

    def _block_genes(self, strips):
        row_bytes = self._layout.shape[1 - strips.axis] * self.dtype.itemsize
        size = max(1, BLOCK_BYTES // row_bytes)
        return size // _PAGE * _PAGE if size > _PAGE else size

    def _block(self, strips, columns):
        chosen = self._selection
        if chosen.first[columns[0]] < 0:
            return slice(None), columns, np.nan
        repeated = chosen.repeated[columns[0]]
        genes = chosen.first[columns]
        if repeated:
            genes = np.flatnonzero(np.isin(chosen.column, columns))
        places = self._layout.gene_places[genes]
        values = self._read(strips, places, self._places).T
        self._check_finite(values, range(len(self.samples)), genes)
        if repeated:
            columns, values = chosen.merge(chosen.column[genes], values)
        return slice(None), as_slice(columns), values

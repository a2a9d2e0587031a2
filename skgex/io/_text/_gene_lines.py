"""Tables of text with a gene in each line, read line by line in bounded memory."""

import numpy as np

from .. import _matrix
from .._matrix import as_slice, check_samples
from .._selection import GeneSelection, select_samples
from ._line_matrix import LineMatrix

# Blocks of this many genes fill whole pages of a memory map, which are written once.
_PAGE = 1024


class GeneLines(LineMatrix):
    """A table of text with a gene in each line.

    Parameters
    ----------
    path : path-like
        The file.
    layout : TextLayout
        Where things stand in it.
    names : sequence of str
        Genes of the lines that are read.
    lines : ndarray of int
        Which of the lines with values these are.
    genes, samples : list of str or None
        Selections.
    on_duplicate : {"error", "first", "max", "mean", "sum"}
        What becomes of genes with the same name.
    strict : bool
        Whether all `genes` must be there.
    dtype : str
        Of the values.
    """

    orient = "genes_in_rows"
    where = "gene {line!r} in sample {column!r}"

    def __init__(
        self,
        path,
        layout,
        names,
        lines,
        *,
        genes,
        samples,
        on_duplicate,
        strict,
        dtype,
    ):
        super().__init__(path, layout, names, lines, dtype)
        self._selection = GeneSelection(names, genes, on_duplicate, strict, path)
        places = select_samples(layout.samples, samples, path)
        check_samples(places, path)
        self._places = as_slice(places)
        self.samples = [layout.samples[i] for i in places]
        self.genes = self._selection.names

    def first_lines(self):
        """Return the line in which each gene is found first, -1 for absent ones."""
        first = self._selection.first
        return np.where(first < 0, -1, self._lines[first])

    def n_blocks(self, size=None):
        return len(self._plan(size)[0]) + 2

    def blocks(self, size=None, start=0):
        single, repeated, absent = self._plan(size)
        with self._reading_lines() as lines:
            for columns in single[start:]:
                values = self._values(
                    lines, self._selection.first[columns], self._places
                )
                yield slice(None), as_slice(columns), values.T
        # Genes that recur may stand anywhere: they are read in a second pass.
        if start <= len(single):
            columns, values = repeated, np.empty((len(self.samples), 0), self.dtype)
            if len(repeated):
                columns, values = self._read_repeated(repeated)
            yield slice(None), columns, values
        yield slice(None), absent, np.nan

    def _plan(self, size):
        """Return columns of each block of single genes, of repeated, and of absent."""
        chosen = self._selection
        single = np.flatnonzero(~chosen.repeated & (chosen.first >= 0))
        single = single[np.argsort(chosen.first[single])]
        size = size or self._block_genes()
        parts = [single[i : i + size] for i in range(0, len(single), size)]
        return parts, np.flatnonzero(chosen.repeated), np.flatnonzero(chosen.first < 0)

    def _block_genes(self):
        row_bytes = len(self.samples) * self.dtype.itemsize
        size = _matrix.BLOCK_BYTES // row_bytes
        if size > _PAGE:
            return size // _PAGE * _PAGE
        return max(1, min(_PAGE, 8 * _matrix.BLOCK_BYTES // row_bytes))

    def _read_repeated(self, columns):
        wanted = np.flatnonzero(np.isin(self._selection.column, columns))
        with self._reading_lines() as lines:
            values = self._values(lines, wanted, self._places)
        return self._selection.merge(self._selection.column[wanted], values.T)

"""Tables of text with a sample in each line, read line by line in bounded memory."""

import numpy as np

from .. import _matrix
from .._matrix import as_slice, check_samples
from .._selection import GeneSelection, select_samples
from ._line_matrix import LineMatrix


class SampleLines(LineMatrix):
    """A table of text with a sample in each line.

    Parameters
    ----------
    path : path-like
        The file.
    layout : TextLayout
        Where things stand in it; its columns with values are genes.
    names : sequence of str
        Samples of the lines that are read.
    lines : ndarray of int
        Which of the lines with values these are.
    gene_names : sequence of str
        Genes of the columns that are read.
    places : ndarray of int
        Which of the columns with values these are.
    genes, samples : list of str or None
        Selections.
    on_duplicate : {"error", "first", "max", "mean", "sum"}
        What becomes of genes with the same name.
    strict : bool
        Whether all `genes` must be there.
    dtype : str
        Of the values.
    """

    orient = "samples_in_rows"
    where = "gene {column!r} in sample {line!r}"

    def __init__(
        self,
        path,
        layout,
        names,
        lines,
        gene_names,
        places,
        *,
        genes,
        samples,
        on_duplicate,
        strict,
        dtype,
    ):
        super().__init__(path, layout, names, lines, dtype)
        self._selection = GeneSelection(gene_names, genes, on_duplicate, strict, path)
        self._needed = as_slice(places[self._selection.needed])
        chosen = select_samples(names, samples, path)
        check_samples(chosen, path)
        # Lines come in the order of the file, and go to their rows of the table.
        self.line_names = names
        self._rows = np.argsort(chosen, kind="stable")
        self._chosen = chosen[self._rows]
        self.samples = [names[i] for i in chosen]
        self.genes = self._selection.names

    def n_blocks(self, size=None):
        return -(-len(self._chosen) // self._size(size))

    def blocks(self, size=None, start=0):
        size = self._size(size)
        with self._reading_lines() as lines:
            for first in range(start * size, len(self._chosen), size):
                part = slice(first, first + size)
                values = self._values(lines, self._chosen[part], self._needed)
                values = self._selection.apply(values)
                yield as_slice(self._rows[part]), slice(None), values

    def _size(self, size):
        row_bytes = max(1, len(self.layout.samples)) * self.dtype.itemsize
        return size or max(1, _matrix.BLOCK_BYTES // row_bytes)

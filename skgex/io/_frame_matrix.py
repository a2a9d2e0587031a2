"""A table in memory, or over a memory map, as a source."""

import zlib

import numpy as np

from ._matrix import BLOCK_BYTES, Matrix, check_samples
from ._selection import GeneSelection, as_names, select_samples


class FrameMatrix(Matrix):
    """Some samples and genes of a DataFrame.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_genes)
        The table.
    name : str
        For messages.
    genes, samples : sequence of str or None
        Selections.
    strict : bool
        Whether all `genes` must be there.
    dtype : str
        Of the values.
    on_duplicate : {"error", "first", "max", "mean", "sum"}, default="error"
        What becomes of genes with the same name.
    """

    def __init__(
        self, frame, name, *, genes, samples, strict, dtype, on_duplicate="error"
    ):
        self.name, self.dtype = name, np.dtype(dtype)
        for gene, kind in frame.dtypes.items():
            if kind.kind not in "buif":
                raise ValueError(
                    f"{name}: gene {str(gene)!r} is of type {kind}, not numeric. Drop "
                    "columns that are no expression."
                )
        self._frame = frame
        names = [str(sample) for sample in frame.index]
        check_samples(names, name)
        self._places = select_samples(names, samples, name)
        self.samples = [names[i] for i in self._places]
        self._selection = GeneSelection(
            [str(gene) for gene in frame.columns],
            None if genes is None else as_names(genes, "genes"),
            on_duplicate,
            strict,
            name,
        )
        self.genes = self._selection.names

    def identity(self):
        check = 0
        for _, _, values in self.blocks():
            check = zlib.crc32(np.ascontiguousarray(values), check)
        return ["values", check]

    def n_blocks(self, size=None):
        return -(-len(self.samples) // self._size(size))

    def blocks(self, size=None, start=0):
        size = self._size(size)
        all_samples = len(self.samples) == len(self._frame)
        in_order = all_samples and (np.diff(self._places) > 0).all()
        for first in range(start * size, len(self.samples), size):
            rows = slice(first, min(first + size, len(self.samples)))
            part = self._frame.iloc[rows if in_order else self._places[rows]]
            with np.errstate(over="ignore"):  # it becomes infinite, and is refused
                values = part.to_numpy(self.dtype)
            needed = self._selection.needed
            if len(needed) < values.shape[1]:
                values = values[:, needed]
            values = self._selection.apply(values)
            if np.isinf(values).any():
                self._refuse_infinite(values, rows.start)
            yield rows, slice(None), values

    def _refuse_infinite(self, values, first):
        row, column = np.argwhere(np.isinf(values))[0]
        raise ValueError(
            f"{self.name}: the value of gene {self.genes[column]!r} in sample "
            f"{self.samples[first + row]!r} is infinite, or too large for "
            f"{self.dtype}. Mark missing values as NaN; a logarithm of zero needs a "
            "pseudocount."
        )

    def _size(self, size):
        row_bytes = max(1, self._frame.shape[1]) * self.dtype.itemsize
        return size or max(1, BLOCK_BYTES // row_bytes)

"""A matrix of an AnnData file, read in blocks that become dense."""

from abc import abstractmethod
from contextlib import contextmanager

import numpy as np

from ._archs4_matrix import runs
from ._check._words import infinite
from ._h5ad_layout import ORIENTS
from ._h5ad_strips import open_strips
from ._hdf5 import open_hdf5
from ._matrix import BLOCK_BYTES, Matrix, as_slice, check_samples, file_identity
from ._selection import GeneSelection, select_samples


class H5adMatrix(Matrix):
    """Some samples and genes of a matrix in an AnnData file.

    Parameters
    ----------
    path : path-like
        The file.
    layout : H5adLayout
        Where things stand in it.
    genes : list of str or None
        Selection.
    samples : sequence of str or None
        Selection.
    on_duplicate : {"error", "first", "max", "mean", "sum"}
        What becomes of genes with the same name.
    strict : bool
        Whether all `genes` must be there.
    dtype : str
        Of the values.
    """

    def __init__(self, path, layout, *, genes, samples, on_duplicate, strict, dtype):
        self.path, self.name = path, str(path)
        self.dtype = np.dtype(dtype)
        self.orient, self.notes = ORIENTS[layout.sample_axis], layout.notes
        self._layout = layout
        self._places = select_samples(layout.samples, samples, path)
        check_samples(self._places, path)
        self.samples = [layout.samples[i] for i in self._places]
        self._selection = GeneSelection(layout.genes, genes, on_duplicate, strict, path)
        self.genes = self._selection.names

    def identity(self):
        rule = self._selection.rule
        return [file_identity(self.path), self._layout.key, self.orient, rule]

    def n_blocks(self, size=None):
        with self._open() as strips:
            return len(self._plan(strips, size))

    def blocks(self, size=None, start=0):
        with self._open() as strips:
            for part in self._plan(strips, size)[start:]:
                yield self._block(strips, part)

    @abstractmethod
    def _plan(self, strips, size):
        """Return what each block is made of."""

    @abstractmethod
    def _block(self, strips, part):
        """Return rows, columns and values of a block."""

    @contextmanager
    def _open(self):
        with open_hdf5(self.path) as file:
            yield open_strips(file, self._layout.key, self._layout.shape)

    def _read(self, strips, places, others):
        """Read strips at sorted places, of which others are needed, (n, n_others)."""
        shape, axis = self._layout.shape, strips.axis
        values = np.empty((len(places), len(others)), self.dtype)
        others = as_slice(others)
        limit = max(1, BLOCK_BYTES // (shape[1 - axis] * self.dtype.itemsize))
        for left, right in runs(places, strips.chunk, shape[axis], limit):
            inside = slice(*np.searchsorted(places, [left, right]))
            strip = strips.read(left, right, others, self.dtype)
            values[inside] = strip[places[inside] - left]
        return values

    def _check_finite(self, values, rows, genes):
        """Refuse infinite values of samples of the table, and genes of the layout."""
        infinities = np.isinf(values)
        if infinities.any():
            i, j = np.argwhere(infinities)[0]
            finding = infinite(
                self._layout.genes[genes[j]], self.samples[rows[i]], infinities.sum()
            )
            raise ValueError(
                f"{self.name}: {finding} A value beyond {np.finfo(self.dtype).max:.2g} "
                f"is infinite in {self.dtype}."
            )

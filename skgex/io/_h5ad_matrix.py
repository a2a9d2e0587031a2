"""A dense or sparse matrix of an AnnData file, read in blocks that become dense."""

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from ._matrix import BLOCK_BYTES, Matrix, as_slice, file_identity, reading
from ._optional import import_h5py


class H5adMatrix(Matrix):
    """Some samples and genes of a matrix in an AnnData file.

    Parameters
    ----------
    path : path-like
        The file.
    key : str
        Where in the file the matrix is.
    places : ndarray of int
        Places of the samples in the file, in the order of the table.
    samples : list of str
        Their names.
    selection : GeneSelection
        The genes.
    dtype : str
        Of the values.
    """

    def __init__(self, path, key, places, samples, selection, dtype):
        self.path, self.name = path, str(path)
        self.samples, self.genes = samples, selection.names
        self.dtype = np.dtype(dtype)
        self._key, self._places, self._selection = key, places, selection

    def identity(self):
        return [file_identity(self.path), self._key, self._selection.rule]

    def n_blocks(self, size=None):
        with reading(self.path), import_h5py().File(self.path, "r") as file:
            return len(self._plan(file[self._key], size))

    def blocks(self, size=None, start=0):
        with reading(self.path), import_h5py().File(self.path, "r") as file:
            plan = self._plan(file[self._key], size)
            read = _range_reader(file[self._key])
            for rows in plan[start:]:
                places = self._places[rows]
                left = places[0]
                block = read(left, places[-1] + 1)
                block = block[places - left] if len(places) < block.shape[0] else block
                block = block[:, self._selection.needed]
                if hasattr(block, "toarray"):
                    block = block.toarray()
                block = block.astype(self.dtype, copy=False)
                yield as_slice(rows), slice(None), self._selection.apply(block)

    def _plan(self, element, size):
        """Return the rows of each block: all samples of one strip of the file."""
        chunk = (getattr(element, "chunks", None) or (1,))[0]
        n_genes = element.shape[1] if hasattr(element, "shape") else None
        n_genes = n_genes or int(element.attrs["shape"][1])
        wanted = size or max(1, BLOCK_BYTES // (n_genes * self.dtype.itemsize))
        width = max(1, wanted // chunk) * chunk
        rows = np.argsort(self._places, kind="stable")
        strip = self._places[rows] // width
        return np.split(rows, np.flatnonzero(np.diff(strip)) + 1)


def _range_reader(element):
    """Return a function that reads a range of samples, dense or sparse."""
    if hasattr(element, "shape"):
        return lambda start, stop: element[start:stop]
    shape = tuple(int(n) for n in element.attrs["shape"])
    values, genes = element["data"], element["indices"]
    bounds = element["indptr"][:].astype(np.int64)
    if element.attrs.get("encoding-type") == "csc_matrix":
        # By genes there are no ranges of samples: it is held in memory, sparse.
        matrix = csc_matrix((values[:], genes[:], bounds), shape).tocsr()
        return lambda start, stop: matrix[start:stop]

    def read(start, stop):
        first, last = bounds[start], bounds[stop]
        part = values[first:last], genes[first:last], bounds[start : stop + 1] - first
        return csr_matrix(part, (stop - start, shape[1]))

    return read

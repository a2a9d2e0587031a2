"""A sparse matrix in an AnnData file."""

import numpy as np
from scipy.sparse import csr_matrix

from ._hdf5 import is_dataset, member, read_all, text

_AXES = {"csr": 0, "csc": 1}


class SparseStrips:
    """Strips of rows of a CSR matrix, or of columns of a CSC matrix.

    All that says where values belong is checked before it is used: scipy does not, and
    writes beyond its memory where it is wrong.

    Parameters
    ----------
    group : h5py.Group
        With data, indices and indptr.
    shape : tuple of int
        What it has by its names.
    """

    chunk = 1

    def __init__(self, group, shape):
        self._where = f"{group.file.filename}: {group.name[1:]}"
        attributes = group.attrs
        kind = attributes.get("encoding-type", attributes.get("h5sparse_format", ""))
        self.axis = _AXES.get(text(kind).removesuffix("_matrix"))
        if self.axis is None:
            raise ValueError(
                f"{self._where} is encoded as {text(kind)!r}, but only arrays and the "
                "sparse csr_matrix and csc_matrix are read."
            )
        stated = attributes["shape" if "shape" in attributes else "h5sparse_shape"]
        self.shape = tuple(int(n) for n in stated)
        self._data, self._indices, bounds = (
            self._part(group, name) for name in ("data", "indices", "indptr")
        )
        self.dtype = self._data.dtype
        if self.shape == shape:
            self._bounds = self._checked_bounds(bounds)

    def read(self, start, stop, others, dtype):
        """Return strips from start to stop as dense rows, in a dtype.

        Parameters
        ----------
        start, stop : int
            Which strips.
        others : slice or ndarray of int
            Places along the other axis that are needed, in their order.
        dtype : dtype
            Of the values.

        Returns
        -------
        values : ndarray of shape (stop - start, n_others)
        """
        n_others = self.shape[1 - self.axis]
        first, last = int(self._bounds[start]), int(self._bounds[stop])
        indices = self._indices[first:last]
        if len(indices) and not 0 <= indices.min() <= indices.max() < n_others:
            raise self._wrong(
                f"indices from {indices.min()} to {indices.max()}, where {n_others:,d} "
                "are there"
            )
        with np.errstate(over="ignore"):  # infinities are told of by their names
            data = self._data[first:last].astype(dtype)
        bounds = self._bounds[start : stop + 1] - first
        part = csr_matrix(
            (data, indices.astype(np.int64), bounds), (stop - start, n_others)
        )
        return part[:, others].toarray()

    def _part(self, group, name):
        part = member(group, name)
        if part is None or not is_dataset(part) or part.ndim != 1:
            raise self._wrong(f"no {name}")
        if name != "data" and part.dtype.kind not in "iu":
            raise self._wrong(f"{name} of type {part.dtype}")
        return part

    def _checked_bounds(self, bounds):
        n_strips, n_others = self.shape[self.axis], self.shape[1 - self.axis]
        n_values = len(self._data)
        if len(self._indices) != n_values or len(bounds) != n_strips + 1:
            raise self._wrong(
                f"{n_values:,d} values, {len(self._indices):,d} indices and "
                f"{len(bounds):,d} bounds of {n_strips:,d} strips, which do not fit"
            )
        bounds = read_all(bounds)
        lengths = np.diff(bounds.astype(np.int64))
        if bounds[0] != 0 or bounds[-1] != n_values or (lengths < 0).any():
            raise self._wrong(
                "bounds, indptr, that do not rise from 0 to the last value"
            )
        if (lengths > n_others).any():
            raise self._wrong(f"more values in a strip than its {n_others:,d} places")
        return bounds.astype(np.int64)

    def _wrong(self, what):
        return ValueError(
            f"{self._where} is damaged: it has {what}. Download the file again, or "
            "write it again."
        )

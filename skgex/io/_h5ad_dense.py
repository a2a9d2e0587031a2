"""A dense matrix in an AnnData file."""

import numpy as np


class DenseStrips:
    """Strips of rows of a dataset.

    Parameters
    ----------
    dataset : h5py.Dataset
        The values.
    shape : tuple of int
        What it has by its names: before version 0.7 a matrix of one row or column had
        one dimension.
    """

    axis = 0

    def __init__(self, dataset, shape):
        self._dataset, self.dtype = dataset, dataset.dtype
        flat = dataset.ndim == 1 and 1 in shape and dataset.shape == (max(shape),)
        self.shape = shape if flat else dataset.shape
        self.chunk = 1 if flat or not dataset.chunks else dataset.chunks[0]

    def read(self, start, stop, others, dtype):
        """Return some columns, a slice or places, of rows from start to stop."""
        if self._dataset.ndim == 1:
            values = self._dataset[:].reshape(self.shape)[start:stop]
        else:
            values = self._dataset[start:stop]
        values = values[:, others]
        with np.errstate(over="ignore"):  # infinities are told of by their names
            return values.astype(dtype, copy=False)

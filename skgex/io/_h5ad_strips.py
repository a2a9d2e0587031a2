"""The matrix of an AnnData file, of which strips of rows or columns are read."""

from ._h5ad_dense import DenseStrips
from ._h5ad_sparse import SparseStrips
from ._hdf5 import is_dataset, member


def open_strips(file, key, shape):
    """Return what reads strips of a matrix.

    Parameters
    ----------
    file : h5py.File
        The file.
    key : str
        Where the matrix is.
    shape : tuple of int
        What it has to be, by the names of rows and columns.

    Returns
    -------
    strips : DenseStrips or SparseStrips
        With the attributes `axis`, along which strips are read, 0 for rows and 1 for
        columns, and `chunk`, the width that should not be cut; and the method `read`.
    """
    element = member(file, key)
    kind = DenseStrips if is_dataset(element) else SparseStrips
    strips = kind(element, shape)
    if strips.shape != shape:
        raise ValueError(
            f"{file.filename}: {key} is of shape {strips.shape}, but obs and var have "
            f"{shape[0]:,d} and {shape[1]:,d} names. Write the file again."
        )
    if strips.dtype.kind not in "buif":
        raise ValueError(
            f"{file.filename}: {key} holds values of type {strips.dtype}, not numbers: "
            "read another matrix with layer=."
        )
    return strips

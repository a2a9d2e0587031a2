"""Memory maps that joblib takes for arrays in memory."""

import mmap

import numpy as np


def plain_map(X):
    """Return the same array, over the same pages, without the name of the file.

    To other processes joblib sends an array over a `numpy.memmap` as the name of the
    file, and there takes the values in the order of the file. Of an array whose axes
    are the other way round, as a table of pandas holds them, it makes another one
    without a word (joblib issue 1019). An array without a name is sent by its values.

    Parameters
    ----------
    X : ndarray
        Over a memory map, or not: then it is returned as it is.

    Returns
    -------
    X : ndarray
    """
    pages = X
    while isinstance(pages, np.ndarray):
        pages = pages.base
    if not isinstance(pages, mmap.mmap) or not X.size:
        return X
    offset = _address(X) - _address(np.frombuffer(pages, np.uint8))
    plain = np.ndarray(X.shape, X.dtype, pages, offset, X.strides)
    plain.flags.writeable = X.flags.writeable
    return plain


def _address(X):
    return X.__array_interface__["data"][0]

"""Tables over a memory map, as `to_memmap` writes them."""

import os
from functools import partial
from tokenize import TokenError

import numpy as np
import pandas as pd

from .._mapped_table import MappedTable
from .._plain_map import plain_map
from ._description import read_description
from ._path import local_path

# What numpy raises at a header that is none.
_NO_ARRAY = (
    *(ValueError, EOFError, SyntaxError, MemoryError, RecursionError, TypeError),
    TokenError,
)


def open_memmap(path, *, lazy=False):
    """Open a table that `to_memmap` wrote, without reading its values.

    The table is a DataFrame over a memory map: values are read where they are used,
    and all estimators of this package fit and transform it in batches, in bounded
    memory. Slices of rows, ``X.iloc[1000:2000]``, are read as late. What pandas itself
    computes of the whole, such as ``X * 2`` or ``X[genes]``, is read into memory, and
    so are rows that are selected by a list, as for a fold of a cross-validation: for
    these there is `lazy`.

    Parameters
    ----------
    path : str or path-like
        The file, beside which is its description, ``path + ".json"``.
    lazy : bool, default=False
        Whether selections of samples are to stay on disk. What is returned is then a
        :class:`MappedTable`: scikit-learn splits it, and sends it to other processes,
        without reading it, and embedders, fine-tuned estimators and the imputer read
        their folds batch by batch.

    Returns
    -------
    X : DataFrame or MappedTable of shape (n_samples, n_genes)
        The table. ``X.attrs["unit"]`` is the unit, if one was given.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no description of it.
    ValueError
        If the file and its description don't fit each other.

    See Also
    --------
    to_memmap : Writes such tables.

    Notes
    -----
    The file is in numpy's own format: ``numpy.load(path, mmap_mode="r")`` opens it too.

    While a table is open its file must stay as it is. If another program cuts it off,
    or a network drive goes away, the system ends the process (``SIGBUS``, "bus error")
    at the next value that is read, and no Python code can prevent that. Write a new
    table to another path, or by `to_memmap`, which puts a new file in the place of the
    old one: who has that open goes on reading the old values.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skgex.datasets import load_breast_nki
    >>> from skgex.io import open_memmap, to_memmap
    >>> path = pathlib.Path(tempfile.mkdtemp(), "nki.npy")
    >>> _ = to_memmap(load_breast_nki(as_frame=True).data, path)
    >>> X = open_memmap(path)
    >>> X.shape
    (150, 862)

    Of what is split no part is read as a whole:

    >>> from sklearn.model_selection import train_test_split
    >>> from skgex import SCARF
    >>> train, test = train_test_split(open_memmap(path, lazy=True), random_state=0)
    >>> SCARF(max_epochs=1, random_state=0).fit(train).transform(test).shape
    (38, 256)
    """
    path = local_path(path)
    if not os.path.exists(path):
        raise FileNotFoundError(_what_is_there(path))
    about = read_description(path)
    values = _map(path, about)
    attrs = {} if about["unit"] is None else {"unit": about["unit"]}
    index = pd.Index(about["samples"], name="sample")
    columns = pd.Index(about["genes"], name="gene")
    if lazy:
        # Another process may have another working directory.
        reopen = partial(open_memmap, os.path.abspath(path), lazy=True)
        return MappedTable(values, index, columns, reopen, attrs)
    X = pd.DataFrame(plain_map(values), index, columns, copy=False)
    X.attrs.update(attrs)
    return X


def _what_is_there(path):
    if os.path.exists(f"{path}.partial"):
        return (
            f"{path} is not complete: its conversion was stopped or is under way. Call "
            "to_memmap again, which goes on where it was."
        )
    return f"{path} does not exist: write it with to_memmap."


def _map(path, about):
    size = os.path.getsize(path)
    if size != about["size"]:
        raise ValueError(
            f"{path} has {size:,d} bytes, its description says {about['size']:,d}: it "
            "was cut off or is another file. Copy both files again, or convert again."
        )
    try:
        values = np.lib.format.open_memmap(path, mode="r")
    except _NO_ARRAY as error:
        raise ValueError(
            f"{path} is not in numpy's format ({error}): convert again with to_memmap."
        ) from None
    expected = tuple(about["shape"]), np.dtype(about["dtype"])
    if (values.shape, values.dtype) != expected or not values.flags.c_contiguous:
        raise ValueError(
            f"{path} holds {values.shape} values of {values.dtype}, its description "
            f"says {expected[0]} of {expected[1]}, row by row: these are not the two "
            "files of one table. Copy both again, or convert again."
        )
    return values

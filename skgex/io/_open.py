"""Tables over a memory map, as `to_memmap` writes them."""

import json
import os

import numpy as np
import pandas as pd

from ._conversion import FORMAT


def open_memmap(path):
    """Open a table that `to_memmap` wrote, without reading its values.

    The table is a DataFrame over a memory map: values are read where they are used,
    and all estimators of this package fit and transform it in batches, in bounded
    memory. Slices of rows, ``X.iloc[1000:2000]``, are read as late. What pandas itself
    computes of the whole, such as ``X * 2`` or ``X[genes]``, is read into memory.

    Parameters
    ----------
    path : str or path-like
        The file, beside which is its description, ``path + ".json"``.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_genes)
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
    """
    if not os.path.exists(path):
        raise FileNotFoundError(_what_is_there(path))
    about = _read_description(path)
    values = _map(path, about)
    X = pd.DataFrame(
        values,
        index=pd.Index(about["samples"], name="sample"),
        columns=pd.Index(about["genes"], name="gene"),
        copy=False,
    )
    if about["unit"] is not None:
        X.attrs["unit"] = about["unit"]
    return X


def _what_is_there(path):
    if os.path.exists(f"{path}.partial"):
        return (
            f"{path} is not complete: its conversion was stopped or is under way. Call "
            "to_memmap again, which goes on where it was."
        )
    return f"{path} does not exist: write it with to_memmap."


def _read_description(path):
    try:
        with open(f"{path}.json", encoding="utf-8") as file:
            about = json.load(file)
        version = about["format"]
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} has no description {path}.json, which to_memmap writes beside it: "
            "move both files together, or convert again."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}.json is no description of a table ({error}): convert again with "
            "to_memmap."
        ) from None
    if version != FORMAT:
        raise ValueError(
            f"{path}.json is of format {version!r}, this version of skgex reads "
            f"{FORMAT}: update skgex, or convert again."
        )
    return about


def _map(path, about):
    size = os.path.getsize(path)
    if size != about["size"]:
        raise ValueError(
            f"{path} has {size:,d} bytes, its description says {about['size']:,d}: it "
            "was cut off or is another file. Copy both files again, or convert again."
        )
    try:
        values = np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path} is not in numpy's format ({error}): convert again with to_memmap."
        ) from None
    shape, names = tuple(about["shape"]), (len(about["samples"]), len(about["genes"]))
    expected = shape, np.dtype(about["dtype"])
    if shape != names or (values.shape, values.dtype) != expected:
        raise ValueError(
            f"{path} holds {values.shape} values of {values.dtype}, its description "
            f"says {shape} of {about['dtype']}, with {names[0]:,d} samples and "
            f"{names[1]:,d} genes: these are not the two files of one table."
        )
    return values

"""Files of AnnData: new ones, and copies with other values."""

import shutil

import numpy as np
import pandas as pd

from .._hdf5 import member
from .._optional import import_anndata_io, import_h5py
from ._atomic import check_free, replacing
from ._text_table import as_numbers

# Parts of a file that are there even if they are empty.
_GROUPS = ("layers", "obsm", "obsp", "uns", "varm", "varp")


def write_h5ad(X, path):
    """Write a table as a file of AnnData.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        The table.
    path : path-like
        The file, which is there already and is written over.
    """
    elements = {
        "X": as_numbers(X),
        "obs": _names_only(X.index),
        "var": _names_only(X.columns),
        **{group: {} for group in _GROUPS},
    }
    with import_h5py().File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        _write_elements(file, elements)


def copy_h5ad(source, path, *, X=None, obsm=None, overwrite=False):
    """Copy a file of AnnData with other values, or with more about its samples.

    Parameters
    ----------
    source : path-like
        The file.
    path : path-like
        Where the copy is to be.
    X : DataFrame of shape (n_samples, n_genes), default=None
        New values of `X`, with the samples and genes of the file in their order. None
        keeps those that are there.
    obsm : dict of str to array-like, default=None
        What to add to `obsm`, a row for each sample in their order.
    overwrite : bool, default=False
        Whether a file that is there may be replaced.
    """
    check_free(path, overwrite)
    elements = {} if X is None else {"X": as_numbers(X)}
    for key, value in (obsm or {}).items():
        elements[f"obsm/{key}"] = np.asarray(value)
    with replacing(path) as new:
        shutil.copyfile(source, new)
        with import_h5py().File(new, "r+") as file:
            # Refuses a link to another file, which would be written into.
            if member(file, "obsm") is None:
                _write_elements(file, {"obsm": {}})
            for name in elements.keys() & _all_names(file):
                del file[name]
            _write_elements(file, elements)


def _write_elements(file, elements):
    # By elements, as anndata refuses the strings of pandas 3 in some versions.
    write_elem = import_anndata_io().write_elem
    for name, element in elements.items():
        write_elem(file, name, element)


def _names_only(names):
    return pd.DataFrame(index=pd.Index([str(name) for name in names], dtype=object))


def _all_names(file):
    return {*file, *(f"obsm/{key}" for key in file["obsm"])}

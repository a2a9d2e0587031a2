"""Files of AnnData as its versions wrote them, made with h5py alone."""

import h5py
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

STRING = h5py.string_dtype()
SAMPLES = ["GSM1", "GSM2", "GSM3", "GSM4"]
SYMBOLS = ["TP53", "MYC", "EGFR", "KRAS", "PTEN", "RB1"]
ENSEMBL = [f"ENSG0000000000{i}" for i in range(6)]


def values(n_samples=4, n_genes=6, dtype=np.float32):
    """Return whole numbers, some of them zero."""
    X = np.arange(n_samples * n_genes).reshape(n_samples, n_genes) % 11
    return X.astype(dtype)


def write_sparse(group, X, kind, legacy=False):
    """Write a matrix as CSR or CSC."""
    # scipy knows neither half precision nor another order of bytes.
    native = X.dtype.newbyteorder("=") if X.dtype != "f2" else np.float32
    matrix = {"csr": csr_matrix, "csc": csc_matrix}[kind](X.astype(native))
    group["data"] = matrix.data.astype(X.dtype)
    group["indices"], group["indptr"] = matrix.indices, matrix.indptr
    names = ("h5sparse_format", "h5sparse_shape") if legacy else ("encoding-type", 0)
    group.attrs[names[0]] = np.bytes_(kind) if legacy else f"{kind}_matrix"
    group.attrs[names[1] or "shape"] = X.shape


def write_matrix(file, key, X, kind=None, legacy=False):
    """Write a matrix, dense or sparse."""
    if kind is None:
        file[key] = X
    else:
        write_sparse(file.create_group(key), X, kind, legacy)


def write_table(file, key, index, **columns):
    """Write obs or var as of version 0.8: text, numbers, or what is a dict of parts."""
    table = file.create_group(key)
    table.attrs["_index"] = "_index"
    for name, column in {"_index": index, **columns}.items():
        if isinstance(column, dict):
            for part, array in column.items():
                write_column(table.require_group(name), part, array)
        else:
            write_column(table, name, column)
    return table


def write_column(table, name, column):
    """Write a list of text as such, and arrays as they are."""
    is_text = isinstance(column, list) and isinstance(column[0], str)
    if is_text:
        table.create_dataset(name, data=column, dtype=STRING)
    else:
        table[name] = column


def write_file(path, X=None, kind=None, samples=SAMPLES, genes=SYMBOLS, **columns):
    """Write a file as of version 0.8; columns are those of var."""
    with h5py.File(path, "w") as file:
        write_matrix(file, "X", values() if X is None else X, kind)
        write_table(file, "obs", samples)
        write_table(file, "var", genes, **columns)
    return path

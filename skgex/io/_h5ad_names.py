"""Names of samples and genes in files of AnnData, of all its versions."""

import numpy as np

from ._hdf5 import by_reference, is_dataset, member, read_all, text
from ._selection import quoted


def names_of(file, table, column=None):
    """Read the index of obs or var, or another column, as str; missing ones are "nan".

    Parameters
    ----------
    file : h5py.File
        The file.
    table : h5py.Dataset or h5py.Group
        One of structures before version 0.7, then a group with a dataset for each
        column.
    column : str, default=None
        Which column. None reads the index.
    """
    known = columns_of(table)
    column = index_of(table) if column is None else column
    if column not in known:
        raise ValueError(
            f"{file.filename} has no gene_column {column!r} in {table.name[1:]}, only "
            f"{quoted(known, 20)}."
        )
    if is_dataset(table):
        values = _decoded(read_all(table)[column])
        categories = member(file, f"uns/{column}_categories")
        if categories is None and table.name == "/raw.var":
            categories = member(file, f"raw.cat/{column}_categories")
        return _as_texts(_by_code(values, categories, strict=False))
    return _as_texts(_read_column(member(table, column), table))


def index_of(table):
    """Return the name of the column that has the names."""
    if is_dataset(table):
        known = columns_of(table)
        return "index" if "index" in known else known[0]
    return text(table.attrs["_index"])


def columns_of(table):
    """Return the names of all columns."""
    if not is_dataset(table):
        return [name for name in table if name != "__categories"]
    if table.dtype.names is None:
        raise ValueError(
            f"{table.file.filename}: {table.name[1:]} is no table of names. Write the "
            "file again."
        )
    return list(table.dtype.names)


def text_columns(table):
    """Return the columns that may hold other names of the same genes."""
    if is_dataset(table):
        return [name for name in columns_of(table) if table.dtype[name].kind in "SO"]
    columns = {name: member(table, name) for name in columns_of(table)}
    return [n for n, c in columns.items() if not is_dataset(c) or c.dtype.kind in "SO"]


def n_names(table):
    """Return how many rows a table has, without reading it."""
    if is_dataset(table):
        return table.shape[0]
    column = member(table, index_of(table))
    parts = [column] + [column and member(column, part) for part in ("codes", "values")]
    part = next((part for part in parts if is_dataset(part)), None)
    if part is None or part.ndim != 1:
        raise ValueError(f"{table.name[1:]} lacks its index")
    return len(part)


def _read_column(column, table):
    if is_dataset(column):
        categories = column.attrs.get("categories")  # as version 0.7 does
        if categories is None:
            return _decoded(read_all(column))
        return _by_code(read_all(column), by_reference(table, categories))
    codes = member(column, "codes")
    if codes is not None:
        return _by_code(read_all(codes), member(column, "categories"))
    values, mask = member(column, "values"), member(column, "mask")
    values = _decoded(read_all(values)).astype(object)
    if mask is not None:
        values[read_all(mask).astype(bool)] = np.nan
    return values


def _by_code(codes, categories, strict=True):
    """Return the category of each code, NaN for a code of -1."""
    if categories is None or codes.dtype.kind not in "iu":
        return codes
    categories = np.atleast_1d(_decoded(read_all(categories))).astype(object)
    codes = codes.astype(np.int64)
    if len(codes) and (codes.max() >= len(categories) or codes.min() < -1):
        if strict:
            raise ValueError("codes of categories are out of range")
        return codes  # the categories are those of a column of the other table
    return np.append(categories, np.nan)[codes]


def _decoded(values):
    values = np.asarray(values)
    if values.dtype.kind == "S":
        values = values.astype(object)
    if values.dtype.kind == "O":
        values = np.array([_text(value) for value in values.ravel()], dtype=object)
    return values


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _as_texts(values):
    """Return names as str; whole numbers, which a gap makes floats, as such."""
    return [
        str(int(v)) if isinstance(v, float | np.floating) and v.is_integer() else str(v)
        for v in values.tolist()
    ]

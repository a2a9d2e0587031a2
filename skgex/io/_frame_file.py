"""Tables in files of parquet, feather and Excel, which are read whole."""

import os

import numpy as np
import pandas as pd

from .._gene_names import clean_name
from ._frame_matrix import FrameMatrix
from ._matrix import file_identity, reading
from ._optional import import_pyarrow
from ._sheet import read_sheet
from ._text import (
    GENES,
    Dialect,
    Storage,
    TextLayout,
    describe,
    find_columns,
    genes_of,
    is_missing,
    orientation_of,
    remedy,
    samples_of,
    say_notes,
    say_odd_samples,
)

_SHOWN_ROWS = 25
# Rows that are read whatever the size of a file.
_FEW_ROWS = 2**20


class FileFrameMatrix(FrameMatrix):
    """A table of a file that was read whole."""

    def identity(self):
        return file_identity(self.name)


def open_frame_file(
    path,
    kind,
    *,
    orient="auto",
    sheet=None,
    id_column=None,
    genes=None,
    samples=None,
    on_duplicate="error",
    dtype="float32",
    strict=True,
    metadata=False,
):
    """Open such a file; parameters are those of `open_table`.

    Returns
    -------
    matrix : FrameMatrix
        The table, with `source`, which describes the file, and `about_lines`.
    """
    raw = _read(path, kind, sheet)
    names = [str(name) for name in raw.columns]
    shown = raw.iloc[:_SHOWN_ROWS]
    rows = [[_text(cell) for cell in row] for row in shown.astype(object).to_numpy()]
    if not rows:
        raise ValueError(f"{path} has a header, but no line with values.")
    try:
        columns = find_columns(names, rows, path, id_column=id_column)
    except ValueError as error:
        if kind != "xlsx" or sheet is not None:
            raise
        more = "If the table is in another sheet than the first, name it by sheet."
        raise ValueError(f"{error} {more}") from None
    layout = TextLayout(Storage(None), Dialect(""), 1, len(names), columns, format=kind)
    lines = [_text(name) for name in raw.iloc[:, columns.id]]
    say_notes(path, layout)
    orient = orientation_of(path, layout, lines, orient)
    layout.samples = [clean_name(name) for name in layout.samples]
    values = _values(raw.iloc[:, columns.values], dtype, path)
    if orient == GENES:
        notes = np.flatnonzero(np.isnan(values).all(axis=1))
        kept, lines = genes_of(lines, layout, path, notes)
        frame = pd.DataFrame(values[kept].T, layout.samples, lines, copy=False)
    else:
        kept, found = genes_of(layout.samples, layout, path)
        rows, lines = samples_of(lines, layout, path)
        frame = pd.DataFrame(values[rows][:, kept], lines, found, copy=False)
    matrix = FileFrameMatrix(
        frame,
        str(path),
        genes=genes,
        samples=samples,
        strict=strict,
        dtype=dtype,
        on_duplicate=on_duplicate,
    )
    if orient == GENES:
        say_odd_samples(path, layout)
    matrix.source = describe(path, layout, orient)
    return matrix


def _read(path, kind, sheet):
    with reading(path):
        if kind == "xlsx":
            return read_sheet(path, sheet)
        pyarrow = import_pyarrow()
        if kind == "parquet":
            _check_rows(path, pyarrow)
        reader = pd.read_parquet if kind == "parquet" else pd.read_feather
        try:
            frame = reader(path)
        except pyarrow.ArrowInvalid as error:
            raise OSError(error) from error
    if frame.columns.nlevels > 1:
        raise ValueError(
            f"{path}: columns have {frame.columns.nlevels} levels of names, such as "
            f"{frame.columns[0]}. Write one of them, as by X.columns = "
            "X.columns.get_level_values(-1)."
        )
    # What pandas wrote as index is a column like others here.
    return frame if _numbers_rows(frame.index) else frame.reset_index()


def _check_rows(path, pyarrow):
    """Refuse more rows than a file can hold, if a name takes a byte at least."""
    from pyarrow.parquet import read_metadata

    try:
        n_rows = read_metadata(path).num_rows
    except pyarrow.ArrowInvalid as error:
        raise OSError(error) from error
    if n_rows > _FEW_ROWS + os.path.getsize(path):
        raise OSError(
            f"it is said to have {n_rows:,d} rows, in {os.path.getsize(path):,d} bytes"
        )


def _numbers_rows(index):
    return index.name is None and (
        isinstance(index, pd.RangeIndex)
        or (index.dtype.kind in "iu" and np.array_equal(index, np.arange(len(index))))
    )


def _text(name):
    if isinstance(name, bytes):
        return name.decode(errors="replace")
    return "" if name is None or name is pd.NA or name != name else str(name)


def _values(frame, dtype, path):
    values = np.empty(frame.shape, dtype, order="F")
    with np.errstate(over="ignore"):  # it becomes infinite, and is refused
        for i in range(frame.shape[1]):
            values[:, i] = _numbers(frame.iloc[:, i], path)
    if np.isinf(values).any():
        line, column = np.argwhere(np.isinf(values))[0]
        line = frame.index[line]
        raise ValueError(
            f"{path}: the value of {str(frame.columns[column])!r} in line {line + 2} "
            f"is infinite or too large for {dtype}. Leave missing values empty; a "
            "logarithm of zero needs a pseudocount."
        )
    return values


def _numbers(column, path):
    """Return a column as numbers."""
    if getattr(column.dtype, "kind", "O") in "uif":
        return column.to_numpy(np.float64, na_value=np.nan)
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = numbers.isna() & ~column.map(_is_nothing) | column.map(_is_truth)
    if wrong.any():
        line = np.flatnonzero(wrong)[0]
        raise ValueError(
            f"{path}: the value of {str(column.name)!r} in line "
            f"{column.index[line] + 2} is {column.iloc[line]!r}, not a number. "
            f"{remedy(str(column.iloc[line]), 'Leave missing values empty.')}"
        )
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _is_nothing(value):
    return is_missing(value) if isinstance(value, str) else bool(pd.isna(value))


def _is_truth(value):
    return isinstance(value, bool | np.bool_)

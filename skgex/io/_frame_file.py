"""Tables in files of parquet, feather and Excel, which are read whole."""

import os
import zipfile

import numpy as np
import pandas as pd

from .._gene_names import clean_name
from ._frame_matrix import FrameMatrix
from ._matrix import file_identity, reading
from ._optional import import_openpyxl, import_pyarrow
from ._selection import quoted
from ._text import (
    GENES,
    Dialect,
    Storage,
    TextLayout,
    describe,
    find_columns,
    genes_of,
    orientation_of,
    samples_of,
    say_notes,
)

_SHOWN_ROWS = 25
# Rows, and bytes of a workbook, that are read whatever the size of a file, and how far
# cells of a table can be packed.
_FEW_ROWS, _FEW_BYTES, _MOST_PACKED = 2**20, 2**26, 100


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
    rows = shown.astype(object).where(shown.notna(), "").astype(str).to_numpy().tolist()
    if not rows:
        raise ValueError(f"{path} has a header, but no line with values.")
    columns = find_columns(names, rows, path, id_column=id_column)
    layout = TextLayout(Storage(None), Dialect(""), 1, len(names), columns, format=kind)
    lines = [_text(name) for name in raw.iloc[:, columns.id]]
    say_notes(path, layout)
    orient = orientation_of(path, layout, lines, orient)
    layout.samples = [clean_name(name) for name in layout.samples]
    values = _values(raw.iloc[:, columns.values], dtype, path)
    if orient == GENES:
        kept, lines = genes_of(lines, layout, path)
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
    matrix.source = describe(path, layout, orient)
    return matrix


def _read(path, kind, sheet):
    with reading(path):
        if kind == "xlsx":
            import_openpyxl()
            _check_unpacked(path)
            return _read_sheet(path, 0 if sheet is None else sheet)
        pyarrow = import_pyarrow()
        if kind == "parquet":
            _check_rows(path, pyarrow)
        reader = pd.read_parquet if kind == "parquet" else pd.read_feather
        try:
            frame = reader(path)
        except pyarrow.ArrowInvalid as error:
            raise OSError(error) from error
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


def _check_unpacked(path):
    """Refuse a workbook that unpacks to many times what tables do."""
    with zipfile.ZipFile(path) as archive:
        n_bytes = sum(part.file_size for part in archive.infolist())
    if n_bytes > _FEW_BYTES + _MOST_PACKED * os.path.getsize(path):
        raise OSError(
            f"its {os.path.getsize(path):,d} bytes unpack to {n_bytes:,d}, as no table "
            "does"
        )


def _read_sheet(path, sheet):
    """Return the table below the first line with names, without what is empty."""
    with pd.ExcelFile(path) as book:
        if isinstance(sheet, str) and sheet not in book.sheet_names:
            raise ValueError(
                f"{path} has no sheet {sheet!r}, only {quoted(book.sheet_names, 10)}."
            )
        cells = pd.read_excel(book, sheet_name=sheet, header=None, dtype=object)
    cells = cells.dropna(how="all")
    is_full = cells.notna()
    titles = (is_full.sum(axis=1) > min(1, cells.shape[1] - 1)).to_numpy()
    start = int(titles.argmax()) if titles.any() else 0
    header, cells = cells.iloc[start], cells.iloc[start + 1 :]
    kept = (header.notna() | cells.notna().any()).to_numpy()
    names = [_text(name) for name in header[kept]]
    # Lines keep their numbers, for messages: the first below a header has 0.
    cells = cells.loc[:, kept].set_axis(names, axis=1).infer_objects()
    return cells.set_axis(cells.index - 1)


def _numbers_rows(index):
    return index.name is None and (
        isinstance(index, pd.RangeIndex)
        or (index.dtype.kind in "iu" and np.array_equal(index, np.arange(len(index))))
    )


def _text(name):
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
    wrong = numbers.isna() & column.notna() | column.map(_is_truth)
    if wrong.any():
        line = np.flatnonzero(wrong)[0]
        raise ValueError(
            f"{path}: the value of {str(column.name)!r} in line "
            f"{column.index[line] + 2} is {column.iloc[line]!r}, not a number. Leave "
            "missing values empty."
        )
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _is_truth(value):
    return isinstance(value, bool | np.bool_)

"""Cells of a workbook of Excel."""

import os
import zipfile
from contextlib import closing, contextmanager

import pandas as pd

from ._optional import import_openpyxl
from ._selection import quoted
from ._text import is_missing, is_number

# Bytes of a workbook that are read whatever the size of a file, and how far cells of a
# table can be packed.
_FEW_BYTES, _MOST_PACKED = 2**26, 100


def read_sheet(path, sheet=None):
    """Return the table below the first line with names, without what is empty.

    Parameters
    ----------
    path : path-like
        The workbook.
    sheet : str or int, default=None
        Which sheet. None takes the first that holds anything.

    Returns
    -------
    table : DataFrame
        Cells as they are; lines are numbered as in the sheet, from 0 below the first.
    """
    openpyxl = import_openpyxl()
    _check_unpacked(path)
    with _opened(path, openpyxl, data_only=True) as book:
        sheets = {page.title: page for page in book.worksheets}
        if not sheets:
            raise ValueError(f"{path} is a workbook without a sheet of cells.")
        if sheet is None:
            name, cells = _first_with_cells(sheets)
        else:
            name = _name_of(sheet, list(sheets), path)
            cells = _cells(sheets[name])
    if cells.empty:
        raise ValueError(
            f"{path}: sheet {name!r} is empty. The workbook has "
            f"{quoted(list(sheets), 10)}: name one by sheet."
        )
    if cells.isna().to_numpy().any() and _has_formulas(path):
        _refuse_formulas(path, name, cells, openpyxl)
    return _table(cells)


@contextmanager
def _opened(path, openpyxl, **options):
    with open(path, "rb") as file:
        try:
            book = openpyxl.load_workbook(file, read_only=True, **options)
        except Exception as error:  # of any kind, where a part is damaged
            raise OSError(f"openpyxl says: {error}") from error
        with closing(book):
            yield book


def _first_with_cells(sheets):
    for name, page in sheets.items():
        cells = _cells(page)
        if not cells.empty:
            return name, cells
    return next(iter(sheets)), pd.DataFrame()


def _name_of(sheet, names, path):
    if isinstance(sheet, int) and -len(names) <= sheet < len(names):
        return names[sheet]
    if sheet in names:
        return sheet
    raise ValueError(f"{path} has no sheet {sheet!r}, only {quoted(names, 10)}.")


def _cells(page):
    """Return the cells of a sheet, None where there is nothing."""
    page.reset_dimensions()  # some programs write wrong ones
    rows = list(page.iter_rows(values_only=True))
    width = max(map(len, rows), default=0)
    rows = [(*row, *[None] * (width - len(row))) for row in rows]
    cells = pd.DataFrame(rows, dtype=object)
    blank = cells.map(lambda cell: isinstance(cell, str) and not cell.strip())
    return cells.mask(blank, None).dropna(how="all")


def _has_formulas(path):
    with zipfile.ZipFile(path) as archive:
        pages = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
        return any(b"<f" in archive.read(page) for page in pages if page[-4:] == ".xml")


def _refuse_formulas(path, name, cells, openpyxl):
    """Refuse formulas whose values are not in the file: they would be missing."""
    with _opened(path, openpyxl) as book:
        formulas = _cells(book[name])
    formulas = formulas.reindex(index=cells.index, columns=cells.columns)
    wrong = (formulas.notna() & cells.isna()).stack()
    if wrong.any():
        line, column = wrong.idxmax()
        column = openpyxl.utils.get_column_letter(column + 1)
        raise ValueError(
            f"{path}: cell {column}{line + 1} of sheet {name!r} has a formula, but no "
            "value. Open the file in a spreadsheet, which computes it, and save it."
        )


def _table(cells):
    """Return the cells below the line with names, which become those of columns."""
    is_full = cells.notna()
    titles = (is_full.sum(axis=1) > min(1, cells.shape[1] - 1)).to_numpy()
    start = int(titles.argmax()) if titles.any() else 0
    while _names_groups(cells, start):
        start += 1
    header, cells = cells.iloc[start], cells.iloc[start + 1 :]
    kept = (header.notna() | cells.notna().any()).to_numpy()
    names = ["" if name is None else str(name) for name in header[kept]]
    # Lines keep their numbers, for messages: the first below a header has 0.
    cells = cells.loc[:, kept].set_axis(names, axis=1).infer_objects()
    return cells.set_axis(cells.index - 1)


def _names_groups(cells, place):
    """Tell whether a line has names of groups, above the names of columns."""
    if place + 2 >= len(cells):
        return False
    line, below = cells.iloc[place], cells.iloc[place + 1]
    if line.notna().sum() >= below.notna().sum() or line.iloc[1:].notna().all():
        return False
    return not any(
        is_number(str(cell)) or is_missing(str(cell)) for cell in below.dropna()
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

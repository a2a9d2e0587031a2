"""Tables for other programs: parquet, feather and spreadsheets."""

from .._optional import import_openpyxl, import_pyarrow
from ._number_lines import shortest
from ._text_table import value_blocks

# What a sheet of a spreadsheet has room for.
_MAX_ROWS, _MAX_COLUMNS = 1_048_576, 16_384


def write_columnar(X, path, style, kind):
    """Write a table as parquet or feather, the names of rows in its first column.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        The table.
    path : path-like
        The file, which is there already and is written over.
    style : TableStyle
        How it is laid out.
    kind : {"parquet", "feather"}
        Which of both.
    """
    pyarrow = import_pyarrow()
    frame = X.T if style.orient == "genes_in_rows" else X
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    frame.index = frame.index.astype(str).rename(style.id_name or "id")
    _check_names([frame.index.name, *frame.columns], path)
    table = pyarrow.Table.from_pandas(frame)
    # The names come first, as people expect; pandas finds its index by name.
    table = table.select([frame.index.name, *frame.columns])
    if kind == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, str(path))


def write_spreadsheet(X, path, style):
    """Write a table as the one sheet of a spreadsheet.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        The table.
    path : path-like
        The file, which is there already and is written over.
    style : TableStyle
        How it is laid out.
    """
    by_gene = style.orient == "genes_in_rows"
    rows, columns = (X.columns, X.index) if by_gene else (X.index, X.columns)
    if len(rows) >= _MAX_ROWS or len(columns) >= _MAX_COLUMNS:
        raise ValueError(
            f"{path}: a sheet has room for {_MAX_ROWS - 1:,d} lines of "
            f"{_MAX_COLUMNS - 1:,d} values, and the table has {len(rows):,d} of "
            f"{len(columns):,d}: write .tsv, or set another orient."
        )
    openpyxl = import_openpyxl()
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("expression")

    def text(name):
        cell = openpyxl.cell.WriteOnlyCell(sheet, str(name))
        cell.data_type = "s"  # what begins with = would be a formula
        return cell

    sheet.append([text(style.id_name), *map(text, columns)])
    for start, values in value_blocks(X, by_gene):
        names = rows[start : start + len(values)]
        for name, row in zip(names, shortest(values), strict=True):
            # A cell that is empty is a missing value.
            cells = (None if value != value else value for value in row.tolist())
            sheet.append([text(name), *cells])
    book.save(path)


def _check_names(names, path):
    seen = set()
    for name in names:
        if name in seen:
            raise ValueError(
                f"{path}: two columns would have the name {name!r}, which this format "
                "has no room for: merge them first, or write .tsv."
            )
        seen.add(name)

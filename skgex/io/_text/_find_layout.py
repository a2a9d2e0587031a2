"""Finding out where things stand in a table of text."""

from ..._gene_names import is_summary_row
from .._selection import quoted
from ._cells import decode, is_missing, is_number, n_decimals
from ._column_names import names_of_columns
from ._column_words import names_lines
from ._columns import find_columns
from ._delimiter import find_dialect, split_line
from ._gct import gct_layout
from ._layout import TextLayout
from ._one_sample import ONE_SAMPLE, keep_one_quantity, quantifier_of, sample_name
from ._open import open_text
from ._series_matrix import series_matrix_layout
from ._whole_lines import whole_lines

# Above the genes of counts whose file has no header.
ID_OF_COUNTS = "gene"
_HEAD_LINES = 40
_HEAD_CELLS = 400_000


def find_layout(path, storage, id_column=None, value_column=None, only=None):
    """Find out where things stand in a table of text.

    Parameters
    ----------
    path : path-like
        The file.
    storage : Storage
        How its text is stored.
    id_column : str, default=None
        The column that names the lines. None finds one.
    value_column : str, default=None
        Which quantity to read of a file of one sample with several.
    only : {"GCT", None}
        The only format that is taken.

    Returns
    -------
    layout : TextLayout
        Where things stand.

    Raises
    ------
    ValueError
        If this is no table with a header.
    """
    with open_text(path, storage) as file:
        first = decode(next(iter(file), b"")).lstrip('" ')
    if only == "GCT" or first.startswith("#1."):
        return gct_layout(path, storage, id_column)
    if first.startswith("!"):
        return series_matrix_layout(path, storage, id_column)
    return _Head(path, storage).layout(id_column, value_column)


class _Head:
    """The first lines of a table: comments, the header, and some lines with values."""

    def __init__(self, path, storage):
        self.path, self.storage = path, storage
        self.comments, self.comment = [], None
        # The first and the last line of the file that each line of the table takes.
        self.numbers, self.lines = [], []
        with open_text(path, storage) as file:
            for first, last, line in whole_lines(file):
                if not self.lines and line.startswith(b"#"):
                    self.comment = last, line
                    self.comments.append(decode(line[:80]))
                    continue
                self.numbers.append((first, last))
                self.lines.append(line)
                n_cells = sum(map(len, self.lines)) // 4
                if len(self.lines) > _HEAD_LINES or (
                    len(self.lines) > 4 and n_cells > _HEAD_CELLS
                ):
                    break

    def layout(self, id_column, value_column):
        """Return where things stand."""
        dialect = self._dialect()
        rows = [
            split_line(decode(line).rstrip("\r\n"), dialect.delimiter)
            for line in self.lines
        ]
        title = _n_title_lines(rows, dialect.decimal)
        rows, numbers = rows[title:], self.numbers[title:]
        if len(rows) == 1:
            raise ValueError(f"{self.path} has a header, but no line with a gene.")
        header, rows, n_header = self._header(rows, numbers, dialect)
        names, n_fields = names_of_columns(header, rows, self.path, numbers)
        rows = [row[: len(names)] for row in rows if len(row) == n_fields]
        columns = find_columns(
            names, rows, self.path, id_column=id_column, decimal=dialect.decimal
        )
        cells = [row[i] for row in rows for i in columns.values]
        layout = TextLayout(
            self.storage,
            dialect,
            n_header,
            n_fields,
            columns,
            decimals=n_decimals(cells, dialect.decimal),
        )
        if header == [ID_OF_COUNTS, sample_name(self.path)]:
            layout.format = ONE_SAMPLE
        if self.comments and self.comments[0].startswith("# Program:featureCounts"):
            layout.format = "featureCounts"
        kind = quantifier_of(columns)
        if kind is not None or value_column is not None:
            keep_one_quantity(layout, kind, value_column, self.path)
        return layout

    def _dialect(self):
        if not self.lines:
            raise ValueError(f"{self.path} is empty: there is no table in it.")
        dialect = find_dialect(self.lines, self.path)
        if dialect is None:
            raise ValueError(
                f"{self.path} is no table: its first line must hold the names of the "
                "samples, separated by tabs, commas, semicolons, bars or spaces, and "
                "each further line the name of a gene and its values. It begins with "
                f"{decode(self.lines[0][:60])!r}."
            )
        if len(self.lines) == 1:
            raise ValueError(f"{self.path} has a header, but no line with a gene.")
        return dialect

    def _header(self, rows, numbers, dialect):
        """Return the header, the lines with values, and how many lines come before."""
        if not _is_data(rows[0], rows[1:], dialect.decimal):
            n_lines = 1 + self._has_second_header(rows, dialect.decimal)
            return rows[0], rows[n_lines:], numbers[n_lines - 1][1]
        if self.comment is not None:
            text = decode(self.comment[1]).lstrip("# ").rstrip("\r\n")
            header = split_line(text, dialect.delimiter)
            if len(header) in (len(rows[0]), len(rows[0]) - 1) and len(header) > 1:
                return header, rows, self.comment[0]
        return self._made_header(rows), rows, numbers[0][0] - 1

    def _has_second_header(self, rows, decimal):
        """Tell whether the quantity stands below each sample, as at TCGA."""
        corner, *cells = map(str.strip, rows[1])
        if len(rows) < 3 or (corner and not names_lines(corner)):
            return False
        numbers = [any(is_number(cell, decimal) for cell in r[1:]) for r in rows[1:3]]
        if numbers != [False, True]:
            return False
        if len(set(cells)) == len(cells) > 1 and not any(map(is_missing, cells)):
            raise ValueError(
                f"{self.path} has two lines of names on top, beginning with "
                f"{quoted(rows[0])} and {quoted(rows[1])}. Keep that of the samples."
            )
        return True

    def _made_header(self, rows):
        """Name the columns of counts of one sample, whose files have no header."""
        if len(rows[0]) == 2:
            return [ID_OF_COUNTS, sample_name(self.path)]
        if len(rows[0]) == 4 and is_summary_row(rows[0][0]):
            return ["gene", "unstranded", "stranded_first", "stranded_second"]
        raise ValueError(
            f"{self.path} has no header: its first line is "
            f"{' '.join(rows[0][:4])[:60]!r}. Put a line with the names of the samples "
            "on top."
        )


def _n_title_lines(rows, decimal):
    """Return how many lines of a title stand in front of the header."""
    n_fields = max(map(len, rows[1:]))
    if n_fields == 2 and len(rows[0]) == 1 and len(rows[1]) == 2:
        value = rows[1][1]
        if _is_data(rows[1], [], decimal) or (value.strip() and is_missing(value)):
            return 0  # the header of one sample, as R writes it
    # A column may have no name above the names of lines.
    least = 1 if n_fields == 2 and not rows[0][0].strip() else 2
    long = (sum(map(bool, map(str.strip, row))) >= least for row in rows)
    return next((n for n, is_long in enumerate(long) if is_long), 0)


def _is_data(row, others, decimal):
    """Tell whether a line has values rather than the names of samples."""
    if others and len(row) == len(others[0]) - 1:
        return False
    corner = row[0].strip().strip('"')
    if not corner or (names_lines(corner) and not is_summary_row(corner)):
        return False
    others = [other for other in others if len(other) == len(row)]
    columns = list(zip(row, *others, strict=True))[1:]
    # Where the lines below have numbers: names of samples may be numbers by chance.
    values = [
        column[0]
        for column in columns
        if all(is_missing(cell) or is_number(cell, decimal) for cell in column[1:])
    ]
    found = [is_number(cell, decimal) for cell in values]
    return any(found) and all(
        number or is_missing(cell) for number, cell in zip(found, values, strict=True)
    )

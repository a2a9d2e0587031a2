"""Which sign separates the fields of a table, and which marks decimals."""

from collections import Counter

from ._cells import decimal_mark, decode, is_grouped, is_missing, is_number, unquoted
from ._dialect import Dialect

_DELIMITERS = "\t;,| "
_MAX_COLUMNS = 100


def split_line(text, delimiter):
    """Return the fields of a line; a quote that stays open is taken as it stands."""
    if delimiter == " ":
        fields = unquoted(text, " ") or text.split(" ") if '"' in text else text.split()
        return [field for field in fields if field]
    if '"' in text:
        return unquoted(text, delimiter) or text.split(delimiter)
    return text.split(delimiter)


def find_dialect(lines, path):
    """Find out how fields are separated.

    Parameters
    ----------
    lines : list of bytes
        The first lines of a table; in front there may be lines of a title.
    path : path-like
        For messages.

    Returns
    -------
    dialect : Dialect or None
        None if there is no sign by which lines have at least two fields.
    """
    texts = [decode(line).rstrip("\r\n") for line in lines]
    with_fields, most_numbers = None, 0
    for delimiter in _DELIMITERS:
        if delimiter == " " and with_fields and with_fields.delimiter == "\t":
            break  # tabs are spaces too
        rows = [split_line(text, delimiter) for text in texts]
        n_fields = _usual_length(rows[1:]) or _usual_length(rows)
        if n_fields < 2:
            continue
        cells = [row[1:] for row in rows[1:] if len(row) == n_fields]
        # A sign that separates nothing, such as a comma in names, leaves no numbers,
        # and a decimal comma between spaces leaves few.
        share = _share_of_numbers(cells)
        if share > most_numbers or with_fields is None:
            with_fields, most_numbers = Dialect(delimiter), share
            found = cells
        if share == 1 or (share and delimiter != ","):
            break
    if most_numbers:
        with_fields.decimal = _decimal(found, with_fields.delimiter, path)
    return with_fields


def _usual_length(rows):
    """Return the number of fields that more than half of the rows have, or 0."""
    if not rows:
        return 0
    n_fields, n_rows = Counter(map(len, rows)).most_common(1)[0]
    return n_fields if 2 * n_rows > len(rows) else 0


def _share_of_numbers(rows):
    columns = list(zip(*rows, strict=True))
    found = [
        all(map(_may_be_number, column))
        for column in columns[:: max(1, len(columns) // _MAX_COLUMNS)]
    ]
    return sum(found) / max(1, len(found))


def _may_be_number(cell):
    number = is_number(cell.replace(",", ".", 1))
    return number or is_missing(cell) or is_grouped(cell)


def _decimal(rows, delimiter, path):
    mark = decimal_mark([cell for row in rows for cell in row])
    if delimiter == ",":
        return mark or "."  # in quotes
    if mark is None:
        cell = next(cell for row in rows for cell in row if "," in cell).strip()
        raise ValueError(
            f"{path}: {cell!r} may be {cell.replace(',', '')} or "
            f"{cell.replace(',', '.')}. Write numbers without commas."
        )
    return mark

"""The names of columns, where a header may lack one or lines may have one more."""

import re

from ._cells import is_missing, is_number
from ._column_words import names_ids, names_lines

_RETURN_ALONE = re.compile(r"\r+(?![\r\n])(?=.)", re.DOTALL)


def names_of_columns(header, rows, path, numbers):
    """Return a name for each column, and the number of fields of a line."""
    lengths = [len(row) for row in rows]
    n_fields = max(lengths, key=lambda n: (lengths.count(n), -abs(n - len(header))))
    if any(_RETURN_ALONE.search(name) for name in header):
        raise ValueError(
            f"{path}: the first line ends in a carriage return, others in line feeds. "
            "Make the ends of all lines alike, as by the program mac2unix."
        )
    names = [" ".join(name.strip().strip('"').splitlines()) for name in header]
    n_blank = _n_blank_at_end([row for row in rows if len(row) == n_fields])
    while len(names) > n_fields and not names[-1]:
        names = names[:-1]
    if len(names) == n_fields:
        # Spreadsheets write columns without a name and without a value.
        while n_blank and not names[-1]:
            names, n_blank = names[:-1], n_blank - 1
        return names, n_fields
    blank_end = n_blank > 0
    n_more = n_fields - len(names)
    if 0 < n_more <= n_blank and (n_more > 1 or names_lines(names[0]) or not names[0]):
        return names, n_fields
    if len(names) == n_fields - 1:
        counted = _are_counted(names, [row for row in rows if len(row) == n_fields])
        if blank_end or (names_lines(names[0]) and not counted):
            raise ValueError(
                f"{path}: the header has {len(names)} names, beginning with "
                f"{names[0]!r}, but lines have {n_fields} fields. Name each column, "
                "and remove tabs at the ends of lines."
            )
        # R writes no name above the names of lines.
        return ["", *names], n_fields
    if len(names) != n_fields:
        raise ValueError(
            f"{path}, line {numbers[1][0]} has {n_fields:,d} fields, but "
            f"{len(names):,d} were expected from the header. Fields must be separated "
            "alike in all lines, numbers must have no commas between commas, and each "
            "column must have a name."
        )
    return names, n_fields


def _n_blank_at_end(rows):
    """Return how many columns at the end are empty in all rows."""
    columns = list(zip(*rows, strict=True))
    filled = [i + 1 for i, cells in enumerate(columns) if any(map(str.strip, cells))]
    return len(columns) - max(filled, default=0)


def _are_counted(names, rows):
    """Tell whether R put the number of each line before the name of its gene."""
    if len(rows[0]) < 3 or names_ids(names[1]):
        return False
    numbers, genes, values = list(zip(*rows, strict=True))[:3]
    expected = [str(i) for i in range(1, len(rows) + 1)]
    return (
        [number.strip('"') for number in numbers] == expected
        and not any(map(is_number, genes))
        and all(is_number(cell) or is_missing(cell) for cell in values)
    )

"""The series matrix of GEO."""

from itertools import islice

from .._selection import quoted
from ._cells import decode, n_decimals
from ._columns import find_columns
from ._delimiter import split_line
from ._dialect import Dialect
from ._layout import TextLayout
from ._open import open_text

_BEGIN, _END = b"!series_matrix_table_begin", b"!series_matrix_table_end"
_SAMPLE = "!Sample_"


def series_matrix_layout(path, storage, id_column=None):
    """Return where things stand in a series matrix, and what it says of its samples."""
    about, n_header = [], 0
    with open_text(path, storage) as file:
        for number, line in enumerate(file, 1):
            if line.startswith(_BEGIN):
                n_header = number + 1
                break
            text = decode(line).rstrip("\r\n")
            if text.startswith(_SAMPLE):
                name, *values = split_line(text, "\t")
                about.append((name.removeprefix(_SAMPLE), values))
        if not n_header:
            raise ValueError(
                f"{path} begins as a series matrix of GEO, but has no line "
                f"{_BEGIN.decode()!r}: it holds no table. Where a study keeps its "
                "expression in supplementary files, read those."
            )
        lines = [decode(line).rstrip("\r\n") for line in islice(file, 41)]
    header, *rows = (split_line(line, "\t") for line in lines)
    rows = [row for row in rows if len(row) == len(header)]
    if not rows:
        raise ValueError(
            f"{path} is a series matrix of GEO without any line in its table. The "
            "study keeps its expression in supplementary files: read those."
        )
    columns = find_columns(header, rows, path, id_column=id_column)
    cells = [row[i] for row in rows for i in columns.values]
    return TextLayout(
        storage,
        Dialect("\t", end=_END),
        n_header,
        len(header),
        columns,
        format="series matrix",
        sample_fields=_of_samples(about, len(columns.values), path),
        decimals=n_decimals(cells, "."),
    )


def _of_samples(about, n_samples, path):
    """Return the fields of the samples; a field that recurs is numbered."""
    seen, fields = {}, []
    for name, values in about:
        seen[name] = seen.get(name, 0) + 1
        if len(values) != n_samples:
            raise ValueError(
                f"{path} has {n_samples:,d} samples, but !Sample_{name} has "
                f"{len(values):,d} values, beginning with {quoted(values)}. Download "
                "it again."
            )
        fields.append((name if seen[name] == 1 else f"{name}_{seen[name]}", values))
    return fields

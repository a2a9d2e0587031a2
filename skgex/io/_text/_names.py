"""The first reading of a table: the names of its lines, and whether all are whole."""

from itertools import islice

from ..._warn import warn_caller
from ._cells import decode
from ._dialect import plain_lines
from ._open import open_text


def table_lines(file, layout, path):
    """Yield the number and the fields, between tabs, of each line with values."""
    lines = islice(file, layout.n_header_lines, None)
    first = layout.n_header_lines + 1
    return plain_lines(lines, layout.dialect, path, first, layout.n_fields)


class _Lines:
    """Lines of a file, of which the last one is remembered."""

    def __init__(self, file):
        self._file, self._last = file, b""

    def __iter__(self):
        for line in self._file:
            self._last = line
            yield line

    def warn_if_cut(self, path):
        """Warn if the last line has no end, as where a file was cut off."""
        if self._last[-1:] not in (b"\n", b"\r", b"\x1a"):
            warn_caller(
                f"{path} does not end with the end of a line. If it was cut off, its "
                "last value may lack digits: compare its size with the original."
            )


def read_names(path, layout, annotation=False):
    """Read the names of all lines, and check that each has all its fields.

    Parameters
    ----------
    path : path-like
        The file.
    layout : TextLayout
        Where things stand in it.
    annotation : bool, default=False
        Whether to read the columns of annotation as well.

    Returns
    -------
    names : list of str
        The name of each line.
    annotation : list of list of str
        For each line its cells of annotation; empty lists if they were not asked for.
    empty : list of int
        Lines that have a name and nothing else.

    Raises
    ------
    ValueError
        If a line has fewer or more fields than the header, or none is there.
    """
    columns = layout.columns
    wanted = columns.annotation if annotation else []
    last = max([columns.id, *wanted])
    n_tabs, n_fields = layout.n_fields - 1, layout.n_fields
    n_blank = n_fields - len(columns.names)
    names, about, empty = [], [], []
    with open_text(path, layout.storage) as file:
        lines = _Lines(file)
        for number, line in table_lines(lines, layout, path):
            n_found = line.count(b"\t")
            if n_found != n_tabs:
                _refuse(path, number, n_found + 1, n_fields, line)
            if n_blank > 0 and b"".join(line.rsplit(b"\t", n_blank)[1:]).strip():
                _refuse_last(path, number)
            if line[-1:] == b"\t" and b"\t" not in line.strip(b"\t"):
                empty.append(len(names))
            fields = line.split(b"\t", last + 1)
            names.append(decode(fields[columns.id]))
            about.append([decode(fields[i]).strip() for i in wanted])
    states_its_end = layout.dialect.end or layout.n_lines is not None
    if layout.storage.compression is None and not states_its_end:
        lines.warn_if_cut(path)
    if not names:
        raise ValueError(f"{path} has a header, but no line with a gene.")
    if layout.n_lines not in (None, len(names)):
        raise ValueError(
            f"{path} states {layout.n_lines:,d} genes, but has {len(names):,d}. If it "
            "was cut off, download it again; if genes were removed, correct its second "
            "line."
        )
    return names, about, empty


def _refuse(path, number, n_found, n_fields, line):
    start = decode(line[:40]).partition("\t")[0]
    raise ValueError(
        f"{path}, line {number} has {n_found:,d} fields, but {n_fields:,d} "
        "were expected from the header. If it is the last line, the file "
        "is cut off: download it again. Fields must be separated alike in all lines; "
        f"if {start!r} begins a note, remove it."
    )


def _refuse_last(path, number):
    raise ValueError(
        f"{path}, line {number} has a value in a column without a name, where the "
        "lines before end in an empty field. Name each column in the header."
    )

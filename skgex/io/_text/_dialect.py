"""Lines of any table of text as fields between tabs, without quotes."""

from dataclasses import dataclass

from ._cells import decode, unquoted

# A field in quotes may go over a few lines, but not over half of a file.
LONGEST_FIELD = 20
_SPACES = str.maketrans("\t\r\n", "   ")
# With the sign by which DOS ended files.
_BLANK = b"\t ,;|\x0b\x0c\x1a"


@dataclass
class Dialect:
    """How the fields of a line are separated.

    Attributes
    ----------
    delimiter : str
        Tab, comma, semicolon, bar, or a space, which stands for any number of them.
    decimal : {".", ","}, default="."
        The decimal mark.
    end : bytes or None
        Line that ends the table; it must be there.
    """

    delimiter: str
    decimal: str = "."
    end: bytes | None = None


def plain_lines(lines, dialect, path, first=1, n_fields=None):
    """Yield number and fields of each line that is not empty.

    Parameters
    ----------
    lines : iterable of bytes
        Lines of a file from the first of the table on.
    dialect : Dialect
        How they are written.
    path : path-like
        For messages.
    first : int, default=1
        Number of the first of the lines.
    n_fields : int, default=None
        How many fields a line has. A quote that is never closed is part of a name where
        the line has them all.

    Yields
    ------
    number : int
        Number of the line in the file.
    line : bytes
        Its fields, separated by tabs, as they stand between quotes.
    """
    delimiter = dialect.delimiter.encode()
    quote_inside = delimiter + b'"'
    spaced = delimiter + b' "'
    numbered = iter(enumerate(lines, first))
    for number, line in numbered:
        line = line.rstrip(b"\r\n")
        if dialect.end is not None and line.startswith(dialect.end):
            return
        # Most of a line need not be looked at to see that it is not empty.
        if not line[:64].strip(_BLANK) and not line.strip(_BLANK):
            continue
        if line[:1] == b"#" and delimiter not in line:
            continue
        if b"\r" in line:
            line = line.replace(b"\r", b" ")
        if b'"' in line and (
            line.startswith(b'"') or quote_inside in line or spaced in line
        ):
            line = _without_quotes(number, line, numbered, dialect, path, n_fields)
        elif delimiter == b" ":
            line = b"\t".join(line.split())
        elif delimiter != b"\t":
            line = line.replace(b"\t", b" ").replace(delimiter, b"\t")
        yield number, line
    if dialect.end is not None:
        raise ValueError(
            f"{path} is cut off: its last line should be {dialect.end.decode()!r}. "
            "Download it again."
        )


def _without_quotes(number, line, rest, dialect, path, n_fields):
    text = decode(line)
    fields = text.split(dialect.delimiter)
    if len(fields) == n_fields and unquoted(text, dialect.delimiter) is None:
        return "\t".join(field.translate(_SPACES) for field in fields).encode()
    while (fields := unquoted(text, dialect.delimiter)) is None:
        _, more = next(rest, (0, None))
        if more is None or text.count("\n") == LONGEST_FIELD:
            raise ValueError(
                f"{path}, line {number}: a quote is opened and not closed. If it is "
                "the last line, the file is cut off; else remove the quote."
            )
        text = f"{text}\n{decode(more).rstrip()}"
    if dialect.delimiter == " ":
        fields = [field for field in fields if field]
    return "\t".join(field.translate(_SPACES) for field in fields).encode()

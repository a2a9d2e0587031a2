"""How a table is laid out in a file."""

from typing import NamedTuple

# Names above the ids of genes and of samples, unless told otherwise.
ID_NAMES = {"genes_in_rows": "gene", "samples_in_rows": "sample"}
# What files of a kind have between their values, the usual one first.
DELIMITERS = {"tsv": "\t", "csv": ",;", "txt": "\t,; |", "gct": "\t"}


class TableStyle(NamedTuple):
    """How a table is laid out.

    Attributes
    ----------
    orient : {"genes_in_rows", "samples_in_rows"}
        What has a line of its own.
    id_name : str
        What stands above the names of the lines.
    delimiter : str
        What stands between values.
    decimal : {".", ","}
        The decimal mark.
    decimals : int or None
        How many decimals values have.
    rounds : bool
        Whether values with more decimals are rounded.
    """

    orient: str
    id_name: str
    delimiter: str
    decimal: str
    decimals: int | None
    rounds: bool


def table_style(kind, like, *, orient, delimiter, decimals):
    """Return the style of a file: what is told, else as it was, else as is usual.

    Parameters
    ----------
    kind : str
        Format of the file.
    like : dict
        What `read_expression` says of another file, or nothing.
    orient, delimiter, decimals : object
        What is told; None for nothing.

    Returns
    -------
    style : TableStyle
        The style.
    """
    usual = "samples_in_rows" if kind in ("parquet", "feather") else "genes_in_rows"
    known = usual if kind == "gct" else like.get("orient")
    orient = orient or known or usual
    id_name = ID_NAMES[orient]
    if like.get("orient") == orient and "id_column" in like:
        # Text may have nothing there; other formats do not say.
        id_name = like["id_column"] or ("" if like.get("delimiter") else id_name)
    if delimiter is None:
        delimiter = _delimiter(kind, like.get("delimiter"))
    # A comma cannot be both.
    decimal = like.get("decimal", ".") if delimiter != "," else "."
    rounds = decimals is not None
    decimals = decimals if rounds else like.get("decimals")
    return TableStyle(orient, id_name, delimiter, decimal, decimals, rounds)


def _delimiter(kind, before):
    possible = DELIMITERS.get(kind, "\t")
    return before if before and before in possible else possible[0]

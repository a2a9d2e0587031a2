"""Cells of a table of text: numbers, missing values, and names."""

import csv
import re

# What stands for a missing value beside what pandas takes for one.
MISSING = ("na", "Na", "NAN", "none", "NONE", "-", "--", "---", ".", "?", " ")
_OF_PANDAS = "#N/A,#NA,-NaN,-nan,<NA>,N/A,NA,NULL,NaN,None,n/a,nan,null"
_MISSING = {"", *MISSING, *_OF_PANDAS.split(",")}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.I)
_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?|[+-]?,\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
# With signs of thousands, of any country.
_GROUPED = re.compile(r"[+-]?\d{1,3}([ ,.'\u00a0\u2009\u202f\u2019]\d{3})+([.,]\d*)?")
_REMEDIES = {
    _GROUPED: "Write numbers without signs of thousands.",
    re.compile(r".*%"): "Write shares as numbers, without signs of percent.",
    re.compile(r"#[A-Z/0!?]+[!?]"): "A formula failed in a spreadsheet: correct it.",
    re.compile(r"[+-]?\d+[.,]\d+"): "Use the same decimal mark in all numbers.",
    re.compile(r"[<>].*"): "Write values below a limit as NA, or as that limit.",
    re.compile(r"true|false|t|f|yes|no", re.I): "Write numbers rather than truth.",
}


def decode(text):
    """Return bytes as text: UTF-8, or else Latin-1, which takes any bytes."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def is_missing(cell):
    """Tell whether a cell stands for a missing value."""
    return cell.strip() in _MISSING


def is_number(cell, decimal="."):
    """Tell whether a cell is a number."""
    cell = cell.strip()
    if decimal == ",":
        cell = cell.replace(",", ".")
    return bool(_NUMBER.fullmatch(cell))


def is_grouped(cell):
    """Tell whether a cell is a number with signs of thousands."""
    return bool(_GROUPED.fullmatch(cell.strip()))


def remedy(cell, otherwise="Write NA for missing values."):
    """Return what to do about a cell that is no number."""
    cell = cell.strip()
    found = (what for form, what in _REMEDIES.items() if form.fullmatch(cell))
    return next(found, otherwise)


def decimal_mark(cells):
    """Return the decimal mark of numbers as they are written in some cells.

    Returns
    -------
    mark : {".", ",", None}
        None if commas may as well be those of thousands.
    """
    commas = [cell for cell in map(str.strip, cells) if _COMMA.fullmatch(cell)]
    if not commas or any("." in cell and is_number(cell) for cell in cells):
        return "."
    return None if all(_THOUSANDS.fullmatch(cell) for cell in commas) else ","


def n_decimals(cells, mark):
    """Return how many decimals all numbers have, or None if they differ."""
    numbers = [cell.strip() for cell in cells if is_number(cell, mark)]
    found = {len(cell.partition(mark)[2]) for cell in numbers}
    exponents = any("e" in cell.lower() for cell in numbers)
    return found.pop() if len(found) == 1 and not exponents else None


def unquoted(text, delimiter):
    """Return the fields of a line, of which some are in quotes.

    Returns
    -------
    fields : list of str or None
        None if a quote is still open at the end of the line.
    """
    initial = delimiter in ",;|"
    try:
        rows = list(
            csv.reader(
                [text], delimiter=delimiter, skipinitialspace=initial, strict=True
            )
        )
    except csv.Error as error:
        if "unexpected end" in str(error):
            return None
        # A quote inside a name, as in "5'-3"" exonuclease": taken as it stands.
        return text.split(delimiter)
    return rows[0] if rows else []

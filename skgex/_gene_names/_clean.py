"""Names without what files and spreadsheets leave around them."""

import re

# Byte order marks, zero-width characters and soft hyphens are no spaces to Python.
_INVISIBLE = "\ufeff\ufffe\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\x00"
_QUOTES = '"`\u201c\u201d\u201e\u00ab\u00bb'
# Most names: a letter first, nothing to take off at the end.
_ALREADY_CLEAN = re.compile(r"[A-Za-z](?:[^\n]*[A-Za-z0-9)])?", re.ASCII)
_WHOLE_FLOAT = re.compile(r"(\d+)\.0+", re.ASCII)
_SCIENTIFIC = re.compile(
    r"X?\d+(?:(?:[.,]\d+)?[eE](?:[+-]|\.(?=\d))\d+|[.,]\d+[eE]\d+)", re.ASCII
)
_UNNAMED = frozenset(
    (
        *("", "na", "n/a", "nan", "none", "null", "unknown", "<na>", "#n/a", "n.a."),
        *("-", "--", "---", "?", ".", "\u2013", "\u2014"),
    )
)


def clean_name(name):
    """Return a name without spaces, invisible characters and quotes around it.

    A whole number that was written as a float, such as 7157.0, loses its fraction.

    Parameters
    ----------
    name : object
        A name, mostly a string.

    Returns
    -------
    clean : str
        The name; cleaning it again changes nothing.
    """
    name = str(name)
    if _ALREADY_CLEAN.fullmatch(name):
        return name
    before = None
    while name != before:
        before = name
        name = _without_apostrophes(name.strip().strip(_INVISIBLE).strip(_QUOTES))
    whole = _WHOLE_FLOAT.fullmatch(name)
    return whole[1] if whole else name


def _without_apostrophes(name):
    # One in front marks text in spreadsheets; one behind may be part of a name, 3'.
    if not name.startswith("'"):
        return name
    return name[1:-1] if len(name) > 1 and name.endswith("'") else name[1:]


def is_unnamed(name):
    """Whether a name says that there is none, such as NA, --- or an empty one."""
    return clean_name(name).lower() in _UNNAMED


def is_scientific(name):
    """Whether a name is a number such as 2.31E+13, which was 2310009E13 once."""
    return _SCIENTIFIC.fullmatch(clean_name(name)) is not None

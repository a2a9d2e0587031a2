"""What R makes of names, and what it may have made them of."""

import re
from functools import cache

from ._clean import clean_name
from ._spreadsheet import is_date
from ._symbols import known_symbols

_INVALID = re.compile(r"[^\w.]")
_STARTS_BADLY = re.compile(r"(?![^\W\d_]|\.(?!\d))")
_RESERVED = frozenset(
    "if else repeat while function for next break TRUE FALSE NULL Inf NaN NA "
    "NA_integer_ NA_real_ NA_character_ NA_complex_ in".split()
)
_NUMBER = re.compile(r"X(\d+)", re.ASCII)
_PAIR = re.compile(r"(.+?)\.(?:\.(\d+)\.|(\d{3,}))", re.ASCII)
_CLONE = re.compile(
    r"((?:RP|CT[A-D]|GS|LL|CH|XX|KB|WI|LA|hCG|bA|dJ)\w*)\.(\d*[A-Z]+\d+\.\d+)", re.ASCII
)
_FAMILY = re.compile(
    r"((?:HLA|MT|NKX\d|KRTAP\d+|H\d|ERV\w+)\.\w+|\w+\.(?:AS|IT|DT|OT)\d*)", re.ASCII
)


def r_name(name):
    """Return what make.names of R makes of a name, such as HLA.A of HLA-A."""
    if name.isalnum() and name[0].isalpha() and name not in _RESERVED:
        return name
    mangled = _INVALID.sub(".", name)
    if _STARTS_BADLY.match(name):
        mangled = "X" + mangled
    return mangled + "." if mangled in _RESERVED else mangled


@cache
def _changed_symbols():
    changed = {}
    for symbol in sorted(known_symbols()):
        if r_name(symbol) != symbol:
            changed.setdefault(r_name(symbol), []).append(symbol)
    return {mangled: tuple(symbols) for mangled, symbols in changed.items()}


def r_names(name):
    """Return what a name may have been before R made it one of its own.

    Parameters
    ----------
    name : object
        A name such as HLA.A or X7157.

    Returns
    -------
    names : tuple of str
        HLA-A, or 7157; empty for a name that R need not have touched.
    """
    name = clean_name(name)
    if ("." not in name and not name.startswith("X")) or name in known_symbols():
        return ()
    return _changed_symbols().get(name) or _from_its_shape(name)


def _from_its_shape(name):
    if match := _NUMBER.fullmatch(name):
        return (match[1],)
    if match := _CLONE.fullmatch(name):
        return (f"{match[1]}-{match[2]}",)
    if _FAMILY.fullmatch(name):
        return (name.replace(".", "-"),)
    match = _PAIR.fullmatch(name)
    if match and (symbol := _known(match[1])):
        return (f"{symbol} ({match[2]})" if match[2] else f"{symbol}|{match[3]}",)
    if name.startswith("X") and is_date(name):
        return (name[1:].replace(".", "-"),)
    return ()


def _known(name):
    """Return the symbol that a part of a name is or was, or None."""
    return name if name in known_symbols() else next(iter(r_names(name)), None)

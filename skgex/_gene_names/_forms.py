"""Forms of one name: with and without version, and two names in one."""

import re

from ._clean import clean_name, is_unnamed

# The copy of a gene on the Y chromosome, and its lift-over to another assembly, stand
# behind the version in GENCODE. The copy is a gene of its own, the lift-over is not.
_VERSIONED = re.compile(r"(ENS[A-Z]*\d{11})\.\d+(?:_\d+)?(_PAR_Y)?", re.ASCII)
_ENSEMBL = re.compile(
    r"ENS[A-Z]*\d{11}(?:\.\d+)?(?:_\d+(?![A-Za-z0-9]))?(?:_PAR_Y)?", re.ASCII
)
_NUMBER = re.compile(r"\d+", re.ASCII)
# What has to be in a name, and the two halves.
_PAIRS = {
    "|": re.compile(r"([^|]*)\|([^|]*)"),  # TP53|7157
    "(": re.compile(r"([^()]*?) *\(([^()]*)\)"),  # TP53 (7157)
    "[": re.compile(r"([^\[\]]*?) *\[([^\[\]]*)\]"),
    "..": re.compile(r"(.+?)\.\.(\w+)\."),  # what R makes of TP53 (7157)
    "_ENS": re.compile(rf"(.+)_({_ENSEMBL.pattern})"),
    "_": re.compile(rf"({_ENSEMBL.pattern})_(.+)"),
}


def strip_version(name):
    """Return an Ensembl id without its version, and any other name as it is."""
    if not name.startswith("ENS"):
        return name
    match = _VERSIONED.fullmatch(name)
    return match[1] + (match[2] or "") if match else name


def split_double(name):
    """Return symbol and id of a name that holds both, such as TP53|7157.

    Parameters
    ----------
    name : object
        A name, mostly a string.

    Returns
    -------
    halves : tuple of str or None
        The symbol, empty where the name has none, as ?|100130426; and the id, a number
        or one of Ensembl, also where it stands first. None for a name without an id
        beside another name.

    Notes
    -----
    A number after an underscore, TP53_2, may as well count probes, and is no id.
    """
    name = clean_name(name)
    if name.isalnum():
        return None
    for mark, pattern in _PAIRS.items():
        match = pattern.fullmatch(name) if mark in name else None
        halves = match and _symbol_and_id(clean_name(match[1]), clean_name(match[2]))
        if halves:
            return halves
    return None


def _symbol_and_id(first, second):
    if _is_id(first) and not _is_id(second):
        first, second = second, first
    if not _is_id(second) or first == "PAR_Y":
        return None
    return ("" if is_unnamed(first) else first), second


def _is_id(name):
    return bool(_NUMBER.fullmatch(name) or _ENSEMBL.fullmatch(name))

"""Symbols of human genes, of all years."""

import gzip
from functools import cache
from pathlib import Path

from ._spreadsheet import RENAMED

_FILE = Path(__file__).with_name("symbols.txt.gz")


@cache
def known_symbols():
    """Return symbols that human genes have or had, some 25,000."""
    with gzip.open(_FILE, "rt", encoding="ascii") as file:
        return frozenset(file.read().split()) | RENAMED

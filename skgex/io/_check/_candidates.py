"""Names that are worth a closer look, by what is cheap to see of 20,000 of them."""

import re

from ..._gene_names import clean_name, known_symbols, split_double, strip_version

_PLAIN_ENSEMBL = re.compile(r"ENS[A-Z]{0,4}G\d{11}", re.ASCII)
# No digits but for one: names of columns, words for missing, totals.
_WORDS = re.compile(r"[^\d]*\d?[^\d]*\d?[^\d]*")
_DATE = re.compile(r"\W*X?\d{1,4}\W|\W*[^\W\d_]{3,10}\W+\d\d?\W*$")
_NUMBER = re.compile(r"\W*X?\d+[.,eE]")
# R leaves letters, digits, points and underscores only. What it calls columns that had
# no names, X1 and V1, was no gene.
_BY_R = re.compile(r"(?:[A-Za-z.]\w*\.[\w.]*|X\d{4,})", re.ASCII)
_TWO_NAMES = re.compile(r"[|(\[]|\.\.|_ENS|ENS[A-Z]*\d{11}[\d.]*_[^P\d]", re.ASCII)


class Candidates:
    """Names by what may be wrong with them.

    Parameters
    ----------
    names : list of str
        All names.

    Attributes
    ----------
    odd : list of str
        Those that are neither symbols nor plain ids of Ensembl genes.
    words : list of str
        Those of them that may be no gene, having hardly a digit.
    dates, numbers, by_r : list of str
        Those that spreadsheets and R may have changed.
    cleaned : dict of str to str
        Those with something around them, and what they are without it.
    halves : dict of str to tuple of str
        Those that hold a symbol and an id, and these two.
    versioned : dict of str to str
        Ids of Ensembl with a version, and without.
    """

    def __init__(self, names):
        known = known_symbols()
        plain = _PLAIN_ENSEMBL.fullmatch
        self.odd = [name for name in names if name not in known and not plain(name)]
        signed = [name for name in self.odd if not name.isalnum()]
        ensembl = [name for name in signed if name.startswith("ENS")]
        stripped = ((name, strip_version(name)) for name in ensembl)
        self.versioned = {name: short for name, short in stripped if name != short}
        signed = [name for name in signed if name not in self.versioned]
        self.words = [name for name in self.odd if _WORDS.fullmatch(name)]
        self.dates = list(filter(_DATE.match, signed))
        self.numbers = list(filter(_NUMBER.match, signed))
        self.by_r = list(filter(_BY_R.fullmatch, self.odd))
        self.by_r = [name for name in self.by_r if name not in self.versioned]
        self.cleaned = _cleaned(signed)
        twice = filter(_TWO_NAMES.search, signed)
        split = ((name, split_double(name)) for name in twice)
        self.halves = {name: halves for name, halves in split if halves}

    def forms(self):
        """Yield names that stand for another one, and that one.

        Several genes without a symbol, as ?|7157, are told apart by their ids.
        """
        yield from self.versioned.items()
        for name, clean in self.cleaned.items():
            if name not in self.halves:
                yield name, strip_version(clean)
        for name, (symbol, number) in self.halves.items():
            yield name, strip_version(symbol or number)


def _cleaned(signed):
    ends = [
        name
        for name in signed
        if not (name[:1].isalnum() and name[-1:].isalnum()) or name.endswith(".0")
    ]
    cleaned = ((name, clean_name(name)) for name in ends)
    return {name: clean for name, clean in cleaned if name != clean}

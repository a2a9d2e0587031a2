"""Kinds of ids of genes."""

import re

from ._clean import clean_name, is_unnamed
from ._forms import split_double
from ._r_names import r_names
from ._symbols import known_symbols

_KINDS = {
    "Ensembl gene": r"ENS[A-Z]{0,4}G\d{11}(?:\.\d+)?(?:_\d+)?(?:_PAR_Y)?",
    # Salmon and kallisto keep the whole line of GENCODE, with bars.
    "Ensembl transcript": r"ENS[A-Z]{0,4}T\d{11}(?:\.\d+)?(?:_\d+)?(?:_PAR_Y)?"
    r"(?:\|.*)?",
    "Ensembl protein": r"ENS[A-Z]{0,4}P\d{11}(?:\.\d+)?",
    "Entrez": r"\d+",
    "RefSeq": r"[NX][MRPG]_\d{6,9}(?:\.\d+)?",
    "UniGene": r"(?:Hs|Mm|Rn)\.\d+",
    "probe set": r"(?:AFFX-\S+|\d+_(?:[a-z]+_)*[a-z]*at|ILMN_\d+|A_\d\d_P\d+)",
    "spike-in": r"ERCC-\d{5}",
    "microRNA": r"[a-z]{3}-(?:miR|mir|let)-\S+",
    # Names that Cufflinks and StringTie give.
    "assembled": r"(?:XLOC|TCONS)_\d+|MSTRG\.\d+(?:\.\d+)?",
    # Of BAC libraries, RIKEN, and sequences that were never given a symbol.
    "clone": r"(?:(?:RP|CT[A-D]|GS|CH|KB|WI)\d*-\w+\.\d+|A[CFJLP]\d{6}\.\d+"
    r"|[A-Z]{1,2}\d{5,6}\.\d+|\w{10}Rik|DKFZ[Pp]\w+)",
}
_KIND = re.compile(
    "|".join(f"(?P<k{i}>{pattern})" for i, pattern in enumerate(_KINDS.values())),
    re.ASCII,
)
_NAMES = dict(zip((f"k{i}" for i in range(len(_KINDS))), _KINDS, strict=True))
# Families with more members than a list would have.
_FAMILIES = re.compile(
    r"LOC\d+|LINC\d+|MIR\d+[A-Z0-9-]*|FLJ\d+|KIAA\d{4}|C(?:\d\d?|X|Y)ORF\d+"
    r"|[A-Z0-9-]+-(?:AS|IT|DT|OT)\d*|HLA-[A-Z0-9]+|MT-[A-Z0-9]+|SNOR[AD]\d+[A-Z]?"
    r"|H[1-4][ABCF]\w{1,4}|FAM\d+[A-Z]\w*|(?:ZNF|TMEM|CCDC|KRTAP|OR\d+[A-Z])\d+\w*"
    r"|RP[LS]\d+\w*P\d+",
    re.ASCII,
)
_MAX_NAMES = 2000


def id_kind(name):
    """Return what kind of id of a gene a name is.

    Parameters
    ----------
    name : object
        A name, mostly a string.

    Returns
    -------
    kind : str or None
        "symbol", "Ensembl gene", "Ensembl transcript", "Ensembl protein", "Entrez",
        "RefSeq", "UniGene", "probe set", "spike-in", "microRNA", "assembled" or
        "clone". Of a name that holds two the kind of the symbol, or else of the id; of
        a name that R has changed the kind of what it was. None for any other name.
    """
    name = clean_name(name)
    if kind := _kind(name):
        return kind
    if is_unnamed(name):
        return None
    if name.startswith(("gene-", "gene:")):
        # As in annotation of NCBI, and in what StringTie makes of it.
        return id_kind(name[5:].partition("|")[0])
    if halves := split_double(name):
        return id_kind(halves[0]) or id_kind(halves[1])
    # Columns without names are X1, X2, ... in R.
    if name.startswith("X") and name[1:].isdecimal() and len(name) < 4:
        return None
    before = r_names(name)
    return id_kind(before[0]) if before else None


def _kind(name):
    if _is_symbol(name):
        return "symbol"
    match = _KIND.fullmatch(name)
    return _NAMES[match.lastgroup] if match else None


def _is_symbol(name):
    if name in known_symbols():
        return True
    # Trp53 of mice, and tp53 of fish; a word in small letters is no symbol.
    capitalised = name[1:].islower() or name[1:].isdecimal()
    if not capitalised and not re.fullmatch(r"C(\d\d?|X|Y)orf\d+", name):
        return _FAMILIES.fullmatch(name) is not None
    if name.islower() and not any(letter.isdecimal() for letter in name):
        return False
    upper = name.upper()
    return upper in known_symbols() or _FAMILIES.fullmatch(upper) is not None


def share_of_genes(names):
    """Return the share of names that are ids of genes, of at most 2,000 of them.

    Names without a name are not counted. Numbers that run on without a gap, as those
    of rows do, are no ids.
    """
    names = [clean_name(name) for name in names]
    if is_run(names):
        return 0.0
    return share_of(names, id_kind)


def is_run(names):
    """Whether three names or more are numbers that run on without a gap."""
    if len(names) < 3 or not all(name.isdecimal() for name in names):
        return False
    numbers = {int(name) for name in names}
    return len(numbers) == len(names) == max(numbers) - min(numbers) + 1


def share_of(names, kind):
    """Return the share of names that are of some kind, of names taken evenly."""
    step = max(1, -(-len(names) // _MAX_NAMES))
    taken = [name for name in names[::step] if not is_unnamed(name)]
    return sum(kind(name) is not None for name in taken) / len(taken) if taken else 0.0

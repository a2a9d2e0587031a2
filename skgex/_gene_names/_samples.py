"""Kinds of names of samples."""

import re

from ._clean import clean_name
from ._kinds import share_of
from ._symbols import known_symbols

_KINDS = {
    "TCGA barcode": r"TCGA[-._][A-Z0-9]{2}[-._][A-Z0-9]{4}(?:[-._].*)?",
    "TARGET barcode": r"TARGET[-._]\d\d[-._][A-Z0-9]{6}(?:[-._].*)?",
    "GTEx id": r"GTEX[-._][A-Z0-9]{4,5}(?:[-._].*)?",
    "GEO sample": r"GSM\d{3,}(?:[-._ ].*)?",
    "SRA run": r"[SED]R[RXS]\d{5,}(?:[-._ ].*)?",
    "BioSample": r"SAM(?:N|EA|D)\d{5,}",
    "DepMap id": r"ACH[-.]\d{6}",
    "CPTAC case": r"C3[LN][-.]\d{5}(?:[-._].*)?",
    "UUID": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
_KIND = re.compile(
    "|".join(f"(?P<k{i}>{pattern})" for i, pattern in enumerate(_KINDS.values())),
    re.ASCII,
)
_NAMES = dict(zip((f"k{i}" for i in range(len(_KINDS))), _KINDS, strict=True))
_WORDS = (
    *("s", "p", "n", "t", "c", "x", "v", "sample", "smp", "patient", "pat", "pt"),
    *("case", "ctrl", "control", "ctl", "con", "tumor", "tumour", "normal", "donor"),
    *("rep", "replicate", "subject", "subj", "array", "chip", "run", "lane", "well"),
    *("library", "lib", "cell", "mouse", "rat", "wt", "ko", "kd", "mut", "treated"),
    *("untreated", "treatment", "trt", "vehicle", "mock", "healthy", "disease"),
    *("primary", "metastasis", "met", "individual", "participant", "cohort"),
)
_NUMBERED = re.compile(
    rf"(?:(?:{'|'.join(_WORDS)})[ _.-]*\d+[a-z]?"  # S1, P-01, case 7
    r"|[a-z][a-z ]*_\d+"  # liver_3
    r"|.+[ _.-](?:rep|r|replicate|s|sample)[ _.-]?\d+)",  # KO_rep2
    re.IGNORECASE | re.ASCII,
)


def sample_kind(name):
    """Return what kind of name of a sample a name is.

    Parameters
    ----------
    name : object
        A name, mostly a string.

    Returns
    -------
    kind : str or None
        "TCGA barcode", "TARGET barcode", "GTEx id", "GEO sample", "SRA run",
        "BioSample", "DepMap id", "CPTAC case" or "UUID"; "numbered sample" for names
        such as S1 or ctrl_2, which say less. None for any other name, and for symbols
        of genes, such as WT1.
    """
    name = clean_name(name)
    if match := _KIND.fullmatch(name):
        return _NAMES[match.lastgroup]
    if _NUMBERED.fullmatch(name) and name not in known_symbols():
        return "numbered sample"
    return None


def share_of_samples(names):
    """Return the share of names that are those of samples, of at most 2,000."""
    return share_of(list(names), sample_kind)

"""Tables of one sample, as quantifiers write them: several quantities beside a gene."""

import re
from pathlib import Path

from .._selection import quoted
from ._column_words import normal

# Name of the quantifier: the names that tell it, and what is read of it by default.
_QUANTIFIERS = {
    "salmon": ({"name", "effectivelength", "tpm", "numreads"}, "NumReads"),
    "kallisto": ({"targetid", "efflength", "estcounts", "tpm"}, "est_counts"),
    "RSEM": ({"effectivelength", "expectedcount", "tpm", "fpkm"}, "expected_count"),
    "RSEM of TCGA": ({"geneid", "rawcount", "scaledestimate"}, "raw_count"),
    "STAR counts": ({"unstranded", "strandedfirst", "strandedsecond"}, "unstranded"),
    "StringTie": ({"coverage", "fpkm", "tpm"}, "TPM"),
    "Cufflinks": ({"trackingid", "coverage", "fpkm", "fpkmstatus"}, "FPKM"),
    "table of one GEO sample": ({"idref", "value"}, "VALUE"),
}
# Names of files that say nothing of the sample.
GENERIC_NAMES = frozenset(
    """
    quant abundance genes isoforms counts gene_abund ReadsPerGene t_data featureCounts
    """.split()
)
_QUANTITY = re.compile(
    r"(?:^|[ _.:-])(tpm|[fr]pkm|cpm|rpm|abundance|length|numreads"
    r"|(?:raw_|est_|expected_)?counts?)"
    r"(?:$|[ _.:-])",
    re.I,
)
ONE_SAMPLE = "table of one sample"
ONE_SAMPLE_FORMATS = frozenset([*_QUANTIFIERS, ONE_SAMPLE])
_QUANTITIES = frozenset(
    """
    tpm fpkm rpkm cpm numreads estcounts expectedcount rawcount rawcounts count counts
    readcount value unstranded strandedfirst strandedsecond tpmunstranded
    fpkmunstranded fpkmuqunstranded scaledestimate isopct coverage cov fpkmuq
    normalizedcount fpkmconflo fpkmconfhi detectionpvalue posteriormeancount
    posteriorstandarddeviationofcount pmetpm pmefpkm tpmcilowerbound tpmciupperbound
    fpkmcilowerbound fpkmciupperbound rpm
    """.split()
)


def quantities_of(names):
    """Return the quantities in names of samples, such as S1_TPM, if all have one."""
    found = [_QUANTITY.search(name) for name in names]
    return sorted({match[1].lower() for match in found}) if all(found) else []


def quantifier_of(columns):
    """Return the name of the quantifier that wrote a table of one sample, or None."""
    names = {normal(name) for name in columns.names}
    for quantifier, (marks, _) in _QUANTIFIERS.items():
        if marks <= names:
            return quantifier
    values = [normal(columns.names[i]) for i in columns.values]
    if all(value in _QUANTITIES for value in values):
        return ONE_SAMPLE
    return None


def keep_one_quantity(layout, quantifier, value_column, path):
    """Make one sample of the quantities of a table, named as its file.

    Parameters
    ----------
    layout : TextLayout
        Of the table; it is changed.
    quantifier : str or None
        Who wrote it.
    value_column : str or None
        The quantity to read. None takes counts where there are any.
    path : path-like
        The file.
    """
    columns = layout.columns
    names = columns.names
    if quantifier is None:
        raise ValueError(
            f"value_column={value_column!r} chooses among quantities of one sample, "
            f"but {path} is a table of several samples: use samples."
        )
    marks = _QUANTIFIERS.get(quantifier, (None, names[columns.values[0]]))
    wanted = value_column or marks[1]
    found = [i for i, name in enumerate(names) if normal(name) == normal(wanted)]
    if not found:
        raise ValueError(
            f"{path} has no value_column {wanted!r}, only "
            f"{quoted([names[i] for i in columns.values], 10)}."
        )
    others = [names[i] for i in columns.values if i != found[0]]
    columns.annotation = sorted({*columns.annotation, *columns.values} - {found[0]})
    columns.values = [found[0]]
    layout.samples = [sample_name(path)]
    layout.format = quantifier
    if others:
        layout.notes.append(
            f"{path} is one sample ({quantifier}): {names[found[0]]!r} is read, not "
            f"{quoted(others, 6)}; choose by value_column."
        )


def sample_name(path):
    """Return the name of the sample in a file: its own, or that of its folder."""
    path = Path(path)
    own = path.name.split(".")[0]
    if own != "ReadsPerGene":
        own = own.removesuffix("ReadsPerGene").rstrip("_-")
    return path.resolve().parent.name if own in GENERIC_NAMES else own

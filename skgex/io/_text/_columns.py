"""Which columns of a table hold values, and which say something about genes."""

import re
from dataclasses import dataclass, field

from ..._gene_names import clean_name, sample_kind
from .._selection import quoted
from ._cells import is_missing, is_number

# Names of columns, in small letters and without other signs, that are no samples.
_IDS = """
    gene geneid genes genename genesymbol symbol symbols hugosymbol hugo hgnc hgncsymbol
    hgncid ensembl ensemblid ensemblgeneid ensg ensgid entrez entrezid entrezgeneid
    entrezgene ncbigeneid ncbigene geneids idref id name names probe probeid probesetid
    probeset targetid featureid feature features transcript transcriptid transcriptids
    transcriptname refseq refseqid unigene unigeneid uniprot accession trackingid
    compositeelementref externalgenename geneshortname generef refgene spotid rowname
    rownames rid clid uid orf locustag genbank gbacc
"""
_ABOUT_GENES = """
    length genelength transcriptlength efflength effectivelength width size exonlength
    chr chrom chromosome seqname seqnames contig start end stop strand position pos
    txstart txend genestart geneend chromstart chromend locus location cytoband band
    map maplocation biotype genebiotype genetype type transcripttype transcriptbiotype
    description genedescription desc definition title genetitle product source feature
    gccontent pergc gweight gorder exoncount nexons exons classcode nearestrefid
    tssid status havanagene taxid species alias aliases synonyms note notes annotation
    basemean lfcse stat avgexpr aveexpr logcpm qvalue bonferroni coverage
"""
_ABOUT_SAMPLES = """
    age sex gender stage grade status batch os ostime osevent osmonths osstatus dfs
    pfs rfs event time survival cancertype tumortype tissue histology diagnosis group
    subtype race ethnicity center platform label class condition treatment bmi
    purity ploidy days daystodeath height weight smoking
"""
# Of all samples in one, as spreadsheets add; the second ones are names of samples too.
_SUMMARIES = """
    total totals grandtotal sum rowsum rowsums rowtotal mean rowmean rowmeans average
    avg median rowmedian stdev stddev std variance
"""
_SUMMARY = re.compile(
    rf"(?:{'|'.join(_SUMMARIES.split())})"
    r"|(?:mean|median|average|avg)(?:expr|expression|tpm|fpkm|rpkm|cpm|counts?)"
)
_BESIDE_SUMMARIES = "sd se sem cv var min max"
# Of tests, beside a fold change.
_BESIDE_FOLD_CHANGES = "t b f lr pct1 pct2 cluster"
_FOLD_CHANGE = re.compile(r"(?:log|log2|ln)fc$|foldchange$")
# Of names that begin or end in those of samples, or of other columns.
_PARTS = re.compile(
    r"entrez|ensembl|hugo|hgnc|ncbigene|geneids?$|genename|genesymbol|genelength"
    r"|^(?:gene|transcript|exonic?|tx|cds|eff|effective|median)?length(?:in)?(?:bp|kb)?$"
    r"|pvalue|pval(?:adj)?$|padj$|adjp$|fdr$|conf(?:lo|hi)$|detection$|abscall$"
    r"|nbeads$|beadstd(?:err|ev)$"
)
_IDS_OF_SAMPLES = """
    sample samples sampleid sampleids samplename patient patientid patients barcode
    barcodes case caseid subject subjectid cellline celllinename depmapid modelid
    broadid submitterid bcrpatientbarcode individual individualid participant
    participantid geoaccession run runid array arrayid
"""
_NORMAL = re.compile(r"[^a-z0-9]")
IDS, _GENES, _SAMPLES, IDS_OF_SAMPLES = (
    frozenset(text.split())
    for text in (_IDS, _ABOUT_GENES, _ABOUT_SAMPLES, _IDS_OF_SAMPLES)
)
_NUMBERS_OF_ROWS = {"", "index", "row", "rownumber", "rowid"}
_FIRST_NUMBERS_OF_ROWS = {*_NUMBERS_OF_ROWS, "x", "x1", "1", "no", "nr", "idx"}


def normal(name):
    """Return a name of a column in small letters, without other signs."""
    if name.startswith("Unnamed: "):
        return ""
    return _NORMAL.sub("", name.lower())


def names_ids(name):
    """Tell whether a column of this name has ids of genes, or describes them."""
    if "|" in name:
        return False  # two ids of a gene
    name = normal(name)
    describes = name in IDS or name in _GENES or _PARTS.search(name)
    return bool(describes or _FOLD_CHANGE.search(name))


def names_lines(name):
    """Tell whether a column of this name has ids of genes or of samples."""
    return names_ids(name) or normal(name) in IDS_OF_SAMPLES


def says_of_samples(name):
    """Tell whether a column of this name describes samples."""
    return normal(name) in _SAMPLES


def sums_up(name):
    """Tell whether a name is that of a sum or a mean over samples, or over genes."""
    return _SUMMARY.fullmatch(normal(name)) is not None


@dataclass
class Columns:
    """The columns of a table by what they hold.

    Attributes
    ----------
    names : list of str
        Of all columns.
    id : int
        The column that names the lines.
    values : list of int
        The columns with values.
    annotation : list of int
        Other columns, about what is in the lines.
    guessed : list of str
        Those of them that were taken for annotation since they hold text.
    summaries : list of str
        Those of them that sum up the others.
    """

    names: list
    id: int
    values: list
    annotation: list
    guessed: list = field(default_factory=list)
    summaries: list = field(default_factory=list)


def find_columns(names, rows, path, *, id_column=None, decimal="."):
    """Find out what the columns of a table hold.

    Parameters
    ----------
    names : list of str
        Names of all columns.
    rows : list of list of str
        Some of its lines.
    path : path-like
        For messages.
    id_column : str, default=None
        The column that names the lines. None finds one.
    decimal : {".", ","}, default="."
        Decimal mark of the numbers.

    Returns
    -------
    columns : Columns
        What each column holds.
    """
    names = [clean_name(name) for name in names]
    cells = list(zip(*rows, strict=True))
    text = [_is_text(column, decimal) for column in cells]
    if id_column is None:
        id_place = _find_id(names, cells, text)
    else:
        id_place = _place(names, id_column, path)
    summaries = _summaries(names)
    values, annotation, guessed = [], [], []
    for place, name in enumerate(names):
        if place == id_place:
            continue
        before_id = place < id_place and (id_place == 1 or _counts(cells[place]))
        if before_id or name in summaries or _is_annotation(name, cells[place]):
            annotation.append(place)
        elif text[place] and not (values and sample_kind(name)):
            annotation.append(place)
            guessed.append(name)
        elif not name:
            _refuse_unnamed(place, cells[place], path)
        else:
            values.append(place)
    if not values:
        raise ValueError(
            f"{path}: no column has values of samples. Beside the names there are "
            f"{quoted([names[i] for i in annotation], 8) or 'none'}, which "
            "describe genes or samples. Give a table of expression."
        )
    _refuse_long(names, id_place, values, annotation, text, path)
    return Columns(names, id_place, values, annotation, guessed, sorted(summaries))


def _refuse_long(names, id_place, values, annotation, text, path):
    """Refuse tables with a line for each gene and sample."""
    if len(values) > 1 or not names_ids(names[id_place]):
        return
    of_samples = IDS_OF_SAMPLES | {"cell", "cells", "library"}
    for place in annotation:
        if text[place] and normal(names[place]) in of_samples:
            raise ValueError(
                f"{path} has a line for each gene and each {names[place]!r}: turn it "
                f"into a table with pandas.DataFrame.pivot(index={names[place]!r}, "
                f"columns={names[id_place]!r}, values={names[values[0]]!r})."
            )


def _summaries(names):
    """Return the names of columns that sum up the samples."""
    found = {name for name in names if sums_up(name)}
    if found:
        found |= {name for name in names if normal(name) in _BESIDE_SUMMARIES.split()}
    if any(_FOLD_CHANGE.search(normal(name)) for name in names):
        beside = _BESIDE_FOLD_CHANGES.split()
        found |= {name for name in names if normal(name) in beside}
    return found


def _is_annotation(name, column):
    if names_ids(name) or says_of_samples(name):
        return True
    numbers = bool(name) and normal(name) in _NUMBERS_OF_ROWS
    return numbers and len(column) > 1 and _counts(column)


def _counts(column):
    """Tell whether a column may number lines, of which some may be left out."""
    cells = [cell.strip() for cell in column]
    if not all(cell.isdecimal() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers == sorted(set(numbers))


def _is_text(column, decimal):
    measured = [cell for cell in column if not is_missing(cell)]
    n_text = sum(not is_number(cell, decimal) for cell in measured)
    return n_text * 2 > len(measured)


def _place(names, id_column, path):
    if id_column in names:
        return names.index(id_column)
    raise ValueError(
        f"{path} has no column {id_column!r} with names, only {quoted(names, 8)}."
    )


def _find_id(names, cells, text):
    """Return the first column that does not only number the lines."""
    place = 0
    while place + 2 < len(names) and _only_counts(names, cells, place):
        place += 1
    return place if text[place] else 0


def _only_counts(names, cells, place):
    after = names[place + 1]
    if not _counts(cells[place]) or says_of_samples(after):
        return False
    name, ids_follow = normal(names[place]), normal(after) in IDS
    numbers = [int(cell) for cell in cells[place]]
    if numbers[0] in (0, 1) and numbers[-1] - numbers[0] == len(numbers) - 1:
        return ids_follow or name in _FIRST_NUMBERS_OF_ROWS
    return ids_follow and name in _NUMBERS_OF_ROWS


def _refuse_unnamed(place, column, path):
    raise ValueError(
        f"{path}: column {place + 1} has no name above its values {quoted(column)}. "
        "Name each sample in the header; if lines end in an extra tab, remove it."
    )

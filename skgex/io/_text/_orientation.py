"""Whether the lines of a table are genes or samples."""

from ..._gene_names import id_kind, is_run, sample_kind
from .._selection import quoted
from ._column_words import IDS, IDS_OF_SAMPLES, normal

GENES, SAMPLES = "genes_in_rows", "samples_in_rows"
_MAX_NAMES = 500
# Numbers may be those of patients.
_UNSURE = {"Entrez"}
# What stands above names of either. UCSC Xena has "sample" above the names of genes.
_UNSURE_CORNERS = {"", "id", "name", "names", "x", "uid", "rowname", "rownames"}
_UNSURE_CORNERS |= {"sample", "samples"}
_SURE, _LIKELY, _TIMES_LONGER = 0.75, 0.25, 3


def evidence(lines, columns, corner="", n_about_genes=0, n_about_samples=0):
    """Return how much speaks for genes in lines, from -3 to 3, by names alone.

    Parameters
    ----------
    lines, columns : sequence of str
        Names of the lines and of the columns with values.
    corner : str
        Name above the names of the lines.
    n_about_genes, n_about_samples : int
        Number of columns that describe what is in the lines.
    """
    found = _like_genes(lines) - _like_samples(lines)
    found += _like_samples(columns) - _like_genes(columns)
    corner = normal(corner)
    if corner in IDS_OF_SAMPLES - _UNSURE_CORNERS:
        found -= 0.5
    elif n_about_genes or corner in IDS - _UNSURE_CORNERS:
        found += 0.5
    if n_about_samples and not n_about_genes:
        found -= 0.5
    return found


def find_orientation(found, lines, columns, path):
    """Tell from the evidence, or from the shape, what stands in the lines.

    Returns
    -------
    orient : {"genes_in_rows", "samples_in_rows"}
        What was found.
    guessed : bool
        Whether only the shape tells so.
    """
    if abs(found) >= _LIKELY:
        return (GENES if found > 0 else SAMPLES), False
    n_lines, n_columns = len(lines), len(columns)
    if n_lines >= _TIMES_LONGER * n_columns:
        return GENES, True
    if n_columns >= _TIMES_LONGER * n_lines:
        return SAMPLES, True
    raise ValueError(
        f"{path}: it cannot be told whether its {n_lines:,d} lines are genes or "
        f"samples ({quoted(lines)} beside {quoted(columns)}). Pass orient={GENES!r} or "
        f"orient={SAMPLES!r}."
    )


def refuse_samples_in_lines(found, lines, columns, path):
    """Refuse a table that surely has samples where this reader takes genes."""
    if found <= -_SURE:
        raise ValueError(
            f"{path} has samples in its lines ({quoted(lines)}) and genes in its "
            f"columns ({quoted(columns)}), but a gene in each line was expected. Read "
            "it with read_expression, which takes both."
        )


def _taken(names):
    return names[:: max(1, -(-len(names) // _MAX_NAMES))]


def _like_genes(names):
    if is_run(names):
        return 0  # the numbers of lines, rather than ids
    kinds = [id_kind(name) for name in _taken(names)]
    weights = [0 if k is None else 0.5 if k in _UNSURE else 1 for k in kinds]
    return sum(weights) / max(1, len(weights))


def _like_samples(names):
    kinds = [sample_kind(name) for name in _taken(names)]
    weights = [
        0 if k is None else 0.5 if k.startswith("numbered") else 1 for k in kinds
    ]
    return sum(weights) / max(1, len(weights))

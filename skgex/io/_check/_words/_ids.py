"""What is said about kinds of gene ids."""

from .._finding import Finding, about
from ._counted import counted, percent, quoted


def versions(names):
    """Tell of Ensembl ids with a version."""
    return about(
        "versions",
        "note",
        f"{counted(len(names), 'Ensembl id')} with a version, such as "
        f"{str(names[0])!r}.",
        "Other tables may have other versions: GeneAligner compares without them.",
        names,
    )


def par_y(names):
    """Tell of copies of genes on the Y chromosome."""
    return about(
        "par_y",
        "note",
        f"{counted(len(names), 'id ends', 'ids end')} in _PAR_Y: copies on the Y "
        "chromosome of genes that stand in the table too.",
        "They are nearly always zero. Keep them apart, or leave them out.",
        names,
    )


def mixed_ids(shares):
    """Tell of several kinds of ids in one table: share of each by kind."""
    parts = [f"{percent(share)} {kind}" for kind, share in shares.items()]
    return Finding(
        "mixed_ids",
        "note" if max(shares.values()) >= 0.9 else "warning",
        f"The names of genes are of several kinds: {', '.join(parts)}.",
        "Translate them to one kind, as with GeneAligner(mapping=...), so that no gene "
        "stands in two columns.",
    )


def double_names(names):
    """Tell of names that hold a symbol and an id."""
    return about(
        "double_names",
        "note",
        f"{counted(len(names), 'name holds', 'names hold')} a symbol and an id, such "
        f"as {str(names[0])!r}.",
        "Other tables may have one of them only: GeneAligner compares both.",
        names,
    )


def transcripts(names):
    """Tell of transcripts in the place of genes."""
    return about(
        "transcripts",
        "warning",
        f"{counted(len(names), 'column is a transcript', 'columns are transcripts')}, "
        f"not genes: {quoted(names)}.",
        "Add up the transcripts of each gene, as tximport does.",
        names,
    )


def coverage(n_found, n_wanted, absent):
    """Tell how many genes of a model a table has."""
    share = n_found / n_wanted
    severity = "note" if share >= 0.8 else "warning" if share >= 0.5 else "error"
    remedy = ""
    if absent:
        remedy = f"Absent are {quoted(absent)}."
        remedy += (
            " Check the kind of ids and GeneAligner(mapping=...)."
            if severity == "error"
            else " GeneAligner makes them NaN, not measured."
        )
    return Finding(
        "coverage",
        severity,
        f"{n_found:,d} of {n_wanted:,d} genes of the model were found "
        f"({percent(share)}).",
        remedy,
        tuple(str(name) for name in absent),
        len(absent),
    )


def no_coverage(error):
    """Tell why names cannot be matched to the genes of a model."""
    return Finding(
        "coverage",
        "error",
        f"The genes of the model cannot be told among the names. {error}",
    )

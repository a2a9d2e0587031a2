"""What is said about the names of genes and columns that are none."""

from ...._gene_names import r_names, spreadsheet_symbols
from .._finding import Finding, about
from ._counted import counted, quoted, said


def summary_rows(names):
    """Tell of lines of HTSeq or STAR about reads, not genes."""
    return about(
        "summary_rows",
        "error",
        f"{counted(len(names), 'gene is a sum', 'genes are sums')} that a counting "
        f"program wrote: {quoted(names)}.",
        "Leave them out, as they are no genes, and change totals and logarithms of "
        "counts per million.",
        names,
    )


def annotation(names):
    """Tell of columns such as Length or Entrez ids: numbers, but no expression."""
    return about(
        "annotation",
        "error",
        f"{counted(len(names), 'column is', 'columns are')} no expression, by name: "
        f"{quoted(names)}.",
        "Leave what describes genes or patients out of X.",
        names,
    )


def not_numbers(names):
    """Tell of columns of text."""
    return about(
        "not_numbers",
        "error",
        f"{counted(len(names), 'column is', 'columns are')} not numeric: "
        f"{quoted(names)}.",
        "Drop what is no expression, and turn text to numbers with pandas.to_numeric.",
        names,
    )


def unnamed(n, column=""):
    """Tell of genes without a name; `column` is where it was looked for."""
    place = f" in column {column!r}" if column else ""
    return Finding(
        "unnamed",
        "warning",
        f"{counted(n, 'gene has', 'genes have')} no name{place}.",
        "Such genes cannot be matched, and must not be merged into one: leave them "
        "out, or name them by another id.",
        n=n,
    )


def spreadsheet_dates(names):
    """Tell of symbols that became dates."""
    what = counted(len(names), "gene name became a date", "gene names became dates")
    return about(
        "spreadsheet_dates",
        "warning",
        f"{what} in a spreadsheet: {said(names, spreadsheet_symbols)}.",
        "Take the names from the file before it was opened there, as two symbols may "
        "have become one date.",
        names,
    )


def scientific_ids(names):
    """Tell of ids such as 2310009E13 that became numbers."""
    return about(
        "scientific_ids",
        "warning",
        f"{counted(len(names), 'gene id')} became numbers in a spreadsheet: "
        f"{quoted(names)}.",
        "Take the names from the file before it was opened there.",
        names,
    )


def float_ids(names):
    """Tell of ids such as 7157.0."""
    return about(
        "float_ids",
        "warning",
        f"{counted(len(names), 'id was', 'ids were')} written with a decimal point: "
        f"{quoted(names)}.",
        "Other tables don't match: take the point and the zero off.",
        names,
    )


def r_mangled(names):
    """Tell of names that R made syntactic."""
    return about(
        "r_mangled",
        "warning",
        f"{counted(len(names), 'gene name was', 'gene names were')} changed by R: "
        f"{said(names, r_names)}.",
        "Read the table with check.names=FALSE in R, or rename the columns.",
        names,
    )


def names_with_spaces(names):
    """Tell of names with white space, quotes or invisible characters around them."""
    return about(
        "names_with_spaces",
        "warning",
        f"{counted(len(names), 'name has', 'names have')} spaces, quotes or invisible "
        f"characters around: {quoted(names)}.",
        "Other tables don't match: take them off, as by X.columns.str.strip().",
        names,
    )


def duplicated_genes(names):
    """Tell of names that stand above several columns."""
    return about(
        "duplicated_genes",
        "error",
        f"{counted(len(names), 'gene name stands', 'gene names stand')} above several "
        f"columns: {quoted(names)}.",
        "Estimators need distinct names. Merge them, as by "
        "X.T.groupby(level=0).sum().T for counts, or .mean() for logarithms.",
        names,
    )


def same_genes(groups):
    """Tell of names that differ, of one gene: groups of them."""
    names = [name for group in groups for name in group]
    pairs = " and ".join(repr(str(name)) for name in groups[0])
    return Finding(
        "same_genes",
        "warning",
        f"{counted(len(groups), 'gene has', 'genes have')} several columns, whose "
        f"names differ only in their form, such as {pairs}.",
        "Merge them with GeneAligner, or keep one of each.",
        tuple(str(name) for name in names),
        len(groups),
    )


def transposed():
    """Tell that names of samples stand above the columns, of genes beside the rows."""
    return Finding(
        "transposed",
        "error",
        "Rows look like genes and columns like samples.",
        "Samples have to stand in rows: transpose the table, X.T.",
    )


def transposed_by_shape(n_rows, n_columns):
    """Tell that a table is much longer than wide, with names that say nothing."""
    return Finding(
        "transposed_by_shape",
        "note",
        f"There are {n_rows:,d} rows and only {n_columns:,d} columns, and the names do "
        "not tell which are genes.",
        "If rows are genes, transpose the table, X.T.",
    )

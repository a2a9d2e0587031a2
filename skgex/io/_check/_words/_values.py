"""What is said about values: infinite, constant, missing."""

from .._finding import Finding, about
from ._counted import counted, percent, quoted
from ._genes import not_numbers


def infinite(gene, sample, n=1):
    """Tell of infinite values; gene and sample of the first."""
    return Finding(
        "infinite",
        "error",
        f"{counted(n, 'value is', 'values are')} infinite; the first is that of gene "
        f"{str(gene)!r} in sample {str(sample)!r}.",
        "Mark values that were not measured as NaN, and take logarithms of x + 1 "
        "rather than of x.",
        (str(gene),),
        n,
    )


def constant_genes(names):
    """Tell of genes with one value in all samples, other than zero."""
    return about(
        "constant_genes",
        "warning",
        f"{counted(len(names), 'gene has', 'genes have')} the same value in all "
        f"samples: {quoted(names)}.",
        "They tell no samples apart: leave them out unless a model asks for them.",
        names,
    )


def zero_genes(names):
    """Tell of genes that no sample expresses."""
    return about(
        "zero_genes",
        "note",
        f"{counted(len(names), 'gene is', 'genes are')} at the lowest value in all "
        f"samples, not expressed: {quoted(names)}.",
        "They tell no samples apart: leave them out unless a model asks for them.",
        names,
    )


def empty_genes(names):
    """Tell of genes that are missing in all samples."""
    return about(
        "empty_genes",
        "warning",
        f"{counted(len(names), 'gene is', 'genes are')} missing in all samples: "
        f"{quoted(names)}.",
        "Drop them: X.dropna(axis=1, how='all').",
        names,
    )


def marked_missing(mark, gene, sample, n):
    """Tell of a number that stands for missing values; gene and sample of the first."""
    return Finding(
        "marked_missing",
        "error",
        f"{counted(n, 'value is', 'values are')} {mark:g}, far below all others: it "
        f"seems to mark what is missing. The first is that of gene {str(gene)!r} in "
        f"sample {str(sample)!r}.",
        f"Write NaN in its place: X.mask(X == {mark:g}).",
        (str(gene),),
        n,
    )


def missing_values(share, genes):
    """Tell of the share of values that are missing, and the genes that have any."""
    return about(
        "missing_values",
        "note",
        f"Of the values {percent(share)} are missing, in "
        f"{counted(len(genes), 'gene')}.",
        "Embedders take NaN as not measured; GexImputer fills them in.",
        genes,
    )


def missing_blocks(groups, names, exact=True):
    """Tell of groups of samples that lack the same genes, and their sizes."""
    about_so_many = "" if exact else "about "
    parts = [
        f"{counted(n_samples, 'sample')} lack {about_so_many}{counted(n_genes, 'gene')}"
        for n_samples, n_genes in groups[:3]
    ]
    more = f" and {len(groups) - 3} more" if len(groups) > 3 else ""
    return Finding(
        "missing_blocks",
        "warning",
        f"Values are missing in blocks: {', '.join(parts)}{more}.",
        "Tables of several platforms seem to be merged: check that their units are the "
        "same, and keep them apart in cross-validation.",
        tuple(str(name) for name in names),
        len(groups),
    )


def zeros_for_missing(genes, n_samples):
    """Tell of genes that are zero in a block of samples and high in all others."""
    return about(
        "zeros_for_missing",
        "warning",
        f"{counted(len(genes), 'gene is', 'genes are')} zero in the same "
        f"{counted(n_samples, 'sample')} and high in all others: {quoted(genes)}.",
        "They were probably not measured there: write NaN in the place of 0.",
        genes,
    )


__all__ = [
    "constant_genes",
    "empty_genes",
    "infinite",
    "marked_missing",
    "missing_blocks",
    "missing_values",
    "not_numbers",
    "zero_genes",
    "zeros_for_missing",
]

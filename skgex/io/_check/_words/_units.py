"""What is said about units."""

from .._finding import Finding, about
from ._counted import counted, quoted

# What to do next with values of each unit.
_NEXT = {
    "counts": "Take logarithms with LogCPM before most models.",
    "TPM or CPM": "Take logarithms before most models, as with log2(x + 1).",
    "logarithms": "",
    "z-scores": "Weights that were trained on logarithms do not fit them.",
    "unknown": "Say what the values are where they came from.",
}


def unit(name, detail):
    """Tell of the unit that values seem to have."""
    return Finding("unit", "note", detail, _NEXT[name])


def logged_twice(largest, sure):
    """Tell of a logarithm of logarithms."""
    how = "are" if sure else "look like"
    return Finding(
        "logged_twice",
        "error",
        f"Values {how} logarithms of logarithms: none is above {largest:.3g}.",
        "Undo the second one: 2**X - 1 if it was log2(x + 1), numpy.expm1(X) if it was "
        "log1p.",
    )


def mixed_units(names, others):
    """Tell that some samples are logarithms, others are not."""
    return about(
        "mixed_units",
        "error",
        f"{counted(len(names), 'sample has', 'samples have')} another unit than the "
        f"others, {others}: {quoted(names)}.",
        "Bring all samples to one unit, as by log2(x + 1) of those that are not "
        "logarithms.",
        names,
    )


def odd_columns(names):
    """Tell of columns that are far larger than all others."""
    return about(
        "odd_columns",
        "error",
        f"{counted(len(names), 'column is', 'columns are')} far larger than all "
        f"others, which look like logarithms: {quoted(names)}.",
        "They are probably no expression, such as lengths or ids: leave them out.",
        names,
    )


def odd_scale(names):
    """Tell of samples whose logarithms may have another base."""
    return about(
        "odd_scale",
        "warning",
        f"{counted(len(names), 'sample has', 'samples have')} values on another scale "
        f"than the others: {quoted(names)}.",
        "Check whether their logarithms are to another base.",
        names,
    )


def negative_counts(gene, sample, n):
    """Tell of whole numbers, some below zero."""
    return Finding(
        "negative_counts",
        "error",
        f"Values are whole numbers like counts, but {n:,d} of them below zero; the "
        f"first is that of gene {str(gene)!r} in sample {str(sample)!r}.",
        "Counts are zero or more: check for a code for missing values, or a number "
        "that overflowed.",
        (str(gene),),
        n,
    )


def beta_values():
    """Tell of shares between 0 and 1 with two peaks."""
    return Finding(
        "beta_values",
        "warning",
        "All values are between 0 and 1, as methylation (beta values) is, not "
        "expression.",
        "Check that this is the table of expression.",
    )


def same_distribution():
    """Tell that each sample has the same values in another order."""
    return Finding(
        "same_distribution",
        "note",
        "All samples have the same values in another order: ranks, or quantile "
        "normalisation over the whole table.",
        "If it was done before the split, the test samples took part in it.",
    )


def unscaled_logarithms():
    """Tell of logarithms of counts, not divided by the size of the library."""
    return Finding(
        "unscaled_logarithms",
        "warning",
        "Values are logarithms of whole counts, not scaled to the depth of sequencing.",
        "Go back to counts, 2**X - 1, and take LogCPM.",
    )

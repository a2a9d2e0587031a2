"""What is said about samples."""

from .._finding import Finding, about
from ._counted import counted, quoted


def duplicated_samples(names):
    """Tell of names that several samples have."""
    return about(
        "duplicated_samples",
        "error",
        f"{counted(len(names), 'sample name stands', 'sample names stand')} beside "
        f"several rows: {quoted(names)}.",
        "Give each sample a name of its own, and check whether one was read twice.",
        names,
    )


def annotation_rows(names):
    """Tell of rows that are no samples, such as Entrez ids or lengths."""
    return about(
        "annotation_rows",
        "error",
        f"{counted(len(names), 'row is', 'rows are')} no sample, by name: "
        f"{quoted(names)}.",
        "Leave what describes genes out of X: X.drop(index=...).",
        names,
    )


def equal_samples(groups):
    """Tell of groups of samples with the same values."""
    return _alike(
        "equal_samples",
        "warning",
        groups,
        "with exactly the same values",
        "One sample was probably read twice: keep one of each, or training and test "
        "share samples.",
    )


def nearly_equal_samples(groups, n_samples):
    """Tell of groups among so many samples with nearly the same values."""
    # Where most samples are repeated, it was planned so.
    planned = sum(map(len, groups)) > n_samples / 4
    return _alike(
        "nearly_equal_samples",
        "note" if planned else "warning",
        groups,
        "with nearly the same values",
        "They may be repeated measurements of one sample: keep them together in "
        "cross-validation, by groups.",
    )


def same_patients(n_patients, names, example):
    """Tell of several samples of one patient, by TCGA barcodes."""
    return about(
        "same_patients",
        "note",
        f"{counted(n_patients, 'patient has', 'patients have')} several samples, such "
        f"as {' and '.join(repr(str(name)) for name in example)}.",
        "Split by patient: groups=X.index.str[:12].",
        names,
    )


def normal_samples(names, n_tumours):
    """Tell of normal tissue among tumours, by TCGA barcodes."""
    return about(
        "normal_samples",
        "note",
        f"{counted(len(names), 'sample is', 'samples are')} normal tissue, beside "
        f"{counted(n_tumours, 'tumour')}: {quoted(names)}.",
        "Leave normal tissue out of survival models: its patient may stand twice.",
        names,
    )


def empty_samples(names):
    """Tell of samples without a measured gene."""
    return about(
        "empty_samples",
        "error",
        f"{counted(len(names), 'sample has', 'samples have')} no value at all: "
        f"{quoted(names)}.",
        "Drop them: X.dropna(how='all').",
        names,
    )


def zero_samples(names):
    """Tell of samples that are zero in all genes."""
    return about(
        "zero_samples",
        "error",
        f"{counted(len(names), 'sample is', 'samples are')} zero in all genes: "
        f"{quoted(names)}.",
        "Drop them: nothing was measured.",
        names,
    )


def odd_profiles(names):
    """Tell of samples that are less like any other than all others are."""
    return about(
        "odd_profiles",
        "warning",
        f"{counted(len(names), 'sample is', 'samples are')} unlike all others, by "
        f"correlation: {quoted(names)}.",
        "Check tissue, quality and the order of genes of these samples.",
        names,
    )


def odd_totals(names):
    """Tell of samples whose total is far from those of the others."""
    return about(
        "odd_totals",
        "warning",
        f"{counted(len(names), 'sample has a total', 'samples have totals')} far from "
        f"those of the others: {quoted(names)}.",
        "Check their depth of sequencing and their unit.",
        names,
    )


def odd_zeros(names):
    """Tell of samples in which far fewer genes are expressed than in the others."""
    return about(
        "odd_zeros",
        "warning",
        f"{counted(len(names), 'sample has', 'samples have')} far more genes at zero, "
        f"or at the lowest value, than the others: {quoted(names)}.",
        "Check whether they failed, or zero stands for missing there.",
        names,
    )


def odd_missing(names):
    """Tell of samples of which most is missing, where others are complete."""
    return about(
        "odd_missing",
        "warning",
        f"{counted(len(names), 'sample lacks', 'samples lack')} more than half of the "
        f"genes, where the others are nearly complete: {quoted(names)}.",
        "Check whether the file was cut off, or leave them out.",
        names,
    )


def _alike(code, severity, groups, how, remedy):
    names = [str(name) for group in groups for name in group]
    first = ", ".join(repr(str(name)) for name in list(groups[0])[:4])
    n = len(names)
    what = f"{n:,d} samples in {counted(len(groups), 'group')} {how}, such as {first}."
    return Finding(code, severity, what, remedy, tuple(names), n)

"""Genes that are constant, infinite or missing, and blocks of them."""

import numpy as np

from . import _words as words
from ._blocks import blocks
from ._marks import mark_among

_MIN_GENES_OF_ZEROS = 20
_MIN_SAMPLES_OF_ZEROS = 20


def value_findings(table, measures, unit):
    """Return what is odd about the values of genes.

    Parameters
    ----------
    table : Table
        The table.
    measures : Measures
        What was measured of it.
    unit : Unit
        Its unit.

    Returns
    -------
    findings : list of Finding
        What was found.
    """
    found = []
    if measures.n_infinite:
        sample, gene = measures.first_infinite
        found.append(
            words.infinite(
                table.genes[gene], table.samples[sample], measures.n_infinite
            )
        )
    lowest = np.fmin.reduce(measures.low) if len(measures.low) else np.nan
    mark = mark_among(table.blocks, lowest, table.genes, table.samples)
    if mark:
        found.append(mark)
    if unit.name == "counts" and measures.n_negative:
        sample, gene = measures.first_negative
        found.append(
            words.negative_counts(
                table.genes[gene], table.samples[sample], measures.n_negative
            )
        )
    return [*found, *_unvarying(table, measures)]


def _unvarying(table, measures):
    n_samples = table.shape[0]
    empty = measures.missing == n_samples
    # Of two samples some genes have the same by chance.
    constant = (measures.low == measures.high) & ~empty & (n_samples > 2)
    lowest = np.fmin.reduce(measures.low)
    # A value that several genes have as their least one is that of no expression.
    has_floor = (measures.low == lowest).sum() > 1
    floor = constant & ((measures.low == 0) | (has_floor & (measures.low == lowest)))
    for word, mask in (
        (words.empty_genes, empty),
        (words.constant_genes, constant & ~floor),
        (words.zero_genes, floor),
    ):
        if mask.any():
            yield word([table.genes[i] for i in np.flatnonzero(mask)])


def missing_findings(table, measures, missing):
    """Return how much is missing, and whether in blocks.

    Parameters
    ----------
    table : Table
        The table.
    measures : Measures
        What was measured of it.
    missing : tuple of ndarray, ndarray and float
        Genes with some missing values, where these are, and for how many genes each
        of them stands.
    """
    n_samples, n_genes = table.shape
    total = measures.missing.sum()
    if not total:
        return []
    genes = [table.genes[i] for i in np.flatnonzero(measures.missing)]
    found = [words.missing_values(total / (n_samples * n_genes), genes)]
    chosen, mask, share = missing
    groups = _large(blocks(mask), max(10, 0.02 * n_genes) / share, n_samples)
    if groups:
        sizes = [(len(samples), round(len(g) * share)) for g, samples in groups]
        names = [table.genes[i] for i in chosen[groups[0][0]]]
        found.append(words.missing_blocks(sizes, names, exact=share == 1))
    return found


def zero_findings(table, zero):
    """Return whether zeros stand for missing values.

    Parameters
    ----------
    table : Table
        The table.
    zero : tuple of ndarray, ndarray and float
        Genes that are zero or high, where they are zero, and for how many genes each
        of them stands.
    """
    if table.shape[0] < _MIN_SAMPLES_OF_ZEROS:
        return []
    genes, mask, share = zero
    least = max(_MIN_GENES_OF_ZEROS, 0.005 * table.shape[1]) / share
    groups = _large(blocks(mask), least, table.shape[0])
    if not groups:
        return []
    place, samples = groups[0]
    names = [table.genes[i] for i in genes[place]]
    return [words.zeros_for_missing(names, len(samples))]


def _large(groups, least_genes, n_samples):
    # Two or three arrays may have failed in the same way.
    least = max(3, min(10, 0.03 * n_samples)) if n_samples >= 10 else 2
    return [
        (genes, samples)
        for genes, samples in groups
        if len(genes) >= least_genes and least <= len(samples) <= n_samples - least
    ]

"""Samples that are odd by their totals, zeros and missing values."""

import numpy as np

from . import _words as words

_MIN_SAMPLES = 8


def row_findings(table, measures, unit):
    """Return what is odd about single samples.

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
    n_genes = table.shape[1]
    empty = measures.row_missing == n_genes
    zero = ~empty & (measures.row_zeros + measures.row_missing == n_genes)
    odd = [
        (words.empty_samples, empty),
        (words.zero_samples, zero),
        (words.odd_missing, _mostly_missing(measures, n_genes) & ~empty),
    ]
    rest = ~empty & ~zero
    if rest.sum() >= _MIN_SAMPLES and n_genes >= 50:
        if unit.linear:
            odd.append((words.odd_totals, _odd_totals(measures, rest)))
        odd.append((words.odd_zeros, odd_zeros(measures, n_genes)))
    return [
        word([table.samples[i] for i in np.flatnonzero(mask)])
        for word, mask in odd
        if mask.any()
    ]


def usable_rows(measures, n_genes):
    """Tell which samples have values enough to be compared."""
    few = 20
    used = n_genes - measures.row_zeros - measures.row_missing
    varied = (used >= few) & (measures.row_low < measures.row_high)
    return varied & ~odd_zeros(measures, n_genes)


def _mostly_missing(measures, n_genes):
    share = measures.row_missing / n_genes
    if np.median(share) >= 0.1:
        return np.zeros(len(share), dtype=bool)
    return share > 0.5


def _odd_totals(measures, rest):
    """Tell which totals differ by more than 10 times, and from nearly all others."""
    odd = np.zeros(len(rest), dtype=bool)
    totals = measures.row_sum[rest]
    if not (totals > 0).all():
        return odd
    odd[rest] = _far(np.log10(totals), least=1.0, times=6)
    return odd


def odd_zeros(measures, n_genes):
    """Tell in which samples far more genes are zero than in nearly all others."""
    rest = measures.row_zeros + measures.row_missing < n_genes
    odd = np.zeros(len(rest), dtype=bool)
    if rest.sum() < _MIN_SAMPLES:
        return odd
    measured = np.maximum(n_genes - measures.row_missing, 1)
    share = (measures.row_zeros / measured)[rest]
    odd[rest] = _far(share, least=0.3, times=8) & (share > np.median(share))
    return odd


def _far(values, least, times):
    gap = np.abs(values - np.median(values))
    far = gap > max(least, times * 1.4826 * np.median(gap))
    # Where many are far there are several kinds of samples.
    return far & (far.mean() <= 0.1)

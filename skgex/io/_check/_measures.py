"""What one pass over a table measures of its genes and samples."""

from dataclasses import dataclass

import numpy as np

from ...preprocessing._gene_moments import RunningMoments


@dataclass
class Measures:
    """What was measured; genes without a value have NaN, and so have samples.

    Attributes
    ----------
    missing, zeros : ndarray of shape (n_genes,)
        How many values of each gene are missing, or zero, which is what stands for a
        gene that is not expressed.
    low, low_used, high, variance : ndarray of shape (n_genes,)
        Least value, least one above zero, largest, and variance of the logarithms.
    row_missing, row_zeros : ndarray of shape (n_samples,)
        How many values of each sample are missing, or zero.
    row_sum, row_low, row_high : ndarray of shape (n_samples,)
        Sum, least and largest value.
    row_whole : ndarray of shape (n_samples,), dtype bool
        Whether all values are whole numbers.
    row_key : ndarray of shape (n_samples,)
        Samples with the same values have the same.
    n_infinite, n_negative : int
        How many values are infinite, or below zero.
    first_infinite, first_negative : tuple of int or None
        Sample and gene of the first of them.
    """

    missing: np.ndarray
    zeros: np.ndarray
    low: np.ndarray
    low_used: np.ndarray
    high: np.ndarray
    variance: np.ndarray
    row_missing: np.ndarray
    row_zeros: np.ndarray
    row_sum: np.ndarray
    row_low: np.ndarray
    row_high: np.ndarray
    row_whole: np.ndarray
    row_key: np.ndarray
    n_infinite: int = 0
    n_negative: int = 0
    first_infinite: tuple | None = None
    first_negative: tuple | None = None

    @property
    def n_genes(self):
        """Number of genes."""
        return len(self.missing)


def measure(table, logarithm, floor=0.0):
    """Measure a table in one pass, in bounded memory.

    Parameters
    ----------
    table : Table
        The table.
    logarithm : callable
        Brings a block of values to the scale on which genes vary evenly.
    floor : float, default=0.0
        What stands for a gene that is not expressed, such as log2(0.001).
    """
    n_samples, n_genes = table.shape
    counts = (np.zeros(n_genes, np.int64) for _ in range(2))
    extremes = (np.full(n_genes, np.nan, np.float32) for _ in range(4))
    rows = (np.zeros(n_samples) for _ in range(5))
    found = Measures(
        *counts,
        *extremes,
        *rows,
        row_whole=np.zeros(n_samples, dtype=bool),
        row_key=np.zeros(n_samples, np.int64),
    )
    moments = RunningMoments(n_genes, np.float32)
    for where, block in table.blocks():
        block = _without_infinity(block, where.start, found)
        _measure_signs(block, where, found)
        _measure_rows(block, where, floor, found)
        _measure_genes(block, found)
        moments.add(logarithm(block))
    found.variance = moments.result()[1]
    return found


def _without_infinity(block, start, found):
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(block.sum()):
            return block
    infinite = np.isinf(block)
    n = int(infinite.sum())
    if not n:
        return block
    if not found.n_infinite:
        row, gene = np.argwhere(infinite)[0]
        found.first_infinite = start + int(row), int(gene)
    found.n_infinite += n
    found.missing -= infinite.sum(axis=0)  # counted as such below
    return np.where(infinite, np.float32(np.nan), block)


def _measure_signs(block, where, found):
    lowest = np.fmin.reduce(block, axis=None)
    if not lowest < 0:
        return
    negative = block < 0
    if not found.n_negative:
        row, gene = np.argwhere(negative)[0]
        found.first_negative = where.start + int(row), int(gene)
    found.n_negative += int(negative.sum())


def _measure_rows(block, where, floor, found):
    missing, zero = np.isnan(block), block == np.float32(floor)
    found.row_missing[where] = missing.sum(axis=1)
    found.row_zeros[where] = zero.sum(axis=1)
    found.missing += missing.sum(axis=0)
    found.zeros += zero.sum(axis=0)
    found.row_low[where] = np.fmin.reduce(block, axis=1)
    found.row_high[where] = np.fmax.reduce(block, axis=1)
    found.row_sum[where] = np.nansum(block, axis=1, dtype=np.float64)
    found.row_whole[where] = ((np.rint(block) == block) | missing).all(axis=1)
    # Zeros have two signs.
    found.row_key[where] = [hash((row + 0.0).tobytes()) for row in block]


def _measure_genes(block, found):
    found.low = np.fmin(found.low, np.fmin.reduce(block, axis=0))
    found.high = np.fmax(found.high, np.fmax.reduce(block, axis=0))
    used = np.where(block > 0, block, np.float32(np.nan))
    found.low_used = np.fmin(found.low_used, np.fmin.reduce(used, axis=0))

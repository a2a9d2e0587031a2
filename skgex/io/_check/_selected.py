"""What a second pass reads of chosen genes, small enough for memory."""

import numpy as np

_MOST_VALUES = 20_000_000


def select(table, measures, logarithm):
    """Read profiles of the genes that vary most, and where genes are missing or zero.

    Parameters
    ----------
    table : Table
        The table.
    measures : Measures
        What the first pass found.
    logarithm : callable
        Brings values to the scale on which profiles are compared.

    Returns
    -------
    profiles : ndarray of shape (n_samples, n_chosen), float32
        Of genes that have most values, NaN where they are missing.
    missing, zero : tuple of ndarray of int, ndarray of bool and float
        Genes with some missing values, or that are zero or high, where they are, and
        for how many genes each of them stands.
    """
    most = int(np.clip(_MOST_VALUES // max(1, table.shape[0]), 200, 2000))
    varying = _varying(measures, table.shape[0], most)
    missing, of_missing = _evenly(_partly_missing(measures, table.shape[0]), most)
    zero, of_zero = _evenly(_zero_or_high(measures, table.shape[0]), most)
    profiles = np.empty((table.shape[0], len(varying)), np.float32)
    is_missing = np.zeros((table.shape[0], len(missing)), dtype=bool)
    is_zero = np.zeros((table.shape[0], len(zero)), dtype=bool)
    if len(varying) or len(missing) or len(zero):
        for rows, block in table.blocks():
            chosen = block[:, varying]
            chosen[np.isinf(chosen)] = np.nan
            profiles[rows] = logarithm(chosen)
            is_missing[rows] = np.isnan(block[:, missing])
            is_zero[rows] = block[:, zero] == 0
    return profiles, (missing, is_missing, of_missing), (zero, is_zero, of_zero)


def _varying(measures, n_samples, most):
    variance = np.where(measures.missing <= n_samples / 2, measures.variance, np.nan)
    genes = np.flatnonzero(np.nan_to_num(variance) > 1e-8)
    best = genes[np.argsort(-variance[genes], kind="stable")[:most]]
    return np.sort(best)


def _partly_missing(measures, n_samples):
    missing = measures.missing
    some = (missing >= max(2, 0.005 * n_samples)) & (n_samples - missing >= 2)
    return np.flatnonzero(some)


def _zero_or_high(measures, n_samples):
    """Return genes that are zero in some samples, and above the median elsewhere."""
    zeros = measures.zeros
    some = (zeros >= 2) & (n_samples - zeros - measures.missing >= 2)
    if not some.any() or measures.n_negative:
        return np.empty(0, dtype=int)
    usual = np.nanmedian(measures.high) / 2
    # A gene with a continuous distribution has small values, too.
    return np.flatnonzero(some & (measures.low_used > usual))


def _evenly(genes, most):
    taken = genes[:: max(1, -(-len(genes) // most))]
    return taken, len(genes) / max(1, len(taken)) or 1.0

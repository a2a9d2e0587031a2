"""Numbers that stand for missing values."""

import numpy as np

from ._words import marked_missing

# What programs of statistics write, and no unit of expression has.
_MARKS = (-99, -999, -9999, -99999, -999999)


def mark_among(blocks, lowest, gene_names, sample_names):
    """Return a finding if the lowest value is a mark of missing ones, or None.

    Parameters
    ----------
    blocks : callable
        Yields slices of rows and their values, and is called only if need be.
    lowest : float
        The least value.
    gene_names, sample_names : sequence of str
        Names of columns and rows.
    """
    if lowest not in _MARKS:
        return None
    first, n_marked, others = None, 0, np.inf
    for rows, values in blocks():
        marked = values == lowest
        n_marked += int(marked.sum())
        if first is None and marked.any():
            row, gene = np.argwhere(marked)[0]
            first = gene_names[gene], sample_names[(rows.start or 0) + row]
        others = min(others, np.min(values, where=values > lowest, initial=np.inf))
    # A tenth of it: what lies closer may be a value of the same kind.
    if n_marked and lowest / 10 < others < np.inf:
        return marked_missing(lowest, *first, n_marked)
    return None

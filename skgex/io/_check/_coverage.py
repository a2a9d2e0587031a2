"""How many of the genes of a model a table has."""

import numpy as np
import pandas as pd

from ...preprocessing import GeneAligner
from ...preprocessing._wanted_genes import wanted_genes
from . import _words as words


def coverage(names, genes):
    """Return the finding how many genes of a model are there, by GeneAligner's rules.

    Parameters
    ----------
    names : list
        Names of the columns.
    genes : array-like of str or fitted estimator
        The genes of the model.
    """
    texts = [str(name) for name in names]
    wanted = wanted_genes(genes)
    aligner = GeneAligner(list(wanted), min_coverage=0)
    row = _row(texts)
    try:
        found = ~np.isnan(aligner.fit(row).transform(row)[0])
    except ValueError as error:
        if str(error).startswith("genes has "):
            raise  # it is not about the table
        if not str(error).startswith("X has 0 of "):
            return words.no_coverage(error)
        found = np.zeros(len(wanted), dtype=bool)
    absent = [str(gene) for gene in wanted[~found]]
    return words.coverage(int(found.sum()), len(wanted), absent)


def _row(names):
    """Return a sample of ones: names are all that counts."""
    return pd.DataFrame(np.ones((1, len(names))), columns=list(names))

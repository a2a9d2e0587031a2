"""Which of the genes that are wanted a table has, and how often."""

import math

import numpy as np

from .._inputs import some_names


def check_coverage(plan, names, genes, min_coverage):
    """Refuse a table with too few of the genes.

    Parameters
    ----------
    plan : ColumnPlan
        What was found.
    names : ndarray of str
        Names of the columns.
    genes : ndarray of str
        The genes that are wanted.
    min_coverage : float
        Share of them that is needed; one gene is in any case.

    Raises
    ------
    ValueError
        With the counts and some names from both sides.
    """
    # A share such as 0.1 of 30 is a little more than 3 in binary.
    needed = max(1, math.ceil(min_coverage * len(genes) - 1e-6))
    if len(plan.genes) >= needed:
        return
    others = np.delete(names, plan.columns)
    absent = np.delete(genes, plan.genes)
    raise ValueError(
        f"X has {len(plan.genes)} of the {len(genes)} genes, and min_coverage="
        f"{min_coverage} asks for {needed}. Among its {len(names)} columns are "
        f"{some_names(others)}, among the genes it lacks {some_names(absent)}. "
        "Translate ids by mapping, or lower min_coverage."
    )


def refuse_duplicates(plan, names, genes):
    """Refuse a table that has several columns of one gene, and name the first."""
    if duplicates := plan.duplicates():
        gene, columns = duplicates
        raise ValueError(
            f"X has {len(columns)} columns of gene {str(genes[gene])!r}: "
            f"{some_names(names[columns])}. Drop all but one, or set on_duplicate."
        )

"""The genes that a table is to have, from a list or a fitted estimator."""

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted


def wanted_genes(genes):
    """Return the names in `genes`, a list of them or a fitted estimator, or None."""
    if genes is None:
        return None
    if hasattr(genes, "fit"):
        return _genes_of_estimator(genes)
    names = list(genes) if np.iterable(genes) else [genes]
    strange = [name for name in names if not isinstance(name, str)]
    if strange or not names or isinstance(genes, (set, frozenset)):
        found = type(genes).__name__ if not strange else f"one with {strange[0]!r}"
        raise ValueError(
            f"genes has to be a list of strings, in order, and not empty; it is {found}"
            f" of length {len(names)}."
        )
    wanted = np.array([str(name) for name in names], dtype=object)
    unique, counts = np.unique(wanted, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"genes has {str(unique[np.argmax(counts)])!r} more than once; name each "
            "gene once."
        )
    return wanted


def check_number(genes, n_columns):
    """Refuse an array that has not as many columns as there are genes."""
    if len(genes) != n_columns:
        raise ValueError(
            f"X is an array of {n_columns} columns without names, and there are "
            f"{len(genes)} genes. Give a table with the ids of genes as columns, or an "
            "array with all genes in their order."
        )


def _genes_of_estimator(estimator):
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        return np.asarray(names, dtype=object)
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise NotFittedError(
            f"genes={estimator!r} is not fitted. Fit it first, and write "
            "genes=FrozenEstimator(embedder) where the aligner is cloned, as in a "
            "search: a clone of an embedder has learnt nothing."
        ) from None
    raise ValueError(
        f"genes={estimator!r} was fitted on an array, without names of genes. Fit it "
        "on a table, or name the genes in a list."
    )

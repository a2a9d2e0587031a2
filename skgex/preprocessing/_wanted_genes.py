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
    names = list(genes)
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


def places_by_id(genes, strip):
    """Return the place of each gene, by what is left of its name after `strip`."""
    places = {}
    for place, gene in enumerate(genes):
        first = places.setdefault(strip(gene), place)
        if first != place:
            raise ValueError(
                f"genes has {str(genes[first])!r} and {str(gene)!r}, which are one "
                "gene without their versions. Keep one, or set strip_version=False."
            )
    return places


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

"""Where pretraining starts from: embedders that were fitted elsewhere."""

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._inputs import match_genes, some_names
from .._warn import warn_caller
from ._carry_over import MAX_SHIFT, median_shift

AS_THE_START = "start: give the embedder the parameters of the one it starts from."


class Start(NamedTuple):
    """A fitted embedder, and where it has the genes of the training data.

    Attributes
    ----------
    embedder : BaseEmbedder
        Fitted; not ours to modify.
    places : ndarray of shape (n_genes,)
        The column that each gene had, -1 for those that it has not.
    number : int
        Its place in the list that was given.
    """

    embedder: BaseEstimator
    places: np.ndarray
    number: int


def fitted_starts(estimator, start):
    """Return what pretraining starts from.

    Parameters
    ----------
    estimator : BaseEmbedder
        Has the genes of its training data.
    start : FrozenEstimator, list of FrozenEstimator or None
        Its parameter.

    Returns
    -------
    starts : list of Start
        Without those that share no gene with the training data: these are warned of.

    Raises
    ------
    ValueError
        If one is not a fitted embedder of the same class in a `FrozenEstimator`, if
        one of the two is standardised and the other is not, or if genes without names
        cannot be told apart.
    """
    if start is None:
        return []
    parts = start if isinstance(start, (list, tuple)) else [start]
    starts = []
    for number, part in enumerate(parts):
        embedder, places = _fitted_start(estimator, part)
        if (places >= 0).any():
            starts.append(Start(embedder, places, number))
    return starts


def _fitted_start(estimator, part):
    name = type(estimator).__name__
    embedder = part.estimator if isinstance(part, FrozenEstimator) else None
    if type(embedder) is not type(estimator):
        raise ValueError(
            f"start={part!r} must be FrozenEstimator(embedder) around a fitted {name}, "
            f"such as FrozenEstimator({name}().fit(other_cohort))."
        )
    check_is_fitted(embedder)
    if not (estimator.standardize and embedder.standardize):
        raise ValueError(
            "start is used in standard deviations of the genes: standardize must be "
            f"True for both, and is {embedder.standardize} for the start and "
            f"{estimator.standardize} here."
        )
    return embedder, _places(estimator, embedder)


def _places(estimator, embedder):
    """Return where a start has the genes of the training data."""
    known = getattr(embedder, "feature_names_in_", None)
    own = getattr(estimator, "feature_names_in_", None)
    n_known, n_own = embedder.n_features_in_, estimator.n_features_in_
    if known is None or own is None:
        if n_known != n_own:
            side = "X" if own is None else "start"
            raise ValueError(
                f"{side} has no names of genes, so that X must have the {n_known} "
                f"genes of start in their order; it has {n_own} columns. Give tables "
                "with the names of genes as columns, here and to the embedder that it "
                "starts from."
            )
        return np.arange(n_own)
    places = match_genes(known, own)
    if (places < 0).all():
        warn_caller(
            f"X shares none of its {n_own} genes with the {n_known} of start, which is "
            f"left out: it has {some_names(own)}, where start has {some_names(known)}. "
            "Bring names of genes to those of start."
        )
    return places


def in_unit_of(start, standardizer):
    """Return whether training data are in the unit of a start; warn if they are not.

    Parameters
    ----------
    start : Start
        Where pretraining starts from.
    standardizer : GeneStandardizer
        Of the training data; its moments may be drawn to those of the start already.

    Returns
    -------
    same_unit : bool
    """
    shift = median_shift(start.embedder.standardizer_, standardizer, start.places)
    if shift <= MAX_SHIFT:
        return True
    warn_caller(
        "Half of the genes that X shares with start have moved by "
        f"{shift:.1f} standard deviations or more: X seems to be in another unit. Of "
        "start only how genes vary together is used, each in standard deviations of "
        "its own. If X should be in the same unit, convert it first."
    )
    return False

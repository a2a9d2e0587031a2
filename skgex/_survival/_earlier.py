"""An earlier survival model, for a table that may have other genes."""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._covariates import count_genes, gene_names
from .._finetune._start import copy_weights
from .._inputs import match_genes, some_names
from .._warn import warn_caller
from ..nn import NormalScores
from ._curves import SurvivalCurvesMixin


class EarlierModel(NamedTuple):
    """What an earlier model says of the genes of a table; all of it ours to modify."""

    coef: np.ndarray  # (n_genes,), zero where it knows nothing of a gene
    standardizer: nn.Module  # (n, n_genes) -> (n, n_genes of the earlier model)
    encoder: nn.Module
    head: nn.Linear

    def speaks_to(self, n_outputs):
        """Whether the network takes part, and the head has so many outputs."""
        return bool(self.head.weight.any()) and self.head.out_features == n_outputs


class GenesInPlace(nn.Module):
    """Pick the genes that a network knows; NaN, not measured, are those that lack.

    Parameters
    ----------
    places : int64 tensor of shape (n_known_genes,)
        Column of each of them, -1 where there is none.
    """

    def __init__(self, places):
        super().__init__()
        self.register_buffer("places", places)

    def forward(self, X):
        """Return the genes; (n, n_genes) -> (n, n_known_genes)."""
        return X[:, self.places].masked_fill(self.places < 0, torch.nan)


def find_earlier(estimator, X, resume):
    """Return what is known before, or None.

    Parameters
    ----------
    estimator : BaseFineTunedSurvival
        The estimator being fitted, with the names of the genes of `X`.
    X : ndarray of shape (n_samples, n_genes)
        Training data.
    resume : bool
        Whether it goes on from its own last fit.

    Returns
    -------
    earlier : EarlierModel or None

    Raises
    ------
    ValueError
        If the earlier model has genes that cannot be matched, or other scales.
    """
    if resume:
        before = estimator
    elif isinstance(estimator.embedder, FrozenEstimator):
        before = estimator.embedder.estimator
    else:
        return None
    if not isinstance(before, SurvivalCurvesMixin):
        return None
    check_is_fitted(before)
    _check_scaling(before, estimator)
    places = _places(before, estimator)
    coef, head = before.coef_, deepcopy(before.head_)
    standardizer, encoder = copy_weights(before, estimator, X)
    if places is None:
        return EarlierModel(coef, standardizer, encoder, head)
    _warn_of_absent(before, places)
    own = np.zeros(X.shape[1])
    own[places[places >= 0]] = coef[places >= 0]
    standardizer = nn.Sequential(GenesInPlace(torch.from_numpy(places)), standardizer)
    return EarlierModel(own, standardizer, encoder, head)


def _check_scaling(before, estimator):
    # What it was fitted with: its parameter may have been set since.
    ranks = isinstance(before.linear_[0][0], NormalScores)
    scaling = "rank" if ranks else "standard"
    if scaling != estimator.scaling:
        raise ValueError(
            f"scaling={estimator.scaling!r}, but the coefficients of the earlier "
            f"survival model are those of genes scaled by {scaling!r}: set "
            f"scaling={scaling!r}, or fit the earlier model again."
        )


def _places(before, estimator):
    """Return where the table has each gene of an earlier model, -1 where it lacks it.

    None if the genes are the same, or without names.
    """
    old, new = gene_names(before), gene_names(estimator)
    if old is None or new is None:
        n_old, n_new = count_genes(before), count_genes(estimator)
        if n_old != n_new:
            raise ValueError(
                f"The earlier survival model was pretrained on {n_old} genes, but X "
                f"has {n_new}, and they can't be matched without names on both sides: "
                "fit both to tables that have the names of genes as columns."
            )
        return None
    if np.array_equal(old, new):
        return None
    places = match_genes(new, old)
    if (places < 0).all():
        raise ValueError(
            f"X shares none of its {len(new)} genes with the {len(old)} of the earlier "
            f"survival model: it has {some_names(new)}, where that has "
            f"{some_names(old)}. Bring the names of the one to those of the other, by "
            "GeneAligner(genes, mapping=...)."
        )
    return places


def _warn_of_absent(before, places):
    absent = np.flatnonzero(places < 0)
    if not len(absent):
        return
    square = before.coef_**2
    share = square[absent].sum() / max(square.sum(), 1e-300)
    network = ", and its network takes them as not measured"
    warn_caller(
        f"X lacks {len(absent)} of the {len(places)} genes of the earlier survival "
        f"model, the first of them {str(gene_names(before)[absent[0]])!r}. They "
        f"are left out, with {100 * share:.2g} % of its squared coefficients"
        f"{network if before.head_.weight.any() else ''}."
    )

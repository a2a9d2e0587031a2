"""Genes that a cohort lacks, and that models which were fitted before restore."""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch

from .._inputs import match_genes
from .._low_rank import (
    USUAL_WEIGHT,
    Blocks,
    LowRankPrior,
    OtherGenes,
    join_other_genes,
    moved_prior,
    parts_of_other_genes,
    prior_with_others,
)
from ..nn._draws import draws_aside
from ._carry_over import MAX_SHIFT, median_shift


class _Model(NamedTuple):
    """A model of a fitted GexBERT: that of its own genes, or one it kept.

    Attributes
    ----------
    genes : list of str
        The genes that the model knows.
    n_own : int
        The first of them are those the GexBERT was fitted to, the others it kept.
    prior : LowRankPrior
        For these genes.
    mean, scale : tensor of shape (n_genes,)
        Their means and standard deviations.
    """

    genes: list
    n_own: int
    prior: LowRankPrior
    mean: torch.Tensor
    scale: torch.Tensor

    def lacking(self, have):
        """Return where the genes are that are not among some names."""
        return np.array([i for i, name in enumerate(self.genes) if name not in have])

    def others(self, lacking, prior, mean, scale):
        """Return some of the genes with a prior and moments for a cohort."""
        return OtherGenes([self.genes[i] for i in lacking], prior, mean, scale)


def genes_of_starts(reader, prepare, starts, weights, names):
    """Return the genes that only starts have, or None.

    Each is restored by the heaviest start that knows it, be it a gene that this was
    fitted to or one that it kept from its own start.

    Parameters
    ----------
    reader : RowReader
        The samples of the cohort.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    starts : list of Start
        Fitted embedders.
    weights : list of float
        How many samples each counts as.
    names : sequence of str
        The genes of the cohort.

    Returns
    -------
    others : OtherGenes, SeveralOtherGenes or None
    """
    blocks = Blocks(reader, torch.arange(len(reader)), prepare)
    standardizer = deepcopy(prepare).cpu()
    have, parts = set(names), []
    for i in np.argsort(-np.asarray(weights), kind="stable"):
        embedder = starts[i].embedder
        known = getattr(embedder, "feature_names_in_", None)
        for model in _models(embedder, known):
            lacking = model.lacking(have)
            if not len(lacking):
                continue
            places = match_genes(model.genes, names)
            # A start that was left out knows these genes better than nothing does.
            weight = weights[i] or USUAL_WEIGHT
            prior = moved_prior(model.prior, places, lacking, blocks, weight)
            moments = _moments(model, places, lacking, standardizer)
            parts.append(model.others(lacking, prior, *moments))
            have.update(parts[-1].names)
    return join_other_genes(parts)


def genes_of_last_fit(embedder, known, reader, prepare):
    """Return the genes that could be restored after the last fit, and X lacks.

    They are restored as before: by the genes that stay, and by new ones, which are
    regressed on the factors of the last fit. Means and standard deviations stay, as do
    those of the genes that both have.

    Parameters
    ----------
    embedder : GexBERT
        Fitted, with the names of the new genes.
    known : sequence of str
        The genes of the last fit.
    reader : RowReader
        The new samples.
    prepare : callable
        Standardises a batch; NaN stays NaN.

    Returns
    -------
    others : OtherGenes, SeveralOtherGenes or None
    """
    names = embedder.feature_names_in_
    have, parts = set(names), []
    for model in _models(embedder, known):
        lacking = model.lacking(have)
        if not len(lacking):
            continue
        places = match_genes(model.genes, names)
        # What is drawn later is what it would be without this.
        with draws_aside():
            prior = prior_with_others(model.prior, places, lacking, reader, prepare)
        moments = model.mean[lacking], model.scale[lacking]
        parts.append(model.others(lacking, prior, *moments))
        have.update(parts[-1].names)
    return join_other_genes(parts)


def _models(embedder, genes):
    """Return the models that a fitted GexBERT has, none for genes without names."""
    if genes is None:
        return []
    genes, prior = [str(name) for name in genes], embedder.encoder_.prior
    mean, scale = embedder.standardizer_.mean, embedder.standardizer_.scale
    models = [_Model(genes, len(genes), prior, mean, scale)]
    for part in parts_of_other_genes(prior):
        moments = torch.cat([mean, part.mean]), torch.cat([scale, part.scale])
        models.append(_Model([*genes, *part.names], len(genes), part.prior, *moments))
    return models


def _moments(model, places, lacking, standardizer):
    """Return moments of genes that a cohort lacks, in its unit if it is the same.

    Those of a model that are in another unit are as they were.
    """
    # Genes that were kept may be in another unit than those beside them.
    own = np.where(places < model.n_own, places, -1)
    kept = np.where(places < model.n_own, -1, places)
    if median_shift(model, standardizer, own) > MAX_SHIFT:
        return model.mean[lacking], model.scale[lacking]
    if (kept >= 0).any() and median_shift(model, standardizer, kept) > MAX_SHIFT:
        places = own
    return _moments_in_cohort(model, places, lacking, standardizer)


def _moments_in_cohort(model, places, lacking, standardizer):
    """Return moments of genes that a cohort lacks, by those of the genes it has.

    The means are restored from those of the cohort. Standard deviations are smaller, or
    larger, by as much as those of the other genes are in the median.
    """
    known = places >= 0
    own = places[known]
    Z = model.mean.new_full((1, len(model.mean)), torch.nan)
    Z[0, own] = (standardizer.mean[known] - model.mean[own]) / model.scale[own]
    expected = model.prior(Z).values[0, lacking]
    ratio = (standardizer.scale[known] / model.scale[own]).median()
    scale = model.scale[lacking]
    return model.mean[lacking] + scale * expected, ratio * scale

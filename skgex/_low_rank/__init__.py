"""The linear-Gaussian model under GexBERT: what it is, how it is fitted.

What it is: `FactorAnalysis` gives the posterior of a few factors for any measured
genes; `FactorMixture` replaces their Gaussian prior, `GeneCurves` correct what they
make expect, and `LowRankPrior` is the three together.

How it is fitted: `fit_priors` chooses the number of factors and fits all parts to all
samples, and again without each fold. `prior_for_genes` brings a fitted one to the genes
of another cohort as it is; `pretrained_for` and `adapt` draw the model of a cohort to
what was learnt elsewhere; `moved_prior` and `prior_with_others` keep genes that it
lacks, `OtherGenes`.
"""

from ._blocks import Blocks
from ._choose_weight import USUAL_WEIGHT
from ._factor_analysis import FactorAnalysis
from ._factor_mixture import FactorMixture
from ._factor_posterior import FactorPosterior
from ._fit_prior import FittedPriors, fit_prior, fit_priors
from ._gene_curves import GeneCurves, knot_place
from ._low_rank_prior import LowRankPrior
from ._more_holes import MoreHoles, draw_more_holes
from ._new_genes import prior_for_genes
from ._other_genes import (
    OtherGenes,
    SeveralOtherGenes,
    join_other_genes,
    moved_prior,
    parts_of_other_genes,
    prior_with_others,
)
from ._pattern_groups import pattern_groups
from ._patterns import distinct_rows
from ._pretrained import Pretrained, pretrained_for, regression_on_factors
from ._sample_scores import relative_likelihood
from ._shared_posterior import SharedPosterior

__all__ = [
    "USUAL_WEIGHT",
    "Blocks",
    "FactorAnalysis",
    "FactorMixture",
    "FactorPosterior",
    "FittedPriors",
    "GeneCurves",
    "LowRankPrior",
    "MoreHoles",
    "OtherGenes",
    "Pretrained",
    "SeveralOtherGenes",
    "SharedPosterior",
    "distinct_rows",
    "draw_more_holes",
    "fit_prior",
    "fit_priors",
    "join_other_genes",
    "knot_place",
    "moved_prior",
    "parts_of_other_genes",
    "pattern_groups",
    "pretrained_for",
    "prior_for_genes",
    "prior_with_others",
    "regression_on_factors",
    "relative_likelihood",
]

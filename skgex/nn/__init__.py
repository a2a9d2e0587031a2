"""Pure torch: encoders, heads, views and losses, without a word about training."""

from ._attention_readout import gene_attention
from ._corruption import GeneCorruption, swap_genes
from ._cox import CoxLikelihood
from ._discrete_hazard import discrete_hazard_loss
from ._encoders import GeneStandardizer, MLPEncoder
from ._factor_analysis import FactorAnalysis, FactorPosterior, distinct_rows
from ._factor_mixture import FactorMixture
from ._gene_curves import GeneCurves, knot_place
from ._gene_decoder import GeneDecoder
from ._gene_transformer import GeneTransformer
from ._heads import projection_head
from ._losses import byol_loss, info_nce_loss, nt_xent_loss, vime_loss
from ._low_rank_prior import LowRankPrior
from ._normal_scores import NormalScores, SampleStandardizer
from ._objective import Objective
from ._transformer import ValueEncoder

__all__ = [
    "CoxLikelihood",
    "FactorAnalysis",
    "FactorMixture",
    "FactorPosterior",
    "GeneCorruption",
    "GeneCurves",
    "GeneDecoder",
    "GeneStandardizer",
    "GeneTransformer",
    "LowRankPrior",
    "MLPEncoder",
    "NormalScores",
    "Objective",
    "SampleStandardizer",
    "ValueEncoder",
    "byol_loss",
    "discrete_hazard_loss",
    "distinct_rows",
    "gene_attention",
    "info_nce_loss",
    "knot_place",
    "nt_xent_loss",
    "projection_head",
    "swap_genes",
    "vime_loss",
]

"""Pure torch: encoders, heads, views and losses, without a word about training."""

from ._attention_readout import gene_attention
from ._corruption import GeneCorruption, swap_genes
from ._cox import CoxLikelihood
from ._discrete_hazard import discrete_hazard_loss
from ._encoders import GeneStandardizer, MLPEncoder
from ._gene_decoder import GeneDecoder
from ._gene_transformer import GeneTransformer
from ._heads import projection_head
from ._losses import byol_loss, info_nce_loss, nt_xent_loss, vime_loss
from ._normal_scores import NormalScores, SampleStandardizer
from ._objective import Objective
from ._transformer import ValueEncoder

__all__ = [
    "CoxLikelihood",
    "GeneCorruption",
    "GeneDecoder",
    "GeneStandardizer",
    "GeneTransformer",
    "MLPEncoder",
    "NormalScores",
    "Objective",
    "SampleStandardizer",
    "ValueEncoder",
    "byol_loss",
    "discrete_hazard_loss",
    "gene_attention",
    "info_nce_loss",
    "nt_xent_loss",
    "projection_head",
    "swap_genes",
    "vime_loss",
]

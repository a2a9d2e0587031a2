"""Pure torch: encoders, heads, views and losses, without a word about training."""

from ._corruption import GeneCorruption, swap_genes
from ._encoders import GeneStandardizer, MLPEncoder
from ._heads import projection_head
from ._losses import byol_loss, info_nce_loss, nt_xent_loss, vime_loss
from ._objective import Objective

__all__ = [
    "GeneCorruption",
    "GeneStandardizer",
    "MLPEncoder",
    "Objective",
    "byol_loss",
    "info_nce_loss",
    "nt_xent_loss",
    "projection_head",
    "swap_genes",
    "vime_loss",
]

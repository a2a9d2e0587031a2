"""What expression needs before a model: alignment, units, scale and choice of genes."""

from ._gene_aligner import GeneAligner
from ._log_cpm import LogCPM
from ._quantile_normalizer import QuantileNormalizer
from ._top_variance import TopVarianceGenes

__all__ = ["GeneAligner", "LogCPM", "QuantileNormalizer", "TopVarianceGenes"]

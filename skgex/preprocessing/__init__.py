"""What expression needs before a model: genes, their choice, units, scale, batches."""

from ._batch_scaler import BatchScaler
from ._gene_aligner import GeneAligner
from ._log_cpm import LogCPM
from ._quantile_normalizer import QuantileNormalizer
from ._top_variance import TopVarianceGenes

__all__ = [
    "BatchScaler",
    "GeneAligner",
    "LogCPM",
    "QuantileNormalizer",
    "TopVarianceGenes",
]

"""Swapped genes in fine-tuning, against learning samples by heart."""

from torch import nn

from ..nn import GeneCorruption
from ._beside import put_beside


def check_corruption(estimator):
    """Refuse to swap genes where the encoder, which reads them, is not trained."""
    rate = estimator.corruption_rate
    if rate and estimator.freeze:
        raise ValueError(
            f"corruption_rate={rate:g} swaps genes before the encoder, which "
            "freeze=True leaves as it is, and the head is trained on what it makes of "
            "the samples once: set freeze=False, or corruption_rate=0."
        )


class SwappedGenes(nn.Module):
    """Profiles of which a share of the genes has the values of other samples."""

    def __init__(self, rate):
        super().__init__()
        self.corruption = GeneCorruption(rate)

    def forward(self, X):
        """Return a view of a batch."""
        return self.corruption(X)[0]


def make_corruption(estimator):
    """Return what swaps genes, not covariates, between samples of a batch, or None."""
    rate = estimator.corruption_rate
    if not rate:
        return None
    return put_beside((SwappedGenes(rate),), len(estimator.covariates_))[0]

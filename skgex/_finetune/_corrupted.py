"""Swapped genes in fine-tuning, against learning samples by heart."""

import torch
from torch import nn

from ..nn import GeneCorruption
from ..nn._shares import own


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
    """Profiles of which a share of the genes has the values of other samples.

    Parameters
    ----------
    rate : float
        Share of the genes.
    n_covariates : int, default=0
        Number of covariates, the last columns, which stay as they are.
    """

    def __init__(self, rate, n_covariates=0):
        super().__init__()
        self.corruption = GeneCorruption(rate)
        self.n_covariates = n_covariates

    def forward(self, X):
        """Return a view of a batch; of several processes, of the own rows."""
        genes, covariates = X.tensor_split([X.shape[1] - self.n_covariates], dim=1)
        view, _ = self.corruption(genes)
        if not self.n_covariates:
            return view
        return torch.cat([view, own(covariates)], dim=1)


def make_corruption(estimator):
    """Return what swaps genes, not covariates, between samples of a batch, or None."""
    rate = estimator.corruption_rate
    if not rate:
        return None
    return SwappedGenes(rate, len(estimator.covariates_))

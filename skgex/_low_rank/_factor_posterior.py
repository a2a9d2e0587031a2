"""The posterior of the factors of some samples."""

from typing import NamedTuple

import torch

from ._leading_inverse import inverses


class FactorPosterior(NamedTuple):
    """Gaussian posterior of the factors of some samples.

    Samples in which the same genes were measured share their covariance.

    Parameters
    ----------
    mean : tensor of shape (n, rank)
        Posterior mean of the factors of each sample.
    covariance : tensor of shape (n_patterns, rank, rank)
        Posterior covariance for each pattern of measured genes.
    pattern : int64 tensor of shape (n,)
        Which pattern each sample has.
    own : tensor of shape (n, q, q), default=None
        What each sample adds to its covariance, in the `q` directions of `gain`.
    gain : tensor of shape (rank, q), default=None
        These directions.
    change : tensor of shape (n, n_genes), default=None
    lean : tensor of shape (n, rank), default=None
        Loadings of gene j that a sample has not been seen by are those of the model
        plus ``change_j lean``.
    shared : bool, default=False
        Whether covariances are those of groups of many samples, as in `fit`: what
        follows for a sample may then depend on the others in its last bits.
    leading : tensor of shape (n_patterns, q, q), default=None
        Precision of the leading factors, whatever the others are: the inverse of their
        part of the covariance, where that is known.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank import FactorAnalysis
    >>> model = FactorAnalysis(torch.ones(2, 1), torch.ones(2))
    >>> posterior = model.posterior(torch.tensor([[1.0, 2.0], [3.0, 1.0]]))
    >>> posterior.covariance.shape, posterior.covariances().shape
    (torch.Size([1, 1, 1]), torch.Size([2, 1, 1]))
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    pattern: torch.Tensor
    own: torch.Tensor | None = None
    gain: torch.Tensor | None = None
    change: torch.Tensor | None = None
    lean: torch.Tensor | None = None
    shared: bool = False
    leading: torch.Tensor | None = None

    def precision(self, q):
        """Return the precision of the `q` leading factors for each pattern."""
        if self.leading is not None and self.leading.shape[1] == q:
            return self.leading
        return inverses(self.covariance[:, :q, :q])

    def covariances(self):
        """Return the covariance of each sample, of shape (n, rank, rank)."""
        covariance = self.covariance[self.pattern]
        if self.own is None:
            return covariance
        return covariance + self.gain @ self.own @ self.gain.T

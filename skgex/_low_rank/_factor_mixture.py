"""A mixture of Gaussians over factors: expression comes in kinds, not in one cloud."""

from typing import NamedTuple

import torch
from torch import nn

from ._factor_posterior import FactorPosterior


class _Components(NamedTuple):
    """What each component makes of the leading factors of some samples."""

    mean: torch.Tensor  # (n, n_components, q)
    covariance: torch.Tensor  # (n_patterns, n_components, q, q), or None
    score: torch.Tensor  # (n, n_components), logarithms of what weights are as

    @property
    def weight(self):
        """Responsibilities, of shape (n, n_components)."""
        return self.score.softmax(1)


class FactorMixture(nn.Module):
    """A mixture of Gaussians as the prior of the leading factors.

    Factor analysis has one Gaussian for all samples. Tissues and cancer types have
    each their own mean and their own correlations, which a mixture of factor
    analysers [1]_ knows; here they share the loadings, so that a component costs no
    more than a covariance of the leading factors. The fewer genes were measured, the
    more it matters.

    Parameters
    ----------
    weight : tensor of shape (n_components,)
        Share of each component.
    mean : tensor of shape (n_components, q)
        Mean of the `q` leading factors in each component.
    covariance : tensor of shape (n_components, q, q)
        Their covariance. The factors that follow are N(0, I) in all of them.

    References
    ----------
    .. [1] Ghahramani Z., Hinton G. E. "The EM algorithm for mixtures of factor
       analyzers", technical report CRG-TR-96-1, University of Toronto, 1996.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank import FactorAnalysis, FactorMixture
    >>> model = FactorAnalysis(torch.ones(1, 1), torch.ones(1))
    >>> mixture = FactorMixture(
    ...     torch.tensor([0.5, 0.5]),
    ...     torch.tensor([[-3.0], [3.0]]),
    ...     torch.full((2, 1, 1), 0.1),
    ... )
    >>> posterior = model.posterior(torch.tensor([[1.0]]))
    >>> mixture(posterior).mean  # 1/2 under one Gaussian around zero
    tensor([[2.7950]])
    """

    def __init__(self, weight, mean, covariance):
        super().__init__()
        precision = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
        self.register_buffer("log_weight", weight.log())
        self.register_buffer("mean", mean)
        self.register_buffer("precision", precision)
        self.register_buffer("log_det", torch.logdet(precision))

    def forward(self, posterior, with_covariance=False):
        """Replace the prior N(0, I) behind a posterior by the mixture.

        Parameters
        ----------
        posterior : FactorPosterior
            Under the prior N(0, I).
        with_covariance : bool, default=False
            Whether to return the covariance under the mixture, which is another for
            each sample, rather than leave the one of `posterior`.

        Returns
        -------
        posterior : FactorPosterior
            With the moments of the mixture.
        """
        parts = self.components(posterior, with_covariance)
        q = parts.mean.shape[2]
        mean, covariance, pattern, *_ = posterior
        new = (parts.weight[:, :, None] * parts.mean).sum(1)
        # The other factors follow by their regression on the leading ones.
        precision = _inverse(covariance[:, :q, :q])
        shift = _rowwise(precision, new - mean[:, :q], pattern)
        mean = mean + _rowwise(covariance[:, :, :q], shift, pattern)
        if not with_covariance:
            return FactorPosterior(mean, covariance, pattern)
        spread = (parts.weight[:, :, None, None] * parts.covariance[pattern]).sum(1)
        off = parts.mean - new[:, None]
        spread = spread + (parts.weight[:, :, None] * off).mT @ off
        spread = spread - covariance[pattern, :q, :q]
        gain = covariance[:, :, :q] @ precision
        if len(covariance) == 1:
            return FactorPosterior(mean, covariance, pattern, spread, gain[0])
        gain = gain[pattern]
        covariance = covariance[pattern] + gain @ spread @ gain.mT
        rows = torch.arange(len(mean), device=mean.device)
        return FactorPosterior(mean, covariance, rows)

    def gain(self, posterior):
        """Return how much likelier samples are than with factors of N(0, I).

        Parameters
        ----------
        posterior : FactorPosterior
            Under the prior N(0, I).

        Returns
        -------
        gain : tensor of shape (n,)
            Difference of log-likelihoods.
        """
        q = self.mean.shape[1]
        mean, covariance, pattern, *_ = posterior
        root = torch.linalg.cholesky(covariance[:, :q, :q])
        plain = root.diagonal(dim1=1, dim2=2).log().sum(1)[pattern]
        told = _rowwise(torch.cholesky_inverse(root), mean[:, :q], pattern)
        plain = plain + 0.5 * (told * mean[:, :q]).sum(1)
        score = self.components(posterior, with_covariance=False).score
        return score.logsumexp(1) - plain

    def components(self, posterior, with_covariance=True):
        """Return the posterior of the leading factors under each component."""
        q = self.mean.shape[1]
        mean, covariance, pattern, *_ = posterior
        # What the genes say without the prior N(0, I), as precision and information.
        precision = _inverse(covariance[:, :q, :q])
        information = _rowwise(precision, mean[:, :q], pattern)
        precision = precision - torch.eye(q, dtype=mean.dtype, device=mean.device)
        means, covariances, scores = [], [], []
        for log_weight, centre, own, log_det in zip(
            self.log_weight, self.mean, self.precision, self.log_det, strict=True
        ):
            cholesky = torch.linalg.cholesky(precision + own)
            pull = own @ centre
            evidence = information + pull
            mean = _solve_rows(cholesky, evidence, pattern)
            log_det_posterior = 2 * cholesky.diagonal(dim1=1, dim2=2).log().sum(1)
            means.append(mean)
            if with_covariance:
                covariances.append(torch.cholesky_inverse(cholesky))
            scores.append(
                log_weight
                + 0.5 * (log_det - log_det_posterior[pattern])
                + 0.5 * ((evidence * mean).sum(1) - centre @ pull)
            )
        return _Components(
            torch.stack(means, 1),
            torch.stack(covariances, 1) if with_covariance else None,
            torch.stack(scores, 1),
        )


def _inverse(matrices):
    return torch.cholesky_inverse(torch.linalg.cholesky(matrices))


def _rowwise(matrices, vectors, pattern):
    """Apply to each row the matrix of its pattern."""
    if len(matrices) == 1:
        return vectors @ matrices[0].mT
    return (matrices[pattern] @ vectors[:, :, None])[:, :, 0]


def _solve_rows(cholesky, vectors, pattern):
    """Solve for each row with the matrix of its pattern, given its root."""
    if len(cholesky) == 1:
        return vectors @ torch.cholesky_inverse(cholesky[0])
    return torch.cholesky_solve(vectors[:, :, None], cholesky[pattern])[:, :, 0]

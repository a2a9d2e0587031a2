"""A mixture of Gaussians over factors: expression comes in kinds, not in one cloud."""

from typing import NamedTuple

import torch
from torch import nn

from ..nn._row_sets import runs
from ._factor_posterior import FactorPosterior
from ._pattern_sets import PatternSets

# Samples in a set, see PatternSets. Each component is a matrix to solve with: to fill
# sets up would cost more than all else where each sample has holes of its own.
_SIZE = 2


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

    mean: torch.Tensor

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
        q = self.mean.shape[1]
        # Looked at twice, and an inverse where it is not known already.
        precision = posterior.precision(q)
        posterior = posterior._replace(leading=precision)
        parts = self.components(posterior, with_covariance)
        mean, covariance, pattern, *_ = posterior
        rows = _rows_of(posterior)
        new = (parts.weight[:, :, None] * parts.mean).sum(1)
        # The other factors follow by their regression on the leading ones.
        shift = rows.times(precision, new - mean[:, :q])
        mean = mean + rows.times(covariance[:, :, :q], shift)
        if not with_covariance:
            return FactorPosterior(mean, covariance, pattern, shared=posterior.shared)
        gain = torch.bmm(covariance[:, :, :q], precision)
        if posterior.shared and len(covariance) == 1:
            spread = self._spread(parts, new, covariance, pattern)
            parts = mean, covariance, pattern, spread, gain[0]
            return FactorPosterior(*parts, shared=True)
        # Copies of a sample share what is otherwise its own.
        first, run = runs(torch.cat([mean, pattern[:, None].to(mean.dtype)], 1))
        pattern, gain = pattern[first], gain[pattern[first]]
        parts = parts._replace(mean=parts.mean[first], score=parts.score[first])
        spread = self._spread(parts, new[first], covariance, pattern)
        added = torch.bmm(torch.bmm(gain, spread), gain.mT)
        covariance = covariance[pattern] + added
        return FactorPosterior(mean, covariance, run, shared=posterior.shared)

    @staticmethod
    def _spread(parts, mean, covariance, pattern):
        """Return what the mixture adds to the covariance of the leading factors."""
        weight, q = parts.weight[:, :, None], mean.shape[1]
        spread = (weight[:, :, None] * parts.covariance[pattern]).sum(1)
        off = parts.mean - mean[:, None]
        spread = spread + torch.bmm((weight * off).mT, off)
        return spread - covariance[pattern, :q, :q]

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
        told = _rows_of(posterior).solve(root, mean[:, :q])
        plain = plain + 0.5 * (told * mean[:, :q]).sum(1)
        score = self.components(posterior, with_covariance=False).score
        return score.logsumexp(1) - plain

    def components(self, posterior, with_covariance=True):
        """Return the posterior of the leading factors under each component."""
        q = self.mean.shape[1]
        mean, _, pattern, *_ = posterior
        # What the genes say without the prior N(0, I), as precision and information.
        precision = posterior.precision(q)
        rows = _rows_of(posterior)
        information = rows.times(precision, mean[:, :q])
        precision = precision - torch.eye(q, dtype=mean.dtype, device=mean.device)
        pull = torch.bmm(self.precision, self.mean[:, :, None])[:, :, 0]
        evidence = information[:, None] + pull
        log_det, covariances, solved = [], [], []
        # One component after another, whose matrices stay in the cache.
        columns = rows.columns(evidence.transpose(0, 1))
        for own, some in zip(self.precision, columns, strict=True):
            root = torch.linalg.cholesky(precision + own)
            log_det.append(2 * root.diagonal(dim1=1, dim2=2).log().sum(1))
            solved.append(rows.solve_columns(root, some))
            if with_covariance:
                covariances.append(torch.cholesky_inverse(root))
        means = rows.rows(torch.stack(solved)).transpose(0, 1)
        constant = self.log_weight + 0.5 * (self.log_det - (self.mean * pull).sum(1))
        score = constant - 0.5 * torch.stack(log_det, 1)[pattern]
        score = score + 0.5 * (evidence * means).sum(2)
        covariance = torch.stack(covariances, 1) if with_covariance else None
        return _Components(means, covariance, score)


def _rows_of(posterior):
    """Return what applies to each row the matrix of its pattern."""
    _, covariance, pattern, *_ = posterior
    if posterior.shared and len(covariance) == 1:
        return _AllRows
    return PatternSets(pattern, len(covariance), _SIZE)


class _AllRows:
    """Rows of one pattern, however many: faster than in sets of one size."""

    @staticmethod
    def times(matrices, vectors):
        return vectors @ matrices[0].mT

    @staticmethod
    def columns(vectors):
        return vectors

    @staticmethod
    def solve_columns(cholesky, vectors):
        return vectors @ torch.cholesky_inverse(cholesky[0])

    @staticmethod
    def rows(vectors):
        return vectors

    solve = solve_columns

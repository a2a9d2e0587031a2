"""Factor analysis: a linear-Gaussian model of profiles with any genes missing."""

from typing import NamedTuple

import torch
from torch import nn

# Bound on the matrix of products of loadings that is held at a time.
_PAIRS_BYTES = 64 * 2**20
# So many patterns of measured genes are summed one by one.
_FEW_PATTERNS = 16


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

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import FactorAnalysis
    >>> model = FactorAnalysis(torch.ones(2, 1), torch.ones(2))
    >>> posterior = model.posterior(torch.tensor([[1.0, 2.0], [3.0, 1.0]]))
    >>> posterior.covariance[posterior.pattern].shape
    torch.Size([2, 1, 1])
    """

    mean: torch.Tensor
    covariance: torch.Tensor
    pattern: torch.Tensor


class FactorAnalysis(nn.Module):
    """Profiles as a few Gaussian factors plus noise of each gene.

    The model is ``x = mean + loadings f + e`` with ``f ~ N(0, I)`` and independent
    ``e_j ~ N(0, noise_j)``. Given any subset of the genes, the posterior of the factors
    and thus of every other gene is known in closed form [1]_.

    Loadings learnt from few samples are uncertain themselves, and that counts: with
    ``w_j ~ N(loadings_j, noise_j * uncertainty)``, as variational Bayes has it [2]_, a
    gene says less about the factors, and many factors do no harm.

    Parameters
    ----------
    loadings : tensor of shape (n_genes, rank)
        Expected loadings of the genes on the factors.
    noise : tensor of shape (n_genes,)
        Noise variance of each gene, positive.
    mean : tensor of shape (n_genes,), default=None
        Mean of each gene; None for zeros.
    uncertainty : tensor of shape (rank, rank), default=None
        Covariance of the loadings of a gene, in units of its noise; None for zeros.
    uncertainty_scale : tensor of shape (n_genes,), default=None
        Factor on `uncertainty` for each gene, above one where it was measured in
        few samples; None for ones.

    Notes
    -----
    With `O` the measured genes of a sample, the posterior precision of its factors is
    ``I + sum_{j in O} (w_j w_j' / noise_j + uncertainty_j)``. For many samples at once
    the sum is one matrix product: the mask of measured genes times the products of
    loadings.

    References
    ----------
    .. [1] Rubin D. B., Thayer D. T. "EM algorithms for ML factor analysis",
       Psychometrika 47, 1982. :doi:`10.1007/BF02293851`
    .. [2] Bishop C. M. "Variational principal components", ICANN 1999.
       :doi:`10.1049/cp:19991160`

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import FactorAnalysis
    >>> model = FactorAnalysis(torch.ones(3, 1), torch.ones(3))
    >>> posterior = model.posterior(torch.tensor([[3.0, 2.0, torch.nan]]))
    >>> posterior.mean, posterior.covariance
    (tensor([[1.6667]]), tensor([[[0.3333]]]))
    >>> model.expected(posterior.mean)
    tensor([[1.6667, 1.6667, 1.6667]])
    """

    def __init__(
        self, loadings, noise, mean=None, uncertainty=None, uncertainty_scale=None
    ):
        super().__init__()
        rank = loadings.shape[1]
        if uncertainty is None:
            uncertainty = loadings.new_zeros(rank, rank)
        self.register_buffer("loadings", loadings)
        self.register_buffer("noise", noise)
        self.register_buffer("mean", _or(mean, torch.zeros_like(noise)))
        self.register_buffer("uncertainty", uncertainty)
        self.register_buffer(
            "uncertainty_scale", _or(uncertainty_scale, torch.ones_like(noise))
        )

    @property
    def rank(self):
        """Number of factors."""
        return self.loadings.shape[1]

    def posterior(self, Z):
        """Return the posterior of the factors given all measured genes.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Profiles; NaN where a gene was not measured.

        Returns
        -------
        posterior : FactorPosterior
        """
        observed, pattern = distinct_rows(~Z.isnan())
        cholesky = torch.linalg.cholesky(self._precision(observed))
        covariance = torch.cholesky_inverse(cholesky)
        evidence = (Z - self.mean).nan_to_num_(nan=0.0)
        evidence = evidence @ (self.loadings / self.noise[:, None])
        if len(covariance) == 1:
            mean = evidence @ covariance[0]
        else:
            mean = (covariance[pattern] @ evidence[:, :, None])[:, :, 0]
        return FactorPosterior(mean, covariance, pattern)

    def expected(self, factors):
        """Return the expected profiles, of shape (n, n_genes), of some factors."""
        return torch.addmm(self.mean, factors, self.loadings.T)

    def variance(self, posterior):
        """Return the variance of the genes given the posterior of the factors.

        Parameters
        ----------
        posterior : FactorPosterior

        Returns
        -------
        explained : tensor of shape (n, n_genes)
            What uncertain factors add: ``w_j' C w_j``.
        own : tensor of shape (n, n_genes)
            The noise of the gene, with what uncertain loadings add.
        """
        mean, covariance, pattern = posterior
        explained = covariance.new_zeros(len(covariance), len(self.loadings))
        for factors, pairs in self._pairs(self.loadings):
            # The pairs are those of one triangle; the others count alike.
            part = covariance[:, factors, : factors.stop].clone()
            part[:, :, : factors.start] *= 2
            part[:, :, factors.start :].tril_().mul_(2)
            part[:, :, factors.start :].diagonal(dim1=1, dim2=2).mul_(0.5)
            explained.addmm_(part.flatten(1), pairs.T)
        explained = explained.clamp_(min=0)[pattern]
        size = (covariance * self.uncertainty).sum((1, 2))[pattern]
        size = size + ((mean @ self.uncertainty) * mean).sum(1)
        return explained, self.noise * (1 + size[:, None] * self.uncertainty_scale)

    def _precision(self, observed):
        """Return the posterior precision for each pattern of measured genes."""
        scaled = self.loadings * self.noise.rsqrt()[:, None]
        observed = observed.to(scaled.dtype)
        products = scaled.new_zeros(len(observed), self.rank, self.rank)
        if len(observed) <= _FEW_PATTERNS:
            for genes, product in zip(observed, products, strict=True):
                torch.mm(scaled.T * genes, scaled, out=product)
        else:
            for factors, pairs in self._pairs(scaled):
                part = (observed @ pairs).unflatten(1, (-1, factors.stop))
                products[:, factors, : factors.stop] = part
                products[:, : factors.stop, factors] = part.mT
        size = observed @ self.uncertainty_scale
        products.add_(size[:, None, None] * self.uncertainty)
        products.diagonal(dim1=1, dim2=2).add_(1)
        return products

    def _pairs(self, loadings):
        """Yield products of the loadings of each gene, for some factors at a time.

        The factors are a slice; their products with all factors up to its end are
        flattened, in shape (n_genes, n_factors * end).
        """
        per_factor = len(loadings) * self.rank * loadings.element_size()
        size = max(1, min(16, _PAIRS_BYTES // per_factor))
        for start in range(0, self.rank, size):
            factors = slice(start, min(start + size, self.rank))
            upto = loadings[:, None, : factors.stop]
            yield factors, (loadings[:, factors, None] * upto).flatten(1)


def distinct_rows(mask):
    """Return the distinct rows of a boolean matrix, and which one each row is.

    Parameters
    ----------
    mask : bool tensor of shape (n, n_genes)

    Returns
    -------
    distinct : bool tensor of shape (n_distinct, n_genes)
        Each row that there is, once.
    row : int64 tensor of shape (n,)
        Which of them each row is.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import distinct_rows
    >>> distinct, row = distinct_rows(torch.tensor([[True], [False], [True]]))
    >>> distinct.flatten(), row
    (tensor([False,  True]), tensor([1, 0, 1]))
    """
    if (mask == mask[:1]).all():
        return mask[:1], torch.zeros(len(mask), dtype=torch.int64, device=mask.device)
    return torch.unique(mask, dim=0, return_inverse=True)


def _or(value, default):
    return default if value is None else value

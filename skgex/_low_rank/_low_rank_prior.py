"""What is expected of a profile before a network looks at it."""

from functools import wraps
from typing import NamedTuple

import torch
from torch import nn

from ..nn._draws import normal
from ._fingerprints import fingerprints

# For the noise of a sample: bound on a squared error, in units of the noise of the
# gene, and the weight, in genes, of a sample like all others.
MAX_ERROR = 25.0
PRIOR_COUNT = 20.0
# A gene that is all but known by others need not be known better than this.
MIN_LEFT = 0.05
# The mixture is over this many leading factors, and curves look at them.
N_LEADING = 64


def no_weight_grad(method):
    """Switch gradients off, unless they are asked for by the values given."""

    @wraps(method)
    def wrapped(self, values, *args, **kwargs):
        asked = values.requires_grad and torch.is_grad_enabled()
        with torch.set_grad_enabled(asked):
            return method(self, values, *args, **kwargs)

    return wrapped


class Expectation(NamedTuple):
    """What a prior expects of some samples.

    Attributes
    ----------
    values : tensor of shape (n, n_genes)
        Expected expression of all genes.
    linear : tensor of shape (n, n_genes)
        The same from the factors alone.
    posterior : FactorPosterior
        Posterior of the factors.
    """

    values: torch.Tensor
    linear: torch.Tensor
    posterior: tuple


class LowRankPrior(nn.Module):
    """Factor analysis, a mixture over its leading factors, and a curve for each gene.

    Always computed in single precision at least: rounding would ruin the posterior.

    Samples with missing values that it was fitted to are known again, by a number for
    each, and can be treated as if it had not seen them.

    Parameters
    ----------
    model : FactorAnalysis
        Loadings and noise of the genes.
    mixture : FactorMixture or None, default=None
        Prior of the leading factors; None for N(0, I).
    curves : GeneCurves or None, default=None
        Corrections of what the factors make expect; None for none.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank import FactorAnalysis, LowRankPrior
    >>> prior = LowRankPrior(FactorAnalysis(torch.ones(3, 1), torch.ones(3)))
    >>> prior(torch.tensor([[3.0, 2.0, torch.nan]])).values
    tensor([[1.6667, 1.6667, 1.6667]])
    """

    def __init__(self, model, mixture=None, curves=None):
        super().__init__()
        self.model = model
        self.mixture = mixture
        self.curves = curves
        self.scores = None
        # What a gene varies with the factors, for the uncertainty.
        self.register_buffer("gram", model.loadings.T @ model.loadings)

    def remember(self, Z):
        """Keep how often genes were measured, and a number for each sample with holes.

        Parameters
        ----------
        Z : iterable of tensor of shape (n, n_genes)
            The standardised profiles it was fitted to, some at a time.
        """
        count, seen = 0.0, []
        for part in Z:
            missing = part.isnan()
            count = count + (~missing).sum(0).to(part.dtype)
            seen.append(fingerprints(part[missing.any(1)]))
        self.register_buffer("count", count)
        self.register_buffer("seen", torch.cat(seen).unique())

    def has_seen(self, Z):
        """Return which samples, with missing values, it was fitted to."""
        # Files of earlier versions have none.
        seen = getattr(self, "seen", None)
        if seen is None or not len(seen):
            return None
        number = fingerprints(Z)
        place = torch.searchsorted(seen, number).clamp(max=len(seen) - 1)
        return seen[place] == number

    @property
    def n_columns(self):
        """Number of leading factors whose covariances are looked at."""
        return min(N_LEADING, self.rank)

    @property
    def rank(self):
        """Number of factors."""
        return self.model.rank

    @no_weight_grad
    def forward(
        self, Z, with_covariance=False, posterior=None, left_out=False, genes=None
    ):
        """Return what is expected given all measured genes.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles; NaN where a gene was not measured.
        with_covariance : bool, default=False
            Whether the covariance of the posterior is needed, and not only its mean.
        posterior : FactorPosterior, default=None
            Posterior of the factors under N(0, I), if it is known already.
        left_out : bool, default=False
            Whether samples that it was fitted to are treated as new ones. What is
            restored of them may otherwise be worse than of new samples.
        genes : sequence of int64 tensor, default=None
            Genes whose expectation is returned, in parts; None for all. What is
            expected of a part does not depend on the others, to the last bit.

        Returns
        -------
        expectation : Expectation
        """
        with torch.autocast(Z.device.type, enabled=False):
            if posterior is None:
                n_columns = None if with_covariance else self.n_columns
                left_out = self.has_seen(Z) if left_out else None
                posterior = self.model.posterior(Z, n_columns, left_out)
            gaussian = posterior
            if self.mixture is not None:
                posterior = self.mixture(posterior, with_covariance)
            parts = [slice(None)] if genes is None else genes
            parts = [self.model.expected(posterior.mean, part) for part in parts]
            linear = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
            genes = None if genes is None else torch.cat(list(genes))
            if gaussian.change is not None:
                along = (gaussian.lean * posterior.mean).sum(1, keepdim=True)
                change = gaussian.change
                linear.addcmul_(change if genes is None else change[:, genes], along)
            values = linear
            if self.curves is not None:
                unsure = self.uncertainty(gaussian)
                values = linear + self.curves(linear, unsure, genes)
            return Expectation(values, linear, posterior)

    def uncertainty(self, posterior):
        """Return the share of the leading factors' variance that is not known.

        Of the variance of the genes by these factors. They are all that is looked at:
        with few columns of the covariance it takes less time.
        """
        q = self.n_columns
        gram = self.gram[:q, :q]
        # Genes without common factors have no loadings: nothing is uncertain.
        total = gram.trace().clamp(min=1e-12)
        left = (posterior.covariance[:, :q, :q] * gram).sum((1, 2)) / total
        return left[posterior.pattern]

    @no_weight_grad
    def factors(self, linear):
        """Return the factors behind an expectation, whichever model it is from."""
        with torch.autocast(linear.device.type, enabled=False):
            return self.model.posterior(linear).mean

    @no_weight_grad
    def factors_again(self, factors):
        """Return as :meth:`factors`, for what some factors make expect."""
        with torch.autocast(factors.device.type, enabled=False):
            return self.model.again(factors)

    @torch.no_grad()
    def variance(self, Z, expectation):
        """Return the variance of all genes, in two parts.

        A sample whose measured genes are further from what is expected than the noise
        makes likely is noisier in the others too: the noise is scaled by how far they
        are, with outliers bounded.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles.
        expectation : Expectation
            What is expected of them, with the covariance.

        Returns
        -------
        explained, own : tensor of shape (n, n_genes)
            Variance by the factors, and by the gene itself.
        """
        with torch.autocast(Z.device.type, enabled=False):
            explained, own = self.model.variance(expectation.posterior)
            return explained, own * self.noisiness(Z, expectation, explained)

    def noisiness(self, Z, expectation, explained):
        """Return how noisy samples are, of shape (n, 1), by their measured genes."""
        measured = ~Z.isnan()
        error = (Z - expectation.linear).square() + explained
        error = (error / self.model.noise).clamp_(max=MAX_ERROR)
        error = torch.where(measured, error, 0).sum(1, keepdim=True)
        count = measured.sum(1, keepdim=True, dtype=error.dtype)
        return (error + PRIOR_COUNT) / (count + PRIOR_COUNT)

    @torch.no_grad()
    def draw(self, Z, expectation, drawn):
        """Draw what samples deviate from what is expected of them.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles.
        expectation : Expectation
            What is expected of them, with the covariance.
        drawn : FactorAnalysis
            The model with loadings, noise and means drawn: the same for all samples,
            whose errors therefore go together.

        Returns
        -------
        deviation : tensor of shape (n, n_genes)
        """
        with torch.autocast(Z.device.type, enabled=False):
            posterior = expectation.posterior
            explained, _ = self.model.variance(posterior)
            noise = drawn.noise * self.noisiness(Z, expectation, explained)
            root = torch.linalg.cholesky(posterior.covariances())
            factors = root @ normal((*posterior.mean.shape, 1), Z.device)
            factors = posterior.mean + factors[:, :, 0]
            off = drawn.expected(factors) - self.model.expected(posterior.mean)
            return off + noise.sqrt() * normal(off.shape, off.device)

    @torch.no_grad()
    def standardised_errors(self, Z, expectation):
        """Return the error of each measured gene given all others, in its deviations.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles.
        expectation : Expectation
            What is expected of them, with the covariance.

        Returns
        -------
        z : tensor of shape (n, n_genes)
            NaN where a gene was not measured.
        """
        with torch.autocast(Z.device.type, enabled=False):
            explained, _ = self.model.variance(expectation.posterior)
            # The gene itself bore on what is expected of it, and made it surer.
            left = (1 - explained / self.model.noise).clamp(min=MIN_LEFT)
            return (Z - expectation.linear) / (self.model.noise * left).sqrt()

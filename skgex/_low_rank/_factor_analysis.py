"""Factor analysis: a linear-Gaussian model of profiles with any genes missing."""

from functools import partial

import numpy as np
import torch
from torch import nn

from ..nn._draws import new_seed, normal
from ..nn._row_sets import runs
from ._factor_posterior import FactorPosterior
from ._few_holes import CompleteBasis
from ._leading_inverse import LeadingInverse
from ._left_out import leave_out
from ._pattern_sets import PatternSets
from ._patterns import distinct_rows
from ._quadratic_forms import quadratic_forms

# Samples that lack fewer genes than this share of the factors are solved for by genes.
_FEW = 0.5


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
    >>> from skgex._low_rank import FactorAnalysis
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

    def leading(self, rank):
        """Return the model of the leading factors, the others being noise."""
        lost = self.loadings[:, rank:].square().sum(1)
        return FactorAnalysis(
            self.loadings[:, :rank].contiguous(),
            self.noise + lost,
            self.mean,
            self.uncertainty[:rank, :rank].contiguous(),
            self.uncertainty_scale,
        )

    def ordered(self):
        """Rotate the factors so that those come first of which most is known.

        Returns
        -------
        model : FactorAnalysis
        information : float64 tensor of shape (rank,)
            What a sample with all genes tells of each factor, as a precision.
        """
        information = (self.loadings / self.noise[:, None]).T @ self.loadings
        information = (information + information.T).double() / 2
        information, basis = torch.linalg.eigh(information)
        rotation = basis.flip(1).float()
        model = FactorAnalysis(
            self.loadings @ rotation,
            self.noise,
            self.mean,
            rotation.T @ self.uncertainty @ rotation,
            self.uncertainty_scale,
        )
        return model, information.flip(0)

    def drawn(self, count=None):
        """Return a draw of the model from what is known of it.

        Parameters
        ----------
        count : tensor of shape (n_genes,), default=None
            Number of samples in which each gene was measured: with it noise and means
            are drawn as well as loadings.

        Returns
        -------
        model : FactorAnalysis
            Without uncertainty.
        """
        size, basis = torch.linalg.eigh(self.uncertainty)
        root = basis * size.clamp(min=0).sqrt()
        noise, mean = self.noise, self.mean
        if count is not None:
            count = count.clamp(min=1)
            mean = mean + (noise / count).sqrt() * normal(mean.shape, mean.device)
            # Noise over its draw is chi-squared, of as many degrees of freedom.
            noise = noise * count / _chi_squared(count)
        spread = (self.noise * self.uncertainty_scale).sqrt()[:, None]
        off = spread * (normal(self.loadings.shape, self.loadings.device) @ root.T)
        return FactorAnalysis(self.loadings + off, noise, mean)

    def posterior(self, Z, n_columns=None, left_out=None):
        """Return the posterior of the factors given all measured genes.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Profiles; NaN where a gene was not measured.
        n_columns : int, default=None
            Of the covariances only so many columns are returned, those of the leading
            factors; None for all. Few take less time: no matrix is inverted.
        left_out : bool tensor of shape (n,), default=None
            Which samples the model was fitted to, and is to be used as if it had not
            seen them; None for none.

        Returns
        -------
        posterior : FactorPosterior
        """
        observed, pattern = distinct_rows(~Z.isnan())
        evidence = (Z - self.mean).nan_to_num_(nan=0.0)
        evidence = evidence @ (self.loadings / self.noise[:, None])
        n_columns = self.rank if n_columns is None else min(n_columns, self.rank)
        covariance = evidence.new_empty(len(observed), self.rank, n_columns)
        leading = evidence.new_empty(len(observed), n_columns, n_columns)
        parts = []
        for places, inverse in self._inverses(observed, n_columns):
            number = pattern.new_full((len(observed),), -1)
            number[places] = torch.arange(len(places), device=number.device)
            rows = (number[pattern] >= 0).nonzero()[:, 0]
            covariance[places], leading[places] = inverse.moments()
            sets = PatternSets(number[pattern[rows]], len(places))
            parts.append((rows, inverse, sets))
        times = partial(_times_inverses, parts)
        posterior = FactorPosterior(
            times(evidence), covariance, pattern, leading=leading
        )
        if left_out is None or not left_out.any():
            return posterior
        return self._without(posterior, Z, left_out, times)

    def _without(self, posterior, Z, left_out, times):
        """Return the posterior with what samples lose that are left out."""
        mean, covariance, pattern, *_ = posterior
        # Of all samples, since products with some would have another shape.
        found, left, right, change, lean = leave_out(self, Z, mean, times)
        # What is left of each sample is its own, but for copies of a sample.
        first, run = runs(Z)
        lost = torch.bmm(left[first], right[first, :, : covariance.shape[2]])
        kept = ~left_out[:, None]
        covariance = covariance[pattern[first]]
        covariance = covariance.where(kept[first, :, None], covariance - lost)
        mean = mean.where(kept, found)
        change, lean = (part.masked_fill(kept, 0) for part in (change, lean))
        return FactorPosterior(mean, covariance, run, None, None, change, lean)

    def _inverses(self, observed, n_columns):
        """Yield places of patterns, and the inverses of their precisions."""
        # Which way is taken for a pattern is for itself to say, not for the others.
        few = (~observed).sum(1) <= self.rank * _FEW
        if n_columns == self.rank:
            few[:] = False
        places = (~few).nonzero()[:, 0]
        if len(places):
            precision = self._precision(observed[places])
            yield places, LeadingInverse(precision, n_columns)
        places = few.nonzero()[:, 0]
        if len(places):
            for part, inverse in self._complete().parts(~observed[places], n_columns):
                yield places[part], inverse

    def _complete(self):
        """Return what samples with few holes are solved for by."""
        # Kept for the next call, and not saved: it takes as long as some samples. It is
        # of these tensors, as they are now.
        parts = self.loadings, self.noise, self.uncertainty, self.uncertainty_scale
        as_now = [
            (part.data_ptr(), part.device, part.dtype, _version(part)) for part in parts
        ]
        kept = vars(self).get("_complete_basis")
        if kept is None or kept[0] != as_now:
            kept = vars(self)["_complete_basis"] = as_now, CompleteBasis(self)
        return kept[1]

    def __getstate__(self):
        return {k: v for k, v in vars(self).items() if k != "_complete_basis"}

    def expected(self, factors, genes=slice(None)):
        """Return the expected profiles, of shape (n, n_genes), of some factors."""
        return torch.addmm(self.mean[genes], factors, self.loadings[genes].T)

    def again(self, factors):
        """Return the posterior means of the profiles that factors make expect."""
        return factors @ self._complete().again

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
        mean, covariance, pattern, added, gain, *_ = posterior
        if not posterior.shared:
            covariance, pattern = covariance[pattern], slice(None)
        explained = quadratic_forms(covariance, self.loadings)[pattern]
        size = (covariance * self.uncertainty).sum((1, 2))[pattern]
        size = size + ((mean @ self.uncertainty) * mean).sum(1)
        if added is not None:
            # Of the leading factors alone, that takes less time.
            explained = explained + quadratic_forms(added, self.loadings @ gain)
            size = size + (added * (gain.T @ self.uncertainty @ gain)).sum((1, 2))
        own = self.noise * (1 + size[:, None] * self.uncertainty_scale)
        return explained.clamp(min=0), own

    def _precision(self, observed):
        """Return the posterior precision for each pattern of measured genes."""
        scaled, complete = self._complete().scaled, self._complete().product
        products = scaled.new_empty(len(observed), self.rank, self.rank)
        # Of the measured and the missing genes those count that are fewer. Their
        # loadings are put where those of the last pattern were, in the cache.
        few = 2 * observed.sum(1) <= observed.shape[1]
        chosen = observed == few[:, None]
        rows = scaled.new_empty(int(chosen.sum(1).max()), self.rank)
        for genes, own, product in zip(chosen, few.tolist(), products, strict=True):
            places = genes.nonzero()[:, 0]
            part = torch.index_select(scaled, 0, places, out=rows[: len(places)])
            if own:
                torch.mm(part.T, part, out=product)
            else:
                torch.addmm(complete, part.T, part, alpha=-1, out=product)
        size = (observed * self.uncertainty_scale).sum(1)
        products.add_(size[:, None, None] * self.uncertainty)
        products.diagonal(dim1=1, dim2=2).add_(1)
        return products


def _times_inverses(parts, vectors):
    """Return the product of each vector with the inverse of its pattern."""
    found = torch.empty_like(vectors)
    for rows, inverse, sets in parts:
        found[rows] = inverse.times(vectors[rows], sets)
    return found


def _or(value, default):
    return default if value is None else value


def _chi_squared(count):
    """Draw from chi-squared distributions of as many degrees of freedom."""
    # By numpy: torch's own draws from the global generator alone.
    drawn = np.random.default_rng(new_seed()).chisquare(count.numpy(force=True))
    return torch.from_numpy(drawn).to(count.device, torch.float32)


def _version(tensor):
    """Return how often a tensor was changed in place, where that is known."""
    return None if tensor.is_inference() else tensor._version

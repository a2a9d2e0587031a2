"""Is a sample like those of the fit? Its likelihood, whatever genes were measured."""

import torch
from torch import nn

from ..nn._draws import integers, uniform
from ._pattern_groups import pattern_groups
from ._shared_posterior import posteriors

_HIDDEN_SHARES = (0.0, 0.5, 0.9)
_N_QUANTILES = 201
# The quantile that spreads are taken from: outliers lie on the lower side.
_LOWER = 0.05


class SampleScores(nn.Module):
    """Likelihoods of samples held out, to compare those of others with.

    Parameters
    ----------
    log_count : tensor of shape (n_levels,)
        Logarithms of numbers of measured genes, ascending.
    quantiles : tensor of shape (n_levels, n_quantiles)
        Evenly spaced quantiles of the likelihoods of samples with as many.
    """

    def __init__(self, log_count, quantiles):
        super().__init__()
        self.register_buffer("log_count", log_count)
        self.register_buffer("quantiles", quantiles)

    def comparable(self, likelihood, count):
        """Return likelihoods as if all genes had been measured.

        Parameters
        ----------
        likelihood : tensor of shape (n,)
            From :func:`relative_likelihood`.
        count : tensor of shape (n,)
            Number of measured genes.

        Returns
        -------
        score : tensor of shape (n,)
        """
        last = self.quantiles.shape[1] - 1
        places = [last // 2, round(_LOWER * last)]
        median, lower = self._at(count)[:, places].unbind(1)
        full_median, full_lower = self.quantiles[-1, places]
        spread = (median - lower).clamp(min=1e-6)
        return full_median + (likelihood - median) / spread * (full_median - full_lower)

    def share_below(self, likelihood, count):
        """Return which share of the samples held out had a lower likelihood.

        Parameters
        ----------
        likelihood, count : tensor of shape (n,)
            As for :meth:`comparable`.

        Returns
        -------
        share : tensor of shape (n,)
            Between 0 and 1.
        """
        quantiles = self._at(count).contiguous()
        place = torch.searchsorted(quantiles, likelihood[:, None])[:, 0]
        return place.to(quantiles.dtype) / quantiles.shape[1]

    def _at(self, count):
        """Return the quantiles for so many measured genes, between the levels."""
        levels = self.log_count
        place = count.clamp(min=1).log().clamp(levels[0], levels[-1])
        right = torch.searchsorted(levels, place).clamp(1, len(levels) - 1)
        gap = (levels[right] - levels[right - 1]).clamp(min=1e-6)
        share = ((place - levels[right - 1]) / gap)[:, None]
        return torch.lerp(self.quantiles[right - 1], self.quantiles[right], share)


def relative_likelihood(prior, Z, posterior=None):
    """Return the log-likelihood per measured gene, less what is expected of it.

    In closed form, and less the mean over samples that the factors would draw with the
    same genes measured: 0 for a sample like all others, and negative for one that is
    unlike them.

    Parameters
    ----------
    prior : LowRankPrior
        The model.
    Z : tensor of shape (n, n_genes)
        Standardised profiles; NaN where a gene was not measured.
    posterior : FactorPosterior, default=None
        Posterior of the factors, if it is known already.

    Returns
    -------
    likelihood : tensor of shape (n,)
        0 for a sample without a measured gene.
    count : tensor of shape (n,)
        Number of measured genes.

    Notes
    -----
    With the posterior mean `m` of the factors, and errors ``e_j = z_j - mean_j``, the
    Gaussian part is ``(count - sum_j e_j^2 / noise_j + sum_j e_j w_j' m / noise_j) /
    2``: the determinant is the same for all samples with these genes. Where loadings
    are uncertain it is the expected log-likelihood, of the factors' integral.
    """
    model = prior.model
    if posterior is None:
        posterior = model.posterior(Z, prior.n_columns)
    error = (Z - model.mean).nan_to_num_(nan=0.0)
    count = (~Z.isnan()).sum(1).to(Z.dtype)
    square = (error.square() / model.noise).sum(1)
    evidence = error @ (model.loadings / model.noise[:, None])
    if posterior.change is not None:
        pull = (posterior.change * error / model.noise).sum(1, keepdim=True)
        evidence = evidence + pull * posterior.lean
    excess = (count - square + (evidence * posterior.mean).sum(1)) / 2
    if prior.mixture is not None:
        excess = excess + prior.mixture.gain(posterior)
    return excess / count.clamp(min=1), count


def fit_scores(folds):
    """Return the likelihoods of samples held out, where more and more is hidden.

    Parameters
    ----------
    folds : list of (LowRankPrior, Blocks)
        Priors, and samples that they were not fitted to.

    Returns
    -------
    scores : SampleScores
    """
    folds = [(*part, pattern_groups(part[1])) for part in folds if len(part[1])]
    reader, levels = folds[0][1].reader, []
    at = torch.linspace(0, 1, _N_QUANTILES, dtype=torch.float32, device=reader.device)
    for share in sorted(_HIDDEN_SHARES, reverse=True):
        mask = uniform(reader.shape[1:], reader.device) < share
        mask[integers(reader.shape[1], device=reader.device)] = False
        found = [
            relative_likelihood(prior, view, posterior)
            for prior, *part in folds
            for _, view, posterior in posteriors(prior.model, *part, mask)
        ]
        likelihood, count = (torch.cat(values) for values in zip(*found, strict=True))
        # A sample may have nothing left but what is hidden.
        known = count > 0
        if known.any():
            level = count[known].mean().log()
            levels.append((level, likelihood[known].quantile(at)))
    log_count, quantiles = (torch.stack(values) for values in zip(*levels, strict=True))
    order = log_count.argsort(stable=True)
    return SampleScores(log_count[order], quantiles[order])

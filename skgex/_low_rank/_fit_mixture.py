"""Fit a mixture over the leading factors: which kinds of samples there are."""

import torch
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from .._training import quiet
from ..nn._draws import new_seed, permutation
from ._factor_mixture import FactorMixture
from ._factor_posterior import FactorPosterior
from ._low_rank_prior import N_LEADING
from ._pattern_groups import pattern_groups
from ._shared_posterior import SharedPosterior

# Samples are grouped by the first few factors.
N_GROUPING = 32
MAX_KINDS = 30
SAMPLES_PER_KIND = 15
# Covariances are drawn to their mean, with the weight of this many samples.
POOLING = 50
# Share of the component that every sample fits: N(0, I), that of factor analysis.
BACKGROUND = 0.05
N_SOFT = 2
_MIXTURE_ROWS = 2048


def fit_mixture(model, blocks):
    """Return a mixture over the leading factors, or None for few samples.

    Parameters
    ----------
    model : FactorAnalysis
        The factors.
    blocks : Blocks
        Training samples.

    Returns
    -------
    mixture : FactorMixture or None
    """
    n_rows = min(len(blocks), _MIXTURE_ROWS)
    n_kinds = min(MAX_KINDS, n_rows // SAMPLES_PER_KIND)
    if n_kinds < 2:
        return None
    some = blocks.only(permutation(len(blocks))[:n_rows])
    parts = list(_parts(model, some))
    means = torch.cat([mean for mean, *_ in parts])[:, :N_GROUPING]
    seed = new_seed()
    # Samples may be all alike: where genes have nothing in common, to begin with.
    with quiet(ConvergenceWarning):
        kmeans = KMeans(n_kinds, n_init=1, random_state=seed)
        groups = kmeans.fit_predict(means.cpu().numpy())
    groups = torch.from_numpy(groups).long().to(means.device)
    weights = torch.nn.functional.one_hot(groups, n_kinds).to(means.dtype)
    weights = weights.split([len(mean) for mean, *_ in parts])
    mixture = _components(
        (weight, mean[:, None], covariance[:, None])
        for weight, (mean, covariance, *_) in zip(weights, parts, strict=True)
    )
    for _ in range(N_SOFT):
        mixture = _components(_responsibilities(mixture, parts))
    return mixture


def _parts(model, blocks):
    """Yield the posterior of the leading factors of samples of one group."""
    groups = pattern_groups(blocks)
    posterior, start = SharedPosterior(model, groups.share), 0
    q = min(N_LEADING, model.rank)
    for Z in blocks:
        group = groups.row_group[start : start + len(Z)]
        start += len(Z)
        mean, covariance, *_ = posterior(Z, group)
        for number in group.unique().tolist():
            own = mean[group == number, :q].contiguous()
            alike = covariance[number : number + 1, :q, :q].contiguous()
            pattern = torch.zeros_like(group[: len(own)])
            yield FactorPosterior(own, alike, pattern, shared=True)


def _responsibilities(mixture, parts):
    """Yield what each component but the background makes of each sample."""
    for part in parts:
        found = mixture.components(part)
        yield found.weight[:, :-1], found.mean[:, :-1], found.covariance[:, :-1]


def _components(parts):
    """Return the mixture for weighted posterior moments of the leading factors."""
    count = first = second = 0.0
    for weight, mean, covariance in parts:
        weighted = weight[:, :, None] * mean
        count = count + weight.sum(0)
        first = first + weighted.sum(0)
        second = second + torch.einsum(
            "nkq,nkr->kqr", weighted, mean.expand_as(weighted)
        )
        second = second + weight.sum(0)[:, None, None] * covariance[0]
    # One more sample at zero keeps the mean of a small component near the others.
    mean = first / (count[:, None] + 1)
    scatter = second - torch.einsum("kq,kr->kqr", mean, first)
    scatter = scatter - torch.einsum("kq,kr->kqr", first - count[:, None] * mean, mean)
    pooled = scatter.sum(0) / count.sum()
    covariance = (scatter + POOLING * pooled) / (count + POOLING)[:, None, None]
    covariance = (covariance + covariance.mT) / 2
    q = mean.shape[1]
    share = (1 - BACKGROUND) * (count / count.sum()).clamp(min=1e-6)
    return FactorMixture(
        torch.cat([share, share.new_tensor([BACKGROUND])]),
        torch.cat([mean, mean.new_zeros(1, q)]),
        torch.cat(
            [covariance, torch.eye(q, dtype=mean.dtype, device=mean.device)[None]]
        ),
    )

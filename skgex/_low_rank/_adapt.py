"""Adapt pretrained factor analysis to a cohort of few samples."""

import torch

from ._factor_analysis import FactorAnalysis
from ._pattern_groups import pattern_groups
from ._shared_posterior import SharedPosterior
from ._start import MIN_NOISE

# What the pretrained loadings weigh, in samples, over what their covariance does.
LOADINGS_WEIGHT = 3.0
# What the noise of a pretrained gene weighs, in samples.
_NOISE_WEIGHT = 20.0
# Precision of the loadings of a gene that it has not, for each factor that there is,
# and the least that factors leave of its variance.
_NEW_PRECISION, _MIN_LEFT = 0.25, 0.05
# Of more samples these are enough: then a cohort's own model has most of the weight.
_MAX_ROWS = 1024
# Directions of which less is known, even of a sample with all genes, are noise.
_MIN_INFORMATION = 0.1


def adapt(starts, own, blocks, weights):
    """Return a model between pretrained ones and that of a cohort alone.

    Its covariance is the average of those of the cohort's own model and of the
    pretrained ones, whose loadings are moved to the cohort first: the loadings stand
    side by side, each scaled by the root of its share.

    Parameters
    ----------
    starts : sequence of Pretrained
        What was learnt elsewhere.
    own : FactorAnalysis
        Fitted to the cohort alone.
    blocks : Blocks
        The samples that it was fitted to.
    weights : sequence of float
        How many samples each pretrained model counts as.

    Returns
    -------
    model : FactorAnalysis
    """
    if not any(weights):
        return own
    moved = [
        CohortMoments(start, blocks).moved(LOADINGS_WEIGHT * weight)
        for start, weight in zip(starts, weights, strict=True)
        if weight
    ]
    return average(
        [recentred(own, blocks), *moved], [len(blocks), *filter(None, weights)]
    )


def recentred(model, blocks):
    """Return a model of a cohort whose means are those of its standardisation.

    These may be drawn to what was known before, and not to be learnt anew. What is left
    of the means is where missing values lie otherwise than measured ones.
    """
    return FactorAnalysis(
        model.loadings,
        model.noise,
        model.mean - _measured_mean(blocks),
        model.uncertainty,
        model.uncertainty_scale,
    )


def average(models, weights):
    """Return the model whose covariance is the weighted average of others.

    Parameters
    ----------
    models : sequence of FactorAnalysis
        For the same genes.
    weights : sequence of float
        Their weights, of any sum.

    Returns
    -------
    model : FactorAnalysis
        With the factors in descending order of what is known of them.
    """
    shares = [weight / sum(weights) for weight in weights]
    parts = list(zip(shares, models, strict=True))
    noise = sum(share * model.noise for share, model in parts)
    # Loadings are uncertain in units of the noise, which is now another.
    scales = [
        share * model.uncertainty_scale * model.noise / noise for share, model in parts
    ]
    sizes = [scale.mean() for scale in scales]
    traces = [model.uncertainty.trace() for model in models]
    total = sum(size * trace for size, trace in zip(sizes, traces, strict=True))
    uneven = sum(scale * trace for scale, trace in zip(scales, traces, strict=True))
    joint = FactorAnalysis(
        torch.cat([share**0.5 * model.loadings for share, model in parts], 1),
        noise,
        sum(share * model.mean for share, model in parts),
        torch.block_diag(
            *(
                size * model.uncertainty
                for size, model in zip(sizes, models, strict=True)
            )
        ),
        torch.where(total > 0, uneven / total.clamp(min=1e-20), 1.0),
    )
    return _informative(joint)


def _informative(model):
    """Rotate factors into the order of what is known of them, without the last ones."""
    model, information = model.ordered()
    n_kept = max(1, int((information > _MIN_INFORMATION).sum()))
    return model.leading(n_kept) if n_kept < model.rank else model


class CohortMoments:
    """What a pretrained model makes of a cohort: expected sums over its samples.

    A step of expectation maximisation from them is all that is taken: more steps do
    not lower the error, and expectations are the same for all weights.

    Parameters
    ----------
    start : Pretrained
        What was learnt elsewhere.
    blocks : Blocks
        The samples of the cohort.
    """

    def __init__(self, start, blocks):
        blocks = blocks.spread(_MAX_ROWS)
        self.start, self.n_rows = start, len(blocks)
        self.mean = _measured_mean(blocks)
        self.sums = _complete_sums(start.model, blocks, pattern_groups(blocks))

    def moved(self, weight):
        """Return the pretrained model with loadings and noise moved to the cohort.

        The step has a Gaussian prior around what was learnt, ``w_j ~ N(pretrained_j,
        noise_j / weight)``, and noise that counts as a few samples. The loadings of a
        gene that was not known are its regression on the factors of the others, drawn
        to zero.

        Parameters
        ----------
        weight : float
            How many samples the pretrained loadings count as.

        Returns
        -------
        model : FactorAnalysis
        """
        n_rows, (total, square, cross, second) = self.n_rows, self.sums
        pretrained, known, _ = self.start
        eye = torch.eye(len(second), dtype=second.dtype, device=second.device)
        inverse = _inverse(second + weight * eye)
        # As steps from what was learnt: of the sums with a large weight, rounding would
        # leave nothing.
        gap = cross - pretrained.loadings @ second
        step = gap @ inverse
        loadings = pretrained.loadings + step
        rest = square - (pretrained.loadings * (cross + gap)).sum(1)
        rest -= (step * gap).sum(1)
        noise = (_NOISE_WEIGHT * pretrained.noise + rest) / (_NOISE_WEIGHT + n_rows)
        new, scale = ~known, known.to(rest.dtype)
        if new.any():
            precision = _NEW_PRECISION * len(second)
            loadings[new] = cross[new] @ _inverse(second + precision * eye)
            # All that the factors leave of the variance is noise, uncertain loadings
            # as well: by few samples, residuals are far too small, and uncertainty
            # that counts against the factors would drown what the others say of them.
            left = square[new] / n_rows - loadings[new].square().sum(1)
            noise[new] = left.clamp(min=_MIN_LEFT)
        # What is missing may lie elsewhere than what was measured.
        mean = total / n_rows - self.mean
        return FactorAnalysis(loadings, noise.clamp(MIN_NOISE), mean, inverse, scale)


def _measured_mean(blocks):
    """Return the mean of the measured values of each gene, 0 where there are none."""
    count = sum((~Z.isnan()).sum(0) for Z in blocks)
    return sum(Z.nansum(0) for Z in blocks) / count.clamp(min=1)


def _complete_sums(model, blocks, groups):
    """Return expected sums over samples whose missing values are factors as well."""
    posterior, start = SharedPosterior(model, groups.share), 0
    new = model.loadings.new_zeros
    n_genes, rank = model.loadings.shape
    total, square = new(n_genes), new(n_genes)
    cross, second = new(n_genes, rank), new(rank, rank)
    for Z in blocks:
        group = groups.row_group[start : start + len(Z)]
        start += len(Z)
        factors = posterior(Z, group).mean
        missing = Z.isnan()
        if missing.any():
            Z = torch.where(missing, model.expected(factors), Z)
        total += Z.sum(0)
        square += Z.square().sum(0)
        cross.addmm_(Z.T, factors)
        second.addmm_(factors.T, factors)
    for covariance, share, n_rows in zip(
        posterior.covariance, groups.share, groups.n_rows, strict=True
    ):
        second += n_rows * covariance
        if (share < 1).any():
            lacking = n_rows * (1 - share)
            spread = model.loadings @ covariance
            cross += lacking[:, None] * spread
            square += lacking * ((spread * model.loadings).sum(1) + model.noise)
    return total, square, cross, second


def _inverse(matrix):
    return torch.cholesky_inverse(torch.linalg.cholesky(matrix))

"""Location and scale of genes in few samples, shrunk by empirical Bayes.

Two references: Smyth G. K. "Linear models and empirical Bayes methods for assessing
differential expression in microarray experiments", Statistical Applications in Genetics
and Molecular Biology 3(1), 2004, doi:10.2202/1544-6115.1027, for the scale; Johnson
W. E., Li C., Rabinovic A. "Adjusting batch effects in microarray expression data using
empirical Bayes methods", Biostatistics 8(1), 118-127, 2007,
doi:10.1093/biostatistics/kxj037, for the location.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, ndtri, polygamma

# How genes differ can't be told from fewer: nothing is shrunk then.
_MIN_GENES = 10
# The largest shifts are left out, so that a few wild genes don't rule.
_TRIMMED = 0.1
# As good as infinite, where digamma and logarithm still have a difference.
_MAX_DF = 1e9
# The exponential of more would overflow.
_MAX_LOG = 700.0
# Squares of larger shifts would overflow.
_MAX_SHIFT = 1e100


def shrunken_moments(mean, std, count, prior_mean=None, prior_std=None, *, share=0.0):
    r"""Return location and scale of genes in a batch of few samples, shrunk.

    Moments of few samples are noisy, and thousands of genes tell how noisy, and how
    much the batch really differs from what is known from elsewhere. With the scale
    :math:`\sigma_j` of gene j, found first, the location is the posterior mean under

    .. math::

       \bar x_j = m_j + \sigma_j (\delta + \tau u_j + e_j / \sqrt{n_j}),

    where :math:`m_j` is the prior mean, :math:`\delta` a shift that all genes share,
    and :math:`u_j, e_j` are standard normal. Where a batch has another unit, the
    genes' own shifts are huge, as is :math:`\tau`, and nothing is shrunk. The scale is
    that of limma: the variance is the mean of that of the batch, with weight
    :math:`n_j - 1`, and of a trend over the genes, with weight :math:`d_0`.

    Parameters
    ----------
    mean : array-like of shape (n_genes,)
        Means of the batch. Ignored where `count` is 0.
    std : array-like of shape (n_genes,)
        Standard deviations of the batch, which divide by `count`.
    count : array-like of shape (n_genes,)
        How many samples of the batch have the gene measured.
    prior_mean, prior_std : array-like of shape (n_genes,), default=None
        Means and standard deviations known from elsewhere, NaN for genes of which
        nothing is known. None if nothing is known of any.
    share : float or array-like of shape (n_genes,), default=0.0
        Share of the samples behind the prior that are those of the batch itself. 0
        for a prior from elsewhere. Such a prior agrees with the batch by construction,
        and by how much is allowed for. With 1 the moments are those of the batch.

    Returns
    -------
    location : ndarray of shape (n_genes,)
        Between the mean of the batch and the prior mean with the common shift. The mean
        of the batch for genes without a prior mean; the prior mean with the common
        shift for genes not measured in the batch; NaN where both are lacking.
    scale : ndarray of shape (n_genes,)
        Standard deviations, free of the bias of few samples. The trend for genes with
        fewer than two samples. If fewer than ten genes vary in the batch, scales are
        those of the batch, and the prior ones for genes with fewer than two samples;
        NaN where these are lacking.
    """
    mean, std, count = (np.asarray(v, np.float64) for v in (mean, std, count))
    unknown = np.full(len(mean), np.nan)
    prior_mean = unknown if prior_mean is None else np.asarray(prior_mean, np.float64)
    prior_std = unknown if prior_std is None else np.asarray(prior_std, np.float64)
    share = np.broadcast_to(np.asarray(share, np.float64), mean.shape)
    # What can't be computed for a gene is not used for it, and is replaced.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale, df = _shrunken_scale(std, count, prior_std, share)
        location = _shrunken_location(mean, scale, df, count, prior_mean, share)
    return location, scale


def _shrunken_scale(std, count, prior_std, share):
    """Return scales, and the degrees of freedom with which they are known."""
    measured, df = count > 1, np.maximum(count - 1, 0)
    scale = np.where(measured, std * np.sqrt(count / df), 0)
    usable = (scale > 0) & (share < 1)
    if usable.sum() < _MIN_GENES:
        return np.where(measured, scale, prior_std), np.where(measured, df, np.inf)
    batch, weight = (2 * np.log(scale), df), df
    prior_scale, prior_df = _scale_trend(*batch, usable, *np.zeros((2, len(std))))
    known = prior_std > 0
    if (known & usable).sum() >= _MIN_GENES:
        trend, trend_df = _scale_trend(*batch, known & usable, np.log(prior_std), share)
        prior_scale = np.where(known, trend, prior_scale)
        prior_df = np.where(known, trend_df, prior_df)
        # The variance of the difference to such a prior is smaller by its share.
        weight = np.where(known, df / (1 - share), df)
    # The logarithm of zero is on no trend: nothing is learnt from such a prior.
    prior_scale = np.where(prior_std == 0, 0, prior_scale)
    prior_df = np.where(prior_std == 0, 0, prior_df)
    weight = weight / (weight + prior_df)
    weight = np.where(measured & (share < 1), weight, measured)
    # The root of the weighted mean of squares, which might overflow.
    scale = np.hypot(np.sqrt(weight) * scale, np.sqrt(1 - weight) * prior_scale)
    # The prior scale is no better known than by its own samples.
    return scale, np.fmin(df + prior_df, count / share - 1)


def _scale_trend(log_variance, df, usable, covariate, share):
    """Return prior scale of each gene and its degrees of freedom, by Smyth's moments.

    The logarithm of the variance of a gene has the mean of the trend, a line over the
    covariate, and a variance of trigamma(df / 2) by sampling; what is more is that of
    the genes' true variances, trigamma(prior_df / 2).
    """
    # DEVIATION: limma has a spline over the mean expression; a line over the logarithm
    # of a scale known from elsewhere is nearer to what is sought, and steadier.
    df = df[usable]
    # A sum of squares and the share of it that a batch has are independent, so that
    # moments of the logarithm of the share are differences.
    total = np.minimum(df / share[usable], _MAX_DF)
    e = log_variance[usable] - _log_bias(df) + _log_bias(total)
    noise = polygamma(1, df / 2) - polygamma(1, total / 2)
    x = covariate[usable]
    spread = x - x.mean()
    sloped = np.ptp(x) > 1e-9
    slope = spread @ e / (spread @ spread) if sloped else 0.0
    inside = np.clip(covariate, x.min(), x.max())
    # Beyond the genes of the line, scales are the known ones times a factor.
    line = e.mean() + slope * (inside - x.mean()) + 2 * (covariate - inside)
    residual = e - line[usable]
    excess = residual @ residual / (len(e) - 1 - sloped) - noise.mean()
    prior_df = 2 * _inverse_trigamma(excess) if excess > 0 else np.inf
    log_scale = (line + _log_bias(min(prior_df, _MAX_DF))) / 2
    return np.exp(np.minimum(log_scale, _MAX_LOG)), prior_df


def _log_bias(df):
    """Mean of the logarithm of a sample variance whose expectation is one."""
    return digamma(df / 2) - np.log(df / 2)


def _inverse_trigamma(x):
    """Solve trigamma(y) = x by the Newton steps on 1 / trigamma of Smyth (2004)."""
    if x > 1e7:
        return 1 / np.sqrt(x)
    if x < 1e-6:
        return 1 / x
    y = 0.5 + 1 / x
    # It is convex, and nearly a line: steps go down only, and few are needed.
    for _ in range(50):
        value = polygamma(1, y)
        step = value * (1 - value / x) / polygamma(2, y)
        y += step
        if -step < 1e-10 * y:
            break
    return y


def _shrunken_location(mean, scale, df, count, prior_mean, share):
    measured = count > 0
    shift = (mean - prior_mean) / scale
    usable = measured & np.isfinite(shift) & (scale > 0) & (share < 1)
    if usable.sum() < _MIN_GENES:
        return np.where(measured, mean, prior_mean)
    # Variances, in units of the squared scale. The mean of batch and others has a part
    # of the error of the batch.
    error = (1 - share) / count
    shifts = np.clip(shift[usable], -_MAX_SHIFT, _MAX_SHIFT)
    common = np.median(shifts)
    # DEVIATION: ComBat goes back and forth between location and scale, and estimates
    # the variance of the shifts without regard to their errors, which is too large.
    variance = _shift_variance(shifts - common, error[usable], df[usable])
    expected = prior_mean + common * scale
    expected = np.where(np.isfinite(expected), expected, prior_mean)
    location = mean - error / (variance + error) * (mean - expected)
    location = np.where(usable & np.isfinite(location), location, mean)
    return np.where(measured, location, expected)


def _shift_variance(shift, error, df):
    """Return the variance of shifts beyond that of their errors.

    Shifts are in units of estimated scales, so that they have Student's distribution.
    Brought to the normal one, and squared, the mean of the smaller ones is that of
    squares of a truncated normal variable if the variance is right.
    """
    n_kept = int(len(shift) * (1 - _TRIMMED))
    q = ndtri(1 - _TRIMMED / 2)
    density = np.exp(-(q**2) / 2) / np.sqrt(2 * np.pi)
    expected = 1 - 2 * q * density / (1 - _TRIMMED)
    df = np.clip(df, 1 / _MAX_DF, _MAX_DF)
    # From Student's to the normal distribution: Wallace, Annals of Mathematical
    # Statistics 30(4), 1124-1130, 1959.
    factor = df * ((8 * df + 1) / (8 * df + 3)) ** 2
    least = error.min()

    def excess(log_total):
        variance = np.exp(log_total) - least
        normal = factor * np.log1p(shift**2 / (variance + error) / df)
        return _mean_of_smallest(normal, n_kept) - expected

    # More than the normal distribution and the smallest error would give it can't be.
    low, high = np.log([least, _mean_of_smallest(shift**2, n_kept) / expected])
    if not low < high or excess(low) <= 0:
        return 0.0
    # It may be reached by rounding alone.
    root = brentq(excess, low, high) if excess(high) < 0 else high
    return np.exp(root) - least


def _mean_of_smallest(values, n):
    return np.partition(values, n - 1)[:n].mean()

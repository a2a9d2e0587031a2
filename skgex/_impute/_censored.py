"""Values that are missing because they are low: below a limit of detection."""

import numpy as np
from scipy.special import log_ndtr, ndtri, ndtri_exp
from sklearn.utils import check_array

_N_MOMENTS = 100
# The share of the measured values that tell of the lower tail, and at least how many.
_TAIL, _MIN_TAIL = 0.3, 10
# Bounds on the ratio of the lower tail to that of a normal distribution.
_DEPTHS = (0.05, 2.0)
_LOG_ROOT_2_PI = 0.5 * np.log(2 * np.pi)


def limits_of(censored, measured, names=None):
    """Return the limit of detection of each gene; NaN where there is none.

    Parameters
    ----------
    censored : "left", dict or array-like of shape (n_genes,)
        As given to `GexImputer`.
    measured : ndarray of shape (n_samples, n_genes)
        Training values; NaN where missing.
    names : ndarray of str, default=None
        Names of the genes.

    Raises
    ------
    ValueError
        If limits are not one for each gene, or of genes that there are not.
    """
    n_genes = measured.shape[1]
    if isinstance(censored, str):
        lowest = np.full(n_genes, np.nan)
        some = ~np.isnan(measured).all(axis=0)
        lowest[some] = np.nanmin(measured[:, some], axis=0)
        return lowest
    if isinstance(censored, dict):
        return _by_name(censored, n_genes, names)
    limits = check_array(
        censored, ensure_2d=False, dtype=float, ensure_all_finite="allow-nan"
    )
    if limits.shape != (n_genes,):
        raise ValueError(
            f"censored has limits of shape {limits.shape}, but X has {n_genes} genes: "
            "give one for each, NaN for genes without a limit."
        )
    return limits


def _by_name(censored, n_genes, names):
    place = {} if names is None else {name: i for i, name in enumerate(names)}
    unknown = [gene for gene in censored if gene not in place]
    if unknown:
        raise ValueError(
            f"censored has a limit for {unknown[0]!r}, which X has no column for; "
            "limits by name need a table whose columns are genes."
        )
    limits = np.full(n_genes, np.nan)
    for gene, limit in censored.items():
        limits[place[gene]] = limit
    return limits


def below(mean, std, limit):
    """Return mean and variance of normal variables that are below a limit.

    With ``a = (limit - mean) / std`` and `r` the density over the distribution function
    of a standard normal at `a`, the mean is ``mean - std r``, and the variance
    ``std^2 (1 - a r - r^2)``.

    Parameters
    ----------
    mean, std, limit : ndarray
        Of shapes that go together.

    Returns
    -------
    mean, variance : ndarray
    """
    place = (limit - mean) / std
    ratio = np.exp(-0.5 * place**2 - _LOG_ROOT_2_PI - log_ndtr(place))
    variance = std**2 * np.clip(1 - place * ratio - ratio**2, 0, 1)
    return np.minimum(mean - std * ratio, limit), variance


def draw_below(mean, std, limit, random_state):
    """Return draws of normal variables that are below a limit."""
    place = (limit - mean) / std
    share = np.log(1 - random_state.random_sample(np.shape(mean)))
    return np.minimum(mean + std * ndtri_exp(share + log_ndtr(place)), limit)


def marginal_fill(measured, low, limits):
    """Return what is expected of a value below its limit, by its gene alone.

    By expectation maximisation for the mean and the variance of a normal variable that
    is censored from the left.

    Parameters
    ----------
    measured : ndarray of shape (n_samples, n_genes)
        Values; NaN where missing.
    low : bool ndarray of shape (n_samples, n_genes)
        Which of them are below the limit of the gene.
    limits : ndarray of shape (n_genes,)
        The limits.

    Returns
    -------
    fill : ndarray of shape (n_genes,)
        NaN for genes without a measured value or without a limit.
    depth : ndarray of shape (n_genes,)
        See :func:`tail_depth`; `fill` has it already.
    """
    known, n_low = (~np.isnan(measured)).sum(axis=0), low.sum(axis=0)
    total, square = np.nansum(measured, axis=0), np.nansum(measured**2, axis=0)
    count = np.maximum(known, 1)
    mean = total / count
    least = 1e-6 * (1 + np.abs(mean))
    std = np.sqrt(np.maximum(square / count - mean**2, least**2))
    fill, spread = below(mean, std, limits)
    for _ in range(_N_MOMENTS):
        both = np.maximum(known + n_low, 1)
        mean = (total + n_low * fill) / both
        second = (square + n_low * (fill**2 + spread)) / both
        std = np.sqrt(np.maximum(second - mean**2, least**2))
        fill, spread = below(mean, std, limits)
    depth = tail_depth(measured, n_low, std)
    return np.where(known > 0, limits - depth * (limits - fill), np.nan), depth


def tail_depth(measured, n_low, std):
    """Return how deep values below a limit lie, over how deep those of a normal do.

    The lowest measured values of a gene tell how its lower tail goes on: their slope
    over normal quantiles of their ranks, by least squares, over the standard deviation.

    Parameters
    ----------
    measured : ndarray of shape (n_samples, n_genes)
        Values; NaN where missing.
    n_low : ndarray of shape (n_genes,)
        Number of values below the limit of each gene.
    std : ndarray of shape (n_genes,)
        Standard deviations as of a censored normal.

    Returns
    -------
    depth : ndarray of shape (n_genes,)
    """
    ordered = np.sort(measured, axis=0)  # NaN comes last
    known = (~np.isnan(measured)).sum(axis=0)
    depth = np.ones(len(known))
    genes = np.flatnonzero((n_low > 0) & (known >= _MIN_TAIL))
    used = np.maximum(_MIN_TAIL, (_TAIL * known).astype(int))
    for gene in genes:
        n_used = used[gene]
        rank = n_low[gene] + np.arange(n_used) + 0.5
        quantile = ndtri(rank / (n_low[gene] + known[gene]))
        slope = np.polyfit(quantile, ordered[:n_used, gene], 1)[0]
        depth[gene] = np.clip(slope / std[gene], *_DEPTHS)
    if len(genes):
        # By chance the logarithm varies by one over the number of values that are used:
        # drawn to the median of the genes as far as that is how they differ.
        found, chance = np.log(depth[genes]), 1 / used[genes]
        centre = np.median(found)
        real = max(np.mean((found - centre) ** 2 - chance), 0)
        depth[genes] = np.exp(centre + (found - centre) * real / (real + chance))
    return depth

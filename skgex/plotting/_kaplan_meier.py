"""Survival as it was observed: Kaplan-Meier curves, and whether groups differ."""

from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, ndtri


class KaplanMeier(NamedTuple):
    """Observed survival at the times of a group, and its interval.

    All are arrays of shape (n_times,), from time zero on.
    """

    time: np.ndarray
    survival: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_at_risk: np.ndarray
    n_events: np.ndarray


def kaplan_meier(event, time, level=0.95):
    r"""Estimate survival by the product-limit method [1]_.

    The interval is by Greenwood's variance [2]_, on the scale of ``log(-log(S))``,
    which keeps it between 0 and 1 [3]_:

    .. math::

        \hat S(t) = \prod_{t_i \le t} (1 - d_i / n_i), \quad
        \hat S(t)^{\exp(\pm z \, \sigma(t) / \log \hat S(t))}, \quad
        \sigma^2(t) = \sum_{t_i \le t} \frac{d_i}{n_i (n_i - d_i)}

    Parameters
    ----------
    event : ndarray of bool of shape (n_samples,)
        Whether the event was seen.
    time : ndarray of shape (n_samples,)
        Time of the event or of censoring.
    level : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    curve : KaplanMeier
        It begins at time zero with a survival of one. Up to the first event the
        interval is one as well, and zero where survival is zero, since neither has an
        estimate of its variance.

    References
    ----------
    .. [1] Kaplan E.L., Meier P. "Nonparametric estimation from incomplete
       observations", JASA 53(282), 1958. :doi:`10.1080/01621459.1958.10501452`
    .. [2] Greenwood M. "The natural duration of cancer", Reports on Public Health and
       Medical Subjects 33, 1926.
    .. [3] Kalbfleisch J.D., Prentice R.L. "The Statistical Analysis of Failure Time
       Data", Wiley, 1980.
    """
    times, place, counts = np.unique(time, return_inverse=True, return_counts=True)
    deaths = np.bincount(place, event, minlength=len(times))
    at_risk = counts[::-1].cumsum()[::-1]
    survival = np.cumprod(1 - deaths / at_risk)
    lived = at_risk - deaths
    terms = np.divide(
        deaths, at_risk * lived, out=np.zeros(len(times)), where=lived > 0
    )
    low, high = _interval(survival, np.sqrt(terms.cumsum()), level)
    start = np.array([0.0]), *(np.array([1.0]),) * 3, np.array([len(time)]), [0]
    own = times, survival, low, high, at_risk, deaths.astype(int)
    if times[0] == 0:
        return KaplanMeier(*own)
    return KaplanMeier(*(np.append(a, b) for a, b in zip(start, own, strict=True)))


def survival_at(curve, t):
    """Return survival, low and high at a time; NaN beyond the last of the group.

    A curve that has come down to zero stays there.
    """
    i = np.searchsorted(curve.time, t, side="right") - 1
    if t > curve.time[-1] and curve.survival[-1] > 0:
        return np.full(3, np.nan)
    return np.array([curve.survival[i], curve.low[i], curve.high[i]])


def log_rank_test(event, time, group):
    """Test whether the hazards of groups are the same at all times [1]_.

    Parameters
    ----------
    event : ndarray of bool of shape (n_samples,)
        Whether the event was seen.
    time : ndarray of shape (n_samples,)
        Time of the event or of censoring.
    group : ndarray of int of shape (n_samples,)
        From 0 to the number of groups, less one, none of which is empty.

    Returns
    -------
    chi2 : float
        Statistic, with one degree of freedom less than there are groups with somebody
        at risk at an event.
    p_value : float
        Probability of a larger one if the hazards are the same.

    References
    ----------
    .. [1] Mantel N. "Evaluation of survival data and two new rank order statistics
       arising in its consideration", Cancer Chemotherapy Reports 50(3), 1966.
    """
    times, place = np.unique(time, return_inverse=True)
    members = group[:, None] == np.arange(group.max() + 1)
    deaths, leaving = np.zeros((2, len(times), members.shape[1]))
    np.add.at(leaving, place, members)
    np.add.at(deaths, place, members & event[:, None])
    at_risk = leaving[::-1].cumsum(axis=0)[::-1]
    n, d = at_risk.sum(axis=1), deaths.sum(axis=1)
    share = at_risk / n[:, None]
    excess = (deaths - d[:, None] * share).sum(axis=0)
    # Hypergeometric, given who is at risk; one sample alone leaves nothing to chance.
    factor = np.divide(d * (n - d), n - 1, out=np.zeros(len(n)), where=n > 1)
    weighted = factor[:, None] * share
    covariance = np.diag(weighted.sum(axis=0)) - weighted.T @ share
    # All excesses add up to zero: one is known from the others. A group that nobody
    # has left to be at risk at any event says nothing.
    told = np.flatnonzero((d[:, None] * share).sum(axis=0) > 0)[1:]
    if not covariance[np.ix_(told, told)].any():
        return 0.0, 1.0
    solved = np.linalg.lstsq(covariance[np.ix_(told, told)], excess[told])[0]
    chi2 = float(excess[told] @ solved)
    return chi2, float(chdtrc(len(told), chi2))


def _interval(survival, sigma, level):
    z = ndtri((1 + level) / 2)
    inside = (survival > 0) & (survival < 1)
    log_survival = np.log(survival, out=np.full(len(survival), -1.0), where=inside)
    width = np.exp(z * sigma / -log_survival)
    return (
        np.where(inside, np.exp(log_survival * width), survival),
        np.where(inside, np.exp(log_survival / width), survival),
    )

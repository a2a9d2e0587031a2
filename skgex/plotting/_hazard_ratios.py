"""Hazard ratios between groups."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

_MAX_STEPS = 30
# A log hazard ratio beyond this has no bound.
_LARGEST = 15.0


def hazard_ratios(event, time, group, names, level=0.95):
    """Return hazard ratios of groups to the first one, with Wald intervals.

    They are those of a Cox regression on the groups [1]_, with Efron's form for tied
    events, as of ``coxph(Surv(time, event) ~ factor(group))`` in R's survival. Of
    groups only counts are needed, so that figures do without torch and the estimators.

    Parameters
    ----------
    event : ndarray of bool of shape (n_samples,)
        Whether the event was seen.
    time : ndarray of shape (n_samples,)
        Time of the event or of censoring.
    group : ndarray of int of shape (n_samples,)
        From 0 to the number of groups, less one.
    names : list of str
        Of the groups.
    level : float, default=0.95
        Coverage of the intervals.

    Returns
    -------
    table : DataFrame of shape (n_groups, 3)
        "hazard_ratio", "low" and "high"; 1 for the first group, NaN where the ratio has
        no bound, as of a group without an event.

    References
    ----------
    .. [1] Cox D.R. "Regression models and life-tables", JRSS B 34(2), 1972.
    """
    table = np.full((len(names), 3), np.nan)
    counts = np.bincount(group[event], minlength=len(names))
    told = np.flatnonzero(counts > 0)
    if len(told) > 1 and told[0] == 0:
        beta, covariance = _fit(_terms(event, time, group)[:, told], counts[told])
        width = ndtri((1 + level) / 2) * np.sqrt(np.diag(covariance))
        limits = np.stack([beta, beta - width, beta + width], axis=1)
        table[told[1:]] = np.exp(limits)
    table[0] = 1
    return pd.DataFrame(table, names, ["hazard_ratio", "low", "high"])


def _terms(event, time, group):
    """Return how many of each group are in the risk set of each event."""
    times, place = np.unique(time, return_inverse=True)
    members = group[:, None] == np.arange(group.max() + 1)
    leaving, deaths = np.zeros((2, len(times), members.shape[1]))
    np.add.at(leaving, place, members)
    np.add.at(deaths, place, members & event[:, None])
    at_risk = leaving[::-1].cumsum(axis=0)[::-1]
    tied = deaths.sum(axis=1).astype(int)
    rank = np.concatenate([np.arange(d) / max(d, 1) for d in tied])
    rows = np.repeat(np.arange(len(times)), tied)
    return at_risk[rows] - rank[:, None] * deaths[rows]


def _fit(at_risk, n_events):
    """Return log hazard ratios to the first group, and their covariance."""
    beta = np.zeros(len(n_events))
    for _ in range(_MAX_STEPS):
        share = at_risk * np.exp(beta)
        share /= share.sum(axis=1, keepdims=True)
        score = (n_events - share.sum(axis=0))[1:]
        information = (np.diag(share.sum(axis=0)) - share.T @ share)[1:, 1:]
        step = np.linalg.lstsq(information, score, rcond=None)[0]
        beta[1:] += step / max(1.0, np.abs(step).max())
        if np.abs(beta).max() > _LARGEST:
            break
        if np.abs(step).max() < 1e-9:
            return beta[1:], np.linalg.pinv(information)
    unknown = np.full(len(beta) - 1, np.nan)
    return unknown, np.diag(unknown)

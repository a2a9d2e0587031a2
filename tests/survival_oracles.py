"""Formulas of survival analysis, written out slowly."""

import numpy as np


def slow_cox_loss(risk, event, time, strata=None, weight=None, ties="efron"):
    """Return Cox's negative log partial likelihood, one event after the other.

    Efron's form, as in R: each of the tied events has the mean of their weights, and
    the l-th of d of them takes the share l / d of all of them out of the risk set.
    """
    n = len(time)
    strata = np.zeros(n) if strata is None else strata
    weight = np.ones(n) if weight is None else weight
    loss = 0.0
    for s in np.unique(strata):
        here = (strata == s) & (weight > 0)
        for t in np.unique(time[here & event]):
            dead = np.flatnonzero(here & event & (time == t))
            at_risk = here & (time >= t)
            top = risk[at_risk].max()
            total = (weight[at_risk] * np.exp(risk[at_risk] - top)).sum()
            tied = (weight[dead] * np.exp(risk[dead] - top)).sum()
            for rank in range(len(dead)):
                share = rank / len(dead) if ties == "efron" else 0.0
                left = np.log(total - share * tied) + top
                loss += weight[dead].mean() * left
            loss -= (weight[dead] * risk[dead]).sum()
    return loss


def slow_cox_information(C, beta, event, time, strata=None, weight=None, ties="efron"):
    """Return score and information of Cox's likelihood, term by term.

    In each term of `slow_cox_loss` a covariate has a mean and a covariance in what is
    left of the risk set.
    """
    n, k = C.shape
    strata = np.zeros(n) if strata is None else strata
    weight = np.ones(n) if weight is None else weight
    score, information = np.zeros(k), np.zeros((k, k))
    hazard = weight * np.exp(C @ beta)
    for s in np.unique(strata):
        here = (strata == s) & (weight > 0)
        for t in np.unique(time[here & event]):
            dead = np.flatnonzero(here & event & (time == t))
            for rank in range(len(dead)):
                share = rank / len(dead) if ties == "efron" else 0.0
                p = np.where(here & (time >= t), hazard, 0.0)
                p[dead] *= 1 - share
                p /= p.sum()
                mean = p @ C
                spread = (C - mean).T @ ((C - mean) * p[:, None])
                score -= weight[dead].mean() * mean
                information += weight[dead].mean() * spread
            score += weight[dead] @ C[dead]
    return score, information


def slow_cox_fit(C, event, time, strata=None, weight=None, ties="efron", penalty=0.0):
    """Return coefficients and the inverse of their information, by Newton's method.

    `penalty`, a number or one for each column, is that of half the squares.
    """
    beta, ridge = np.zeros(C.shape[1]), np.diag(np.zeros(C.shape[1]) + penalty)
    for _ in range(30):
        score, information = slow_cox_information(
            C, beta, event, time, strata, weight, ties
        )
        step = np.linalg.solve(information + ridge, score - ridge @ beta)
        # No further than where the quadratic is one.
        beta = beta + step / max(1.0, np.abs(C @ step).max())
    return beta, np.linalg.inv(information + ridge)

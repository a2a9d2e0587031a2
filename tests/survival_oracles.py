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

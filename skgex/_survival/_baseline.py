"""Breslow's estimate of the baseline hazard."""

import numpy as np

# A hazard that a risk can still bring down to any number.
_LARGEST_LOG = 600.0


def breslow_hazard(risk, event, time, weight, times):
    """Return the cumulative baseline hazard at the given times.

    Parameters
    ----------
    risk : ndarray of shape (n_samples,)
        Log risks.
    event, time, weight : ndarray of shape (n_samples,)
        Follow-up of the samples.
    times : ndarray of shape (n_times,)
        Ascending.

    Returns
    -------
    hazard : ndarray of shape (n_times,)

    References
    ----------
    Breslow N.E., discussion of Cox D.R. "Regression models and life-tables", JRSS B
    34(2), 1972.
    """
    own, place = np.unique(time, return_inverse=True)
    deaths = np.bincount(place, weight * event)
    # By logarithms, and the last first: those who are left may have risks so low that
    # they vanish beside the highest of all.
    last_first, known = np.argsort(-time, kind="stable"), weight > 0
    log_weight = np.log(weight, out=np.full(len(weight), -np.inf), where=known)
    total = np.logaddexp.accumulate((risk + log_weight)[last_first])
    at_risk = total[np.bincount(place)[::-1].cumsum() - 1][::-1]
    steps, dead = np.zeros(len(own)), deaths > 0
    largest = _LARGEST_LOG - np.log(dead.sum() or 1)
    steps[dead] = np.exp(np.minimum(np.log(deaths[dead]) - at_risk[dead], largest))
    hazard = np.append(0.0, steps.cumsum())
    return hazard[np.searchsorted(own, times, side="right")]


def stratified_baseline(risk, data, names, times):
    """Return the cumulative baseline hazard of each stratum at the given times.

    Parameters
    ----------
    risk : ndarray of shape (n_samples,)
        Log risks.
    data : SurvivalData
        Follow-up.
    names : ndarray of shape (n_strata,) or None
        Labels of the strata; None for one without.
    times : ndarray of shape (n_times,)
        Ascending.

    Returns
    -------
    hazard : ndarray of shape (n_strata, n_times)
    """
    event, time, stratum, weight = (values.numpy() for values in data)
    baseline = np.zeros((1 if names is None else len(names), len(times)))
    for s in np.unique(stratum):
        rows = stratum == s
        baseline[s] = breslow_hazard(
            risk[rows], event[rows], time[rows], weight[rows], times
        )
    return baseline

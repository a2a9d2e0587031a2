"""Breslow's estimate of the baseline hazard."""

import numpy as np

# Of covariates that order the times, or of samples far from those of training, log
# risks are without bound: products of hazards up to here are numbers.
LARGEST_RISK = 300.0


def bounded_risk(risk):
    """Return log risks as curves take them: at most 300, and at least -300."""
    return np.clip(risk, -LARGEST_RISK, LARGEST_RISK)


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
    risk = bounded_risk(risk)
    shift = risk.max()
    relative = weight * np.exp(risk - shift)
    own, place = np.unique(time, return_inverse=True)
    at_risk = np.bincount(place, relative)[::-1].cumsum()[::-1]
    deaths = np.bincount(place, weight * event)
    steps = np.divide(deaths, at_risk, out=np.zeros_like(deaths), where=deaths > 0)
    hazard = np.append(0.0, steps.cumsum()) * np.exp(-shift)
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

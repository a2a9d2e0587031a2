"""The test of proportional hazards on Schoenfeld residuals."""

import numpy as np
import torch
from scipy.stats import chi2
from sklearn.utils import Bunch

from ._ridge_path import pseudo_inverse


def zph_test(likelihood, x, beta, times, transform):
    """Test whether effects change with time, by a score test.

    Grambsch and Therneau let the effect be ``beta + theta * g(t)``. The score of
    `theta` at zero is the sum of Schoenfeld residuals times g; its variance here is the
    whole information, as in R's `survival` from version 3.0 on, not the approximation
    of the paper that risk sets have equal variances.

    Parameters
    ----------
    likelihood : CoxLikelihood
        Of the samples.
    x : tensor of shape (n_samples, n_features), dtype float64
        Features.
    beta : tensor of shape (n_features,), dtype float64
        Their coefficients, at the optimum.
    times : ndarray of shape (n_samples,)
        Times of follow-up, transformed by g.
    transform : ndarray of shape (n_samples,)
        g at the time of each sample.

    Returns
    -------
    test : Bunch
        With "statistic" and "pvalue" of each feature, of one degree of freedom; those
        of all together, "global_statistic" and "global_pvalue"; and for each event in
        the order of time its "times", and "residuals", of shape (n_events, n_features):
        Schoenfeld's, scaled and with `beta` added, whose mean at a time is the effect
        then.
    """
    x = x - x.mean(dim=0)
    rows, weights, mean, covariance = likelihood.risk_set_moments(x @ beta, x)
    event_weight, term_weight = weights
    g = torch.from_numpy(transform)[rows]
    # At another origin of g the test is the same, but loses digits.
    g = g - g.mean()
    residual = event_weight[:, None] * x[rows] - term_weight[:, None] * mean
    bends = term_weight[:, None, None] * covariance
    score = (g[:, None] * residual).sum(0)
    own = (g[:, None, None] ** 2 * bends).sum(0)
    cross = (g[:, None, None] * bends).sum(0)
    inverse = pseudo_inverse(bends.sum(0))
    left = own - cross @ inverse @ cross
    statistic = (score**2 / left.diagonal()).numpy()
    together = float(score @ pseudo_inverse(left) @ score)
    order = torch.from_numpy(np.argsort(times[rows.numpy()], kind="stable"))
    scaled = beta + len(rows) * residual[order] @ inverse
    return Bunch(
        statistic=statistic,
        pvalue=chi2.sf(statistic, 1),
        global_statistic=together,
        global_pvalue=float(chi2.sf(together, x.shape[1])),
        times=times[rows[order].numpy()],
        residuals=scaled.numpy(),
    )


def transform_times(transform, event, time):
    """Return g at the time of each sample.

    Parameters
    ----------
    transform : {"km", "rank", "identity", "log"}
        "km" is one less the estimate of Kaplan and Meier just before each time.
    event, time : ndarray of shape (n_samples,)
        Follow-up.
    """
    if transform == "identity":
        return time.astype(float)
    if transform == "log":
        return np.log(time)
    if transform == "rank":
        # Of the events; mean ranks where they are tied.
        events = np.sort(time[event])
        low, high = (np.searchsorted(events, time, side) for side in ("left", "right"))
        return (low + high + 1) / 2
    place = np.unique(time, return_inverse=True)[1]
    at_risk = np.bincount(place)[::-1].cumsum()[::-1]
    survival = np.cumprod(1 - np.bincount(place, event) / at_risk)
    return 1 - np.append(1.0, survival[:-1])[place]

"""Calibration of discrete hazards on patients of another cohort."""

from copy import deepcopy

import numpy as np
import torch
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted

from ._data import check_data
from ._new_cohort import NO_BOUND, refuse_slope, wald_interval
from ._tasks import HazardTask

_MAX_STEPS, _MAX_HALVINGS = 100, 30
# Of standardised logits: a slope beyond this has no bound.
_LARGEST_SLOPE = 30.0


class HazardCalibrationMixin:
    """Calibration slope and recalibration of hazards in intervals.

    An estimator adds ``_checked_risk(X)``, `cuts_`, `intercepts_` and `slope_`.
    """

    def calibration_slope(self, X, y, sample_weight=None):
        """Return how strongly hazards of patients go with their follow-up.

        It is the coefficient of the predicted logits in a logistic regression of the
        event in each interval, for those who reach it, that has an intercept for each
        interval: 1 where odds are as predicted, below where they are closer to each
        other, as after overfitting, 0 where they say nothing.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles, of patients that the model was not fitted to.
        y : structured array of shape (n_samples,)
            Event and time of each sample.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the likelihood.

        Returns
        -------
        slope : Bunch
            With "slope", "standard_error", and a Wald interval of 95 % from "lower" to
            "upper".
        """
        logits, data = self._observed(X, y, sample_weight)
        return wald_interval(*fit_logit_slope(logits, HazardTask(self.cuts_), data))

    def recalibrate(self, X, y, sample_weight=None):
        """Return a copy of the model that is calibrated on another cohort.

        Its logits are those of the model times one slope, `slope_`, and the intercepts
        of all intervals are learnt anew; coefficients and `cuts_` stay. In intervals
        without an event here the hazard is zero, and times beyond the follow-up of this
        cohort are refused. The model itself is not modified.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles. The result is to be tested on others than these.
        y : structured array of shape (n_samples,)
            Event and time of each sample.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the likelihood.

        Returns
        -------
        recalibrated : estimator
            A fitted copy.

        Raises
        ------
        ValueError
            If the slope is not above zero: the model says nothing of this cohort.
        """
        logits, data = self._observed(X, y, sample_weight)
        task = HazardTask(self.cuts_)
        slope, _ = fit_logit_slope(logits, task, data)
        refuse_slope(slope, len(logits))
        new = deepcopy(self)
        new.unique_times_ = np.unique(data.time)
        new.event_times_ = np.unique(data.time[data.event])
        new.slope_ = slope * vars(self).get("slope_", 1.0)
        new.intercepts_ = task.baseline(torch.from_numpy(slope * logits), data)
        new.intercepts_ = new.intercepts_.numpy()
        return new

    def _logits(self, X):
        """Return logits of hazards, but for the intercepts."""
        risk, added = self._checked_risk(X)
        # Files of before it was there are of models that were not recalibrated.
        return vars(self).get("slope_", 1.0) * (risk[:, None] + added)

    def _observed(self, X, y, sample_weight):
        check_is_fitted(self)
        logits = self._logits(X)
        data, _ = check_data(self, logits, y, sample_weight, None)
        return logits, data


def fit_logit_slope(logits, task, data):
    """Return the coefficient of logits beside an intercept for each interval.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_intervals)
        Of hazards.
    task : HazardTask
        Knows the intervals.
    data : SurvivalData
        Follow-up.

    Returns
    -------
    slope, information : float
        By Newton's method; the intercepts are profiled out.
    """
    happened, at_risk = (values.numpy() for values in task.at_risk(data))
    events, total = happened.sum(axis=0), at_risk.sum(axis=0)
    # Elsewhere the best intercept is infinite, and the slope has no part in it.
    told = (events > 0) & (events < total)
    if not told.any():
        raise ValueError(
            "In no interval between cuts_ some patients had the event and others not: "
            "there is no slope. Look for other units of time than in training."
        )
    y, w = happened[:, told], at_risk[:, told]
    x, spread = _standardized(logits, told, w)
    share = events[told] / total[told]
    slope, information = _newton(x, y, w, np.log(share / (1 - share)))
    return float(slope / spread), float(information * spread**2)


def _standardized(logits, told, weight):
    """Return logits of some intervals with unit variance within, and their spread."""
    x = logits[:, told]
    x = x - (weight * x).sum(axis=0) / weight.sum(axis=0)
    spread = np.sqrt((weight * x**2).sum() / weight.sum())
    if not spread > 1e-12 * max(1.0, np.abs(logits).max()):
        raise ValueError("All samples have the same risk: there is no slope.")
    return x / spread, spread


def _newton(x, y, w, intercepts):
    """Return the slope of the best likelihood, and its information."""

    def likelihood(intercepts, slope):
        z = intercepts + slope * x
        return (y * z - w * np.logaddexp(0, z)).sum()

    slope = 0.0
    old = likelihood(intercepts, slope)
    for _ in range(_MAX_STEPS):
        step, steps, information = _step(x, y, w, intercepts, slope)
        size = 1.0
        for _ in range(_MAX_HALVINGS):
            new = likelihood(intercepts + size * steps, slope + size * step)
            if new >= old - 1e-12 * abs(old):
                break
            size /= 2
        intercepts, slope, old = intercepts + size * steps, slope + size * step, new
        if abs(slope) > _LARGEST_SLOPE:
            break
        if max(abs(step), np.abs(steps).max()) < 1e-9:
            return slope, information
    raise ValueError(NO_BOUND)


def _step(x, y, w, intercepts, slope):
    """Return a step of the slope, steps of the intercepts, and the information."""
    p = expit(intercepts + slope * x)
    rest, bend = y - w * p, w * p * (1 - p)
    score, own, cross = rest.sum(axis=0), bend.sum(axis=0), (bend * x).sum(axis=0)
    # Intercepts are profiled out.
    information = (bend * x**2).sum() - (cross**2 / own).sum()
    step = ((rest * x).sum() - (cross * score / own).sum()) / information
    return step, (score - cross * step) / own, information

"""A fitted survival model on patients of a cohort: its calibration, and its test."""

from copy import deepcopy

import numpy as np
import torch
from scipy.stats import norm
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from ._baseline import stratified_baseline
from ._data import check_data
from ._proportional import transform_times, zph_test
from ._ridge_path import ridge_path

_TRANSFORMS = ("km", "rank", "identity", "log")
NO_BOUND = (
    "The calibration slope has no bound: by the risk, samples are in the very order of "
    "their events. Look for patients of the training set, or collect more events."
)


class NewCohortMixin:
    """Calibration slope, recalibration and test of proportional hazards.

    An estimator adds `predict`, log risks that have `slope_` as a factor, and `ties`;
    and it has its baseline hazards in the attribute of a Cox model.
    """

    def calibration_slope(self, X, y, sample_weight=None, strata=None):
        """Return how strongly risks of patients go with their follow-up.

        It is the coefficient of the log risk in a Cox regression on it alone: 1 where
        hazard ratios are as predicted, below where they are closer to 1, as after
        overfitting, 0 where risks say nothing.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles, of patients that the model was not fitted to.
        y : structured array of shape (n_samples,)
            Event and time of each sample.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the likelihood.
        strata : array-like of shape (n_samples,), default=None
            Samples are compared within strata only.

        Returns
        -------
        slope : Bunch
            With "slope", "standard_error", and a Wald interval of 95 % from "lower" to
            "upper".
        """
        risk, data, _ = self._observed(X, y, sample_weight, strata)
        return wald_interval(*fit_slope(risk, data, data.likelihood(self.ties)))

    def recalibrate(self, X, y, sample_weight=None, strata=None):
        """Return a copy of the model that is calibrated on another cohort.

        Its log risks are those of the model times one slope, `slope_`, and its baseline
        hazard is learnt anew; coefficients, and the order of patients, stay. Two things
        are learnt, for which some twenty events are enough. The model itself is not
        modified.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles. The result is to be tested on others than these.
        y : structured array of shape (n_samples,)
            Event and time of each sample.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the likelihood.
        strata : array-like of shape (n_samples,), default=None
            Strata of the cohort, each of which has a baseline hazard of its own. They
            need not be those of `fit`.

        Returns
        -------
        recalibrated : estimator
            A fitted copy.

        Raises
        ------
        ValueError
            If the slope is not above zero: the model says nothing of this cohort.
        """
        risk, data, names = self._observed(X, y, sample_weight, strata)
        slope, _ = fit_slope(risk, data, data.likelihood(self.ties))
        refuse_slope(slope, len(risk))
        new = deepcopy(self)
        new._strata = names
        new.unique_times_ = np.unique(data.time)
        new.event_times_ = np.unique(data.time[data.event])
        new.slope_ = slope * vars(self).get("slope_", 1.0)
        new._baseline = stratified_baseline(
            slope * risk, data, names, new.unique_times_
        )
        return new

    def check_proportional_hazards(
        self, X, y, transform="km", sample_weight=None, strata=None
    ):
        """Test whether the effect of the risk changes with time.

        The log risk is the one covariate of a Cox regression, whose Schoenfeld
        residuals (Grambsch and Therneau, see the class) are tested for a trend: by the
        score test that R's ``cox.zph`` makes from version 3.0 of `survival` on, of
        ``coxph(y ~ risk)``. A small p-value says that risks tell more early than late,
        or the other way round, and that curves in between are off; look for effects
        that change with time, or use `FineTunedDiscreteHazard`. On patients of the
        training set it is optimistic.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles.
        y : structured array of shape (n_samples,)
            Event and time of each sample.
        transform : {"km", "rank", "identity", "log"}, default="km"
            On which scale of time to look for a trend; "km" is one less the estimate of
            Kaplan and Meier, and spreads events evenly.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights in the likelihood.
        strata : array-like of shape (n_samples,), default=None
            Samples are compared within strata only.

        Returns
        -------
        test : Bunch
            With "statistic", chi-squared with one degree of freedom, "pvalue", the
            "slope" over all times, and for each event its "times" and "residuals",
            scaled and with the slope added: smoothed over time they are the slope then.
        """
        if transform not in _TRANSFORMS:
            raise ValueError(
                f"transform must be one of {', '.join(map(repr, _TRANSFORMS))}, not "
                f"{transform!r}."
            )
        risk, data, _ = self._observed(X, y, sample_weight, strata)
        likelihood = data.likelihood(self.ties)
        slope, _ = fit_slope(risk, data, likelihood)
        event, time = data.event.numpy(), data.time.numpy()
        counted = event & (data.weight.numpy() > 0)
        test = zph_test(
            likelihood,
            torch.from_numpy(risk)[:, None],
            torch.tensor([slope], dtype=torch.float64),
            time,
            transform_times(transform, counted, time),
        )
        return Bunch(
            statistic=float(test.statistic[0]),
            pvalue=float(test.pvalue[0]),
            slope=slope,
            times=test.times,
            residuals=test.residuals[:, 0],
        )

    def _observed(self, X, y, sample_weight, strata):
        """Return risks, and the checked follow-up with names of its strata."""
        check_is_fitted(self)
        risk = self.predict(X)
        data, names = check_data(self, risk, y, sample_weight, strata)
        return risk, data, names


def wald_interval(slope, information):
    """Return a slope with its standard error and an interval of 95 %."""
    error = information**-0.5
    width = float(norm.ppf(0.975)) * error
    return Bunch(
        slope=slope, standard_error=error, lower=slope - width, upper=slope + width
    )


def refuse_slope(slope, n_samples):
    """Refuse to calibrate risks that say nothing, or the opposite."""
    if not slope > 0:
        raise ValueError(
            f"The calibration slope is {slope:.3g}, not above zero: risks of this "
            f"model say nothing of these {n_samples} samples. Look for other units or "
            "another order of genes, or fit a model to this cohort."
        )


def fit_slope(risk, data, likelihood):
    """Return the coefficient of a log risk, and its information."""
    spread = risk.std()
    if not spread > 1e-12 * max(1.0, np.abs(risk).max()):
        raise ValueError("All samples have the same risk: there is no slope.")
    if _in_order(risk, data) or _in_order(-risk, data):
        raise ValueError(NO_BOUND)
    x = torch.from_numpy((risk - risk.mean()) / spread)[:, None]
    beta = ridge_path(x, likelihood, [0.0], n_free=1)[0]
    bent = likelihood.hessian_product(x @ beta)(x[:, 0])
    return float(beta[0] / spread), float((x[:, 0] @ bent) * spread**2)


def _in_order(risk, data):
    """Return whether each event has the highest risk of all who were at risk then."""
    event, time, stratum, weight = (values.numpy() for values in data)
    # In each stratum the last come first; those of the same time are at risk together.
    order = np.lexsort((-time, stratum))
    order = order[weight[order] > 0]
    key = np.stack([stratum[order], -time[order]])
    starts = np.append(True, (np.diff(key) != 0).any(axis=0)).nonzero()[0]
    highest = np.maximum.reduceat(risk[order], starts)
    first = np.append(True, np.diff(stratum[order][starts]) != 0)
    for place in np.flatnonzero(~first):
        highest[place] = max(highest[place], highest[place - 1])
    at_risk = np.repeat(highest, np.diff(np.append(starts, len(order))))
    return (risk[order] >= at_risk)[event[order]].all()

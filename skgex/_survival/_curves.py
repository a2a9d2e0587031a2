"""What survival estimators share with those of scikit-survival.

The one file that imports scikit-survival.
"""

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

try:
    from sksurv.base import SurvivalAnalysisMixin
    from sksurv.functions import StepFunction
    from sksurv.metrics import concordance_index_censored
except ImportError as error:
    raise ImportError(
        'The survival estimators need scikit-survival: pip install "skgex[survival]".'
    ) from error

from .._follow_up import check_survival
from .._inputs import refuse_unread
from ._strata import check_strata
from ._times import SurvivalTimesMixin, as_numbers

# The tolerance of concordance_index_censored.
_TIED = 1e-8


class SurvivalCurvesMixin(SurvivalTimesMixin, SurvivalAnalysisMixin):
    """Survival and cumulative hazard functions, and Harrell's concordance.

    An estimator adds `unique_times_`, `predict` and ``_cumulative_hazard(X, times,
    strata)``, an array of shape (n_samples, n_times).
    """

    def predict_survival_function(
        self, X, return_array=False, *, times=None, strata=None, conditional_after=None
    ):
        """Predict the probability of survival beyond each time.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.
        return_array : bool, default=False
            Whether to return values at `unique_times_` rather than functions.
        times : array-like of shape (n_times,), default=None
            Return values at these times, in any order, and in memory for these alone.
        strata : array-like of shape (n_samples,), default=None
            Stratum of each sample, if the model was fitted with strata.
        conditional_after : float or array-like of shape (n_samples,), default=None
            Of those who have lived that long without the event: survival is 1 up to
            there, and relative to it thereafter. Times are still counted from the
            beginning.

        Returns
        -------
        survival : ndarray of StepFunction of shape (n_samples,), or ndarray of shape \
                (n_samples, n_times)
            From 1 downwards.

        Raises
        ------
        ValueError
            If a time is beyond the longest follow-up in training.
        """
        times, as_functions = self._check_times(times, return_array)
        hazard = self._cumulative_hazard(X, times, strata)
        if conditional_after is not None:
            X = X if hasattr(X, "shape") else np.asarray(X)
            after = self._check_after(conditional_after, len(hazard))
            # Where the curve is not yet there, nothing has happened.
            hazard -= self._lived(X, after, strata)[:, None]
            hazard = np.maximum(hazard, 0)
        survival = np.exp(-hazard)
        return self._functions(survival) if as_functions else survival

    def predict_cumulative_hazard_function(
        self, X, return_array=False, *, times=None, strata=None
    ):
        """Predict the cumulative hazard up to each time.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.
        return_array : bool, default=False
            Whether to return values at `unique_times_` rather than functions.
        times : array-like of shape (n_times,), default=None
            Return values at these times, in any order, and in memory for these alone.
        strata : array-like of shape (n_samples,), default=None
            Stratum of each sample, if the model was fitted with strata.

        Returns
        -------
        hazard : ndarray of StepFunction of shape (n_samples,), or ndarray of shape \
                (n_samples, n_times)
            From 0 upwards.

        Raises
        ------
        ValueError
            If a time is beyond the longest follow-up in training.
        """
        times, as_functions = self._check_times(times, return_array)
        hazard = self._cumulative_hazard(X, times, strata)
        return self._functions(hazard) if as_functions else hazard

    def score(self, X, y, strata=None, sample_weight=None):
        """Return Harrell's concordance index of the predicted risks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.
        y : structured array of shape (n_samples,)
            Event and time of each sample.
        strata : array-like of shape (n_samples,), default=None
            Compare samples within strata only. Pooled over cancer types, the index
            tells mostly how well risks tell these apart.
        sample_weight : array-like of shape (n_samples,), default=None
            A pair counts as much as the product of its weights.

        Returns
        -------
        concordance : float
            Share of the comparable pairs whose risks are in the right order.
        """
        event, time = check_survival(y, self, allow_zero=True)
        risk = self.predict(X)
        check_consistent_length(risk, time)
        weight = None
        if sample_weight is not None:
            refuse_unread(sample_weight, "sample_weight")
            weight = _check_sample_weight(
                sample_weight, risk, dtype=np.float64, ensure_non_negative=True
            )
        stratum, counts = check_strata(strata, event), np.zeros(3)
        for name in np.unique(stratum):
            here = stratum == name
            own = None if weight is None else weight[here]
            counts += _count_pairs(event[here], time[here], risk[here], own)
        if not counts.any():
            raise ValueError(
                "No two samples of y can be compared, so that there is no concordance: "
                "score more samples, or make folds by EventStratifiedKFold."
            )
        concordant, discordant, tied = counts
        return float((concordant + tied / 2) / (concordant + discordant + tied))

    def _check_times(self, times, return_array):
        """Return times to evaluate at, and whether functions are wanted."""
        check_is_fitted(self)
        if times is None:
            return self.unique_times_, not return_array
        times = as_numbers(times, "times")
        last = self.unique_times_[-1]
        if times.ndim != 1 or times.max() > last or times.min() < 0:
            raise ValueError(
                f"times must be a 1d array of times between 0 and {last:g}, the "
                "longest follow-up in training, but it has shape "
                f"{times.shape} and values from {times.min():g} to {times.max():g}."
            )
        return times, False

    def _functions(self, values):
        functions = np.empty(len(values), dtype=object)
        for i, row in enumerate(values):
            functions[i] = StepFunction(self.unique_times_, row)
        return functions


def step_function(times, values):
    """Return scikit-survival's step function."""
    return StepFunction(times, values)


def _count_pairs(event, time, risk, weight):
    """Return concordant pairs, discordant ones, and those of equal risk."""
    if weight is not None:
        return _weigh_pairs(event, time, risk, weight)
    first = time[event].min(initial=np.inf)
    if not ((time > first) | ((time == first) & ~event)).any():
        return np.zeros(3)
    return np.array(concordance_index_censored(event, time, risk)[1:4], dtype=float)


def _weigh_pairs(event, time, risk, weight):
    """Return the same, each pair with the product of its weights."""
    counts = np.zeros(3)
    for i in np.flatnonzero(event):
        outlived = (time > time[i]) | ((time == time[i]) & ~event)
        difference = risk[i] - risk[outlived]
        # Risks this close count as equal for scikit-survival, too.
        tied = np.abs(difference) <= _TIED
        pairs = weight[i] * weight[outlived]
        counts += [
            pairs[~tied & (difference > 0)].sum(),
            pairs[~tied & (difference < 0)].sum(),
            pairs[tied].sum(),
        ]
    return counts

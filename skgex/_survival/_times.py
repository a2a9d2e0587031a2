"""Times that patients ask for: quantiles and means of survival, also of survivors."""

from numbers import Real

import numpy as np
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import check_is_fitted

# Values of curves that are in memory at once.
_CHUNK_VALUES = 2**22
# A curve that comes so close to a quantile has reached it.
_ROUNDING = 1e-12


class SurvivalTimesMixin:
    """Quantiles and restricted means of survival.

    An estimator adds `unique_times_`, ``_cumulative_hazard(X, times, strata)`` and
    ``_curve_knots()``: the times between which its cumulative hazard is constant, or,
    if the second value is true, a straight line.
    """

    def predict_quantile(self, X, q=0.5, *, strata=None, conditional_after=None):
        """Predict the time by which a share of such patients has had the event.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles.
        q : float or array-like of shape (n_quantiles,), default=0.5
            The share, between 0 and 1: 0.5 for the median survival.
        strata : array-like of shape (n_samples,), default=None
            Stratum of each sample, if the model was fitted with strata.
        conditional_after : float or array-like of shape (n_samples,), default=None
            Of those who have lived that long without the event. Times are still
            counted from the beginning.

        Returns
        -------
        time : ndarray of shape (n_samples,) or (n_samples, n_quantiles)
            The first time at which survival is at most ``1 - q``. Infinite where the
            curve does not fall so far within the follow-up of the training data: more
            is not known.
        """
        check_is_fitted(self)
        shares = as_numbers(q, "q")
        if shares.ndim != 1 or not ((shares > 0) & (shares < 1)).all():
            raise ValueError(f"q must be between 0 and 1, without these, not {q!r}.")
        targets = -np.log1p(-shares) * (1 - _ROUNDING)
        knots, straight = self._curve_knots()
        parts = [
            _quantiles(knots, hazard, targets + lived[:, None], straight)
            for hazard, lived, _ in self._hazards(X, knots, strata, conditional_after)
        ]
        times = np.concatenate(parts)
        return times[:, 0] if np.ndim(q) == 0 else times

    def predict_restricted_mean(self, X, t, *, strata=None, conditional_after=None):
        """Predict the mean time without the event, up to a time.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            Expression profiles.
        t : float
            Time up to which to count, at most the longest follow-up in training: five
            years, of which a patient will live how many?
        strata : array-like of shape (n_samples,), default=None
            Stratum of each sample, if the model was fitted with strata.
        conditional_after : float or array-like of shape (n_samples,), default=None
            Of those who have lived that long without the event, at most `t`. What they
            have lived is counted in: subtract it for what is to come.

        Returns
        -------
        mean : ndarray of shape (n_samples,)
            Mean of the time of the event or of `t`, whichever is first: the area under
            the survival curve up to `t`.
        """
        check_is_fitted(self)
        last = self.unique_times_[-1]
        if not isinstance(t, Real) or not 0 < t <= last:
            raise ValueError(
                f"t must be a time above 0 and at most {last:g}, the longest follow-up "
                f"in training, not {t!r}."
            )
        knots, straight = self._curve_knots()
        knots = np.unique(np.append(knots[knots < t], t))
        parts = []
        for hazard, lived, after in self._hazards(X, knots, strata, conditional_after):
            if after.max(initial=0) > t:
                raise ValueError(
                    f"conditional_after is up to {after.max():g}, later than t={t:g}."
                )
            parts.append(_area(knots, hazard, lived, after, straight))
        return np.concatenate(parts)

    def _hazards(self, X, times, strata, conditional_after):
        """Yield cumulative hazards of some samples, at times and when observed."""
        X = X if hasattr(X, "shape") else np.asarray(X)
        after = self._check_after(conditional_after, len(X))
        strata = None if strata is None else np.asarray(strata)
        step = max(1, _CHUNK_VALUES // max(len(times), 1))
        for start in range(0, max(len(X), 1), step):
            rows = np.arange(start, min(start + step, len(X)))
            part = _safe_indexing(X, rows)
            own = None if strata is None else strata[rows]
            hazard = self._cumulative_hazard(part, times, own)
            yield hazard, self._lived(part, after[rows], own), after[rows]

    def _lived(self, X, after, strata):
        """Return the cumulative hazard that each sample has behind it."""
        lived = np.zeros(len(after))
        for time in np.unique(after[after > 0]):
            rows = np.flatnonzero(after == time)
            own = None if strata is None else np.asarray(strata)[rows]
            part = _safe_indexing(X, rows)
            lived[rows] = self._cumulative_hazard(part, np.array([time]), own)[:, 0]
        return lived

    def _check_after(self, after, n_samples):
        if after is None:
            return np.zeros(n_samples)
        name = "conditional_after"
        after = as_numbers(after, name)
        last = self.unique_times_[-1]
        if after.shape not in [(1,), (n_samples,)]:
            raise ValueError(
                f"{name} must be a time, or one for each of the {n_samples} samples, "
                f"but it has shape {after.shape}."
            )
        if after.min() < 0 or after.max() > last:
            raise ValueError(
                f"{name} must be between 0 and {last:g}, the longest follow-up in "
                f"training, but it has values from {after.min():g} to {after.max():g}."
            )
        return np.broadcast_to(after, n_samples)


def as_numbers(values, name):
    """Return a parameter that is a number, or an array of them, as an array."""
    values = np.atleast_1d(np.asarray(values))
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} must be numbers, but has {values.ravel().tolist()[0]!r}."
            ) from None
    return check_array(values, ensure_2d=False, dtype=np.float64, input_name=name)


def _quantiles(knots, hazard, targets, straight):
    """Return when hazards of shape (n, n_knots) reach targets of shape (n, n_q)."""
    padded = np.append(knots, np.inf)
    out = np.empty(targets.shape)
    for i, (curve, target) in enumerate(zip(hazard, targets, strict=True)):
        place = np.searchsorted(curve, target, side="left")
        out[i] = padded[place]
        if straight:
            within = (place > 0) & (place < len(knots))
            end = place[within]
            share = (target[within] - curve[end - 1]) / (curve[end] - curve[end - 1])
            out[i, within] -= (1 - share) * (knots[end] - knots[end - 1])
    return out


def _area(knots, hazard, lived, after, straight):
    """Return the area under survival curves up to the last knot, from `after` on."""
    # The curve starts at 1 where a patient is observed; before, there is no event.
    left = np.maximum(np.append(0.0, knots[:-1]), after[:, None])
    length = np.maximum(knots - left, 0)
    start = np.pad(hazard, ((0, 0), (1, 0)))[:, :-1]
    start, end = (np.maximum(h - lived[:, None], 0) for h in (start, hazard))
    height = np.exp(-start)
    if straight:
        rise = end - start
        # The mean of exp(-h) over a straight line of h.
        falls = rise > 0
        ratio = -np.expm1(-rise[falls]) / rise[falls]
        height[falls] *= ratio
    return after + (length * height).sum(axis=1)

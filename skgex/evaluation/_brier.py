"""Brier scores of predicted survival, with intervals."""

import numpy as np
import pandas as pd

from ._auc import find_censoring
from ._checks import check_share
from ._folds import as_groups
from ._influence import log_interval
from ._intervals import LIMITS, QUANTITY, interval_rows, table_by_time
from ._survival_checks import check_by_time, check_target, check_times


def brier_interval(
    y,
    survival,
    times,
    *,
    y_train=None,
    reference=None,
    groups=None,
    integrate=False,
    confidence_level=0.95,
):
    r"""Return the Brier score of predicted survival, with intervals.

    It is the mean square of the difference between the predicted probability of
    survival and what came of it, 1 or 0: lower is better. Unlike a concordance it also
    sees whether probabilities are right. With `reference` also the difference between
    the scores of two predictions for the same samples, whose interval takes into
    account that they go together.

    Parameters
    ----------
    y : structured array of shape (n_samples,)
        Event (bool), then time, as of scikit-survival.
    survival : array-like of shape (n_samples,) or (n_samples, n_times)
        Predicted probability of survival beyond each time, by a model that was fitted
        to other samples.
    times : float or array-like of shape (n_times,)
        Times to look at, ascending, in the unit of `y`.
    y_train : structured array of shape (n_training_samples,), default=None
        Follow-up of other samples that are censored alike, mostly those of training, of
        which the distribution of censoring is estimated. None estimates it of `y`, as
        is right in a cohort with a follow-up of its own.
    reference : array-like, default=None
        Predictions of another model, or the same for all: the share that survived in
        training.
    groups : array-like of shape (n_samples,), default=None
        Patients, if some have several samples. None takes each sample for a patient of
        its own.
    integrate : bool, default=False
        Whether to return the mean over time, from the first of `times` to the last, by
        the trapezoidal rule, rather than the score at each of them.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).

    Returns
    -------
    table : DataFrame
        For each time a row for "survival", and with `reference` also for "reference"
        and "difference", survival minus reference, with the columns `time`,
        `quantity`, `brier`, `std_error`, `low`, `high`, `n_cases`, who had the event by
        then, and `n_controls`, who were followed up for longer without it. With
        `integrate` these for all times together, without `time` and numbers.

    Raises
    ------
    ValueError
        If a time is before the first event or not before the end of follow-up, or if
        values are no probabilities.

    See Also
    --------
    auc_interval : Of the order of risks alone.
    sksurv.metrics.brier_score : The same scores, without intervals.
    sksurv.metrics.integrated_brier_score : Their mean over time.

    Notes
    -----
    With the predicted probability S [1]_

    .. math::

        \widehat{BS}(t) = \frac{1}{n} \sum_i \left[
        \frac{1(T_i \le t, \delta_i = 1)}{\hat G(T_i)} S_i(t)^2
        + \frac{1(T_i > t)}{\hat G(t)} (1 - S_i(t))^2 \right]

    where G, the probability of being followed up, is the Kaplan-Meier estimate of the
    time of censoring. Standard errors are those of the infinitesimal jackknife, with
    the derivatives through G, as in :func:`auc_interval`. Intervals of a score are
    symmetric on the scale of its logarithm, that of a difference is symmetric.

    References
    ----------
    .. [1] Graf E., Schmoor C., Sauerbrei W., Schumacher M. "Assessment and comparison
       of prognostic classification schemes for survival data", Statistics in Medicine
       18, 1999.
       :doi:`10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex.evaluation import brier_interval
    >>> rng = np.random.default_rng(0)
    >>> risk = rng.normal(size=200)
    >>> time = rng.exponential(np.exp(-risk))
    >>> y = np.array([(t < 2, min(t, 2)) for t in time], dtype="?,f8")
    >>> survival = np.exp(-np.exp(risk)[:, None] * [0.5, 1.5])
    >>> everybody = [[np.mean(time > t) for t in (0.5, 1.5)]] * 200
    >>> table = brier_interval(y, survival, [0.5, 1.5], reference=everybody)
    >>> table = table.set_index(["time", "quantity"])
    >>> table.loc[(0.5, "survival"), ["brier", "low", "high"]].round(2).tolist()
    [0.19, 0.16, 0.21]
    >>> bool(table.loc[(0.5, "difference"), "high"] < 0)
    True
    """
    check_share("confidence_level", confidence_level)
    event, time = check_target(y)
    groups = as_groups(groups, len(time))
    times = check_times(times, event, time)
    given = {"survival": _check(survival, "survival", time, times)}
    if reference is not None:
        given["reference"] = _check(reference, "reference", time, times)
    censoring, same = find_censoring(y, y_train)
    found = {
        name: [
            _influence(event, time, t, values, censoring, same)
            for t, values in zip(times, survived.T, strict=True)
        ]
        for name, survived in given.items()
    }
    options = log_interval, groups, confidence_level
    if not integrate:
        return table_by_time(found, "brier", (event, time), times, *options)
    means = {name: _mean(scores, times) for name, scores in found.items()}
    columns = [QUANTITY, "brier", *LIMITS]
    return pd.DataFrame(interval_rows(means, *options), columns=columns)


def _check(survival, name, time, times):
    survival = check_by_time(survival, name, len(time), times)
    if survival.min() < 0 or survival.max() > 1:
        raise ValueError(f"{name} must be probabilities, between 0 and 1.")
    return survival


def _influence(event, time, t, survival, censoring, same):
    """Return the score at a time, and by how much samples move it."""
    case, control = event & (time <= t), time > t
    rows = np.flatnonzero(case | control)
    # Until when each must have been followed up to be one of the two.
    until = np.minimum(time[rows], t)
    error = np.where(case, survival, 1 - survival)[rows] ** 2
    terms = np.zeros(len(time))
    terms[rows] = error / censoring.probability(until)
    score = terms.mean()
    own = (terms - score) / len(time)
    through = censoring.influence(until, -terms[rows] / len(time))
    return score, own + through if same else (own, through)


def _mean(scores, times):
    """Return the mean over time of scores and of influences."""
    if len(times) < 2:
        raise ValueError("integrate=True needs two times or more.")
    gaps = np.diff(times)
    weights = (np.append(gaps, 0) + np.append(0, gaps)) / 2 / (times[-1] - times[0])
    values, influences = zip(*scores, strict=True)
    mean = float(weights @ np.array(values))
    if not isinstance(influences[0], tuple):
        return mean, weights @ np.array(influences)
    parts = zip(*influences, strict=True)
    return mean, tuple(weights @ np.array(part) for part in parts)

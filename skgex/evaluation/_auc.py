"""Time-dependent areas under the ROC curve, with intervals."""

import numpy as np
import pandas as pd

from ._censoring import CensoringDistribution
from ._checks import check_share
from ._folds import as_groups
from ._influence import logit_interval
from ._intervals import LIMITS, QUANTITY, interval_rows, table_by_time
from ._kaplan_meier import KaplanMeier
from ._survival_checks import (
    TIED,
    check_by_time,
    check_target,
    check_times,
)


def auc_interval(
    y,
    risk,
    times,
    *,
    y_train=None,
    reference=None,
    groups=None,
    integrate=False,
    confidence_level=0.95,
):
    r"""Return the area under the ROC curve at given times, with intervals.

    Of a sample that has had the event by a time and of one that has not, how likely is
    the first to have the higher risk? With `reference` also the difference between the
    areas of two risks of the same samples, whose interval takes into account that they
    go together.

    Parameters
    ----------
    y : structured array of shape (n_samples,)
        Event (bool), then time, as of scikit-survival.
    risk : array-like of shape (n_samples,) or (n_samples, n_times)
        Predicted risks: the higher, the earlier the event; or one for each time, such
        as the predicted probability of the event by then. They must come from a model
        that was fitted to other samples.
    times : float or array-like of shape (n_times,)
        Times to look at, ascending, in the unit of `y`.
    y_train : structured array of shape (n_training_samples,), default=None
        Follow-up of other samples that are censored alike, mostly those of training, of
        which the distribution of censoring is estimated. None estimates it of `y`, as
        is right in a cohort with a follow-up of its own.
    reference : array-like, default=None
        Risks of another model, or of a stage or a grade, of a shape that `risk` may
        have.
    groups : array-like of shape (n_samples,), default=None
        Patients, if some have several samples. None takes each sample for a patient of
        its own.
    integrate : bool, default=False
        Whether to return the mean over `times`, rather than the area at each of them.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).

    Returns
    -------
    table : DataFrame
        For each time a row for "risk", and with `reference` also for "reference" and
        "difference", risk minus reference, with the columns `time`, `quantity`, `auc`,
        `std_error`, `low`, `high`, `n_cases`, who had the event by then, and
        `n_controls`, who were followed up for longer without it. With `integrate` these
        for all times together, without `time` and numbers.

    Raises
    ------
    ValueError
        If a time is before the first event or not before the end of follow-up, or if a
        risk is missing.

    See Also
    --------
    concordance_interval : The same over all times.
    brier_interval : Also whether probabilities are right, not only their order.
    sksurv.metrics.cumulative_dynamic_auc : The same areas and mean, without intervals.

    Notes
    -----
    Of cases i, with the event by t, and controls j, followed up beyond t, [1]_ [2]_

    .. math::

        \widehat{AUC}(t) = \frac{\sum_i \sum_j w_i \,
        [1(r_i > r_j) + \tfrac{1}{2} 1(r_i = r_j)]}{\sum_i w_i \, \sum_j 1},
        \qquad w_i = 1 / \hat G(T_i)

    Cases are weighted with the inverse of the probability G of being followed up until
    their events, since those with late events are more often lost before. G is
    the Kaplan-Meier estimate of the time of censoring. That censoring has nothing to do
    with the risk is assumed.

    The standard error is that of the infinitesimal jackknife, as in
    :func:`concordance_interval`: the root of the sum of squares of the derivatives of
    AUC by the weight of each sample. The derivatives through G are in it, of the
    samples of `y`, or of those of `y_train`, which are taken for other patients.

    The mean over time [3]_ weights the area at each of `times` by the share of samples
    with the event since the time before, or since the beginning: by how far the
    Kaplan-Meier estimate of `y` falls. The derivatives of the weights are in its
    standard error.

    Intervals of an area are symmetric on the scale of the log-odds, that of
    a difference is symmetric.

    References
    ----------
    .. [1] Uno H., Cai T., Tian L., Wei L. J. "Evaluating prediction rules for t-year
       survivors with censored regression models", JASA 102(478), 2007.
       :doi:`10.1198/016214507000000149`
    .. [2] Hung H., Chiang C. T. "Estimation methods for time-dependent AUC models with
       survival data", Canadian Journal of Statistics 38(1), 2010.
       :doi:`10.1002/cjs.10046`
    .. [3] Lambert J., Chevret S. "Summary measure of discrimination in survival models
       based on cumulative/dynamic time-dependent ROC curves", Statistical Methods in
       Medical Research 25(5), 2016. :doi:`10.1177/0962280213515571`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex.evaluation import auc_interval
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=300)
    >>> time = rng.exponential(np.exp(-hidden))
    >>> y = np.array([(t < 2, min(t, 2)) for t in time], dtype="?,f8")
    >>> risk, other = (hidden + rng.normal(size=300) * size for size in (0.5, 2))
    >>> table = auc_interval(y, risk, [0.5, 1.5], reference=other)
    >>> table = table.set_index(["time", "quantity"])
    >>> table.loc[(0.5, "risk"), ["auc", "low", "high"]].round(2).tolist()
    [0.77, 0.71, 0.82]
    >>> table.loc[(0.5, "difference"), ["auc", "low", "high"]].round(2).tolist()
    [0.14, 0.07, 0.2]
    >>> auc_interval(y, risk, [0.5, 1, 1.5], integrate=True)["auc"].round(2).tolist()
    [0.78]
    """
    check_share("confidence_level", confidence_level)
    event, time = check_target(y)
    groups = as_groups(groups, len(time))
    times = check_times(times, event, time)
    risks = {"risk": check_by_time(risk, "risk", len(time), times)}
    if reference is not None:
        risks["reference"] = check_by_time(reference, "reference", len(time), times)
    censoring, same = find_censoring(y, y_train)
    found = {
        name: [
            _area(event, time, t, values, censoring, same)
            for t, values in zip(times, risk.T, strict=True)
        ]
        for name, risk in risks.items()
    }
    options = logit_interval, groups, confidence_level
    if not integrate:
        return table_by_time(found, "auc", (event, time), times, *options)
    means = {name: _mean(areas, event, time, times) for name, areas in found.items()}
    columns = [QUANTITY, "auc", *LIMITS]
    return pd.DataFrame(interval_rows(means, *options), columns=columns)


def find_censoring(y, y_train):
    """Return the distribution of censoring, and whether it is of `y` itself."""
    if y_train is None:
        return CensoringDistribution(*check_target(y), "y"), True
    given = check_target(y_train, "y_train")
    same = all(
        np.array_equal(a, b) for a, b in zip(given, check_target(y), strict=True)
    )
    return CensoringDistribution(*given, "y" if same else "y_train"), same


def _area(event, time, t, risk, censoring, same):
    """Return the area at a time, and by how much samples move it."""
    cases = np.flatnonzero(event & (time <= t))
    weights = 1 / censoring.probability(time[cases])
    area, own, mass = _influence(cases, time > t, weights, risk)
    through = censoring.influence(time[cases], mass)
    return area, own + through if same else (own, through)


def _mean(areas, event, time, times):
    """Return the mean of areas by when events happen, and how samples move it."""
    survival = KaplanMeier(event, time)
    left = survival.share(times)
    weights = -np.diff(left, prepend=1.0) / (1 - left[-1])
    values, influences = zip(*areas, strict=True)
    mean = float(weights @ np.array(values))
    # What the mean changes by with the share left after each time.
    slope = np.diff(values, append=mean) / (1 - left[-1])
    through = survival.influence(times, slope * left)
    if not isinstance(influences[0], tuple):
        return mean, weights @ np.array(influences) + through
    own, others = (weights @ np.array(part) for part in zip(*influences, strict=True))
    return mean, (own + through, others)


def _influence(cases, controls, weights, risk):
    """Return the area, and by how much samples move it.

    Returns
    -------
    area : float
    own : ndarray of shape (n_samples,)
        By their risks, for given weights of the cases.
    mass : ndarray of shape (n_cases,)
        By how much the area falls with the logarithm of the probability of each case to
        be followed up.
    """
    controls = np.flatnonzero(controls)
    n, total = len(controls), weights.sum()
    below = _share_below(risk[cases], risk[controls], np.ones(n))
    above = total - _share_below(risk[controls], risk[cases], weights)
    area = weights @ below / (n * total)
    own = np.zeros(len(risk))
    by_case = weights * (below / n - area) / total
    own[cases] = by_case
    own[controls] = (above / total - area) / n
    return area, own, -by_case


def _share_below(values, others, weights):
    """Return the weight of the others below each value, and half of equal ones."""
    order = np.argsort(others, kind="stable")
    sums = np.append(0.0, weights[order].cumsum())
    low = np.searchsorted(others[order], values - TIED, side="left")
    high = np.searchsorted(others[order], values + TIED, side="right")
    return (sums[low] + sums[high]) / 2

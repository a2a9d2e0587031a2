"""Harrell's concordance index with an interval."""

import numpy as np
import pandas as pd

from ._checks import check_share
from ._folds import as_groups
from ._influence import logit_interval
from ._intervals import LIMITS, QUANTITY, interval_rows
from ._survival_checks import TIED, check_risk, check_target

# So many pairs are compared at a time, to bound the memory that takes.
BLOCK_PAIRS = 2**22


def concordance_interval(
    y, risk, *, reference=None, groups=None, confidence_level=0.95
):
    """Return Harrell's concordance index with a confidence interval.

    With `reference` also the difference between the indices of two risks of the same
    samples, with an interval that takes into account that they go together: it is
    narrower than two intervals let one think.

    Parameters
    ----------
    y : structured array of shape (n_samples,)
        Event (bool), then time, as of scikit-survival.
    risk : array-like of shape (n_samples,)
        Predicted risks: the higher, the earlier the event. They must come from a model
        that was fitted to other samples.
    reference : array-like of shape (n_samples,), default=None
        Risks of another model, or of a stage or a grade.
    groups : array-like of shape (n_samples,), default=None
        Patients, if some have several samples. None takes each sample for a patient of
        its own.
    confidence_level : float, default=0.95
        Level of the intervals, in (0, 1).

    Returns
    -------
    table : DataFrame
        A row for "risk", and with `reference` also for "reference" and "difference",
        risk minus reference, with the columns `quantity`, `concordance`, `std_error`,
        `low`, `high`, and `n_pairs`, the comparable pairs.

    Raises
    ------
    ValueError
        If `y` is no structured array of event and time, if a risk is missing, or if no
        two samples can be compared.

    See Also
    --------
    auc_interval : The same for the event by a time.
    brier_interval : The error of predicted survival.
    paired_difference : Intervals over splits, where models are fitted several times.

    Notes
    -----
    Two samples are comparable if the earlier time is an event; of equal times, if one
    is an event and the other is not. The pair is concordant if the sample with the
    earlier event has the higher risk, and counts half if the risks are equal. C is
    the share of the comparable pairs that are concordant [1]_.

    The standard error is that of the infinitesimal jackknife, as that of the function
    ``concordance`` of R [2]_: with c_i pairs of sample i that are concordant, n_i that
    are comparable, and n pairs in all, sample i moves C by d_i = (c_i - C n_i) / n, and
    the variance of C is the sum of the squares of d_i. Those of a group are added up
    first. For a difference d_i is the difference of those of both risks, so that their
    covariance is in it, as in [3]_. The interval of C is symmetric on the scale of
    log(C / (1 - C)), so that it stays within 0 and 1; that of a difference is
    symmetric.

    This is how C varies over samples for a given model. What would come of other
    training samples is not in it.

    References
    ----------
    .. [1] Harrell F. E., Califf R. M., Pryor D. B., Lee K. L., Rosati R. A. "Evaluating
       the yield of medical tests", JAMA 247(18), 1982.
       :doi:`10.1001/jama.1982.03320430047030`
    .. [2] Therneau T., Atkinson E. "Concordance", vignette of the R package survival.
       https://cran.r-project.org/package=survival
    .. [3] Kang L., Chen W., Petrick N. A., Gallas B. D. "Comparing two correlated C
       indices with right-censored survival outcome: a one-shot nonparametric approach",
       Statistics in Medicine 34(4), 2015. :doi:`10.1002/sim.6370`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex.evaluation import concordance_interval
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.normal(size=200)
    >>> time = rng.exponential(np.exp(-hidden))
    >>> y = np.array([(t < 2, min(t, 2)) for t in time], dtype="?,f8")
    >>> risk, other = (hidden + rng.normal(size=200) * size for size in (0.5, 2))
    >>> table = concordance_interval(y, risk, reference=other).set_index("quantity")
    >>> table.loc["risk", ["concordance", "low", "high"]].round(2).tolist()
    [0.67, 0.63, 0.71]
    >>> table.loc["difference", ["concordance", "low", "high"]].round(2).tolist()
    [0.07, 0.01, 0.12]
    """
    check_share("confidence_level", confidence_level)
    event, time = check_target(y)
    groups = as_groups(groups, len(time))
    risks = {"risk": check_risk(risk, "risk", len(time))}
    if reference is not None:
        risks["reference"] = check_risk(reference, "reference", len(time))
    measured = {name: _influence(event, time, values) for name, values in risks.items()}
    found = {name: pair for name, (*pair, _) in measured.items()}
    rows = interval_rows(found, logit_interval, groups, confidence_level)
    table = pd.DataFrame(rows, columns=[QUANTITY, "concordance", *LIMITS])
    return table.assign(n_pairs=measured["risk"][-1])


def _influence(event, time, risk):
    """Return C, by how much each sample moves it, and the number of pairs."""
    n = len(time)
    first = np.flatnonzero(event)
    pairs, concordant = np.zeros((2, n))
    size = max(1, BLOCK_PAIRS // n)
    for start in range(0, len(first), size):
        rows = first[start : start + size]
        comparable = time[rows, None] < time
        comparable |= (time[rows, None] == time) & ~event
        ahead = risk[rows, None] - risk
        agrees = (ahead > TIED) + 0.5 * (np.abs(ahead) <= TIED)
        agrees *= comparable
        pairs[rows] += comparable.sum(axis=1)
        pairs += comparable.sum(axis=0)
        concordant[rows] += agrees.sum(axis=1)
        concordant += agrees.sum(axis=0)
    n_pairs = pairs.sum() / 2
    if not n_pairs:
        raise ValueError(
            "y has no two samples that can be compared: an event is needed that is "
            "earlier than another time."
        )
    concordance = concordant.sum() / 2 / n_pairs
    return concordance, (concordant - concordance * pairs) / n_pairs, int(n_pairs)

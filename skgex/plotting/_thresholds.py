"""Thresholds between groups of risk, and groups that were cut by the outcome."""

from itertools import combinations

import numpy as np

from .._warn import warn_caller
from ..evaluation._survival_checks import as_numbers

# Groups of fewer events come apart by chance.
_FEW = 5


def find_thresholds(thresholds, train_risk, quantiles, estimator=None):
    """Return ascending thresholds, given, of an estimator, or from training risks."""
    model = getattr(estimator, "best_estimator_", estimator)
    model = model[-1] if hasattr(model, "steps") else model
    if thresholds is None and train_risk is None and hasattr(model, "risk_thresholds"):
        return model.risk_thresholds(quantiles)
    if (thresholds is None) == (train_risk is None):
        raise ValueError(
            "Give either thresholds or train_risk, the risks of the training samples "
            "(best by cross_val_predict). Quantiles of the risks that are tested make "
            "a patient's group depend on the other patients."
        )
    if thresholds is None:
        shares = np.asarray(quantiles, dtype=float)
        if shares.ndim != 1 or not ((shares > 0) & (shares < 1)).all():
            raise ValueError(f"quantiles={quantiles!r} must lie in (0, 1).")
        thresholds = np.quantile(_risks(train_risk), shares)
    thresholds = as_numbers(thresholds, "thresholds")
    if thresholds.ndim != 1 or not len(thresholds) or np.isnan(thresholds).any():
        raise ValueError(f"thresholds={thresholds!r} must be a list of numbers.")
    if (np.diff(thresholds) <= 0).any():
        raise ValueError(
            f"The thresholds {thresholds.tolist()} must ascend; training risks of too "
            "few different values take fewer quantiles."
        )
    return thresholds


def _risks(train_risk):
    risks = as_numbers(train_risk, "train_risk")
    if not risks.size or np.isnan(risks).any():
        raise ValueError("train_risk has no risk, or one that is NaN.")
    return risks


def warn_of_own_risks(risk, train_risk):
    """Warn if thresholds are quantiles of the very risks that are tested."""
    if train_risk is None or len(np.unique(risk)) <= 2 * _FEW:
        return
    if np.isin(risk, np.asarray(train_risk, dtype=float)).all():
        warn_caller(
            "The risks that are tested are all among train_risk: their groups are cut "
            "on themselves. If these are the samples of training, the model was fitted "
            "to their outcome, and groups differ more than those of others will."
        )


def warn_of_outcome(event, time, number, names):
    """Warn if groups were cut by what came of the samples.

    That is, if of two groups with some events each all of the one were earlier than all
    of the other, or if one group has events only and the other none.
    """
    for a, b in combinations(range(len(names)), 2):
        here = [number == group for group in (a, b)]
        if min(map(np.sum, here)) < _FEW:
            continue
        shares = sorted(event[rows].mean() for rows in here)
        one, two = (time[rows & event] for rows in here)
        if shares == [0, 1]:
            how = "in one all had the event, in the other none had"
        elif min(len(one), len(two)) >= _FEW and _apart(one, two):
            how = "all events of one are before all of the other"
        else:
            continue
        warn_caller(
            f"Groups {names[a]!r} and {names[b]!r} look as if they were cut by the "
            f"outcome: {how}. Then neither the test nor the hazard ratio means "
            "anything. Make groups of what was known at the start."
        )
        return


def _apart(one, two):
    return one.max() < two.min() or two.max() < one.min()


def group_names(n):
    """Return names of some groups, lowest risk first."""
    few = {
        1: ["all"],
        2: ["low risk", "high risk"],
        3: ["low risk", "middle", "high risk"],
    }
    return few.get(n) or [f"risk group {i + 1}" for i in range(n)]

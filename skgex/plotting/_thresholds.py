"""Thresholds between groups of risk."""

import numpy as np


def find_thresholds(thresholds, train_risk, quantiles):
    """Return ascending thresholds, given or from the risks of training samples."""
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
        thresholds = np.quantile(np.asarray(train_risk, dtype=float), shares)
    thresholds = np.asarray(thresholds, dtype=float)
    if thresholds.ndim != 1 or not len(thresholds) or np.isnan(thresholds).any():
        raise ValueError(f"thresholds={thresholds!r} must be a list of numbers.")
    if (np.diff(thresholds) <= 0).any():
        raise ValueError(
            f"The thresholds {thresholds.tolist()} must ascend; training risks of too "
            "few different values take fewer quantiles."
        )
    return thresholds


def group_names(n):
    """Return names of some groups, lowest risk first."""
    few = {
        1: ["all"],
        2: ["low risk", "high risk"],
        3: ["low risk", "middle", "high risk"],
    }
    return few.get(n) or [f"risk group {i + 1}" for i in range(n)]

"""From by how much each sample moves a measure to its interval."""

import numpy as np
import pandas as pd
from scipy.stats import norm


def std_error(influences, groups=None):
    """Return the standard error by the infinitesimal jackknife.

    Parameters
    ----------
    influences : ndarray of shape (n_samples,), or tuple of two
        By how much each sample moves the measure; and each of a second, independent set
        of samples, if there is one.
    groups : ndarray of shape (n_samples,) or None
        Samples of one patient, whose influences are added up.
    """
    own, *others = influences if isinstance(influences, tuple) else (influences,)
    if groups is not None:
        own = np.bincount(pd.factorize(groups)[0], own)
    return np.sqrt(sum(np.sum(part**2) for part in (own, *others)))


def half_width(error, confidence_level):
    """Return how far a symmetric interval goes to either side."""
    return norm.ppf((1 + confidence_level) / 2) * error


def logit_interval(share, half_width):
    """Return limits around a share that are symmetric on the scale of the log-odds."""
    if half_width == 0 or not 0 < share < 1:
        return share, share
    middle = np.log(share / (1 - share))
    step = half_width / (share * (1 - share))
    return tuple(1 / (1 + np.exp(-(middle + side * step))) for side in (-1, 1))


def log_interval(value, half_width):
    """Return limits around a positive value, symmetric on the scale of logarithms."""
    if half_width == 0 or not value > 0:
        return value, value
    return tuple(value * np.exp(side * half_width / value) for side in (-1, 1))


def subtract(first, second):
    """Return the influences of a difference of two measures of the same samples."""
    if not isinstance(first, tuple):
        return first - second
    return tuple(a - b for a, b in zip(first, second, strict=True))

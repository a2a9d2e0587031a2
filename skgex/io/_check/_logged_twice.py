"""Whether a logarithm was taken of logarithms."""

import numpy as np

from . import _words as words
from ._log_forms import log_form, undone

# log2(log2(1e7) + 1) is 4.6, ln(ln(1e3) + 1) is 2.1.
_LOWEST_MAXIMUM, _HIGHEST_MAXIMUM = 2.0, 4.7
# Where sums or whole numbers give it away: ln(log10(30) + 1) is .9.
_LOWEST_SURE = 0.9
# Of 16 public tables and their upper and lower halves, logarithms have .42 or more, and
# most logarithms of them less than .15, in whatever base.
_BENT = 0.25
_MIN_GENES = 50
_MAX_SAMPLES = 60


def logged_twice(facts):
    """Return the finding that values were logged twice, or None.

    Parameters
    ----------
    facts : Facts
        Of values that are zero or more, and no logarithm of known form.
    """
    if facts.n_genes < _MIN_GENES:
        return None
    if not _LOWEST_SURE <= facts.highest <= _HIGHEST_MAXIMUM:
        return None
    X = facts.X[:_MAX_SAMPLES].astype(np.float64)
    if any(log_form(inner) is not None for inner in undone(X)):
        return words.logged_twice(facts.highest, sure=True)
    if facts.highest < _LOWEST_MAXIMUM:
        return None
    scores = [_bend(row[row > 0]) for row in X if (row > 0).sum() >= _MIN_GENES]
    if scores and np.median(scores) < _BENT:
        return words.logged_twice(facts.highest, sure=False)
    return None


def _bend(values):
    """Return how far the values above zero reach to the right.

    A second logarithm presses the upper half together and draws the lower half out,
    whatever the bases: the largest value comes close to the upper quartile, and the
    skewness falls.
    """
    deviation = values - values.mean()
    spread = values.std()
    if not spread:
        return np.inf
    skewness = (deviation**3).mean() / spread**3
    return skewness + 2 * (values.max() / np.percentile(values, 75) - 1)

"""How much of an earlier survival model is added."""

import numpy as np
from scipy.special import softmax

# What is tried: from none of the earlier model to all of it.
WEIGHTS = np.linspace(0, 1, 11)
# Gains come from models of a part of the samples, with few events to judge them by, so
# that they say less than a likelihood of all samples does. From 1 to 4 it matters
# little; the best single pair, which is what 0 stands for, predicts worse than any.
_CAUTION = 2.0
# What is held before the folds speak: the log odds of all of the earlier model against
# none of it. Many patients have more to say than few.
_LEAN = 2.0


def average_choice(gains):
    """Return the weight of an earlier model, and the place of the penalty.

    Not the best pair: with some fifteen events the folds can hardly tell one from the
    other, and the best is so by chance. Each pair counts as far as its likelihood goes,
    and the mean of all is taken. Where folds say nothing it is two thirds of the
    earlier model, and a penalty from the middle of the path.

    Parameters
    ----------
    gains : ndarray of shape (n_weights, n_alphas)
        What each of `WEIGHTS` and each penalty gained in log likelihood of samples held
        out.

    Returns
    -------
    weight : float
        Between 0 and 1.
    place : int
        Of the penalty that is nearest to the mean, on the logarithmic path.
    """
    # A risk that overflowed has a likelihood of zero, which is no number to subtract.
    gains = np.maximum(gains, -1e300) / _CAUTION
    share = softmax(gains + _LEAN * WEIGHTS[:, None])
    weight = share.sum(axis=1) @ WEIGHTS
    place = share.sum(axis=0) @ np.arange(share.shape[1])
    return float(weight), int(np.rint(place))

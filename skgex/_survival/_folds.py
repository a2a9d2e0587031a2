"""The inner folds that choose a penalty and judge a network."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import check_cv

from .._follow_up import as_surv
from .._warn import warn_caller
from ._split import EventStratifiedKFold

# Fewer events than this in each fold say nothing about a penalty.
MIN_EVENTS = 3


def make_folds(estimator, X, data, groups, seed, earlier=False):
    """Return the rows of the inner folds, among samples of positive weight.

    Parameters
    ----------
    estimator : estimator
        Has the parameters `cv`, `alpha` and `prior_weight`.
    X : ndarray of shape (n_samples, n_genes)
        Training data.
    data : SurvivalData
        Its follow-up.
    groups : array-like of shape (n_samples,) or None
        Samples of one group stay together.
    seed : int
        Seed of the folds.
    earlier : bool, default=False
        Whether there is an earlier model, whose weight may be to be chosen.

    Returns
    -------
    folds : list of (ndarray, ndarray)
        Training and held-out rows. Empty with ``cv=None``, and where there are too few
        events.
    """
    cv, y = estimator.cv, as_surv(data.event.numpy(), data.time.numpy())
    if cv is None:
        if estimator.alpha == "cv":
            raise ValueError(
                'alpha="cv" chooses the penalty in inner folds, but cv=None has none: '
                "set cv to a number of folds, or alpha to a number."
            )
        return []
    used = np.flatnonzero(data.weight.numpy() > 0)
    if not isinstance(cv, Integral):
        splits = check_cv(cv).split(X, y, groups)
        folds = [tuple(_places(used, part) for part in split) for split in splits]
        _check_splits(folds, y["event"][used])
        return folds
    y = y[used]
    n_events = n_folds = int(y["event"].sum())
    if groups is not None:
        groups = np.asarray(groups)[used]
        n_folds = len(np.unique(groups[y["event"]]))
    n_folds = min(cv, n_folds, n_events // MIN_EVENTS)
    if n_folds >= 2:
        splitter = EventStratifiedKFold(n_folds, random_state=seed)
        return list(splitter.split(used, y, groups))
    weighed = earlier and estimator.prior_weight == "cv"
    if estimator.alpha != "cv" and not weighed and not estimator.max_epochs:
        return []  # nothing to choose, nothing to judge
    chosen = "the strongest penalty is taken, and " if estimator.alpha == "cv" else ""
    chosen += "all of the earlier model, and " if weighed else ""
    warn_caller(
        f"{n_events} event(s) are too few for inner folds: {chosen}no network. Follow "
        "up longer, or set cv=None, and alpha to a number."
    )
    return []


def _places(used, rows):
    """Return the places of some rows among those that are used."""
    return np.flatnonzero(np.isin(used, rows))


def _check_splits(folds, event):
    """Refuse splits of the user that nothing can be learnt from."""
    if not folds:
        raise ValueError("cv has no splits: give some, a number of folds, or None.")
    for place, (train, test) in enumerate(folds):
        if not len(test) or not event[train].any():
            raise ValueError(
                f"Split {place} of cv holds out {len(test)} sample(s), and has "
                f"{event[train].sum()} event(s) to train on, of positive weight: it "
                "needs some of each. EventStratifiedKFold makes such splits."
            )

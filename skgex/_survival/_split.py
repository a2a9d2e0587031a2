"""EventStratifiedKFold: folds that share the events, early and late ones."""

import numpy as np
from sklearn.model_selection._split import GroupsConsumerMixin, _BaseKFold
from sklearn.utils import check_array, check_random_state

from .._follow_up import check_survival

# Groups are larger than single samples, and few: finer parts of the times would be
# shared at the cost of the numbers of events and of samples.
_TIME_PARTS = 4


class EventStratifiedKFold(GroupsConsumerMixin, _BaseKFold):
    """Split survival data into folds that share the events, early and late ones.

    Few events, split at random, leave folds without anything to score, or with longer
    follow-up than the training samples. Here, the events in the order of time are dealt
    out to the folds, then the censored samples likewise: without `groups`, folds differ
    by at most one in their numbers of events, of censored samples and of samples. The
    target is that of scikit-survival, whose pairs of event and time scikit-learn's
    `StratifiedKFold` takes for classes.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2 and at most the number of events.
    shuffle : bool, default=True
        Whether chance decides which fold each of `n_splits` successive events goes to,
        and which of equal times comes first. Otherwise the order of samples does.
    random_state : int, RandomState instance or None, default=None
        Seed of `shuffle`.

    See Also
    --------
    UnivariateCoxSelector : Selects genes, within training folds.

    Notes
    -----
    Samples of one of the `groups` stay together. Groups are given away one by one,
    those with the most events first, then the larger ones, each to the fold that has
    least of what the group brings: of events at a similar time, of events, of samples.
    No fold is left without an event if at least `n_splits` groups have one.

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import EventStratifiedKFold
    >>> from skgex.datasets import load_breast_nki
    >>> X, y = load_breast_nki(return_X_y=True)
    >>> followed_up = np.isfinite(y["time"])
    >>> X, y = X[followed_up], y[followed_up]
    >>> cv = EventStratifiedKFold(n_splits=4, random_state=0)
    >>> [int(y["event"][test].sum()) for _, test in cv.split(X, y)]
    [14, 13, 13, 13]
    """

    def __init__(self, n_splits=5, *, shuffle=True, random_state=None):
        super().__init__(n_splits, shuffle=shuffle, random_state=random_state)

    def split(self, X, y, groups=None):
        """Generate indices of the training and test samples of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Only its number of samples is used.
        y : structured array of shape (n_samples,)
            Survival: an event (bool), then a time, as made by scikit-survival's
            `Surv`; or a table with these columns.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as a patient, are kept in one fold.

        Yields
        ------
        train : ndarray
            Indices of the training samples.
        test : ndarray
            Indices of the test samples.
        """
        return super().split(X, y, groups)

    def _iter_test_masks(self, X=None, y=None, groups=None):
        event, time = check_survival(y, self, allow_all_censored=True, allow_zero=True)
        if event.sum() < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {event.sum()} event(s) in "
                "y, but each fold needs one: lower n_splits, or follow up longer."
            )
        fold = self._deal(event, time, self._check_groups(event, groups))
        for i in range(self.n_splits):
            yield fold == i

    def _check_groups(self, event, groups):
        """Return the group of each sample as a number."""
        if groups is None:
            return np.arange(len(event))
        groups = check_array(groups, input_name="groups", ensure_2d=False, dtype=None)
        group = np.unique(groups, return_inverse=True)[1]
        n_with_event = len(np.unique(group[event]))
        if n_with_event < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {n_with_event} of "
                f"{group.max() + 1} groups that have an event, but each fold needs one:"
                " lower n_splits."
            )
        return group

    def _deal(self, event, time, group):
        """Return the fold of each sample."""
        n_samples, n_folds = len(event), self.n_splits
        rng = check_random_state(self.random_state) if self.shuffle else None
        ties = rng.permutation(n_samples) if self.shuffle else np.arange(n_samples)
        place = np.empty(n_samples, dtype=int)
        place[np.lexsort((ties, time, ~event))] = np.arange(n_samples)
        kinds = _kinds(event, place, n_folds)
        weight = 1 / np.bincount(kinds.ravel())
        count = np.zeros((len(weight), n_folds))

        fold = np.empty(n_samples, dtype=int)
        for turn, members in enumerate(_in_turn(event, place, group)):
            has = kinds[members].ravel()
            # Not a product of matrices, which may round equal costs to unequal ones.
            cost = (weight[has, None] * count[has]).sum(axis=0)
            if self.shuffle:
                preferred = rng.permutation(n_folds)
            else:  # back and forth, as the first fold would have the earliest
                preferred = np.arange(n_folds)[:: -1 if turn // n_folds % 2 else 1]
            best = preferred[cost[preferred].argmin()]
            fold[members] = best
            np.add.at(count[:, best], has, 1)
        return fold


def _kinds(event, place, n_folds):
    """Return the kinds of each sample, each of which folds are to share.

    They are the samples with the same `event` and a similar time, all with this
    `event`, and all samples. Samples are dealt out in the order of time, `n_folds` at
    a time; a part of the times is made of whole rounds.
    """
    part = np.empty(len(event), dtype=int)
    for value in (False, True):
        same = np.flatnonzero(event == value)
        rounds = (place[same] - place[same].min(initial=len(event))) // n_folds
        part[same] = rounds * _TIME_PARTS // (rounds.max(initial=0) + 1)
    kinds = np.stack([2 * part + event, -1 - event, np.full(len(event), -3)], axis=1)
    return np.unique(kinds, return_inverse=True)[1].reshape(kinds.shape)


def _in_turn(event, place, group):
    """Yield the samples of each group: most events first, then largest, earliest."""
    members = np.lexsort((place, group))
    starts = np.flatnonzero(np.diff(group[members], prepend=-1))
    n_events = np.add.reduceat(event[members].astype(int), starts)
    size = np.diff(starts, append=len(members))
    groups = np.split(members, starts[1:])
    for i in np.lexsort((place[members[starts]], -size, -n_events)):
        yield groups[i]

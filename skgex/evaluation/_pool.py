"""The samples to train on, in the order in which they are drawn, and those to test."""

import numpy as np
import pandas as pd


def split_pool(groups, strata, test_size, rng):
    """Split samples by group into a training pool and a test part.

    Parameters
    ----------
    groups : array-like of shape (n_samples,)
        Samples of a group are on the same side.
    strata : array-like of shape (n_samples,) or None
        Both sides, and the first n of the pool for each n, have about the same share of
        each of these.
    test_size : float
        Share of the groups that is for testing.
    rng : Generator
        Draws the order of the groups.

    Returns
    -------
    pool : ndarray
        Rows in the order in which they are drawn: group by group, after one row of
        each stratum.
    test : ndarray
        Rows in ascending order.
    """
    unit = pd.factorize(np.asarray(groups))[0]
    if (unit < 0).any():
        raise ValueError(
            f"groups has no value for sample {np.flatnonzero(unit < 0)[0]}: give each "
            "sample without a known group one of its own."
        )
    stratum, names = pd.factorize(np.zeros(len(unit)) if strata is None else strata)
    kind = _rarest(unit, stratum)
    shuffled = rng.permutation(len(kind))
    place = np.full(len(kind), np.inf)  # of a group in the pool
    for members in (shuffled[kind[shuffled] == k] for k in np.unique(kind)):
        n = len(members)
        n_test = min(max(1, round(test_size * n)), n - 1)
        rest = members[n_test:]
        place[rest] = (np.arange(len(rest)) + rng.random()) / len(rest)
    order = np.lexsort((rng.random(len(unit)), place[unit]))
    in_pool = np.isfinite(place[unit[order]])
    pool, test = order[in_pool], np.sort(order[~in_pool])
    if not len(test):
        raise ValueError(
            f"groups has too few of them, {len(kind)}, to train on some and test on "
            "others."
        )
    first = np.sort(np.unique(stratum[pool], return_index=True)[1])
    if len(first) < len(names):
        absent = np.setdiff1d(np.arange(len(names)), stratum[pool])[0]
        raise ValueError(
            f"Class {names.tolist()[absent]!r} has no sample to train on in one of the "
            "draws: leave out classes of few groups."
        )
    return np.concatenate([pool[first], np.delete(pool, first)]), test


def _rarest(unit, stratum):
    """Return for each group the rarest stratum that it has a sample of."""
    rank = np.argsort(np.argsort(np.bincount(stratum), kind="stable"))
    kind = np.full(unit.max() + 1, len(rank))
    np.minimum.at(kind, unit, rank[stratum])
    return kind

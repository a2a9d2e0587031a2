"""How deep below their limits values lie, learnt from values that are known."""

from typing import NamedTuple

import numpy as np
from sklearn.isotonic import isotonic_regression

from ._censored import below, limits_of, marginal_fill
from ._tails import Tails, follow, spreads

# The share of the genes that are practised on, and how many values they keep at least.
_SHARE, _MIN_KEPT = 0.25, 10
# How many classes and steps of curves there are at most, and values in a step at least.
_N_CLASSES, _N_STEPS, _MIN_STEP = 4, 20, 20
_N_ITER = 100
# A tail that goes on as expected counts as so many genes, in each class.
_PRIOR_GENES = 0.1


class Practice(NamedTuple):
    """Measured values that are treated as missing.

    Attributes
    ----------
    chosen : bool ndarray of shape (n_samples, n_genes)
        Which values.
    weight : ndarray of shape (n_genes,)
        How much genes count.
    tails : Tails
        Those of all genes, with the limits that they have without these values.
    """

    chosen: np.ndarray
    weight: np.ndarray
    tails: Tails


def choose_practice(X, low, tails, random_state):
    """Choose measured values to treat as missing, the lowest ones of some genes.

    Each loses a share as other genes have lost. Equal values, as at a floor, are lost
    all or none, with chances that make the share right on average; for a floor that is
    seen, the gene is practised on with this weight rather than by this chance.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_genes)
        Values.
    low : bool ndarray of shape (n_samples, n_genes)
        Which of them are not known, as they are below the limit of the gene.
    tails : Tails
        Those of the genes.
    random_state : RandomState instance
        What genes and shares are drawn from.

    Returns
    -------
    practice : Practice
    """
    chosen = np.zeros_like(low)
    shares = low.mean(axis=0)
    lacking, genes = np.flatnonzero(shares), np.flatnonzero(~np.isnan(tails.limits))
    if not len(lacking):
        return Practice(chosen, np.ones(len(shares)), tails)
    # Genes that lost a floor at once lack more than their limit would have taken of a
    # tail: what to take is seen from the other ones.
    wanted = np.sort(shares[lacking])[: (len(lacking) + 1) // 2]
    weight = np.ones(len(shares))
    genes = random_state.permutation(genes)[: int(np.ceil(_SHARE * len(genes)))]
    for gene in genes:
        known = ~low[:, gene] & ~np.isnan(X[:, gene])
        values, n_low = np.sort(X[known, gene]), low[:, gene].sum()
        if not len(values):
            continue
        n_lost = random_state.choice(wanted) * len(values)
        limit = values[int(n_lost)]
        first = np.searchsorted(values, limit)
        last = np.searchsorted(values, limit, side="right")
        chance = (n_lost - first) / (last - first)
        if first == 0 and last > 1:
            weight[gene], first = chance, last
        elif last - first > 1 and random_state.random_sample() < chance:
            first = last
        rest = values[first:]
        lost = 1 - len(rest) / (n_low + len(values))
        if len(rest) >= _MIN_KEPT and rest[0] < rest[-1] and lost <= shares.max():
            chosen[:, gene] = known & (X[:, gene] < rest[0])
    genes = np.flatnonzero(chosen.any(axis=0))
    unknown = (low | chosen)[:, genes]
    left = np.where(unknown, np.nan, X[:, genes]).astype(float)
    limits, depth, std, share = (part.copy() for part in tails[:4])
    limits[genes], std[genes] = limits_of("left", left), spreads(left)
    share[genes] = unknown.mean(axis=0)
    _, depth[genes] = marginal_fill(left, unknown, limits[genes])
    # Genes that had lost values before are unlike those that they stand for, and tell
    # of these values what the curves say themselves.
    n_chosen, n_low = chosen.sum(axis=0), low.sum(axis=0)
    weight *= n_chosen / np.maximum(n_chosen + n_low, 1)
    return Practice(chosen, weight, Tails(limits, depth, std, share))


def learn_curves(truth, low, practice, normal, moments, former):
    """Return how deep values lie over how deep they are expected, by share.

    What is below a limit was never seen, but values just above it are known. They are
    hidden, filled in as the others are, and compared with what they are: so a tail that
    ends in a floor, or goes deeper than a normal one, is found out. Genes are divided
    into classes by the share of their values that is missing: where most of a gene is,
    this is more often one value, a floor, than a tail. The curve of each class is the
    least squares fit among those that never fall. Values that were never measured are
    deeper than their former limit by what the curves say of them.

    Parameters
    ----------
    truth : ndarray of shape (n_samples, n_genes)
        Values; those that are low are not looked at.
    low : bool ndarray of shape (n_samples, n_genes)
        Which of them were never measured.
    practice : Practice
        Which measured ones were treated likewise.
    normal : ndarray of shape (n_low,)
        How deep all these are by a normal distribution.
    moments : ndarray of shape (2, n_samples, n_genes)
        Their means and standard deviations before the limits are known.
    former : Tails
        Those of the genes without practice.

    Returns
    -------
    curves : ndarray of shape (3, n_classes, n_steps) or None
        Of each class its share, how deep values are expected, and how deep they lie, in
        standard deviations. Values between are interpolated; none is deeper than the
        last. None if there are too few values.
    """
    practised = practice.chosen.any(axis=0)
    part = (low | practice.chosen) & practised
    former, tails = former.at(part), practice.tails.at(part)
    never, weight = low[part], np.broadcast_to(practice.weight, low.shape)[part]
    expected = normal[part[low | practice.chosen]] * tails.depth / tails.std
    actual = tails.limits - np.where(never, former.limits, truth[part])
    further = former.limits - below(*moments[:, part], former.limits)[0]
    beyond = np.where(never, further * former.depth, 0) / tails.std
    n_genes = practice.weight[practised].sum()

    steps = _steps(expected, tails.share)
    if steps is None:
        return None

    def average(values):
        return np.array(
            [[np.average(values[s], weights=weight[s]) for s in c] for c in steps]
        )

    def from_zero(part):
        return np.insert(part, 0, 0.0, axis=1)

    known, curves = average(expected), None
    share = average(tails.share).mean(axis=1, keepdims=True)
    share = np.repeat(share, known.shape[1] + 1, axis=1)
    prior = _PRIOR_GENES * len(steps)
    for _ in range(_N_ITER):
        found = average(actual / tails.std + follow(curves, beyond, former.share))
        found = (n_genes * found + prior * known) / (n_genes + prior)
        found = np.array([isotonic_regression(part, y_min=0) for part in found])
        curves = np.stack([share, from_zero(known), from_zero(found)])
    return curves


def _steps(expected, share):
    """Return the places of values by class of share, and by depth in each."""
    n_classes = min(_N_CLASSES, len(expected) // (2 * _MIN_STEP))
    if not n_classes:
        return None
    n_steps = min(_N_STEPS, len(expected) // n_classes // _MIN_STEP)
    classes = np.array_split(np.argsort(share, kind="stable"), n_classes)
    classes = [part[np.argsort(expected[part], kind="stable")] for part in classes]
    return [np.array_split(part, n_steps) for part in classes]

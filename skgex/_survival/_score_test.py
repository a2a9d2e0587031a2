"""The score test of Cox models with one gene each, for all genes at once."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ._gene_chunks import gene_chunks
from ._strata import check_strata


class _RiskSets(NamedTuple):
    """Who joins the risk set, and who has the event, at each event time.

    Event times are those of each stratum, latest first: then samples only join a risk
    set, and sums over risk sets are running sums over event times.
    """

    stratum: np.ndarray  # (n_samples,)
    by_stratum: csr_array  # (n_strata, n_samples), weights
    joining: csr_array  # (n_times, n_samples), weights times relative hazards
    dying: csr_array  # (n_times, n_samples), weights
    leaving: csr_array  # (n_times, n_samples), as dying, times relative hazards
    deaths: csr_array  # (n_times, n_samples), ones
    first: np.ndarray  # (n_times,), the first event time of the same stratum

    def over_risk_set(self, values):
        """Sum values over the risk set of each event time, weighted."""
        total = np.zeros((len(self.first) + 1, values.shape[1]))
        np.cumsum(self.joining @ values, axis=0, out=total[1:])
        # What other strata have left in the running sum is taken out of it.
        return total[1:] - total[self.first] if self.first.any() else total[1:]


def cox_score_test(X, event, time, *, strata=None, sample_weight=None, ties="efron"):
    """Test for each gene whether the hazard depends on it.

    The score of Cox's partial likelihood with this gene alone, at a coefficient of
    zero, over the root of its information. The p-value is ``2 * norm.sf(abs(z))``.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        Finite, or NaN where a gene was not measured: the test of this gene leaves this
        sample out.
    event : ndarray of bool of shape (n_samples,)
        Whether the event was seen.
    time : ndarray of shape (n_samples,)
        Time of the event or of censoring. Only the order counts.
    strata : array-like of shape (n_samples,), default=None
        Samples are compared within strata only, each of which has a baseline hazard of
        its own.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights, not negative. Tied events have their mean weight in Efron's method.
    ties : {"efron", "breslow"}, default="efron"
        What is done about events at the same time.

    Returns
    -------
    z : ndarray of shape (n_genes,)
        Positive where higher expression goes with higher risk. Standard normal if the
        hazard does not depend on the gene. Zero for a gene without variation.
    """
    n_samples, n_genes = X.shape
    weight = np.ones(n_samples) if sample_weight is None else sample_weight
    sets = make_risk_sets(event, time, check_strata(strata, X), weight)
    z = np.zeros(n_genes)
    for genes, x in gene_chunks(X):
        missing = np.isnan(x)
        incomplete = missing.any(axis=0)
        here = z[genes]
        if not incomplete.any():
            here[:] = _score(sets, x, None, ties)
            continue
        here[~incomplete] = _score(sets, x[:, ~incomplete], None, ties)
        here[incomplete] = _score(sets, x[:, incomplete], missing[:, incomplete], ties)
    return z


def make_risk_sets(event, time, stratum, weight, hazard=None):
    """Return risk sets; `hazard` is what other features make of each sample's."""
    relative = weight if hazard is None else weight * hazard
    # The latest time has rank 0, and each stratum a range of keys of its own.
    ranks = np.unique(-time, return_inverse=True)[1]
    key = stratum * (ranks.max() + 1) + ranks
    weighted = weight > 0
    events = np.flatnonzero(event & weighted)
    keys, time_of_event = np.unique(key[events], return_inverse=True)
    stratum_of_time = np.empty(len(keys), dtype=int)
    stratum_of_time[time_of_event] = stratum[events]

    # A sample joins at the latest event time that it lives to see, if there is one.
    joins = np.searchsorted(keys, key)
    at_risk = weighted & (joins < len(keys))
    at_risk[at_risk] = stratum_of_time[joins[at_risk]] == stratum[at_risk]
    members = np.flatnonzero(at_risk)

    def matrix(values, rows, columns, n_rows):
        return csr_array((values, (rows, columns)), shape=(n_rows, len(time)))

    n_times = len(keys)
    return _RiskSets(
        stratum,
        matrix(weight[members], stratum[members], members, stratum.max() + 1),
        matrix(relative[members], joins[members], members, n_times),
        matrix(weight[events], time_of_event, events, n_times),
        matrix(relative[events], time_of_event, events, n_times),
        matrix(np.ones(len(events)), time_of_event, events, n_times),
        np.searchsorted(stratum_of_time, stratum_of_time),
    )


def _score(sets, x, missing, ties):
    """Return z of each gene in `x`, which is overwritten.

    Without missing values the weights are those of all genes: arrays of one column.
    """
    if missing is None:
        present = np.ones((len(x), 1))
    else:
        present = (~missing).astype(np.float64)
        x[missing] = 0
    # Centred, or digits are lost in the variance of genes that are far from zero.
    mass = sets.by_stratum @ present
    mean = (sets.by_stratum @ x) / np.where(mass > 0, mass, 1)
    x -= mean[sets.stratum]
    if missing is not None:
        x[missing] = 0

    score, information = score_and_information(sets, x, present, ties)
    # No variation but what the rounding of the mean has left.
    rounding = len(x) * np.finfo(float).eps * np.abs(mean).max(axis=0)
    floor = (sets.dying @ present).sum(axis=0) * rounding**2
    z = np.zeros_like(score)
    varies = information > floor
    z[varies] = score[varies] / np.sqrt(information[varies])
    return z


def score_and_information(sets, x, present, ties):
    """Sum over event times: events less mean of the risk set, and its variance."""
    squares = x**2
    mass, total, spread = (sets.over_risk_set(v) for v in (present, x, squares))
    one, two = _term_sums(sets, mass, present, ties)
    score = (sets.dying @ x).sum(axis=0) - (one[0] * total).sum(axis=0)
    information = (one[0] * spread - two[0] * total**2).sum(axis=0)
    tied = np.flatnonzero(one[1].any(axis=1))
    if len(tied):
        dead, dead_spread = (sets.leaving[tied] @ values for values in (x, squares))
        score += (one[1, tied] * dead).sum(axis=0)
        cross = 2 * two[1, tied] * total[tied] - two[2, tied] * dead
        information += (cross * dead - one[1, tied] * dead_spread).sum(axis=0)
    return score, information


def _term_sums(sets, mass, present, ties):
    """Sum over the terms of each event time what they multiply expression with.

    Of the d events at one time, Efron's method takes a share f = l / d out of the risk
    set in its l-th term, and gives each term the mean weight w of these events. With m,
    the mass of the risk set that is left, the term has the mean (total - f * dead) / m,
    so that score and information need, for each event time, the sums of w * f**j / m,
    returned first, and of w * f**j / m**2, for j up to 2.
    """
    dead, leaving = sets.dying @ present, sets.leaving @ present
    deaths = sets.deaths @ present
    n_deaths = np.diff(sets.dying.indptr)
    one, two = np.zeros((2, 3, *mass.shape))
    weight = dead if ties == "breslow" else dead / np.maximum(deaths, 1)
    n_terms = 1 if ties == "breslow" else n_deaths.max(initial=0)
    for term in range(n_terms):
        rows = np.flatnonzero(n_deaths > term)
        share = term / np.maximum(deaths[rows], 1)
        # Where events were not measured, there are fewer terms.
        valid = deaths[rows] > term
        left = np.where(valid, mass[rows] - share * leaving[rows], 1)
        factor = np.where(valid, weight[rows], 0) / left
        for j in range(3):
            one[j, rows] += factor
            two[j, rows] += factor / left
            factor = factor * share
    return one, two

"""Why values are missing: for each value a score, of which the highest are hidden.

A value with a score of d + e, where e is drawn from the standard logistic distribution,
is above a limit b with the probability 1 / (1 + exp(b - d)). So the n highest scores
are hidden by a logistic model whose intercept makes them n. Scores of minus infinity
are never hidden.
"""

import numpy as np

from ._hidden_values import moments

N_PANELS = 3
CONCENTRATION = 4.0


def _mcar(values, rate, slope, rng):
    return rng.uniform(size=values.shape)


def _mar(values, rate, slope, rng):
    n_genes = values.shape[1]
    n_drivers = max(1, round((1 - rate) / 2 * n_genes))
    order = rng.permutation(n_genes)
    drivers, others = order[:n_drivers], order[n_drivers:]
    chosen = drivers[rng.randint(n_drivers, size=len(others))]
    scores = np.full(values.shape, -np.inf)
    noise = rng.logistic(size=(len(values), len(others)))
    scores[:, others] = slope * _standardized(values)[:, chosen] + noise
    return scores


def _mnar(values, rate, slope, rng):
    return rng.logistic(size=values.shape) - slope * _standardized(values)


def _censoring(values, rate, slope, rng):
    largest = min(1, 2 * rate)
    middle = CONCENTRATION * rate / largest
    shares = largest * rng.beta(middle, CONCENTRATION - middle, size=values.shape[1])
    return np.where(_quantiles(values) < 1, shares - _quantiles(values), -np.inf)


def _block(values, rate, slope, rng):
    n_samples, n_genes = values.shape
    rows = rng.permutation(n_samples)[: max(1, round(np.sqrt(rate) * n_samples))]
    scores = np.full(values.shape, -np.inf)
    scores[rows] = rng.permutation(n_genes)
    return scores


def _panel(values, rate, slope, rng):
    n_samples, n_genes = values.shape
    n_panels = max(N_PANELS, int(np.ceil(np.round(1 / (1 - rate), 9))))
    place = rng.permutation(n_genes)
    # As many samples for each panel, but for the remainder.
    panel = rng.permutation(n_samples) % n_panels
    start = np.floor(panel * n_genes / n_panels)
    return -((place - start[:, None]) % n_genes)


MECHANISMS = {
    "mcar": _mcar,
    "mar": _mar,
    "mnar": _mnar,
    "censoring": _censoring,
    "block": _block,
    "panel": _panel,
}


def _standardized(values):
    """Return z-scores; zero where there is none."""
    mean, std = moments(values)
    return np.nan_to_num((values - mean) / np.where(std > 0, std, 1) * (std > 0))


def _quantiles(values):
    """Return the share of the measured values of a gene that are as low, or lower."""
    found = np.ones(values.shape)
    for gene, column in enumerate(values.T):
        measured = ~np.isnan(column)
        known = column[measured]
        found[measured, gene] = np.searchsorted(np.sort(known), known, side="right")
        found[measured, gene] /= max(len(known), 1)
    return found

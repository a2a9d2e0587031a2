"""Batches whose effects are known, and moments of batches with known true ones."""

import numpy as np

N_GENES = 400
RNG = np.random.default_rng(0)
LEVEL, SPREAD = RNG.normal(8, 2, N_GENES), np.exp(RNG.normal(0, 0.5, N_GENES))


def profiles(n, seed=1):
    return np.random.default_rng(seed).normal(LEVEL, SPREAD, (n, N_GENES))


def with_effect(X, seed, tau=1.0, width=0.3):
    """Shift and stretch genes, as another batch would."""
    rng = np.random.default_rng(seed)
    factor = np.exp(width * rng.normal(size=N_GENES))
    shift = SPREAD * (0.5 + tau * rng.normal(size=N_GENES))
    return (X - LEVEL) * factor + LEVEL + shift


def batches(*sizes, **effect):
    """Return what was measured, what had been without an effect, and labels."""
    X = profiles(sum(sizes))
    label = np.repeat([f"b{i}" for i in range(len(sizes))], sizes)
    rows = np.split(X, np.cumsum(sizes)[:-1])
    parts = [with_effect(part, i, **effect) for i, part in enumerate(rows)]
    return np.concatenate(parts), X, label


def with_holes(X, share=0.2):
    return np.where(np.random.default_rng(7).random(X.shape) < share, np.nan, X)


def distance(first, second):
    """How far apart the means of two batches are, in units of the genes' spread."""
    return np.sqrt(np.mean(((first.mean(axis=0) - second.mean(axis=0)) / SPREAD) ** 2))


def simulate(n, *, prior_df=np.inf, tau=0.0, shift=0.5, factor=1.3, n_genes=4000):
    """Return the moments of a batch, those known from elsewhere, and the true ones."""
    rng = np.random.default_rng(0)
    prior = {
        "prior_mean": rng.normal(5, 2, n_genes),
        "prior_std": np.exp(rng.normal(0, 0.7, n_genes)),
    }
    scale = factor * prior["prior_std"]
    if np.isfinite(prior_df):
        scale = scale * np.sqrt(prior_df / rng.chisquare(prior_df, n_genes))
    location = prior["prior_mean"] + scale * (shift + tau * rng.normal(size=n_genes))
    X = rng.normal(location, scale, (n, n_genes))
    count = np.full(n_genes, n)
    return (X.mean(axis=0), X.std(axis=0), count), prior, (location, scale)

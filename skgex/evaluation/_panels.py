"""Few of the genes of a table."""

import numpy as np
import pandas as pd
from sklearn.base import clone

from ._cells import take_rows, with_seed
from ._jobs import Cell, Failure, Job, run_jobs

# What selectors call the number of features.
COUNTS = ("k", "n_genes", "n_features_to_select", "n_features", "max_features")


def draw_panels(n_genes, sizes, n_draws, n_folds, seed):
    """Return the genes of each (size, draw, split)."""
    orders = [
        np.random.default_rng([seed, draw]).permutation(n_genes)
        for draw in range(n_draws)
    ]
    return {
        (size, draw, split): np.sort(orders[draw][:size])
        for size in sizes
        for draw in range(n_draws)
        for split in range(n_folds)
    }


def select_panels(selector, X, y, sizes, folds, random_state, run):
    """Return the genes of each (size, 0, split)."""
    count = next(name for name in COUNTS if name in selector.get_params(deep=False))
    jobs = []
    for size in sizes:
        for split, (train, _) in enumerate(folds):
            chooses = clone(selector).set_params(**{count: size})
            cell = Cell(
                ("selector", size, 0, split),
                f"{size} genes, split {split}",
                ("selector", train),
                _select,
                (X, y, train),
                ("genes",),
            )
            jobs.append(Job(with_seed(chooses, random_state + split), [cell]))
    panels = {}
    for (_, *key), found in run_jobs(jobs, (X, y), **run).items():
        if isinstance(found, Failure):
            raise ValueError(f"The selector failed with {key[0]} genes: {found}")
        panels[tuple(key)] = found["genes"]
    return panels


def _select(selector, X, y, train):
    fitted = clone(selector).fit(take_rows(X, train), y[train])
    return {"genes": fitted.get_support(indices=True)}


def take_panel(X, rows, genes, whole):
    """Return the genes of a panel alone, or all genes with NaN outside the panel."""
    part = take_rows(X, rows)
    if not whole:
        return part.iloc[:, genes] if hasattr(part, "iloc") else part[:, genes]
    outside = np.ones(X.shape[1], dtype=bool)
    outside[genes] = False
    hidden = np.where(outside, np.nan, np.asarray(part))
    if hasattr(part, "iloc"):
        return pd.DataFrame(hidden, part.index, part.columns)
    return hidden

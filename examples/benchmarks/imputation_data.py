"""Data, holes and scores of the imputation benchmarks."""

from typing import NamedTuple

import numpy as np
from _data import read_set, signed_log
from sklearn.model_selection import GroupShuffleSplit

from skgex.datasets import load_breast_nki

# The spread of a gene does not bound its values: the scale at which both what is true
# and what is restored are cut, in standard deviations of the gene.
LIMITS = {"tcga_z13": 6.0}
LIMIT = 10.0
N_VARIABLE = 1500


class Task(NamedTuple):
    """Training and test profiles, standardised by the training rows and clipped."""

    name: str
    train: np.ndarray
    groups: np.ndarray
    test: np.ndarray

    @property
    def limit(self):
        return LIMITS.get(self.name, LIMIT)


def read(data, name):
    """Return values on a logarithmic scale, with patients or donors."""
    if name == "breast_nki150":
        nki = load_breast_nki()
        return nki.data, nki.groups
    X, _, meta = read_set(data, name)
    if name == "tcga_z13":
        X = signed_log(X)
    elif name in ("tcga_toil4", "gtex_toil1000"):
        X = np.maximum(X, -4)
    return X, meta["donor" if "donor" in meta else "patient"].to_numpy()


def load(data, name, seed=0, test_rows=400, quick=False):
    """Split a set 75/25 by patient or donor; standardise and clip it."""
    X, groups = read(data, name)
    splitter = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
    train, test = next(splitter.split(X, groups=groups))
    rng = np.random.default_rng(seed)
    test = np.sort(rng.permutation(test)[:test_rows])
    if quick:
        train, test = rng.permutation(train)[:300], test[:60]
    genes = _choose_genes(X[train], 200 if quick else None)
    A, B = X[train][:, genes].astype(float), X[test][:, genes].astype(float)
    limit = LIMITS.get(name, LIMIT)
    mean, std = np.nanmean(A, axis=0), np.nanstd(A, axis=0)
    A, B = ((part - mean) / std for part in (A, B))
    A, B = (np.clip(part, -limit, limit).astype(np.float32) for part in (A, B))
    return Task(name, A, groups[train], B)


def _choose_genes(X, n_genes):
    """Genes that vary; of an array with holes those, and the most variable ones."""
    std = np.nanstd(X, axis=0)
    holes = np.isnan(X).any(axis=0)
    order = np.argsort(-std * ~holes, kind="stable")
    if holes.any():
        n_genes = n_genes or N_VARIABLE
        order = np.concatenate([order[:n_genes], np.flatnonzero(holes)[:n_genes]])
    genes = np.unique(order[:n_genes] if not holes.any() else order)
    return genes[std[genes] > 1e-6]


def holes(task, rates, seed):
    """Yield the name of a pattern, and which test values it hides."""
    n_rows, n_genes = task.test.shape
    rng = np.random.default_rng([seed, 1])
    for rate in rates:
        yield f"{rate:.0%}", rng.random((n_rows, n_genes)) < rate
    absent = rng.permutation(n_genes) < n_genes // 2
    yield "panel", np.broadcast_to(absent, (n_rows, n_genes))


def scores(truth, imputed, hidden, limit):
    """Root mean squared error, and the median R2 of the genes, of hidden values."""
    imputed = np.clip(imputed, -limit, limit)
    error = np.where(hidden, imputed - truth, 0).astype(float) ** 2
    total = np.where(hidden, truth, 0).astype(float) ** 2
    total = total.sum(axis=0)
    r2 = 1 - error.sum(axis=0)[total > 0] / total[total > 0]
    return {"rmse": np.sqrt(error.sum() / hidden.sum()), "r2": np.median(r2)}


def pivot(table, value, n_digits=3):
    """Methods by patterns: the mean over seeds, with their standard deviation."""
    wide = table.pivot_table(
        index="method", columns="holes", values=value, aggfunc=["mean", "std"], sort=0
    )
    if "std" not in wide or table.seed.nunique() == 1:
        return wide["mean"].round(n_digits)
    cells = wide["mean"].map(f"{{:.{n_digits}f}}".format)
    spread = wide["std"].map(f" ({{:.{n_digits}f}})".format)
    return cells + spread

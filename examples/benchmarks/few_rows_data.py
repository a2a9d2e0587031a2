"""Cohorts of which few rows are known, and what is pretrained without their patients.

For `few_rows.py`.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from _data import read_set, signed_log

SETS = [
    "tcga_agilent",
    "tcga_toil4",
    "breast_expo353",
    "breast_nki150",
    "lung_michigan",
    "tcga_skcm2454",
    "tcga_rsem_stad",
]
COHORTS = ["BLCA", "BRCA", "COADREAD", "KIRP", "LIHC"]
COHORTS += ["LUAD", "LUSC", "PAAD", "SKCM", "STAD"]
TARGETS = SETS + [f"z13:{cohort}" for cohort in COHORTS]
# Of what is true and of what is restored, in standard deviations.
LIMIT = 10.0
SMALLEST_STD = 1e-6
MIN_TEST, MAX_TEST = 20, 150
RATES = {"30%": 0.3, "70%": 0.7}
# Values of a gene that make a correlation.
MIN_VALUES = 5


class Cohort(NamedTuple):
    X: pd.DataFrame
    patients: np.ndarray


class Draw(NamedTuple):
    """Rows to fit to, others to restore, and what is hidden of these.

    `known` are the genes of the pretraining table; `mean` and `std` are those of the
    genes over all these rows.
    """

    fit: pd.DataFrame
    patients: np.ndarray
    test: pd.DataFrame
    hidden: dict
    known: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    def holed(self, holes):
        """Return the test rows without what is hidden."""
        return self.test.mask(self.hidden[holes])


def read_table(data, name):
    """Return values on a logarithmic scale, by gene, and what is known of rows."""
    X, genes, meta = read_set(data, name)
    X = X.astype(np.float32)
    if name == "tcga_z13":
        X = signed_log(X)
    elif name == "tcga_toil4":
        X = np.maximum(X, -4)
    return pd.DataFrame(X, columns=genes), meta.reset_index(names="row")


def read_cohort(data, target):
    """Return the rows of a target, with their patients."""
    name, _, cohort = target.rpartition(":")
    X, meta = read_table(data, "tcga_z13" if name == "z13" else target)
    patients = meta["patient" if "patient" in meta else "row"].to_numpy()
    if name == "z13":
        rows = (meta["cohort"] == cohort).to_numpy()
        X, patients = X[rows].reset_index(drop=True), patients[rows]
    return Cohort(X, patients)


def read_pretraining(data, patients, quick=False):
    """Return tcga_z13 without some patients, centred within each of its cohorts."""
    X, meta = read_table(data, "tcga_z13")
    rows = ~meta["patient"].isin(patients)
    if quick:
        rows &= meta.index % 8 == 0
        X = X.iloc[:, ::5]
    X, cohorts = X[rows], meta["cohort"][rows]
    return X - X.groupby(cohorts).transform("mean")


def draw(cohort, pretrained, n, seed, max_new=1500):
    """Return a draw of `n` rows to fit to, or None where too few would be left.

    Of one seed, the rows of a smaller draw are among those of a larger one, what is
    hidden is the same, and test rows are only lost to larger draws. A gene must vary
    in the rows to fit to; of genes that are not in `pretrained` those are taken that
    vary most there.
    """
    X, patients = cohort
    rng = np.random.default_rng(seed)
    if len(X) < n + MIN_TEST:
        return None
    names, which = np.unique(patients, return_inverse=True)
    order = np.argsort(rng.permutation(len(names))[which], kind="stable")
    fit, test = order[:n], order[max(n, len(order) - MAX_TEST) :]
    test = test[~np.isin(patients[test], patients[fit])]

    few = X.iloc[fit]
    std = few.std(ddof=0).fillna(0).to_numpy()
    varies = (std > SMALLEST_STD) & (few.notna().sum() > 1).to_numpy()
    known = X.columns.isin(pretrained)
    new = np.argsort(-std * varies * ~known, kind="stable")[:max_new]
    genes = varies & known
    genes[new[(varies & ~known)[new]]] = True

    rng = np.random.default_rng([seed, 1])
    masks = {name: rng.random(X.shape) < rate for name, rate in RATES.items()}
    masks["panel"] = np.broadcast_to(rng.random(X.shape[1]) < 0.5, X.shape)
    held_out = X.iloc[test].loc[:, genes]
    measured = held_out.notna().to_numpy()
    hidden = {name: mask[test][:, genes] & measured for name, mask in masks.items()}
    used = X.iloc[np.concatenate([fit, test])].loc[:, genes]
    return Draw(
        few.loc[:, genes],
        patients[fit],
        held_out,
        hidden,
        known[genes],
        used.mean().to_numpy(),
        used.std(ddof=0).to_numpy(),
    )


def scores(draw, holes, restored):
    """Yield the scores of the genes that pretraining knows, and of the others.

    The root mean squared error, and the median over genes of the correlation across
    samples. Genes of which nothing is restored are not scored.
    """
    truth, restored = (
        np.clip((part - draw.mean) / draw.std, -LIMIT, LIMIT)
        for part in (draw.test.to_numpy(), restored)
    )
    hidden = draw.hidden[holes]
    for kind, genes in {"shared": draw.known, "new": ~draw.known}.items():
        parts = truth[:, genes], restored[:, genes], hidden[:, genes]
        if parts[2].any() and not np.isnan(parts[1]).all():
            error = (parts[0] - parts[1])[parts[2]]
            yield {
                "holes": holes,
                "genes": kind,
                "rmse": np.sqrt(np.mean(error**2)),
                "r": np.median(correlations(*parts)),
                "n_test": len(truth),
                "n_genes": genes.sum(),
            }


def correlations(truth, restored, hidden):
    """Return the correlation of each gene; zero where one value is restored for all."""
    count = hidden.sum(axis=0)

    def centred(values):
        mean = np.where(hidden, values, 0).sum(axis=0) / np.maximum(count, 1)
        return np.where(hidden, values - mean, 0)

    A, B = centred(truth), centred(restored)
    size_a, size_b = (np.sqrt((part**2).sum(axis=0)) for part in (A, B))
    varies = size_b > SMALLEST_STD
    found = (A * B).sum(axis=0)[varies] / np.maximum(size_a * size_b, 1e-12)[varies]
    r = np.zeros(len(count))
    r[varies] = found
    return r[(count >= MIN_VALUES) & (size_a > SMALLEST_STD)]

"""Restore hidden expression values: GexBERT beside other imputers.

    python imputation.py --data DIR [--sets ...] [--methods ...] [--seeds 0] [--quick]
    python imputation.py --data DIR --ablation [--sets tcga_z13]
    python imputation.py --data DIR --coverage
    python imputation.py --data DIR --real-holes

DIR holds sets of bulk expression, each with `X.npz` (X, samples, genes) and `meta.csv`:
tcga_z13 as sign(z) log(1 + abs(z)), tcga_toil4 and gtex_toil1000 floored at -4, and
tcga_brca_pam50. They are split 75/25 by patient or donor; at most `--test-rows` test
samples are completed, the same ones by all methods. Genes are standardised by the
training rows and clipped, at 6 standard deviations for tcga_z13 and at 10 for the
others; that is what all methods are given, and what is restored is clipped and scored
in these units. Training rows are complete. Of the test rows random values are hidden,
at each of the rates; or one random half of the genes in all of them ("panel").

Prints the root mean squared error and the median over genes of R2 of hidden values,
what GexBERT is better by than some others, seconds, and how often the 90 % intervals
of `restore(return_std=True)` hold the true value. Chained equations
(IterativeImputer) get 1,500 training rows and three rounds; they, and soft-impute,
complete training and test rows as one table, anew for each rate.

`--real-holes` takes arrays with missing spots, tcga_agilent (the 1,500 most variable
genes, and all with missing values) and breast_nki150, hides more of the values in
training and test rows alike, and scores those hidden in each. `--ablation` takes parts
of GexBERT away. The cost is measured by `imputation_cost.py`.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _timing import timed
from imputation_baselines import BASELINES
from imputation_data import Task, holes, load, pivot, scores
from imputation_vae import OfHoles, VariationalAutoencoder

from skgex import GexBERT

SETS = ["tcga_z13", "tcga_toil4", "gtex_toil1000", "tcga_brca_pam50"]
REAL = ["tcga_agilent", "breast_nki150"]
RATES = [0.1, 0.3, 0.5, 0.7, 0.9]


class Gex:
    """GexBERT with some settings, as one of the methods."""

    def __init__(self, **settings):
        self.embedder = GexBERT(random_state=0, **settings)

    def fit(self, train, groups):
        self.embedder.fit(train, groups=groups)
        return self

    def impute(self, X, includes_train=False):
        return self.embedder.restore(X)

    def coverage(self, X, truth, hidden):
        """Share of the hidden values within their 90 % interval."""
        mean, std = self.embedder.restore(X, return_std=True)
        return np.mean(np.abs(mean - truth)[hidden] < 1.645 * std[hidden])


class OnePass(Gex):
    """The same, fitted to the table it completes, as soft-impute is."""

    def fit(self, train, groups):
        return self

    def impute(self, X, includes_train=False):
        if not includes_train:
            raise ValueError("OnePass completes the table it is fitted to.")
        return self.embedder.fit(X).restore(X)


OURS = {
    "GexBERT, prior alone": lambda: Gex(max_epochs=0),
    "GexBERT, network alone": lambda: Gex(prior=None),
    "GexBERT": Gex,
}
ABLATION = {
    **OURS,
    "bins": lambda: Gex(value_encoder="bins"),
    "mask rate 0.5": lambda: Gex(mask_rate=0.5),
    "network alone, bins": lambda: Gex(prior=None, value_encoder="bins"),
    "network alone, mask rate 0.5": lambda: Gex(prior=None, mask_rate=0.5),
}
ONE_PASS = "GexBERT, prior alone, one table"
BASELINES = BASELINES | {
    "variational autoencoder": VariationalAutoencoder,
    "variational autoencoder of holes": OfHoles,
}
METHODS = BASELINES | ABLATION | {ONE_PASS: lambda: OnePass(max_epochs=0)}


def fitted(names, task):
    """Yield each method after its fit, with the seconds that took."""
    for name in names:
        method, seconds = timed(METHODS[name]().fit, task.train, task.groups)
        yield name, method, {"set": task.name, "method": name, "fit_s": seconds}


def complete_training(task, seed, arguments):
    """Score what is hidden in test rows, with complete training rows."""
    for name, method, about in fitted(arguments.methods, task):
        rows = []
        for label, hidden in holes(task, arguments.rates, seed):
            X = np.where(hidden, np.nan, task.test).astype(np.float32)
            imputed, seconds = timed(method.impute, X)
            row = {**about, "seed": seed, "holes": label, "impute_s": seconds}
            row |= scores(task.test, imputed, hidden, task.limit)
            if isinstance(method, Gex):
                row["coverage"] = method.coverage(X, task.test, hidden)
            rows.append(row)
        errors = " ".join(f"{row['rmse']:.4f}" for row in rows)
        print(f"  {name}: {errors}, rank {rank(method)}", flush=True)
        yield from rows


def rank(method):
    """The rank that was chosen, if any."""
    prior = getattr(getattr(method, "embedder", None), "encoder_", None)
    return getattr(getattr(prior, "prior", method), "rank", "-")


def real_holes(task, seed, arguments):
    """Hide more of the values of arrays with holes, in training and test rows."""
    truth = np.vstack([task.train, task.test])
    n_train = len(task.train)
    rng = np.random.default_rng([seed, 2])
    for rate in arguments.rates:
        hidden = ~np.isnan(truth) & (rng.random(truth.shape) < rate)
        X = np.where(hidden, np.nan, truth)
        # Once more: centred with what is now hidden, each gene would sum to zero with
        # it, and a method that sees this is told of hidden values.
        mean, std = np.nanmean(X[:n_train], axis=0), np.nanstd(X[:n_train], axis=0)
        std[~(std > 1e-6)] = 1
        X, scaled = ((X - mean) / std).astype(np.float32), (truth - mean) / std
        holed = Task(task.name, X[:n_train], task.groups, X[n_train:])
        for _, method, about in fitted(arguments.methods, holed):
            imputed, seconds = timed(method.impute, X, includes_train=True)
            parts = {"training": slice(n_train), "test": slice(n_train, None)}
            for part, rows in parts.items():
                found = scaled[rows], imputed[rows], hidden[rows]
                row = {**about, "seed": seed, "holes": f"{rate:.0%} {part}"}
                row["impute_s"] = seconds
                yield row | scores(*found, task.limit)
        print(f"  {rate:.0%} done", flush=True)


def report(table):
    for value, digits in (("rmse", 4), ("r2", 3), ("coverage", 3), ("impute_s", 1)):
        if value in table and table[value].notna().any():
            title = {"rmse": "RMSE", "r2": "median R2"}.get(value, value)
            print(f"\n{title}\n{pivot(table, value, digits).to_string()}")
    print("\nseconds of the fit")
    print(table.groupby("method", sort=False).fit_s.mean().round(1).to_string())
    wide = table.pivot_table(
        index=["seed", "method"], columns="holes", values="rmse", sort=False
    )
    for name, other in [
        ("GexBERT", "FA posterior"),
        ("GexBERT", "GexBERT, prior alone"),
        ("GexBERT", "KNN-10"),
        ("GexBERT", "masked autoencoder"),
        ("GexBERT, prior alone", "variational autoencoder of holes"),
        ("GexBERT, prior alone", "FA posterior"),
    ]:
        if {name, other} <= set(table.method):
            ratio = wide.xs(name, level=1) / wide.xs(other, level=1)
            lead = 100 * (ratio - 1)
            cells = [f"{hole} {mean:+.1f}" for hole, mean in lead.mean().items()]
            print(f"RMSE of {name} over {other}, per cent: {', '.join(cells)}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", choices=SETS + REAL)
    parser.add_argument("--methods", nargs="*", choices=METHODS)
    parser.add_argument("--rates", nargs="*", type=float)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--test-rows", type=int, default=400)
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--real-holes", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few rows and genes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the table as CSV here")
    arguments = parser.parse_args()
    sets, methods, rates = SETS, [*BASELINES, *OURS], RATES
    if arguments.real_holes:
        sets, rates = REAL, [0.1, 0.3]
        methods = [*methods, ONE_PASS]
    elif arguments.coverage:
        methods, rates = list(OURS), [0.3, 0.7]
    elif arguments.ablation:
        sets, methods = SETS[:1], list(ABLATION)
    arguments.sets = arguments.sets or sets
    arguments.methods = arguments.methods or methods
    arguments.rates = arguments.rates or rates
    return arguments


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    run = real_holes if arguments.real_holes else complete_training
    tables = []
    for name in arguments.sets:
        rows = []
        for seed in arguments.seeds:
            quick = {"test_rows": arguments.test_rows, "quick": arguments.quick}
            task = load(arguments.data, name, seed, **quick)
            shapes = f"{task.train.shape} training, {task.test.shape} test"
            print(f"\n{name}, seed {seed}: {shapes}", flush=True)
            rows += run(task, seed, arguments)
        table = pd.DataFrame(rows)
        report(table)
        tables.append(table)
        if arguments.save:
            pd.concat(tables).to_csv(arguments.save, index=False)

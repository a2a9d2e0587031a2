"""Restore hidden values when the training table itself has holes.

    python missingness.py --data DIR [--parts random blocks kinds real] [--sets ...]
        [--methods ...] [--seeds 0 1 2] [--save CSV] [--quick]

DIR is that of `imputation.py`, and so are sets, splits and scales; of the training
rows 1,100 are taken, and of the test rows 400. After values are hidden in both, genes
are scaled anew by the training values that are left, and this is what methods are
given. Errors are in standard deviations that the genes had before, so that they
compare. Two places are scored: the hidden values of the training rows ("in the fit"),
and those of test rows ("held out").

- random: holes at random in training; the test rows lack a random half of the values,
  the same ones at all rates.
- blocks: half of the training rows lack half of the genes ("half"), a fifth of them
  lack 80 % ("80 %"), or half lack half and another fifth lack 80 % ("both"). All test
  rows lack the same genes as these. "complete rows" is fitted to the others alone, as
  is ridge regression.
- kinds: holes at random (MCAR); holes that depend on measured genes (MAR); all values
  below a limit of the gene (MNAR); one block. In test rows alike.
- real: arrays with holes of their own, and more hidden at random. "one table" methods
  are fitted to training and test rows together and fill them in one pass.

Prints the error, bias, share within the 90 % interval and seconds. With `--save`, rows
are appended as they come, and what the file has is not measured again. Chained
equations (IterativeImputer) get three rounds with 50 genes for each, and only the
seeds `--chained-seeds`; they, and soft-impute, complete the training rows alone, and
then once more with the test rows.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from imputation import REAL, SETS, timed
from imputation_baselines import BASELINES, Lowest, SoftImputeOneTable
from imputation_data import pivot
from missingness_data import KINDS, cells, compare, hide, load_rows
from sklearn.linear_model import RidgeCV

from skgex import GexBERT, GexImputer

RATES = {
    "random": [0, 0.02, 0.1, 0.25, 0.5, 0.7],
    "blocks": [],
    "kinds": [0.1, 0.25, 0.5],
    "real": [0.1, 0.3],
}
KEY = ["part", "set", "seed", "holes", "method"]
SCORES = ["place", "rmse", "r2", "bias", "coverage", "share", "fit_s", "impute_s"]


class Ours:
    """GexImputer, by default with the prior alone."""

    def __init__(self, max_epochs=0, **settings):
        settings.setdefault("embedder", GexBERT(max_epochs=max_epochs, random_state=0))
        self.imputer = GexImputer(**settings)

    def fit(self, train, groups):
        self.imputer.fit(train, groups=groups)
        return self

    def impute(self, X, includes_train=False):
        return self.imputer.transform(X)

    def std(self, X):
        """Standard deviations; NaN for genes that did not vary."""
        genes = self.imputer._restored
        std = np.full(X.shape, np.nan)
        std[:, genes] = self.imputer.embedder_.restore(X[:, genes], return_std=True)[1]
        return std


class CompleteRows(Ours):
    """The same, without the training rows that have holes."""

    def fit(self, train, groups):
        complete = ~np.isnan(train).any(axis=1)
        return super().fit(train[complete], groups[complete])


class OneTable(Ours):
    """The same, fitted to the table it completes."""

    def fit(self, train, groups):
        return self

    def impute(self, X, includes_train=False):
        return self.imputer.fit_transform(X)


class Ridge:
    """Ridge regression on the measured genes, from the complete rows.

    One for each set of genes that is lacking; each gene has the penalty with the
    least error where one row is left out.
    """

    def fit(self, train, groups):
        self.complete = train[~np.isnan(train).any(axis=1)].astype(float)
        return self

    def impute(self, X, includes_train=False):
        filled = X.astype(float)
        patterns, which = np.unique(np.isnan(X), axis=0, return_inverse=True)
        for n, lacking in enumerate(patterns):
            if lacking.any():
                rows = np.flatnonzero(which.ravel() == n)
                ridge = RidgeCV(np.logspace(0, 6, 13), alpha_per_target=True)
                ridge.fit(self.complete[:, ~lacking], self.complete[:, lacking])
                restored = ridge.predict(filled[np.ix_(rows, ~lacking)])
                filled[np.ix_(rows, lacking)] = restored.reshape(len(rows), -1)
        return filled


OURS = {
    "GexImputer": Ours,
    "GexImputer, left-censored": lambda: Ours(censored="left"),
    "GexImputer, complete rows": CompleteRows,
    "GexImputer, one table": OneTable,
    "GexImputer, network": lambda: Ours(max_epochs=GexBERT().max_epochs),
}
METHODS = {
    **OURS,
    "ridge, complete rows": Ridge,
    **BASELINES,
    "lowest value": Lowest,
    "soft-impute, one table": SoftImputeOneTable,
}
OTHERS = ["gene mean", "KNN-10", "soft-impute", "chained equations"]
PART_METHODS = {
    "random": ["GexImputer", *OTHERS],
    "blocks": [
        "GexImputer",
        "GexImputer, complete rows",
        "ridge, complete rows",
        *OTHERS,
    ],
    "kinds": ["GexImputer", "GexImputer, left-censored", "lowest value", *OTHERS],
    "real": ["GexImputer", "GexImputer, one table", "soft-impute, one table"],
}


def methods(part, holes, seed, arguments):
    """Names of the methods that are measured in a cell."""
    names = arguments.methods or PART_METHODS[part] + arguments.network * [
        "GexImputer, network"
    ]
    for name in names:
        unfit = name == "lowest value" and not holes.startswith("MNAR")
        unfit |= "complete rows" in name and part != "blocks"
        unfit |= name == "chained equations" and seed not in arguments.chained_seeds
        unfit |= arguments.only_ours and name not in OURS
        if not unfit:
            yield name


def measure(name, table):
    """Yield the scores of a method in each place."""
    method, fit_s = timed(METHODS[name]().fit, table.train, table.rows.groups)
    X = np.vstack([table.train, table.test])
    imputed, impute_s = timed(method.impute, X, includes_train=True)
    std = method.std(X) if isinstance(method, Ours) else None
    for row in table.score(imputed, std):
        yield {**row, "fit_s": fit_s, "impute_s": impute_s}


def run(part, name, arguments, save):
    """Measure all cells of a set that are not among the saved ones."""
    done = set() if save.empty else set(map(tuple, save[KEY].values.tolist()))
    for seed in arguments.seeds:
        rows = load_rows(arguments.data, name, seed, arguments)
        print(f"\n{part}, {name}, seed {seed}: {rows.train.shape}, {len(rows.test)}")
        rates = RATES[part] if arguments.rates is None else arguments.rates
        for holes, make in cells(part, rates, seed):
            if part == "kinds" and holes.split()[0] not in arguments.kinds:
                continue
            table = hide(rows, *make(rows))
            shares = [f"{table.hidden[at].mean():.1%}" for at in table.places.values()]
            print(f" {holes}: {', '.join(shares)} hidden", flush=True)
            for method in methods(part, holes, seed, arguments):
                key = part, name, seed, holes, method
                if key in done:
                    continue
                about = dict(zip(KEY, key, strict=True))
                new = [{**about, **row} for row in measure(method, table)]
                errors = " ".join(f"{row['rmse']:.4f}" for row in new)
                seconds = f"{new[0]['fit_s']:.1f} + {new[0]['impute_s']:.1f} s"
                print(f"  {method}: {errors}, {seconds}", flush=True)
                yield pd.DataFrame(new, columns=KEY + SCORES)


def report(part, table):
    for place, rows in table.groupby("place", sort=False):
        for value, digits in (("rmse", 4), ("bias", 3), ("coverage", 3)):
            if rows[value].notna().any():
                wide = pivot(rows[rows[value].notna()], value, digits).to_string()
                # One seed has no spread.
                print(f"\n{value}, {place}\n{wide.replace('(nan)', '     ')}")
        if part != "real":
            compare(part, rows, "GexImputer", set(OURS))
    print("\nseconds of the fit, and of filling in")
    seconds = table.groupby("method", sort=False)[["fit_s", "impute_s"]].mean()
    print(seconds.round(1).to_string())


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", choices=SETS + REAL)
    parser.add_argument("--parts", nargs="*", choices=RATES, default=list(RATES))
    parser.add_argument("--methods", nargs="*", choices=METHODS)
    parser.add_argument("--rates", nargs="*", type=float)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--chained-seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--train-rows", type=int, default=1100)
    parser.add_argument("--test-rows", type=int, default=400)
    parser.add_argument("--network", action="store_true", help="GexBERT() as well")
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few rows and genes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="append rows to this CSV; resume")
    return parser.parse_args()


def main(arguments):
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", "Mean of empty slice|invalid value")
    path, saved = arguments.save, pd.DataFrame(columns=KEY + SCORES)
    if path and path.exists():
        saved = pd.read_csv(path)
    for part in arguments.parts:
        sets = REAL if part == "real" else SETS
        for name in [name for name in sets if name in (arguments.sets or sets)]:
            tables = [saved[(saved["part"] == part) & (saved["set"] == name)]]
            for new in run(part, name, arguments, tables[0]):
                tables.append(new)
                if path:
                    new.to_csv(path, mode="a", header=not path.exists(), index=False)
            tables = [table for table in tables if len(table)]
            if tables:
                report(part, pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    main(parse())

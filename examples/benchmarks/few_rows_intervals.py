"""Do intervals cover with a start, of new rows and of the rows that were fitted?

    python few_rows_intervals.py --data DIR [--targets ...] [--sizes 10 20 40 100]
        [--rates 0.2 0.5] [--seed 0] [--cache DIR]

Targets, starts and rows are those of `few_rows.py`, of genes that both have. Values are
hidden at random in the rows to fit to as well as in others. Prints the error, in
standard deviations of the gene, and the share of hidden values within 1.645 standard
deviations of what is restored, for the n rows ("in the fit") and for others ("new").
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from few_rows_data import LIMIT, TARGETS, draw, read_cohort
from few_rows_methods import pretrained, prior_alone
from sklearn.frozen import FrozenEstimator

WITHIN_90 = 1.645


def measure(task, start, rate, seed):
    """Yield error and coverage of own rows alone, and adapted."""
    rng = np.random.default_rng([seed, 7])
    parts = {"in the fit": task.fit.loc[:, task.known]}
    parts["new"] = task.test.loc[:, task.known]
    hidden = {place: rng.random(X.shape) < rate for place, X in parts.items()}
    holed = {place: X.mask(hidden[place]) for place, X in parts.items()}
    few = holed["in the fit"]
    varies = (few.std() > 0) & (few.notna().sum() > 2)
    std = task.std[task.known][varies]
    models = {
        "own rows": prior_alone(),
        "adapted": prior_alone(start=FrozenEstimator(start.model)),
    }
    for name, model in models.items():
        model.fit(few.loc[:, varies])
        for place, X in parts.items():
            restored, spread = model.restore(
                holed[place].loc[:, varies], return_std=True, keep_measured=False
            )
            scored = hidden[place][:, varies] & X.loc[:, varies].notna().to_numpy()
            off = (restored - X.loc[:, varies]).to_numpy()
            inside = np.abs(off) < WITHIN_90 * spread.to_numpy()
            error = np.clip(off / std, -LIMIT, LIMIT)[scored]
            yield {
                **{"method": name, "place": place},
                "rmse": np.sqrt(np.mean(error**2)),
                "coverage": inside[scored].mean(),
            }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--targets", nargs="*", choices=TARGETS)
    parser.add_argument("--sizes", nargs="*", type=int, default=[10, 20, 40, 100])
    parser.add_argument("--rates", nargs="*", type=float, default=[0.2, 0.5])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="folder for pretrained models")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    targets = arguments.targets or ["tcga_toil4", "z13:KIRP", "z13:BRCA"]
    for target in targets:
        cohort = read_cohort(arguments.data, target)
        patients = frozenset(cohort.patients)
        start = pretrained(arguments.data, patients, False, arguments.cache)
        for n in arguments.sizes:
            task = draw(cohort, start.genes, n, arguments.seed, 0)
            for rate in arguments.rates if task is not None else []:
                about = {"target": target, "n": n, "hidden": f"{rate:.0%}"}
                for row in measure(task, start, rate, arguments.seed):
                    rows.append(about | row)
    table = pd.DataFrame(rows)
    wide = table.pivot_table(
        ["rmse", "coverage"], ["target", "n", "hidden"], ["method", "place"], sort=False
    )
    print(wide.round(3).to_string())


if __name__ == "__main__":
    main()

"""From many patients to few: survival in a cancer that the earlier model never saw.

    python few_patients.py --data DIR [--cohorts ...] [--sizes 40 80 160] [--draws 8]
                           [--save CSV] [--quick]

DIR holds `tcga_z13`, as for `survival.py`. Each of the ten cohorts is left out in turn.
`FineTunedCoxPH` with `max_epochs=0`, that is ridge regression on ranks, is fitted to
the other nine as strata. Then n patients of the cohort are drawn, with its share of
events, and the others are tested:

- "ridge": ridge Cox on standardised genes of the n patients, "ranks": on ranks;
- "pan-cancer": the model of the other nine cohorts as it is;
- "tuned, 0.3", "tuned, 1.0", "tuned, cv": `FineTunedCoxPH(FrozenEstimator(pan))` with
  that `prior_weight`, fitted to the n patients.

Sizes that leave fewer than 50 patients to test are left out. Prints Harrell's
concordance by size, mean over cohorts of the means over draws; the lead of the tuned
models over the better of ridge and ranks, which is the better on average at that size,
with a 95 % interval over cohorts (Student's, of their means) and one over draws (of the
means over cohorts), which are of the same patients; and both by cohort, where the
better is that of the cohort. With `--save` a run that was interrupted goes on.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedShuffleSplit
from sksurv.metrics import concordance_index_censored
from survival import load
from survival_models import linear, set_threads, tuned

MIN_TEST = 50
SIMPLE = ["ridge", "ranks"]
TUNED = ["tuned, 0.3", "tuned, 1.0", "tuned, cv"]
ABOUT = ["cohort", "n", "draw"]


def models_of(pan):
    return {
        "ridge": linear(scaling="standard"),
        "ranks": linear(),
        "pan-cancer": FrozenEstimator(pan),
        "tuned, 0.3": tuned(pan, prior_weight=0.3),
        "tuned, 1.0": tuned(pan, prior_weight=1.0),
        "tuned, cv": tuned(pan, prior_weight="cv"),
    }


def run_draw(models, X, y, n, draw):
    """Yield the concordance of each model fitted to n patients, among the others."""
    splitter = StratifiedShuffleSplit(1, train_size=n, random_state=draw)
    train, test = next(splitter.split(X, y["event"]))
    event, observed = y["event"][test], y["time"][test]
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(X[train], y[train])
        risk = model.predict(X[test])
        yield {
            "model": name,
            "C": concordance_index_censored(event, observed, risk)[0],
            "weight": getattr(model, "prior_weight_", np.nan),
            "events": y["event"][train].sum(),
            "s": time.perf_counter() - start,
        }


def run(X, y, cohort, arguments):
    """Yield the rows of the table, but for those that are done."""
    path = arguments.save
    rows = pd.read_csv(path).to_dict("records") if path and path.exists() else []
    done = {tuple(row[name] for name in ABOUT) for row in rows}
    for left_out in arguments.cohorts or np.unique(cohort):
        mine = cohort == left_out
        cells = [
            (left_out, n, draw)
            for n in arguments.sizes
            if n + MIN_TEST <= mine.sum()
            for draw in range(arguments.first, arguments.first + arguments.draws)
        ]
        cells = [cell for cell in cells if cell not in done]
        if not cells:
            continue
        pan = linear().fit(X[~mine], y[~mine], strata=cohort[~mine])
        for cell in cells:
            about = dict(zip(ABOUT, cell, strict=True))
            found = run_draw(models_of(pan), X[mine], y[mine], *cell[1:])
            rows += [about | row for row in found]
            if path:
                pd.DataFrame(rows).to_csv(path, index=False)
        print(left_out, end=" ", flush=True)
    print()
    return pd.DataFrame(rows)


def interval(values):
    """Return a mean and its 95 % interval, as text."""
    half = student.ppf(0.975, len(values) - 1) * values.sem()
    mean = values.mean()
    return f"{mean:+.4f} [{mean - half:+.4f}, {mean + half:+.4f}]"


def report(table):
    order = [*SIMPLE, "pan-cancer", *TUNED]
    runs = table.pivot_table(index=ABOUT, columns="model", values="C")[order]
    means = runs.groupby(["cohort", "n"]).mean()
    of_tuned = table[table.model == "tuned, cv"].groupby("n")
    by_size = means.groupby("n").mean().T
    by_size.loc["cohorts"] = means.groupby("n").size()
    by_size.loc["events"] = of_tuned.events.mean()
    by_size.loc["weight of cv"] = of_tuned.weight.mean()
    for name in TUNED[0], TUNED[-1]:
        by_size.loc[f"s, {name}"] = table[table.model == name].groupby("n").s.median()
    print("concordance\n", by_size.round(4).to_string())
    print("\nlead over the better of ridge and ranks: over cohorts, over draws")
    for n, of_size in runs.groupby("n"):
        best = of_size[SIMPLE].groupby("cohort").mean().mean().idxmax()
        for name in TUNED:
            lead = of_size[name] - of_size[best]
            won = lead.groupby("cohort").mean()
            print(
                f"{n:4} {name:10} over {best:5} {interval(won)}, "
                f"{interval(lead.groupby('draw').mean())}, {(won > 0).sum()}/{len(won)}"
            )
    by_cohort(means, runs)
    weights = table[table.model == "tuned, cv"].pivot_table("weight", "n", "cohort")
    print("\nweight of cv\n", weights.round(2).to_string())


def by_cohort(means, runs):
    """Print what each cohort gains over the better of the two for that very cohort."""
    lead = means[TUNED].sub(means[SIMPLE].max(axis=1), axis=0)
    spread = runs["tuned, cv"] - runs["ranks"]
    spread = spread.groupby(["cohort", "n"]).std()
    print("\nmeans over draws\n", means.round(3).unstack("n").T.to_string())
    print("\nlead by cohort\n", lead.unstack("n").T.round(4).to_string())
    print("\nlead of cv, mean over sizes\n", lead["tuned, cv"].groupby("cohort").mean())
    print(
        "\nspread of cv - ranks over draws\n",
        spread.unstack("n").T.round(4).to_string(),
    )


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cohorts", nargs="*", help="only these are left out")
    parser.add_argument("--sizes", nargs="*", type=int, default=[40, 80, 160])
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="seed of the first draw")
    parser.add_argument("--quick", action="store_true", help="two cohorts, 300 genes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the table as CSV, or go on")
    return parser.parse_args()


def main():
    arguments = parse()
    set_threads(arguments.threads)
    # Genes that are constant among few patients, and cohorts with fewer than six
    # events, which is said of each fit.
    warnings.filterwarnings("ignore", message=".*constant in X")
    warnings.filterwarnings("ignore", message=".*too few for inner folds")
    report(run(*load(arguments.data, arguments.quick), arguments))


if __name__ == "__main__":
    main()

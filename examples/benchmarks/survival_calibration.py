"""Whether predicted survival is what was seen, by thirds of predicted risk.

    python survival_calibration.py --data DIR [--seeds 0] [--threads 1] [--quick]

The cohorts and folds of `survival.py`. Each patient gets survival after one and three
years predicted by a model that was fitted without the patient: ridge Cox regression on
standardised genes, the linear part of `FineTunedCoxPH`, the same tuned from all
cohorts, with a weight of 0.3 or one that inner folds choose ("cv"), and discrete
hazards. In each cohort patients are cut into thirds by what is predicted, those at
highest risk last.

Prints predicted survival and what Kaplan and Meier's estimate says was seen, means over
cohorts; the mean absolute difference over thirds and cohorts, and the mean difference,
with 95 % intervals over cohorts; and the calibration slope, the coefficient of
log(-log(survival)) in a Cox regression stratified by fold, mean over cohorts.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student
from survival import YEARS, kaplan_meier, load, make_folds, pan_models
from survival_models import cohort_models, set_threads

from skgex._survival._data import check_data
from skgex._survival._new_cohort import fit_slope

MODELS = ["ridge", "linear part", "tuned", "tuned, cv", "discrete hazards"]
THIRDS = ["low", "middle", "high"]


def predictions(X, y, cohort, fold, names):
    """Yield survival after some years, by models fitted without the patient."""
    for k in np.unique(fold):
        train = np.flatnonzero(fold != k)
        models = pan_models(X[train], y[train], cohort[train], names)
        models |= {n: m for n, m in cohort_models().items() if n in names}
        for name in np.unique(cohort):
            mine = train[cohort[train] == name]
            test = np.flatnonzero((fold == k) & (cohort == name))
            for model_name, model in models.items():
                curves = model.fit(X[mine], y[mine]).predict_survival_function(X[test])
                for year in YEARS:
                    at = 365.25 * year
                    survival = [c(min(at, c.domain[1])) for c in curves]
                    yield pd.DataFrame({"row": test, "survival": survival}).assign(
                        cohort=name, model=model_name, year=year, fold=k
                    )
        print(".", end="", flush=True)
    print()


def observed(y, survival, year):
    """Return predicted and observed survival in thirds of the predicted one."""
    third = pd.qcut(-survival.rank(method="first"), 3, labels=THIRDS)
    for name in THIRDS:
        part = survival[third == name]
        seen = kaplan_meier(y[part.index], np.array([365.25 * year]))[0]
        yield {"third": name, "predicted": part.mean(), "observed": seen}


def calibration_slope(part, y):
    hazard = -np.log(part.survival.clip(1e-12, 1 - 1e-12).to_numpy())
    data, _ = check_data(None, hazard, y[part.row], None, part.fold)
    return fit_slope(np.log(hazard), data, data.likelihood("efron"))[0]


def compare(table, y):
    rows = []
    for (model, cohort, year), part in table.groupby(["model", "cohort", "year"]):
        about = {"model": model, "cohort": cohort, "year": year}
        about["slope"] = calibration_slope(part, y)
        survival = part.set_index("row").survival
        rows += [about | found for found in observed(y, survival, year)]
    return pd.DataFrame(rows)


def report(table):
    keys = ["model", "year", "third"]
    means = table.groupby(keys)[["predicted", "observed"]].mean().unstack("third")
    means = means.swaplevel(axis=1)[THIRDS]
    print(means.round(3).to_string())
    lead = table.predicted - table.observed
    for what, off in {"absolute difference": lead.abs(), "difference": lead}.items():
        print(f"\nmean {what}, 95 % interval over cohorts")
        for (model, year), part in off.groupby([table.model, table.year]):
            by_cohort = part.groupby(table.cohort).mean()
            half = student.ppf(0.975, len(by_cohort) - 1) * by_cohort.sem()
            mean = by_cohort.mean()
            limits = f"[{mean - half:.4f}, {mean + half:.4f}]"
            print(f"{model:18}{year} years {mean:.4f} {limits}")
    print("\ncalibration slope\n", table.groupby("model").slope.mean().round(3))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=MODELS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="two cohorts, 300 genes")
    parser.add_argument("--save", type=Path, help="write predictions as CSV here")
    arguments = parser.parse_args()
    set_threads(arguments.threads)
    X, y, cohort = load(arguments.data, arguments.quick)
    tables = []
    for seed in arguments.seeds:
        fold = make_folds(X, y, cohort, seed)
        found = predictions(X, y, cohort, fold, arguments.models)
        tables.append(pd.concat(found).assign(seed=seed))
    if arguments.save:
        pd.concat(tables).to_csv(arguments.save, index=False)
    report(pd.concat([compare(table, y) for table in tables]))


if __name__ == "__main__":
    main()

"""Overall survival in ten cancers: concordance, Brier score and calibration.

    python survival.py --data DIR [--seeds 0 1] [--models ...] [--cohorts ...] [--quick]

DIR holds `tcga_z13`, with `X.npz` (X, samples, genes) and `meta.csv`: ten cohorts of
TCGA, genes as signed logarithms of z-scores. Five folds for each seed and cohort, with
the same share of early and late events. All models are fitted to the training patients
of one cohort, but for

- "pan-cancer": `FineTunedCoxPH` on the training patients of all cohorts, as strata;
- "tuned": its coefficients times 0.3, and those of a fit to the cohort;
- "tuned, cv": the same with a weight that inner folds choose, though all cohorts hold
  their patients;
- "tuned, standard": the same with genes standardised rather than ranked, and
- "tuned, network": the same as "tuned", with SCARF pretrained on the training patients
  of all cohorts;
- "GexBERT embedding": ridge Cox regression on the embedding, standardised, of a GexBERT
  that was pretrained on the training patients of all cohorts, also without its prior;
  "200 PCs of all cohorts": on their principal components.

Prints Harrell's concordance, mean over folds; its mean over cohorts; paired
differences to the best of the simple models with a 95 % interval over folds and cohorts
(Student's, of the means of cohorts); integrated Brier scores beside Kaplan and Meier's;
and how predicted survival compares with what was seen after one and three years.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _data import read_set, signed_log
from scipy.stats import t as student
from sklearn.frozen import FrozenEstimator
from sksurv.metrics import concordance_index_censored, integrated_brier_score
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv
from survival_models import NO_ENCODER, cohort_models, embedded, set_threads, tuned

from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH

SIMPLE = [
    "ridge",
    "ridge, 200 PCs",
    "ridge, 20 PCs",
    "Coxnet, 1,000 genes",
    "survival forest",
]
PAN = ["pan-cancer", "tuned", "tuned, cv", "tuned, standard", "tuned, network"]
PAN += ["200 PCs of all cohorts", "GexBERT embedding", "GexBERT embedding, no prior"]
YEARS = (1, 3)


def load(data, quick):
    X, _, meta = read_set(data, "tcga_z13")
    X = signed_log(X)
    kept = np.isfinite(meta.time.to_numpy()) & (meta.time.to_numpy() > 0)
    if quick:
        kept &= meta.cohort.isin(["KIRP", "LIHC"]).to_numpy()
        X = X[:, :300]
    meta = meta[kept]
    y = Surv.from_arrays(meta.event == 1, meta.time, "event", "time")
    return X[kept].astype(np.float32), y, meta.cohort.to_numpy()


def make_folds(X, y, cohort, seed):
    """Return the fold of each patient."""
    fold = np.empty(len(X), dtype=int)
    for name in np.unique(cohort):
        rows = np.flatnonzero(cohort == name)
        splitter = EventStratifiedKFold(5, random_state=seed)
        for k, (_, test) in enumerate(splitter.split(X[rows], y[rows])):
            fold[rows[test]] = k
    return fold


def pan_models(X, y, cohort, names):
    """Fit what sees all cohorts; return the models that are asked for in each."""
    models = embedded(X, names)
    if {"pan-cancer", "tuned", "tuned, cv"} & set(names):
        pan = FineTunedCoxPH(NO_ENCODER, max_epochs=0, random_state=0)
        pan.fit(X, y, strata=cohort)
        models |= {"pan-cancer": FrozenEstimator(pan), "tuned": tuned(pan)}
        models["tuned, cv"] = tuned(pan, prior_weight="cv")
    if "tuned, standard" in names:
        pan = FineTunedCoxPH(
            NO_ENCODER, max_epochs=0, scaling="standard", random_state=0
        )
        models["tuned, standard"] = tuned(pan.fit(X, y, strata=cohort), "standard")
    if "tuned, network" in names:
        pan = FineTunedCoxPH(SCARF(random_state=0), random_state=0)
        pan.fit(X, y, strata=cohort)
        print(f"the network of all cohorts: {pan.n_iter_} epochs", flush=True)
        network = tuned(pan).set_params(max_epochs=30)
        models["tuned, network"] = network
    return {name: model for name, model in models.items() if name in names}


def scores(model, X, y, train, test):
    """Return concordance, Brier score and calibration of one fitted model."""
    event, observed = y["event"][test], y["time"][test]
    risk = model.predict(X[test])
    row = {"C": concordance_index_censored(event, observed, risk)[0]}
    if not hasattr(model, "predict_survival_function"):
        return row
    times, inside = brier_times(y, train, test)
    row["km brier"] = brier(y, train, inside, times, kaplan_meier(y[train], times))
    try:
        curves = model.predict_survival_function(X[test])
    except ValueError:  # of all cohorts, whose strata a FrozenEstimator does not pass
        return row
    survival = np.stack([curve(times) for curve in curves])
    keep = np.isin(test, inside)
    row["brier"] = brier(y, train, inside, times, survival[keep])
    for year in YEARS:
        at = min(365.25 * year, times[-1])
        predicted = np.mean([curve(at) for curve in curves])
        row[f"bias {year}y"] = predicted - kaplan_meier(y[test], np.array([at]))[0]
    return row


def brier_times(y, train, test):
    """Return times at which the censoring is known, and patients inside of them."""
    last = y["time"][train].max()
    inside = test[y["time"][test] < last]
    times = np.quantile(
        y["time"][inside][y["event"][inside]], np.linspace(0.1, 0.9, 20)
    )
    return np.unique(times), inside


def brier(y, train, test, times, survival):
    survival = np.broadcast_to(survival, (len(test), len(times)))
    return integrated_brier_score(y[train], y[test], survival, times)


def kaplan_meier(y, times):
    seen, survival = kaplan_meier_estimator(y["event"], y["time"])
    return np.append(1.0, survival)[np.searchsorted(seen, times, side="right")]


def run_fold(X, y, cohort, fold, names, about):
    train = np.flatnonzero(fold != about["fold"])
    models = pan_models(X[train], y[train], cohort[train], names)
    models |= {n: m for n, m in cohort_models().items() if n in names}
    for name in np.unique(cohort):
        mine = train[cohort[train] == name]
        test = np.flatnonzero((fold == about["fold"]) & (cohort == name))
        for model_name, model in models.items():
            start = time.perf_counter()
            model.fit(X[mine], y[mine])
            seconds = time.perf_counter() - start
            row = scores(model, X, y, mine, test)
            row["believed"] = getattr(model, "n_iter_", 0) > 0
            yield about | {"cohort": name, "model": model_name, "s": seconds} | row
        print(".", end="", flush=True)
    print()


def report(table, names):
    names = [n for n in names if n in set(table.model)]
    cells = table.pivot_table(index="model", columns="cohort", values="C").loc[names]
    cells["mean"] = cells.mean(axis=1)
    print("\nconcordance\n", cells.round(4).to_string())
    simple = [n for n in SIMPLE if n in names]
    if simple:
        best = cells["mean"][simple].idxmax()
        compare(table, names, best)
    if "network from scratch" in names:
        compare(table, names, "network from scratch")
    columns = [c for c in ("brier", "km brier", "bias 1y", "bias 3y") if c in table]
    columns += ["believed", "s"]
    means = table.groupby(["model", "cohort"])[columns].mean().groupby("model").mean()
    print("\nmeans over cohorts\n", means.loc[names].round(4).to_string())


def compare(table, names, base):
    runs = table.pivot_table(
        index=["cohort", "seed", "fold"], columns="model", values="C"
    )
    print(f"\nlead over {base}, 95 % interval over cohorts, cohorts won")
    for name in names:
        if name == base:
            continue
        lead = (runs[name] - runs[base]).dropna().groupby("cohort").mean()
        half = student.ppf(0.975, len(lead) - 1) * lead.sem()
        print(
            f"{name:28} {lead.mean():+.4f} [{lead.mean() - half:+.4f}, "
            f"{lead.mean() + half:+.4f}]  {(lead > 0).sum()}/{len(lead)}"
        )


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [*cohort_models(), *PAN]
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--folds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--models", nargs="*", choices=names, default=names)
    parser.add_argument("--cohorts", nargs="*", help="only these")
    parser.add_argument("--quick", action="store_true", help="two cohorts, 300 genes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the table as CSV here")
    parser.add_argument("--add", nargs="*", type=Path, default=[], help="such tables")
    return parser.parse_args()


def main():
    arguments = parse()
    set_threads(arguments.threads)
    # Genes that are constant in a training fold are told of each time.
    warnings.filterwarnings("ignore", message=".*constant in X")
    X, y, cohort = load(arguments.data, arguments.quick)
    if arguments.cohorts:
        kept = np.isin(cohort, arguments.cohorts)
        X, y, cohort = X[kept], y[kept], cohort[kept]
    rows = []
    for seed in arguments.seeds:
        fold = make_folds(X, y, cohort, seed)
        for k in arguments.folds:
            about = {"seed": seed, "fold": k}
            rows += run_fold(X, y, cohort, fold, arguments.models, about)
            if arguments.save:
                pd.DataFrame(rows).to_csv(arguments.save, index=False)
    tables = [pd.DataFrame(rows), *(pd.read_csv(path) for path in arguments.add)]
    table = pd.concat(tables, ignore_index=True)
    order = [*SIMPLE, *(n for n in [*cohort_models(), *PAN] if n not in SIMPLE)]
    report(table, order)


if __name__ == "__main__":
    main()

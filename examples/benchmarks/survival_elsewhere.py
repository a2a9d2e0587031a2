"""Trained on RNA-seq of one study, tested on two-colour arrays of another.

    python survival_elsewhere.py --data DIR [--seeds 0 1 2 3 4] [--draws 20]

DIR holds `tcga_brca_pam50` and `breast_nki150`, folders with `X.npz` (`X`, `genes`)
and `meta.csv`. Two endpoints: overall survival in both; and progression in TCGA with
distant metastasis in NKI, which are not quite the same. Models are fitted to TCGA and
never see the outcome of a patient of NKI, unless they are recalibrated.

- "covariates": Cox regression on age and stage. In NKI stage follows from size and
  nodes: I for up to 2 cm without a node, else II, since there is none beyond.
- "genes": the linear part of `FineTunedCoxPH`, on ranks of the genes that both have;
  "both" with `covariates=` as well.
- "as they are": `GeneAligner` alone. "scaled": then `BatchScaler`, to which NKI is a
  new batch; it sees expression of all its patients, and no outcome.
- "own genes": fitted to four fifths of NKI, all of its genes, tested on the last fifth.

Prints concordance, AUC after five years and the calibration slope with 95 % intervals
over patients, differences to covariates alone, and the spread over seeds of the inner
folds. Then the Brier score after five years in one random half of NKI, before and after
recalibration on the other, and where all are predicted alike, as that half was; mean
and standard deviation over draws.
"""

import argparse

import numpy as np
import pandas as pd
from _data import read_set
from sklearn.model_selection import StratifiedShuffleSplit
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH
from skgex.evaluation import auc_interval, brier_interval, concordance_interval
from skgex.preprocessing import BatchScaler, GeneAligner

STAGES = {"I": 1, "II": 2, "III": 3, "IV": 4}
ENDPOINTS = {
    "overall survival": (("event", "time"), ("e.os", "t.os")),
    "progression, metastasis": (("pfi_event", "pfi_time"), ("e.dmfs", "t.dmfs")),
}
CLINIC = ["age", "stage"]
FIVE_YEARS = 5 * 365.25


def read(data, name):
    """Return genes and metadata of a set."""
    X, genes, meta = read_set(data, name)
    return pd.DataFrame(X, meta.index, genes.astype(str)), meta


def load(data):
    """Return genes and metadata of both studies, with a stage in each."""
    source, meta = read(data, "tcga_brca_pam50")
    target, other = read(data, "breast_nki150")
    meta["stage"] = meta.stage.str.extract(r"^Stage (IV|I{1,3})[ABC]?$")[0].map(STAGES)
    # Five patients in a hundred lack it, or their age.
    meta[CLINIC] = meta[CLINIC].fillna(meta[CLINIC].median())
    other["stage"] = np.where((other["size"] <= 2) & (other["node"] == 0), 1.0, 2.0)
    return source, meta, target, other


def follow_up(meta, columns):
    """Return who is followed up, and for how long."""
    event, time = columns
    known = (meta[time] > 0) & meta[event].notna()
    y = Surv.from_arrays(meta[event][known] == 1, meta[time][known], "event", "time")
    return known.to_numpy(), y


def aligned(source, target):
    """Return both tables on the genes they share: as they are, and scaled."""
    shared = [gene for gene in source if gene in set(target)]
    aligner = GeneAligner(shared).fit(source).set_output(transform="pandas")
    source, target = aligner.transform(source), aligner.transform(target)
    scaler = BatchScaler().fit(source, batch=np.repeat("tcga", len(source)))
    scaled = scaler.transform(target, batch=np.repeat("nki", len(target)))
    return source, {
        "as they are": target,
        "scaled": pd.DataFrame(scaled, target.index, target.columns),
    }


def linear(seed, **parameters):
    return FineTunedCoxPH(
        SCARF(max_epochs=0), max_epochs=0, random_state=seed, **parameters
    )


def own_risks(X, y, seed):
    """Return risks of patients by models of the other folds of their study."""
    risk = np.empty(len(y))
    for train, test in EventStratifiedKFold(5, random_state=seed).split(X, y):
        fitted = linear(seed).fit(X.iloc[train], y[train])
        risk[test] = fitted.predict(X.iloc[test])
    return risk


def fit_all(source, clinic, y, targets, own_clinic, seed):
    """Yield name, model, table of the target, its risks; models of one seed."""
    alone = CoxPHSurvivalAnalysis(ties="efron").fit(clinic, y)
    yield "covariates", alone, own_clinic
    genes = linear(seed).fit(source, y)
    both = linear(seed, covariates=CLINIC).fit(source.join(clinic), y)
    for how, table in targets.items():
        yield f"genes, {how}", genes, table
        yield f"both, {how}", both, table.join(own_clinic)


def interval(row, name):
    return f"{row[name]:.3f} ({row.low:.3f} to {row.high:.3f})"


def describe(y, risk, reference, slope=None):
    """Return measures of a risk, with intervals."""
    table = concordance_interval(y, risk, reference=reference).set_index("quantity")
    area = auc_interval(y, risk, FIVE_YEARS).iloc[0]
    row = {
        "concordance": interval(table.loc["risk"], "concordance"),
        "over covariates": interval(table.loc["difference"], "concordance"),
        "AUC, 5 years": interval(area, "auc"),
    }
    if slope is not None:
        row["slope"] = f"{slope.slope:.2f} ({slope.lower:.2f} to {slope.upper:.2f})"
    return row


def recalibrated(model, X, y, draws):
    """Yield Brier scores of halves, as predicted and after recalibration."""
    splits = StratifiedShuffleSplit(draws, test_size=0.5, random_state=0)
    for draw, (half, rest) in enumerate(splits.split(X, y["event"])):
        if model.calibration_slope(X.iloc[half], y[half]).slope <= 0:
            continue  # `recalibrate` refuses
        local = model.recalibrate(X.iloc[half], y[half])
        alike = linear(0, alpha=1e12, cv=None).fit(X.iloc[half], y[half])
        for name, fitted in {"before": model, "after": local, "alike": alike}.items():
            survival = fitted.predict_survival_function(
                X.iloc[rest], times=[FIVE_YEARS]
            )
            score = brier_interval(y[rest], survival, FIVE_YEARS)["brier"][0]
            yield {"draw": draw, "curves": name, "brier": score}


def run(studies, endpoint, seeds, draws):
    source, meta, target, other = studies
    columns, own_columns = ENDPOINTS[endpoint]
    known, y = follow_up(meta, columns)
    there, y_there = follow_up(other, own_columns)
    print(f"\n== {endpoint}")
    for name, seen in {"TCGA": y, "NKI": y_there}.items():
        print(f"{name}: {len(seen)} patients, {seen['event'].sum()} events")
    own_genes = target[there]
    source, targets = aligned(source[known], own_genes)
    print(f"{source.shape[1]} genes in common")
    clinic, own_clinic = meta[CLINIC][known], other[CLINIC][there].astype(float)
    rows, scores = {}, []
    for seed in seeds:
        found = fit_all(source, clinic, y, targets, own_clinic, seed)
        reference = None
        for name, model, table in found:
            risk = model.predict(table)
            reference = risk if reference is None else reference
            index = concordance_interval(y_there, risk)["concordance"][0]
            scores.append({"model": name, "seed": seed, "concordance": index})
            if seed != seeds[0]:
                continue
            slope = None
            if name != "covariates":
                slope = model.calibration_slope(table, y_there)
            rows[name] = describe(y_there, risk, reference, slope)
            if "scaled" in name:
                halves = pd.DataFrame(recalibrated(model, table, y_there, draws))
                print(f"Brier score after five years, {name}")
                print(halves.groupby("curves")["brier"].agg(["mean", "std"]).round(3))
                pairs = halves.pivot(index="draw", columns="curves", values="brier")
                gain = pairs["before"] - pairs["after"]
                print(f"gain {gain.mean():.3f}, better in {(gain > 0).mean():.0%}; ")
                print(f"slope not above zero in {draws - len(gain)} of {draws} halves")
        risk = own_risks(own_genes, y_there, seed)
        index = concordance_interval(y_there, risk)["concordance"][0]
        scores.append({"model": "own genes", "seed": seed, "concordance": index})
        if seed == seeds[0]:
            rows["own genes"] = describe(y_there, risk, reference)
    print(pd.DataFrame(rows).T.fillna("").to_string())
    spread = pd.DataFrame(scores).groupby("model", sort=False)["concordance"]
    print(spread.agg(["mean", "std"]).round(3).to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()
    studies = load(options.data)
    for endpoint in ENDPOINTS:
        run(studies, endpoint, options.seeds, options.draws)


if __name__ == "__main__":
    main()

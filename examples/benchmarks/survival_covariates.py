"""Genes beside age, sex and stage: what do they add, in ten cancers?

    python survival_covariates.py --data DIR [--seeds 0 1] [--cohorts ...]

DIR holds `tcga_z13`, see `survival.py`. Five folds for each seed and cohort, with the
same share of early and late events. Age, sex (where there are two) and stage, as a
number from 1 to 4, are imputed by their medians in the training fold. Compared are

- "covariates": Cox regression on these alone;
- "genes": the linear part of `FineTunedCoxPH`, ridge regression on ranks;
- "both": the same with `covariates=`.

Prints Harrell's concordance, mean over folds; paired differences with a 95 % interval
over cohorts (Student's, of their means) and the standard deviation over folds; and how
often the inner folds said by `gains_` that genes add something.
"""

import argparse

import numpy as np
import pandas as pd
from _data import read_set, signed_log
from scipy.stats import t as student
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH

STAGES = {"I": 1, "II": 2, "III": 3, "IV": 4}
PAIRS = [("both", "covariates"), ("both", "genes"), ("genes", "covariates")]


def load(data):
    """Return genes and covariates in one table, follow-up, and cohorts."""
    X, genes, meta = read_set(data, "tcga_z13")
    X = signed_log(X)
    X = pd.DataFrame(X.astype(np.float32), meta.index, genes.astype(str))
    # "Stage IIIA" is 3; what is discrepant or unknown is missing.
    stage = meta.stage.str.extract(r"^Stage (IV|I{1,3})[ABC]?$")[0].map(STAGES)
    sex = meta.gender.map({"Male": 0.0, "Female": 1.0})
    clinic = pd.DataFrame({"age": meta.age, "sex": sex, "stage": stage})
    kept = (meta.time > 0).to_numpy()
    y = Surv.from_arrays(meta.event[kept] == 1, meta.time[kept], "event", "time")
    return X[kept].join(clinic[kept]), y, meta.cohort[kept].to_numpy()


def impute(names):
    return ColumnTransformer(
        [("clinic", SimpleImputer(strategy="median"), names)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")


def compare(X, y, clinic, train, test):
    """Return the concordance of each model, and the best gain of genes."""
    genes = FineTunedCoxPH(SCARF(max_epochs=0), max_epochs=0, random_state=0)
    both = FineTunedCoxPH(
        SCARF(max_epochs=0), covariates=clinic, max_epochs=0, random_state=0
    )
    parts = {
        "covariates": (make_pipeline(impute(clinic), CoxPHSurvivalAnalysis()), clinic),
        "genes": (genes, [name for name in X if name not in clinic]),
        "both": (make_pipeline(impute(clinic), both), [*X]),
    }
    row = {}
    for name, (model, columns) in parts.items():
        model.fit(X.iloc[train][columns], y[train])
        row[name] = model.score(X.iloc[test][columns], y[test])
    return row | {"gain": both.gains_.max()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--cohorts", nargs="+")
    options = parser.parse_args()
    X, y, cohort = load(options.data)
    rows = []
    for name in options.cohorts or np.unique(cohort):
        here = np.flatnonzero(cohort == name)
        table, own = X.iloc[here], y[here]
        # Some cancers have one sex, or nearly so.
        share = table.sex.mean()
        clinic = ["age", "sex", "stage"] if 0.02 < share < 0.98 else ["age", "stage"]
        table = table.drop(columns={"age", "sex", "stage"} - {*clinic})
        for seed in options.seeds:
            folds = EventStratifiedKFold(5, random_state=seed).split(table, own)
            for k, (train, test) in enumerate(folds):
                row = compare(table, own, clinic, train, test)
                rows.append({"cohort": name, "seed": seed, "fold": k, **row})
        print(pd.DataFrame(rows).query("cohort == @name").mean(numeric_only=True))
    report(pd.DataFrame(rows))


def report(rows):
    names = ["covariates", "genes", "both"]
    means = rows.groupby("cohort")[[*names, "gain"]].mean()
    print(means.round(3).to_string())
    print(means.mean().round(4).to_string())
    print("standard deviation over folds:", rows.groupby("cohort")[names].std().mean())
    for first, second in PAIRS:
        lead = means[first] - means[second]
        spread = student.ppf(0.975, len(lead) - 1) * lead.sem()
        print(
            f"{first} - {second}: {lead.mean():+.4f} "
            f"({lead.mean() - spread:+.4f} to {lead.mean() + spread:+.4f}), "
            f"{(lead > 0).sum()} of {len(lead)} cohorts, worst {lead.min():+.4f}"
        )
    believed = rows.gain > 0
    lead = rows.both - rows.covariates
    print(f"genes gain in the inner folds of {believed.sum()} of {len(rows)} fits:")
    print(
        f"lead there {lead[believed].mean():+.4f}, else {lead[~believed].mean():+.4f}"
    )


if __name__ == "__main__":
    main()

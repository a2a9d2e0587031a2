"""Restoring genes from a panel that was measured in other units.

The part of `transfer.py` on patients who are in both tcga_toil4 (log2 TPM) and tcga_z13
(z-scores of expression per cohort, here as signed logarithms). Of these patients 30 %
are for testing. Models are fitted to all other patients of the set whose genes are
wanted, and are given the 222 shared genes of the test patients, as measured in the
other set or, as a ceiling, in the set itself. All values are standardised in each
cohort by the patients who are not for testing ("z"); "quantile + z" first gives every
sample the distribution of the others. No model sees a patient in both sets as a pair.

Prints Spearman's correlation of restored with measured values over the test patients of
a cohort, mean over genes and cohorts.
"""

import time

import numpy as np
import pandas as pd
from _data import signed_log
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupShuffleSplit
from sklearn.neighbors import KNeighborsRegressor
from transfer_data import read

from skgex import GexBERT, QuantileNormalizer

DIRECTIONS = {
    "toil4 -> z13": ("tcga_toil4", "tcga_z13"),
    "z13 -> toil4": ("tcga_z13", "tcga_toil4"),
}
LIMIT = 6.0


def load_pair(data):
    """Return both tables, by patient, and their cohorts."""
    pair = {}
    for name in ("tcga_toil4", "tcga_z13"):
        X, meta = read(data, name)
        X = X.set_axis(pd.Index(meta["patient"]))
        cohort = pd.Series(meta["cohort"].to_numpy(), X.index)
        X = signed_log(X) if name == "tcga_z13" else X.clip(lower=-4)
        pair[name] = X, cohort
    return pair


def by_cohort(X, cohort, test):
    """Standardise within each cohort by the patients who are not in the test part."""
    parts = []
    for _, part in X.groupby(cohort):
        known = part[~part.index.isin(test)]
        std = known.std(ddof=0).clip(lower=1e-3)
        parts.append(((part - known.mean()) / std).clip(-LIMIT, LIMIT))
    return pd.concat(parts).loc[X.index]


def by_sample(X, test):
    """Give every sample the distribution of those that are not in the test part."""
    normalizer = QuantileNormalizer().set_output(transform="pandas")
    return normalizer.fit(X[~X.index.isin(test)]).transform(X)


def fit_models(train, panel, others, seed, quick, network):
    """Return a function for each model: from panels to the other genes."""
    known, wanted = train[panel], train[others]
    ridge = RidgeCV(np.logspace(1, 4, 7)).fit(known, wanted)
    knn = KNeighborsRegressor(10).fit(known, wanted)
    predict = {"ridge": ridge.predict, "KNN": knn.predict}
    epochs = {"prior alone": 0}
    if network:
        epochs["GexBERT"] = 1 if quick else GexBERT().max_epochs
    for name, n_epochs in epochs.items():
        start = time.perf_counter()
        embedder = GexBERT(max_epochs=n_epochs, random_state=seed).fit(train)
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
        predict[name] = _restorer(embedder, others)
    return predict


def _restorer(embedder, others):
    genes = embedder.feature_names_in_

    def restore(panel):
        return embedder.restore(panel.reindex(columns=genes), genes=others)

    return restore


def correlations(restored, measured, cohort):
    """Spearman correlation of each gene within each cohort; NaN if it is constant."""
    parts = []
    for _, rows in measured.groupby(cohort).groups.items():
        A, B = restored.loc[rows].rank(), measured.loc[rows].rank()
        with np.errstate(invalid="ignore"):
            parts.append(A.corrwith(B))
    return pd.concat(parts, axis=1)


def run(data, seed, quick=False, network=True):
    """Yield the mean correlation of all models in one split by patient."""
    pair = load_pair(data)
    both = np.intersect1d(*[X.index for X, _ in pair.values()])
    splitter = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
    test = both[next(splitter.split(both, groups=both))[1]]
    for direction, (panel_set, wanted_set) in DIRECTIONS.items():
        (S, source_cohort), (T, target_cohort) = pair[panel_set], pair[wanted_set]
        panel = S.columns.intersection(T.columns)
        others = T.columns.difference(panel)
        if quick:
            others = others[:50]
            T = T[[*panel, *others]]
        Z = by_cohort(T, target_cohort, test)
        train = Z[~Z.index.isin(test)]
        panels = {
            "as measured in the set": Z[panel],
            "z": by_cohort(S[panel], source_cohort, test),
            "quantile + z": by_cohort(by_sample(S[panel], test), source_cohort, test),
        }
        truth, cohort = T.loc[test, others], target_cohort[test]
        models = fit_models(train, panel, others, seed, quick, network)
        about = {"direction": direction, "seed": seed, "patients": len(test)}
        for scale, X in panels.items():
            for name, predict in models.items():
                restored = pd.DataFrame(predict(X.loc[test]), test, others)
                r = correlations(restored, truth, cohort)
                yield about | {"scale": scale, "model": name, "r": np.nanmean(r)}
            print(".", end="", flush=True)


def report(table):
    for direction, part in table.groupby("direction", sort=False):
        wide = part.pivot_table(
            index="model", columns="scale", values="r", aggfunc=["mean", "std"], sort=0
        )
        print(f"\n{direction}: mean Spearman correlation, (spread over seeds)")
        cells = wide["mean"].map("{:.3f}".format)
        if "std" in wide:
            cells += wide["std"].map(" ({:.3f})".format)
        print(cells.to_string())

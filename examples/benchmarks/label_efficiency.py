"""Accuracy with few labels: pretrained encoders beside simple models.

    python label_efficiency.py --data DIR [--sets gtex tcga] [--seeds 0 1 2]

DIR holds `gtex_toil1000` and `tcga_tall90`, each with `X.npz` (X, samples, genes) and
`meta.csv`. GTEx: tissues with 20 rows or more, values floored at -4, split by donor.
TCGA: cancer types with 20 primary tumours or more, split by patient. All models see
the same splits and the same labelled samples; pretraining sees all training samples
without labels. Every model has the settings it has by default, but networks are alone,
without the linear model that votes beside them by default (default_classifier.py).

Prints the mean accuracy over the seeds, then the paired differences, in points, to the
same network from scratch (its head started like that of the others, or at random) and
to the best simple model, with their standard deviation over the seeds. The settings
were chosen on seeds 0 to 2; ``--first-seed 3`` shows what was left to chance.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _data import read_set
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skgex import BYOL, SCARF, VIME, FineTunedClassifier
from skgex.evaluation import label_efficiency_curve

METHODS = {"SCARF": SCARF, "VIME": VIME, "BYOL": BYOL}
SIMPLE = ["LR", "PCA + LR", "RBF SVM"]


def load_gtex(data):
    X, _, meta = read_set(data, "gtex_toil1000")
    return _common(np.maximum(X, -4), meta, meta["tissue"], meta["donor"], 128)


def load_tcga(data):
    X, _, meta = read_set(data, "tcga_tall90")
    primary = meta["sample_type"].str.startswith("Primary").to_numpy()
    X, meta = X[primary], meta[primary]
    return _common(X, meta, meta["cancer"], meta["patient"], 64)


def _common(X, meta, label, group, n_components):
    count = label.map(label.value_counts())
    keep = ((count >= 20) & (label != "<not provided>")).to_numpy()
    return X[keep], label[keep].to_numpy(), group[keep].to_numpy(), n_components


SETS = {"gtex": load_gtex, "tcga": load_tcga}


def simple_models(n_components):
    """Clipped z-scores as in the embedders: these models gain from it, too."""
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -10, "a_max": 10})
    linear = LogisticRegression(max_iter=2000)
    components = PCA(n_components, random_state=0)
    return {
        "LR": make_pipeline(StandardScaler(), clip, linear),
        "PCA + LR": make_pipeline(StandardScaler(), clip, components, linear),
        "RBF SVM": make_pipeline(StandardScaler(), clip, SVC(C=10)),
    }


def networks(frozen, rate=0.0):
    models = {}
    alone = {"linear_weight": 0, "corruption_rate": rate}
    for name, Method in METHODS.items():
        untrained = Method(max_epochs=0)
        models[f"{name} scratch"] = FineTunedClassifier(untrained, **alone)
        models[f"{name} scratch, random head"] = FineTunedClassifier(
            untrained, head_init="random", **alone
        )
        models[name] = FineTunedClassifier(Method(), **alone)
        if frozen:
            models[f"{name} frozen + LR"] = make_pipeline(
                Method(), StandardScaler(), LogisticRegression(max_iter=2000)
            )
    if frozen:
        models["untrained + LR"] = make_pipeline(
            SCARF(max_epochs=0), StandardScaler(), LogisticRegression(max_iter=2000)
        )
    return models


def report(table):
    """Print means and paired differences."""
    by_seed = table.groupby(["estimator", "fraction", "split"]).score.mean()
    by_seed = 100 * by_seed.unstack("fraction")  # (estimator, split) x fraction
    mean = by_seed.groupby("estimator").mean()
    print(mean.round(1).to_string())
    best_simple = mean.loc[SIMPLE].idxmax()
    lines = {}
    for name in METHODS:
        for scratch in (f"{name} scratch", f"{name} scratch, random head"):
            lines[f"{name} - {scratch}"] = by_seed.loc[name] - by_seed.loc[scratch]
        lines[f"{name} - best simple"] = pd.DataFrame(
            {f: by_seed.loc[name][f] - by_seed.loc[best_simple[f]][f] for f in mean}
        )
    print("\npaired differences in points, mean (standard deviation over seeds)")
    for name, d in lines.items():
        cells = [
            f"{m:+5.1f} ({s:3.1f})" for m, s in zip(d.mean(), d.std(), strict=True)
        ]
        print(f"{name:36s}" + "  ".join(cells))
    print("best simple model:", ", ".join(f"{f:g} {n}" for f, n in best_simple.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--frozen", action="store_true", help="also frozen encoders")
    parser.add_argument("--corruption-rate", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the table as CSV here")
    parser.add_argument(
        "--fractions", nargs="*", type=float, default=[0.02, 0.05, 0.1, 0.2, 1.0]
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tables = []
    for name in arguments.sets:
        start = time.perf_counter()
        X, y, groups, n_components = SETS[name](arguments.data)
        table = label_efficiency_curve(
            simple_models(n_components)
            | networks(arguments.frozen, arguments.corruption_rate),
            X,
            y,
            groups=groups,
            fractions=arguments.fractions,
            n_splits=arguments.seeds,
            n_draws=arguments.draws,
            random_state=arguments.first_seed,
        )
        took = time.perf_counter() - start
        print(f"\n{name}: {len(X):,} x {X.shape[1]:,}, {len(set(y))} classes, ", end="")
        print(f"{arguments.seeds} seeds x {arguments.draws} draws, {took:.0f} s")
        report(table)
        tables.append(table.assign(set=name))
    if arguments.save:
        pd.concat(tables).to_csv(arguments.save, index=False)

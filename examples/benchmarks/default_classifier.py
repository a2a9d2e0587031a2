"""Is `FineTunedClassifier()` right without knowing? Seven sets, and simple models.

    python default_classifier.py --data DIR [--sets gtex ...] [--seeds 3 4 5]

DIR holds the sets, each with `X.npz` (X, samples, genes) and `meta.csv`. Split 70/30 by
donor or patient. All models see the same splits and labels: 2, 5 or 20 a class (fewer
where a class has fewer), 20 % of the training samples with one of each class at least,
and all. Training samples without a label take part in pretraining, in principal
components, and in the models that learn from them.

The classifier has its defaults. What pretrains it is fitted once for a split, as it
would be in each fit. "network" and "linear" are its two parts alone. Self-training
and label spreading are scikit-learn's. "GeneICL" (three checkpoints, `in_context.py`)
takes part where there are ten classes at most, with 20 labels a class at most;
"gtex10" are the ten tissues that GTEx has most samples of.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _data import read_set
from in_context import MAX_CLASSES, WHY_NOT, InContextClassifier
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupShuffleSplit
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC

from skgex import VIME, FineTunedClassifier

# Folder, column of the class, column of the patient or donor.
SETS = {
    "gtex": ("gtex_toil1000", "tissue", "donor"),
    "tall90": ("tcga_tall90", "cancer", "patient"),
    "toil4": ("tcga_toil4", "cancer", "patient"),
    "pam50": ("tcga_brca_pam50", "subtype", "patient"),
    "u133": ("tissue_u133_500", "tissue", None),
    "expo": ("breast_expo353", "er", None),
    "nki": ("breast_nki150", "er", None),
}
SUBSETS = {"gtex10": "gtex"}
LEVELS = {"2": 3, "5": 3, "20": 2, "20%": 1, "100%": 1}  # and draws of labels of each
FEW = ["2", "5", "20"]
REFERENCE = "PCA + LR"
MARK = "no label"


def load(data, name):
    folder, label, group = SETS[SUBSETS.get(name, name)]
    X, _, meta = read_set(data, folder)
    if label not in meta:
        label = next(c for c in meta if label in c.lower())
    y = meta[label].astype(object)
    tumour = np.ones(len(y), bool)
    if folder.startswith("tcga") and "sample_type" in meta:
        tumour = meta.sample_type.str.startswith("Primary").to_numpy()
    count = y.map(y[tumour].value_counts()).fillna(0)
    keep = tumour & (count >= 20).to_numpy() & (y != "<not provided>").to_numpy()
    groups = meta[group] if group in meta else pd.Series(np.arange(len(y)))
    if folder.startswith("gtex"):
        X = np.maximum(X, -4)
    if name in SUBSETS:
        keep &= y.isin(y.value_counts().index[:MAX_CLASSES]).to_numpy()
    return X[keep], y[keep].astype(str).to_numpy(), groups.to_numpy()[keep]


def draw_labels(y, level, rng):
    """Return rows to label."""
    order = rng.permutation(len(y))
    classes = np.unique(y)
    if not level.endswith("%"):
        each = [order[y[order] == c][: int(level)] for c in classes]
        return np.sort(np.concatenate(each))
    first = np.array([order[y[order] == c][0] for c in classes])
    rest = order[~np.isin(order, first)]
    n_rest = max(0, round(float(level[:-1]) / 100 * len(y)) - len(first))
    return np.sort(np.concatenate([first, rest[:n_rest]]))


def simple_models(Z, Z_test, rows, y):
    """Yield names and probabilities, or decisions, on the test samples."""
    components = PCA(min(50, *Z.shape), random_state=0).fit(Z)
    A, B = components.transform(Z), components.transform(Z_test)
    linear = LogisticRegression(max_iter=1000)
    yield REFERENCE, linear.fit(A[rows], y[rows]), B
    yield "LR", LogisticRegression(max_iter=1000).fit(Z[rows], y[rows]), Z_test
    yield "RBF SVM", SVC(C=10).fit(Z[rows], y[rows]), Z_test
    marked, classes = np.full(len(y), -1), np.unique(y)
    marked[rows] = np.searchsorted(classes, y[rows])
    spread = LabelSpreading(kernel="knn", n_neighbors=8, max_iter=200).fit(A, marked)
    yield "label spreading", Coded(spread, classes), B
    if (marked < 0).any():
        base = LogisticRegression(max_iter=1000)
        yield (
            "self-training LR",
            Coded(SelfTrainingClassifier(base).fit(A, marked), classes),
            B,
        )


class Coded:
    """A classifier of numbers that stand for classes."""

    def __init__(self, model, classes):
        self.model, self.classes = model, classes

    def predict(self, X):
        return self.classes[self.model.predict(X).astype(int)]


def evaluate(name, X, y, groups, seed, levels):
    """Yield rows of the table."""
    split = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
    train, test = next(split.split(X, groups=groups))
    X_train, y_train, X_test, truth = X[train], y[train], X[test], y[test]
    mean, std = np.nanmean(X_train, axis=0), np.nanstd(X_train, axis=0)
    std[std == 0] = 1
    Z, Z_test = (
        np.nan_to_num(np.clip((part - mean) / std, -10, 10))
        for part in (X_train, X_test)
    )
    pretrained = FrozenEstimator(VIME(random_state=seed).fit(X_train))
    for level in levels:
        for draw in range(LEVELS[level]):
            rows = draw_labels(y_train, level, np.random.default_rng([seed, draw]))
            key = {"set": name, "seed": seed, "level": level, "draw": draw}
            key["n_labeled"] = len(rows)
            for model, fitted, features in simple_models(Z, Z_test, rows, y_train):
                right = fitted.predict(features) == truth
                yield {**key, "model": model, "accuracy": right.mean()}
            few = level in FEW and len(np.unique(y_train)) <= MAX_CLASSES
            if few and not WHY_NOT:
                yield {**key, **rival(X_train[rows], y_train[rows], X_test, truth)}
            marked = np.full(len(y_train), MARK, object)
            marked[rows] = y_train[rows]
            mark = MARK if len(rows) < len(y_train) else None
            start = time.perf_counter()
            ours = FineTunedClassifier(pretrained, unlabeled=mark, random_state=seed)
            ours.fit(X_train, marked)
            key["seconds"] = time.perf_counter() - start
            key["n_steps"] = ours.n_mixture_steps_
            weight = ours._linear_weight
            for model, w in (("default", weight), ("network", 0), ("linear", 1)):
                ours._linear_weight = w
                probability = ours.predict_proba(X_test)
                predicted = ours.classes_[probability.argmax(axis=1)]
                known = np.isin(truth, ours.classes_)
                yield {
                    **key,
                    "model": model,
                    "accuracy": (predicted == truth).mean(),
                    "log_loss": log_loss(
                        truth[known], probability[known], labels=ours.classes_
                    ),
                }


def rival(X, y, X_test, truth):
    start = time.perf_counter()
    X, X_test = (np.nan_to_num(part, nan=np.nanmean(X)) for part in (X, X_test))
    right = InContextClassifier().fit(X, y).predict(X_test) == truth
    seconds = time.perf_counter() - start
    return {"model": "GeneICL", "accuracy": right.mean(), "seconds": seconds}


def report(table):
    accuracy = 100 * table.pivot_table(
        index="model", columns=["set", "level"], values="accuracy", sort=False
    )
    for level in table.level.unique():
        part = accuracy.xs(level, axis=1, level="level")
        print(f"\naccuracy, {level} labels" + " a class" * (not level.endswith("%")))
        print(part.assign(mean=part.mean(axis=1)).round(1).to_string())
    difference = accuracy - accuracy.loc[REFERENCE]
    mean = difference.T.groupby(level="level", sort=False).mean().T
    print(f"\nmean over sets of the difference to {REFERENCE}, points")
    print(mean.assign(all=difference.mean(axis=1)).round(2).to_string())
    by_seed = 100 * table.pivot_table(
        index=["seed", "set", "level"], columns="model", values="accuracy"
    )
    few = by_seed[by_seed.index.get_level_values("level").isin(["2", "5"])]
    gain = (few["default"] - few[REFERENCE]).groupby("seed").mean()
    print(f"\n2 and 5 labels a class, default - {REFERENCE}, by seed:", end=" ")
    print(", ".join(f"{value:+.2f}" for value in gain))
    print("\nsteps of the mixture, mean; seconds of a fit without pretraining, median")
    ours = table[table.model == "default"].groupby(["set", "level"], sort=False)
    print(ours.n_steps.mean().unstack().round(1).to_string())
    print(ours.seconds.median().unstack().round(1).to_string())
    if "GeneICL" in set(table.model):
        rival = table[table.model == "GeneICL"].groupby(["set", "level"], sort=False)
        print("\nGeneICL, seconds of fit and predict, median")
        print(rival.seconds.median().unstack().round(1).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    names = [*SETS, *SUBSETS]
    parser.add_argument("--sets", nargs="*", choices=names, default=list(SETS))
    parser.add_argument("--levels", nargs="*", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[3, 4, 5])
    parser.add_argument("--save", type=Path, help="write the table as CSV here")
    arguments = parser.parse_args()
    if WHY_NOT:
        print(WHY_NOT)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.filterwarnings("ignore", message="The number of unique classes")
    rows = []
    for seed in arguments.seeds:
        for name in arguments.sets:
            start = time.perf_counter()
            data = load(arguments.data, name)
            rows += evaluate(name, *data, seed, arguments.levels)
            took = time.perf_counter() - start
            print(f"{name}, seed {seed}: {took:.0f} s", flush=True)
            if arguments.save:
                pd.DataFrame(rows).to_csv(arguments.save, index=False)
    report(pd.DataFrame(rows))

"""Cancer types from a few random genes: what pretraining on more genes is worth.

    python panel_classification.py --data DIR [--panels 16 32 64] [--draws 0 1 2]

DIR holds `tcga_tall90`, with `X.npz` (X, samples, genes) and `meta.csv`: cancer types
with 20 primary tumours or more, in five folds by patient. Simple models read a random
panel of the genes, as clipped z-scores. A GexBERT is pretrained, once in each fold, on
all 90 genes of all training patients, without labels; then it reads the panel, the
other genes being missing in training and test alike:

- "embedding": logistic regression on the standardised embedding of the panel;
- "fine-tuned": `FineTunedClassifier` on the panel;
- "restored": simple models on the panel and all genes restored from it.

Others are pretrained on the panel alone, which any user of one can do, once for all
shares of the labels:

- "SCARF", "VIME", "BYOL": the fine-tuned networks;
- "default": `FineTunedClassifier()`, where linear models vote beside VIME;
- "vote": the mean of the probabilities of VIME, BYOL and the default;
- "vote of all": the same, and logistic regression on the restored genes.

All are trained on 5 %, 20 % or all of the labels of the training part, at least one for
each type. The larger panels of a draw hold the smaller ones. Every model has the
settings it has by default, but for what stands in `simple_models`.

Prints the accuracy and its standard deviation over folds and draws, then the paired
differences, in points, to the best simple model: the one with the best mean, then the
share of the errors in which colon and rectum are confused, COAD and READ, which are
usually taken together. What
`--save` wrote in other runs is reported as well with `--add`: some models take so long
that they are left to fewer folds and draws, and are compared on these.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from label_efficiency import load_tcga
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skgex import BYOL, SCARF, VIME, FineTunedClassifier, GexBERT

SIMPLE = ["LR", "RBF SVM", "MLP", "extra trees"]
PRETRAINED = ["embedding + LR", "restored + LR", "restored + RBF SVM", "fine-tuned"]
ON_PANEL = {"SCARF": SCARF, "VIME": VIME, "BYOL": BYOL, "default": VIME}
VOTES = {"vote": ["VIME", "BYOL", "default"]}
VOTES["vote of all"] = [*VOTES["vote"], "restored + LR"]
ONE_DISEASE = ["COAD", "READ"]


def simple_models():
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -10, "a_max": 10})
    models = {
        "LR": LogisticRegression(max_iter=2000),
        "RBF SVM": SVC(C=10),
        "MLP": MLPClassifier(max_iter=300, random_state=0),
    }
    scaled = {
        name: make_pipeline(StandardScaler(), clip, m) for name, m in models.items()
    }
    trees = ExtraTreesClassifier(500, random_state=0)
    return scaled | {"extra trees": trees}


def candidates(embedder, X, train, genes, arms):
    """The models to fit, each with what it reads of all samples."""
    panel = np.full_like(X, np.nan)
    panel[:, genes] = X[:, genes]
    models = simple_models() | on_panel(X[np.ix_(train, genes)], arms)
    tables = dict.fromkeys([*SIMPLE, *ON_PANEL], X[:, genes])
    if "embedding + LR" in arms:
        models["embedding + LR"] = models["LR"]
        tables["embedding + LR"] = embedder.transform(panel)
    if any(arm.startswith("restored") for arm in arms):
        restored = embedder.restore(panel)
        for name in ("LR", "RBF SVM"):
            models[f"restored + {name}"] = models[name]
            tables[f"restored + {name}"] = restored
    if "fine-tuned" in arms:
        frozen = FrozenEstimator(embedder)
        models["fine-tuned"] = FineTunedClassifier(
            frozen, linear_weight=0, random_state=0
        )
        tables["fine-tuned"] = panel
    return {name: (models[name], tables[name]) for name in arms if name not in VOTES}


def on_panel(X, arms):
    """Classifiers whose embedders are pretrained on the panel of the training part."""
    models, fitted = {}, {}
    for name in (name for name in ON_PANEL if name in arms):
        kind = ON_PANEL[name]
        start = time.perf_counter()
        if kind not in fitted:
            fitted[kind] = FrozenEstimator(kind(random_state=0).fit(X))
            seconds = time.perf_counter() - start
            print(f" {kind.__name__} {X.shape[1]} {seconds:.0f} s", end="", flush=True)
        votes = {} if name == "default" else {"linear_weight": 0}
        models[name] = FineTunedClassifier(fitted[kind], random_state=0, **votes)
    return models


def draw_labelled(y, rows, share, rng):
    """Draw a share of each class, and at least one of each."""
    if share == 1:
        return rows
    parts = []
    for label in np.unique(y[rows]):
        of_class = rng.permutation(rows[y[rows] == label])
        parts.append(of_class[: max(1, round(share * len(of_class)))])
    return np.sort(np.concatenate(parts))


def pretrained(X, groups, folds, arguments):
    """A GexBERT of all genes for each fold, or nothing where no arm reads it."""
    if not set(arguments.arms) & set(PRETRAINED):
        return [None] * len(folds)
    start = time.perf_counter()
    found = [GexBERT(random_state=0).fit(X[t], groups=groups[t]) for t, _ in folds]
    seconds = (time.perf_counter() - start) / len(folds)
    print(f"GexBERT of all genes: {seconds:.0f} s a fold", flush=True)
    return found


def scores(X, y, groups, folds, arguments):
    """Yield the accuracies of each draw, fold and size of the panel."""
    embedders = pretrained(X, groups, folds, arguments)
    for draw in arguments.draws:
        order = np.random.default_rng(draw).permutation(X.shape[1])
        for number, (train, test) in enumerate(folds):
            for size in arguments.panels:
                genes = np.sort(order[:size])
                arms = candidates(embedders[number], X, train, genes, arguments.arms)
                about = {"fold": number, "draw": draw, "genes": size}
                for share in arguments.fractions:
                    rng = np.random.default_rng([number, draw])
                    rows = draw_labelled(y, train, share, rng)
                    cell = about | {"share": share}
                    yield list(arm_scores(arms, y, train, rows, test, cell))


def arm_scores(arms, y, train, rows, test, about):
    found = {}
    for name, (model, table) in arms.items():
        start = time.perf_counter()
        if name in ON_PANEL and len(rows) < len(train):
            marked = pd.Series(y).where(np.isin(np.arange(len(y)), rows))
            model.set_params(unlabeled=np.nan).fit(table[train], marked[train])
        else:
            model.set_params(**({"unlabeled": None} if name in ON_PANEL else {}))
            model.fit(table[rows], y[rows])
        predicted = model.predict(table[test])
        seconds = time.perf_counter() - start
        found_right = right(y[test], predicted)
        yield {**about, "model": name, **found_right, "seconds": seconds}
        if hasattr(model, "predict_proba"):
            found[name] = model.predict_proba(table[test])
    for vote, members in VOTES.items():
        if set(members) <= set(found):
            best = sum(found[name] for name in members).argmax(axis=1)
            found_right = right(y[test], model.classes_[best])
            yield {**about, "model": vote, **found_right, "seconds": np.nan}
    print(".", end="", flush=True)


def right(y, predicted):
    """The accuracy, and the share of errors by which one disease is called another."""
    wrong = y != predicted
    alike = wrong & np.isin(y, ONE_DISEASE) & np.isin(predicted, ONE_DISEASE)
    share = 100 * alike.sum() / max(1, wrong.sum())
    return {"accuracy": 100 * (1 - wrong.mean()), "colon or rectum": share}


def report(table):
    known = [*SIMPLE, *PRETRAINED, *ON_PANEL, *VOTES]
    arms = [name for name in known if name in set(table.model)]
    runs = table.pivot_table(
        index=["model", "fold", "draw"], columns=["genes", "share"], values="accuracy"
    )
    mean = runs.groupby("model").mean().loc[arms]
    spread = runs.groupby("model").std().loc[arms]
    counts = runs.groupby("model").count().max(axis=1)
    counts = ", ".join(f"{name} {counts[name]}" for name in arms)
    print(f"\n\nfolds times draws: {counts}")
    print("\naccuracy, mean (standard deviation over folds and draws)")
    print(_cells(mean, spread, "{:.1f}").to_string())
    _report_leads(runs, mean, arms)
    if "colon or rectum" in table:
        share = table.pivot_table(
            index="model", columns=["genes", "share"], values="colon or rectum"
        )
        print("\nper cent of the errors in which colon and rectum are confused")
        print(share.reindex(arms).round().to_string())
    print("\nmean seconds of fit and predict")
    seconds = table.pivot_table(
        index="model", columns=["genes", "share"], values="seconds"
    )
    print(seconds.reindex(arms).round(1).to_string())


def _report_leads(runs, mean, arms):
    simple = [name for name in SIMPLE if name in arms]
    if not simple or len(simple) == len(arms):
        return
    best = mean.loc[simple].idxmax()
    base = pd.DataFrame({c: runs.loc[best[c]][c] for c in runs.columns})
    lead = {name: runs.loc[name] - base for name in arms if name not in simple}
    mean = pd.DataFrame({name: d.mean() for name, d in lead.items()}).T
    spread = pd.DataFrame({name: d.std() for name, d in lead.items()}).T
    print("\npaired differences in points to the best simple model")
    print(_cells(mean, spread, "{:+.1f}").to_string())
    print("which is:", ", ".join(f"{g}/{s:g} {n}" for (g, s), n in best.items()))


def _cells(mean, spread, form):
    return mean.map(form.format) + spread.map(" ({:.1f})".format)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--panels", nargs="*", type=int, default=[16, 32, 64])
    parser.add_argument("--fractions", nargs="*", type=float, default=[0.05, 0.2, 1.0])
    parser.add_argument("--draws", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--folds", type=int, default=5, help="how many of the five")
    arms = [*SIMPLE, *PRETRAINED, *ON_PANEL, *VOTES]
    parser.add_argument("--arms", nargs="*", choices=arms, default=arms)
    parser.add_argument("--quick", action="store_true", help="one fold, few samples")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the table as CSV here")
    parser.add_argument("--add", nargs="*", type=Path, default=[], help="such tables")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    X, y, groups, _ = load_tcga(arguments.data)
    if arguments.quick:
        rows = np.random.default_rng(0).permutation(len(X))[:800]
        X, y, groups = X[rows], y[rows], groups[rows]
        arguments.folds, arguments.draws = 1, [0]
    print(f"{len(X):,} samples, {X.shape[1]} genes, {len(set(y))} types")
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    folds = list(splitter.split(X, y, groups))[: arguments.folds]
    rows = []
    for cell in scores(X, y, groups, folds, arguments):
        rows += cell
        if arguments.save:
            pd.DataFrame(rows).to_csv(arguments.save, index=False)
    report(pd.concat([*map(pd.read_csv, arguments.add), pd.DataFrame(rows)]))

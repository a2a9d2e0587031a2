"""Survival from a small random panel: what restored prognostic genes add.

    python restored_anchors.py --data DIR [--panels 64 128 256 512 1024] [--draws 1]

DIR holds `tcga_z13`: ten cohorts of TCGA. Five folds in each cohort, with the same
share of early and late events. The anchors are the 100 genes that are the most
prognostic in the training patients of the cohort, by the score test, of all genes
measured there. Of the test patients only the panel is known; so for training patients
the anchors are restored as well, and the same Cox model, ridge on ranks with the
penalty of inner folds, is fitted to

- "panel": the genes of the panel;
- "+ GexBERT": and the anchors that are not among them, restored by a GexBERT with its
  default settings, which was pretrained, without follow-up, on all genes of the
  training patients of all cohorts;
- "+ prior": restored by its low-rank prior alone;
- "+ KNN": the mean of the 10 training patients, of all cohorts, that are the closest in
  the panel, without the patient itself;
- "+ measured": measured, the most that restoring could reach;
- "all": all genes, restored by the prior.

"full model" is fitted to all measured genes of the training patients, and is given
profiles of the test patients that the prior completed from the panel.

With `--chosen` the panel is not random: it holds the genes that are the most prognostic
in the training patients of the cohort, and the anchors are the 100 next.

Prints Harrell's concordance, mean over cohorts, folds and draws; paired differences to
the panel alone with a 95 % interval over cohorts.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import t as student
from sklearn.neighbors import NearestNeighbors
from sksurv.metrics import concordance_index_censored
from survival import load, make_folds
from survival_models import linear

from skgex import GexBERT, UnivariateCoxSelector

N_ANCHORS = 100
ARMS = ["panel", "+ GexBERT", "+ prior", "+ KNN", "+ measured", "all", "full model"]
OF_PRIOR = {"+ prior", "all", "full model"}


def restore_all(embedder, X, panel):
    holed = np.full_like(X, np.nan)
    holed[:, panel] = X[:, panel]
    return embedder.restore(holed)


def knn_restore(X, train, panel):
    """Return the mean of the nearest training patients, of each patient."""
    scale = X[train][:, panel].std(axis=0) + 1e-6
    Z = X[:, panel] / scale
    finder = NearestNeighbors(n_neighbors=11).fit(Z[train])
    place = finder.kneighbors(Z, return_distance=False)
    own = np.asarray(train)[place] == np.arange(len(X))[:, None]
    # A training patient is its own nearest; of the others the eleventh is left out.
    drop = np.where(own.any(axis=1), own.argmax(axis=1), 10)
    kept = np.arange(11)[None] != drop[:, None]
    neighbours = np.asarray(train)[place[kept].reshape(len(X), 10)]
    out = np.empty_like(X)
    for start in range(0, len(X), 100):
        out[start : start + 100] = X[neighbours[start : start + 100]].mean(axis=1)
    return out


def run_fold(X, y, cohort, fold, k, arguments):
    train = np.flatnonzero(fold != k)
    embedders = {}
    if OF_PRIOR & set(arguments.arms):
        embedders["+ prior"] = GexBERT(max_epochs=0, random_state=0).fit(X[train])
    if "+ GexBERT" in arguments.arms:
        embedders["+ GexBERT"] = GexBERT(random_state=0).fit(X[train])
    names = np.unique(cohort)
    for draw, size in product(range(arguments.draws), arguments.panels):
        order = np.random.default_rng([k, draw]).permutation(X.shape[1])
        panel, full = np.sort(order[:size]), {}
        for name in names:
            mine = train[cohort[train] == name]
            test = np.flatnonzero((fold == k) & (cohort == name))
            if arguments.chosen:
                panel = most_prognostic(X[mine], y[mine], size)
            if arguments.chosen or name == names[0]:
                rows = cohort == name if arguments.chosen else np.full(len(X), True)
                full = complete(X, rows, train, panel, embedders, arguments.arms)
            n_anchors = N_ANCHORS + size * arguments.chosen
            anchors = most_prognostic(X[mine], y[mine], n_anchors)
            row = arm_scores(X, y, mine, test, panel, anchors, full, arguments.arms)
            about = {"fold": k, "draw": draw, "genes": size, "cohort": name}
            yield about | row
        print(".", end="", flush=True)


def most_prognostic(X, y, n_genes):
    return UnivariateCoxSelector(n_genes).fit(X, y).get_support(indices=True)


def complete(X, rows, train, panel, embedders, arms):
    """Return all genes, of some rows restored from the panel in each way."""
    full = {name: X.copy() for name in embedders}
    for name, embedder in embedders.items():
        full[name][rows] = restore_all(embedder, X[rows], panel)
    if "+ KNN" in arms:
        full["+ KNN"] = knn_restore(X, train, panel)
    return full | {"+ measured": X}


def arm_scores(X, y, train, test, panel, anchors, full, arms):
    added = np.setdiff1d(anchors, panel)
    row = {}
    for arm in arms:
        if arm == "panel":
            A = X[:, panel]
        elif arm == "all":
            A = full["+ prior"]
        elif arm == "full model":
            A = full["+ prior"].copy()
            A[train] = X[train]
        else:
            A = np.hstack([X[:, panel], full[arm][:, added]])
        model = linear().fit(A[train], y[train])
        risk = model.predict(A[test])
        event, time = y["event"][test], y["time"][test]
        row[arm] = concordance_index_censored(event, time, risk)[0]
    return row


def report(table, arms):
    print("\n\nconcordance\n", table.groupby("genes")[arms].mean().round(4).to_string())
    print("\nlead over the panel alone, 95 % interval over cohorts, cohorts won")
    for size, part in table.groupby("genes"):
        for arm in [arm for arm in arms if arm != "panel"]:
            lead = (part[arm] - part["panel"]).groupby(part.cohort).mean()
            half = student.ppf(0.975, len(lead) - 1) * lead.sem()
            print(
                f"{size:5} {arm:12} {lead.mean():+.4f} [{lead.mean() - half:+.4f}, "
                f"{lead.mean() + half:+.4f}]  {(lead > 0).sum()}/{len(lead)}"
            )


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    sizes = [64, 128, 256, 512, 1024]
    parser.add_argument("--panels", nargs="*", type=int, default=sizes)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--folds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--arms", nargs="*", choices=ARMS, default=ARMS)
    parser.add_argument("--chosen", action="store_true", help="panels for prognosis")
    parser.add_argument("--quick", action="store_true", help="two cohorts, 300 genes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the table as CSV here")
    parser.add_argument("--add", type=Path, help="such a table, with other arms")
    return parser.parse_args()


def main():
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    X, y, cohort = load(arguments.data, arguments.quick)
    if arguments.quick:
        arguments.panels = [64]
    fold, rows = make_folds(X, y, cohort, 0), []
    for k in arguments.folds:
        rows += run_fold(X, y, cohort, fold, k, arguments)
        if arguments.save:
            pd.DataFrame(rows).to_csv(arguments.save, index=False)
    table, arms = pd.DataFrame(rows), arguments.arms
    if arguments.add:
        other = pd.read_csv(arguments.add)
        arms = [*arms, *(arm for arm in ARMS if arm in other and arm not in arms)]
        table = table.merge(other, on=["fold", "draw", "genes", "cohort"])
    report(table, arms)


if __name__ == "__main__":
    main()

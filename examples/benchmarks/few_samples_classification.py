"""Few samples in all, half of them labelled: tissues and types that no start has seen.

    python few_samples_classification.py --data DIR [--targets ...] [--sizes 30 60 120]
        [--draws 5] [--first-draw 0] [--methods ...] [--save CSV] [--quick]

DIR holds the sets, each with `X.npz` (X, samples, genes) and `meta.csv`.

- `gtex`: 8 tissues of gtex_toil1000; the start from other tissues, half of all that
  there are, of donors who are not in the target;
- `tall90`: 8 cancer types of tcga_tall90, 90 random genes; the start from other types,
  half of all that there are; colon and rectum are one type;
- `toil4`, `pam50`: the four cancer types of tcga_toil4, and the subtypes of
  tcga_brca_pam50; the start from the ten cohorts of tcga_z13 without the patients of
  the target, as in `few_rows.py`. It is in another unit, and shares 222 and 175 genes.

For `gtex` and `tall90`, classes and start are drawn anew in each draw. All methods
read log(1 + TPM) or log(1 + RSEM), and have the settings that they have by default. Of
a target n rows are given, from other patients than up to 300 test rows. Half of them
have labels: the first two of each class, as far as they go, then as they come; the rows
of a smaller n are among those of a larger one.

- "LR", "LR, C by CV", "RBF SVM": on standardised genes of the labelled rows;
- "PCA + LR": of n / 3 principal components of all n rows;
- "PCA of start + LR": of 64 principal components of the samples of the start, of the
  shared genes, standardised on either side: a start without a network;
- `FineTunedClassifier` of "SCARF, scratch": `SCARF(max_epochs=0)`, "SCARF": pretrained
  on the n rows, "SCARF, start": the same from the start, "SCARF, start alone": from the
  start with `max_epochs=0`, and "SCARF, start frozen": `FrozenEstimator` in its place,
  where the genes are the same. VIME and BYOL if `--methods` names them;
- "GexBERT + LR", "GexBERT, start + LR": on the standardised embedding of
  `GexBERT(max_epochs=0)`, fitted to all n rows, with and without a start; "GexBERT" and
  "GexBERT, start": `FineTunedClassifier` on it;
- "GeneICL" (arXiv 2610.08694, at most 10 classes): a network pretrained on synthetic
  tasks that reads the labelled rows; "GeneICL, 3": the mean of its three checkpoints;
  "GeneICL, 24": its own mean over 24 passes of one. Left out if `geneicl` cannot be
  imported; torch and numpy are all it needs: `pip install --no-deps geneicl`.

Prints means of the balanced accuracy and the accuracy, in per cent, and paired
differences with normal 95 % intervals over draws, or over targets and draws. With
`--save`, rows are appended as they come, and what the file has is not measured again.
"""

import argparse
import time
import warnings
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from few_rows_data import read_pretraining
from in_context import WHY_NOT, InContextClassifier
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits
from transfer_data import read

from skgex import BYOL, SCARF, VIME, FineTunedClassifier, GexBERT

NETWORKS = {"SCARF": SCARF, "VIME": VIME, "BYOL": BYOL}
N_CLASSES, MAX_TEST, ROOM, N_COMPONENTS = 8, 300, 150, 64
UNLABELLED = "?"
ABOUT = ["target", "draw", "n", "method"]
SCORES = ["balanced", "accuracy", "n_classes", "n_test", "seconds"]


class Cohort(NamedTuple):
    X: pd.DataFrame
    y: np.ndarray
    patients: np.ndarray

    def of(self, rows):
        return Cohort(self.X[rows], self.y[rows], self.patients[rows])


class Task(NamedTuple):
    """All n rows, with a marker for a label where there is none; and test rows."""

    X: pd.DataFrame
    y: np.ndarray
    patients: np.ndarray
    X_test: pd.DataFrame
    y_test: np.ndarray

    @property
    def labelled(self):
        rows = self.y != UNLABELLED
        return self.X[rows], self.y[rows]


class Start:
    """What is pretrained on other samples, once it is asked for."""

    def __init__(self, X, seed, quick):
        self.X, self.seed, self.quick = X, seed, quick
        self.fitted = cache(self._fit)

    def _fit(self, name):
        model = embedder(name, self.seed)
        if self.quick and name in NETWORKS:
            model.set_params(max_epochs=2)
        return FrozenEstimator(model.fit(self.X))


def embedder(name, seed, **settings):
    if name == "GexBERT":
        return GexBERT(max_epochs=0, random_state=seed, **settings)
    return NETWORKS[name](random_state=seed, **settings)


def from_tpm(X):
    """Turn log2(TPM + 0.001) into log(1 + TPM)."""
    return np.log1p(np.maximum(np.exp2(X) - 0.001, 0))


def gtex(data, draw):
    X, meta = read(data, "gtex_toil1000")
    keep = (meta["donor"] != "K-562") & (meta["tissue"] != "<not provided>")
    X, meta = X[keep], meta[keep]
    cohort = Cohort(from_tpm(X), meta["tissue"].to_numpy(), meta["donor"].to_numpy())
    donors = np.unique(cohort.patients)
    # Other draws than those of the classes.
    chosen = np.random.default_rng([draw, 2]).permutation(donors)[: len(donors) // 2]
    ours = np.isin(cohort.patients, chosen)
    target, source = of_classes(cohort.y, draw, 45)
    return cohort.of(ours & target), cohort.X[~ours & source]


def tall90(data, draw):
    X, meta = read(data, "tcga_tall90")
    cancer = meta["cancer"].replace(["COAD", "READ"], "COADREAD").to_numpy()
    cohort = Cohort(X * np.log(2), cancer, meta["patient"].to_numpy())
    target, source = of_classes(cancer, draw, 60)
    source &= ~np.isin(cohort.patients, cohort.patients[target])
    return cohort.of(target), cohort.X[source]


def of_classes(y, draw, min_rows):
    """Return the rows of some classes that are large enough, and of others."""
    rng = np.random.default_rng(draw)
    classes, counts = np.unique(y, return_counts=True)
    target = rng.permutation(classes[counts >= min_rows])[:N_CLASSES]
    others = rng.permutation(np.setdiff1d(classes, target))[: len(classes) // 2]
    return np.isin(y, target), np.isin(y, others)


def toil4(data, draw):
    X, meta = read(data, "tcga_toil4")
    return Cohort(from_tpm(X), meta["cohort"].to_numpy(), meta["patient"].to_numpy())


def pam50(data, draw):
    X, meta = read(data, "tcga_brca_pam50")
    patients = meta["patient"].to_numpy()
    return Cohort(X * np.log(2), meta["pam50"].to_numpy(), patients)


TARGETS = {"gtex": gtex, "tall90": tall90, "toil4": toil4, "pam50": pam50}
FROM_Z13 = ["toil4", "pam50"]


@lru_cache(maxsize=1)
def start_from_z13(data, patients, quick):
    return Start(read_pretraining(data, patients, quick), 0, quick)


def read_target(name, draw, data, quick):
    """Return the cohort of a draw, and its start."""
    if name in FROM_Z13:
        cohort = TARGETS[name](data, draw)
        return cohort, start_from_z13(data, frozenset(cohort.patients), quick)
    cohort, source = TARGETS[name](data, draw)
    return cohort, Start(source[::4] if quick else source, draw, quick)


def draw_task(cohort, n, draw):
    """Draw n rows and others to test, by patient; None where rows are too few."""
    X, y, patients = cohort
    rng = np.random.default_rng([draw, 1])
    names, which = np.unique(patients, return_inverse=True)
    order = np.argsort(rng.permutation(len(names))[which], kind="stable")
    test = order[-min(MAX_TEST, len(X) - ROOM) :]
    pool = order[~np.isin(patients[order], patients[test])]
    of_class = [pool[y[pool] == label] for label in rng.permutation(np.unique(y))]
    first = [rows[i] for i in range(2) for rows in of_class if len(rows) > i]
    rest = pool[~np.isin(pool, first)]
    labelled = np.concatenate([first, rest[::2]])[: n // 2]
    rows = np.concatenate([labelled, rest[1::2][: n - n // 2]])
    if len(rows) < n:
        return None
    known = y[rows].astype(object)
    known[len(labelled) :] = UNLABELLED
    return Task(X.iloc[rows], known, patients[rows], X.iloc[test], y[test])


def standardizer():
    """z-scores, clipped as in the embedders: simple models gain from it, too."""
    clip = FunctionTransformer(np.clip, kw_args={"a_min": -10, "a_max": 10})
    return make_pipeline(StandardScaler(), clip)


def linear():
    return LogisticRegression(max_iter=2000)


def simple(head, task, start, seed):
    model = make_pipeline(standardizer(), head)
    return model.fit(*task.labelled).predict(task.X_test)


def chosen_by_cv(task, start, seed):
    largest = max(np.unique(task.labelled[1], return_counts=True)[1])
    folds = StratifiedKFold(min(5, largest), shuffle=True, random_state=0)
    grid = {"logisticregression__C": np.logspace(-4, 1, 6)}
    model = GridSearchCV(make_pipeline(standardizer(), linear()), grid, cv=folds)
    return model.fit(*task.labelled).predict(task.X_test)


def probe(fitted, task, head):
    """Predict by a head for the labelled rows on what an embedder makes of them."""
    X, y = task.labelled
    return head.fit(fitted.transform(X), y).predict(fitted.transform(task.X_test))


def own_components(task, start, seed):
    components = PCA(len(task.X) // 3, random_state=0)
    return probe(make_pipeline(standardizer(), components).fit(task.X), task, linear())


def components_of_start(task, start, seed):
    genes = list(task.X.columns.intersection(start.X.columns))
    components = PCA(min(N_COMPONENTS, len(genes)), random_state=0)
    components.fit(standardizer().fit_transform(start.X[genes]))
    select = FunctionTransformer(lambda X: X[genes])
    scale = make_pipeline(select, standardizer()).fit(task.X)
    return probe(make_pipeline(scale, components), task, linear())


def embedded(use_start, task, start, seed):
    begin = start.fitted("GexBERT") if use_start else None
    fitted = embedder("GexBERT", seed, start=begin)
    fitted.fit(task.X, groups=task.patients)
    return probe(fitted, task, make_pipeline(StandardScaler(), linear()))


def tuned(name, how, task, start, seed):
    settings = {"max_epochs": 0} if how in ("scratch", "start alone") else {}
    if "start" in how:
        settings["start"] = start.fitted(name)
    frozen = how == "start frozen"
    inner = settings["start"] if frozen else embedder(name, seed, **settings)
    model = FineTunedClassifier(
        inner, linear_weight=0, unlabeled=UNLABELLED, random_state=seed
    )
    model.fit(task.X, task.y, groups=task.patients)
    return model.predict(task.X_test)


def in_context(numbers, ensemble_seed, task, start, seed):
    X, y = task.labelled
    model = InContextClassifier(numbers, ensemble_seed).fit(X.to_numpy(), y)
    return model.predict(task.X_test.to_numpy())


def ways(name):
    """Return a network with and without a start, by the name of the method."""
    hows = ["scratch", "", "start", "start alone", "start frozen"]
    return {
        ", ".join(filter(None, [name, how])): partial(tuned, name, how) for how in hows
    }


METHODS = {
    "LR": partial(simple, linear()),
    "LR, C by CV": chosen_by_cv,
    "RBF SVM": partial(simple, SVC(C=10)),
    "PCA + LR": own_components,
    "PCA of start + LR": components_of_start,
    **ways("SCARF"),
    "GexBERT + LR": partial(embedded, False),
    "GexBERT, start + LR": partial(embedded, True),
    "GexBERT": partial(tuned, "GexBERT", ""),
    "GexBERT, start": partial(tuned, "GexBERT", "start"),
    "GeneICL": partial(in_context, [0], None),
    "GeneICL, 3": partial(in_context, [0, 1, 2], None),
    "GeneICL, 24": partial(in_context, [0], 0),
}
USUAL = list(METHODS)
METHODS |= ways("VIME") | ways("BYOL")
PAIRS = {
    "PCA of start + LR": ["PCA + LR"],
    "GexBERT, start + LR": ["GexBERT + LR"],
    "GexBERT, start": ["GexBERT"],
}
for name in NETWORKS:
    PAIRS |= {
        name: [f"{name}, scratch", "PCA + LR"],
        f"{name}, start": [name, f"{name}, scratch", "PCA of start + LR"],
        f"{name}, start alone": [f"{name}, scratch", name, f"{name}, start"],
    }


def run(target, draw, arguments, done):
    """Yield what each method that is not done scores in a draw."""
    cohort, start = read_target(target, draw, arguments.data, arguments.quick)
    for n in arguments.sizes:
        task = draw_task(cohort, n, draw)
        if task is None:
            print(f"{target}, draw {draw}: fewer than {n} rows beside the test rows")
            continue
        for name in arguments.methods:
            key = target, draw, n, name
            other_genes = name.endswith("frozen") and target in FROM_Z13
            if key in done or other_genes:
                continue
            kind, _, way = name.partition(", ")
            if way.startswith("start"):
                # Pretraining is no part of the seconds.
                start.fitted(kind)
            begin = time.perf_counter()
            predicted = METHODS[name](task, start, draw)
            seconds = time.perf_counter() - begin
            scores = (
                100 * balanced_accuracy_score(task.y_test, predicted),
                100 * np.mean(task.y_test == predicted),
                *(len(set(cohort.y)), len(task.y_test), seconds),
            )
            cells = f"{scores[0]:.1f} {scores[1]:.1f}, {seconds:.1f} s"
            print(", ".join(map(str, key)) + f": {cells}", flush=True)
            yield dict(zip(ABOUT + SCORES, key + scores, strict=True))


def interval(differences, by):
    """Return the mean with a normal 95 % interval over rows, by some keys."""
    grouped = differences.groupby(by, sort=False)
    half = 1.96 * grouped.std() / np.sqrt(grouped.count())
    cells = grouped.mean().map("{:+.1f}".format) + half.map(" ± {:.1f}".format)
    # One draw has no interval.
    return cells.replace(" ± nan", "", regex=True)


def print_means(table, metric):
    wide = table.pivot_table(metric, ["target", "n", "draw"], "method", sort=False)
    wide = wide[[name for name in METHODS if name in wide]]
    by = wide.groupby(["target", "n"], sort=False)
    # No mean over all targets where one has none.
    overall = by.mean().groupby("n").agg(pd.Series.mean, skipna=False)
    means = by.mean().T.join(pd.concat({"all": overall.T}, axis=1))
    show = partial(pd.DataFrame.to_string, na_rep="")
    print(f"\n{metric}, per cent, mean over draws\n{show(means.round(1))}")
    print(f"\nits standard deviation over draws\n{show(by.std().T.round(1))}")
    return wide


def print_differences(wide):
    pairs = [(name, "LR") for name in wide if name != "LR"]
    pairs += [(name, other) for name in PAIRS for other in PAIRS[name]]
    differences = pd.DataFrame(
        {f"{a} - {b}": wide[a] - wide[b] for a, b in pairs if {a, b} <= set(wide)}
    )
    if differences.empty:
        return
    print("\npaired differences of it, points, with normal 95 % intervals")
    print(f"over targets and draws\n{interval(differences, 'n').T.to_string()}")
    for target, part in differences.groupby("target", sort=False):
        part = interval(part.dropna(axis=1, how="all"), "n")
        print(f"\n{target}, over draws\n{part.T.to_string()}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--targets", nargs="*", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--sizes", nargs="*", type=int, default=[30, 60, 120])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--first-draw", type=int, default=0)
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=USUAL)
    parser.add_argument("--quick", action="store_true", help="one draw, a poor start")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="append rows to this CSV; resume")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.draws, arguments.sizes = 1, arguments.sizes[:1]
    if WHY_NOT:
        print(WHY_NOT)
        ours = [name for name in arguments.methods if "GeneICL" not in name]
        arguments.methods = ours
    return arguments


def main(arguments):
    path, saved = arguments.save, pd.DataFrame(columns=ABOUT + SCORES)
    if path and path.exists():
        saved = pd.read_csv(path)
    done = set(map(tuple, saved[ABOUT].values.tolist()))
    draws = range(arguments.first_draw, arguments.first_draw + arguments.draws)
    asked = saved["target"].isin(arguments.targets) & saved["draw"].isin(draws)
    asked &= saved["n"].isin(arguments.sizes)
    tables = [saved[asked & saved["method"].isin(arguments.methods)]]
    for target in arguments.targets:
        for draw in draws:
            for row in run(target, draw, arguments, done):
                tables.append(pd.DataFrame([row]))
                if path:
                    new = not path.exists()
                    tables[-1].to_csv(path, mode="a", header=new, index=False)
    tables = [table for table in tables if len(table)]
    if not tables:
        return
    table = pd.concat(tables, ignore_index=True)
    print_means(table, "accuracy")
    print_differences(print_means(table, "balanced"))
    seconds = table.pivot_table("seconds", "method", ["target", "n"], sort=False)
    print(f"\nseconds without pretraining of the start\n{seconds.round(1).to_string()}")


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    # Genes that do not vary in few rows, and few rows of a class: what this is about.
    warnings.filterwarnings("ignore", message=".*constant in X")
    warnings.filterwarnings("ignore", message="The number of unique classes")
    warnings.filterwarnings("ignore", message="The least populated class")
    warnings.filterwarnings("ignore", message="Half of the genes that X shares")
    with threadpool_limits(arguments.threads):
        main(arguments)

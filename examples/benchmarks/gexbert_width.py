"""What the embedding of GexBERT takes by the number of genes, and how good it is.

    python gexbert_width.py [--genes 1000 5000 20000] [--samples 600] [--repeats 5]
    python gexbert_width.py --data DIR [--sets gtex toil pam50] [--seeds 0]

The first way prints milliseconds of processor time for a sample, on one thread, of

- transform: 64 complete samples that were not in `fit`, the least a call computes;
- a panel: the same samples with the same tenth of the genes missing in all;
- holes: with another tenth missing in each, which takes a posterior for each;
- all genes: transform as if all genes were read, as in versions before 27 November.

The second way prints the accuracy of logistic regression on standardised embeddings
with 2, 10 and 100 % of the labels, by how many panels of 128 genes are read, in sets in
DIR of which more than four panels were measured. ``--trained`` keeps the network
whether or not it restores better than the prior; ``--genes-per-step 64`` makes panels
of 32 genes, and so many more of them.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from _data import read_set
from _records import record
from _timing import cpu_seconds
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import GexBERT
from skgex.datasets import make_expression

N_NEW = 64
SHARES = (0.02, 0.1, 1.0)
# Folder, label and group of each set.
SETS = {
    "gtex": ("gtex_toil1000", "tissue", "donor"),
    "toil": ("tcga_toil4", "cancer", "patient"),
    "pam50": ("tcga_brca_pam50", "subtype", "patient"),
}


def milliseconds(function, X, repeats):
    """Milliseconds for a sample, of processor time, of each of some calls."""
    function(X)  # warm-up
    return [1e3 * spent / len(X) for spent in cpu_seconds(function, X, repeats)]


def measure_time(n_samples, n_genes, repeats):
    X = make_expression(n_samples + N_NEW, n_genes, n_factors=60, random_state=0)
    X, new = X[:n_samples], X[n_samples:]
    start = time.process_time()
    embedder = GexBERT(max_epochs=1, n_iter_no_change=None, random_state=0).fit(X)
    print(f"{n_genes:,} genes, {embedder.encoder_.prior.rank} factors: ", end="")
    print(f"fit {time.process_time() - start:.0f} s", flush=True)
    rng = np.random.default_rng(0)
    lacking, holes = rng.random(n_genes) < 0.1, rng.random(new.shape) < 0.1
    tables = {
        "transform": new,
        "a panel": np.where(lacking, np.nan, new),
        "holes": np.where(holes, np.nan, new),
    }
    for name, table in tables.items():
        report(name, embedder, table.astype(np.float32), repeats)
    embedder.encoder_.max_panels = None
    report("all genes", embedder, new, 1)


def report(name, embedder, X, repeats):
    times = milliseconds(embedder.transform, X, repeats)
    print(f"  {name:12s}{statistics.median(times):8.2f} ms a sample", flush=True)
    seconds = [len(X) * value / 1e3 for value in times]
    record(f"GexBERT {name}", seconds, "CPU s", samples=len(X), genes=X.shape[1])


def load(data, name):
    """Return profiles, labels and groups of samples whose label is not rare."""
    folder, label, group = SETS[name]
    X, _, meta = read_set(data, folder)
    X = X.astype(np.float32)
    X = np.maximum(X, -4) if name == "gtex" else X
    y = meta[label].where(meta[label] != "<not provided>")
    keep = (y.map(y.value_counts()) >= 10).to_numpy()
    return X[keep], y[keep].to_numpy(), meta[group].to_numpy()[keep]


def some_labels(rows, y, share, seed):
    """Return some rows to be labelled, one of each class at the least."""
    rng = np.random.default_rng(seed)
    kinds = np.unique(y[rows])
    first = [rng.permutation(rows[y[rows] == kind])[0] for kind in kinds]
    rest = rng.permutation(np.setdiff1d(rows, first))
    return np.append(first, rest[: max(0, round(share * len(rows)) - len(first))])


def measure_accuracy(data, name, seed, options):
    X, y, groups = load(data, name)
    splitter = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
    train, test = next(splitter.split(X, y, groups))
    embedder = GexBERT(
        max_epochs=options.epochs,
        n_genes_per_step=options.genes_per_step,
        n_iter_no_change=None if options.trained else 8,
        random_state=seed,
    )
    embedder.fit(X[train])
    kept = "the prior" if embedder.objective_.decoder.is_zero else "the network"
    n_panels = -(-X.shape[1] // embedder.encoder_.panel_size)
    print(f"{name}, seed {seed}: {X.shape}, {len(set(y))} classes, {n_panels} panels, ")
    print(f"  what restores is {kept}; accuracy with 2, 10 and 100 % of the labels")
    for bound in [*[b for b in (1, 2, 4, 8) if b < n_panels], None]:
        embedder.encoder_.max_panels = bound
        Z = embedder.transform(X)
        scores = []
        for share in SHARES:
            draws = range(1 if share == 1 else 3)
            found = []
            for draw in draws:
                some = some_labels(train, y, share, 100 * seed + draw)
                some = train if share == 1 else some
                linear = LogisticRegression(max_iter=300)
                model = make_pipeline(StandardScaler(), linear)
                found.append(model.fit(Z[some], y[some]).score(Z[test], y[test]))
            scores.append(f"{100 * np.mean(found):7.1f}")
        print(f"  {'all' if bound is None else bound!s:>4} panels", *scores, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, nargs="+", default=[1000, 5000, 20_000])
    parser.add_argument("--samples", type=int, default=600, help="to fit to")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--genes-per-step", type=int, default=256)
    parser.add_argument("--trained", action="store_true", help="keep the network")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.data is None:
        for n_genes in options.genes:
            measure_time(options.samples, n_genes, options.repeats)
        return
    for name in options.sets:
        for seed in options.seeds:
            measure_accuracy(options.data, name, seed, options)


if __name__ == "__main__":
    main()

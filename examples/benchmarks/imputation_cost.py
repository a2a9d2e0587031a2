"""What GexBERT and GexImputer cost in seconds and memory.

    python imputation_cost.py --data DIR [--jobs ...] [--threads 1] [--quick]

DIR holds `tcga_z13` and `tcga_eb`, each with `X.npz`. Each job runs in a process of its
own, so that its peak memory is its own. CPU time is that of all threads together; it
tells more than the seconds where other work is done at the same time.

- start: nothing but the imports and the data, the memory to take off;
- prior alone: `GexBERT(max_epochs=0)` fitted to 3,000 x 1,500 of tcga_z13;
- prior alone, holes: the same with a tenth of the values missing;
- filling: 1,000 other samples with 2, 10 and 50 % of their values missing, by the prior
  alone fitted to complete samples, and by `KNNImputer(n_neighbors=10)`;
- wide: 54 x 11,790 of tcga_eb with 13 % of the values missing, fitted and filled by the
  prior alone, and by `KNNImputer()`;
- default: `GexBERT()` fitted to the same, then 1,000 other samples (some twice, there
  are not as many) with half of their values missing, completed by
  `GexImputer(FrozenEstimator(embedder))`;
- KNN: the same completed by `KNNImputer(n_neighbors=10)`, and by its default of five;
- genome-wide: `GexBERT()` fitted to the 123 x 16,261 of tcga_eb, their embedding, and
  all completed with half missing.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from _records import record
from imputation_data import read
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer

from skgex import GexBERT, GexImputer

N_TRAIN, N_TEST, N_GENES = 3000, 1000, 1500
# The job of this process, for what is recorded.
JOB = {"name": None}


def z13(arguments):
    """Training rows, and test rows of which half of the values are missing."""
    X, _ = read(arguments.data, "tcga_z13")
    rng = np.random.default_rng(0)
    rows = np.resize(rng.permutation(len(X)), N_TRAIN + N_TEST)
    X = X[rows, :N_GENES].astype(np.float32)
    if arguments.quick:
        X = X[::10, ::10]
    n_train = len(X) * N_TRAIN // (N_TRAIN + N_TEST)
    return X[:n_train], halved(X[n_train:], rng)


def halved(X, rng):
    return np.where(rng.random(X.shape) < 0.5, np.nan, X).astype(np.float32)


def measured(label, function, *args):
    start, busy = time.perf_counter(), time.process_time()
    result = function(*args)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    record(f"{JOB['name']}: {label}", busy, "CPU s")
    print(f"  {label}: {seconds:.1f} s, {busy:.1f} s of CPU time", flush=True)
    return result


def start(arguments):
    z13(arguments)


def prior_alone(arguments):
    train, _ = z13(arguments)
    measured("fit", GexBERT(max_epochs=0, random_state=0).fit, train)


def prior_holes(arguments):
    train, _ = z13(arguments)
    rng = np.random.default_rng(1)
    train[rng.random(train.shape) < 0.1] = np.nan
    measured("fit", GexBERT(max_epochs=0, random_state=0).fit, train)


def filling(arguments):
    train, _ = z13(arguments)
    X, _ = read(arguments.data, "tcga_z13")
    new = X[: N_TEST // (10 if arguments.quick else 1), : train.shape[1]]
    embedder = GexBERT(max_epochs=0, random_state=0).fit(train)
    ours = GexImputer(FrozenEstimator(embedder)).fit(train)
    neighbours = KNNImputer(n_neighbors=10).fit(train)
    rng = np.random.default_rng(0)
    for rate in (0.02, 0.1, 0.5):
        holed = np.where(rng.random(new.shape) < rate, np.nan, new).astype(np.float32)
        measured(f"{rate:.0%} missing", ours.transform, holed)
        measured(f"{rate:.0%} missing, KNN", neighbours.transform, holed)


def wide(arguments):
    X, _ = read(arguments.data, "tcga_eb")
    X = X[:54, :11790].astype(np.float32)
    X = X[:, X.std(axis=0) > 0][:, :: 50 if arguments.quick else 1]
    X[np.random.default_rng(0).random(X.shape) < 0.13] = np.nan
    ours = GexImputer(GexBERT(max_epochs=0), random_state=0)
    measured("fit and fill", ours.fit_transform, X)
    measured("KNN", KNNImputer().fit_transform, X)


def default(arguments):
    train, holed = z13(arguments)
    embedder = measured("fit", GexBERT(random_state=0).fit, train)
    print(f"  {embedder.n_iter_} epochs")
    imputer = GexImputer(FrozenEstimator(embedder))
    measured("fit of the imputer", imputer.fit, train)
    measured("impute", imputer.transform, holed)


def knn(arguments):
    train, holed = z13(arguments)
    for n_neighbors in (10, 5):
        imputer = KNNImputer(n_neighbors=n_neighbors).fit(train)
        measured(f"impute, {n_neighbors} neighbours", imputer.transform, holed)


def genome_wide(arguments):
    X, _ = read(arguments.data, "tcga_eb")
    X = X[:, ::50] if arguments.quick else X
    embedder = measured("fit", GexBERT(random_state=0).fit, X)
    print(f"  {embedder.n_iter_} epochs")
    measured("transform", embedder.transform, X)
    imputer = GexImputer(FrozenEstimator(embedder)).fit(X)
    holed = halved(X, np.random.default_rng(0))
    measured("impute", imputer.transform, holed)


JOBS = {
    "start": start,
    "prior alone": prior_alone,
    "prior alone, holes": prior_holes,
    "filling": filling,
    "wide": wide,
    "default": default,
    "KNN": knn,
    "genome-wide": genome_wide,
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--jobs", nargs="*", choices=JOBS, default=list(JOBS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--run", choices=JOBS, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    if arguments.run:
        JOB["name"] = arguments.run
        JOBS[arguments.run](arguments)
        # Kilobytes on Linux.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        record(f"{arguments.run}: peak memory", 1e3 * peak, "MB")
        print(f"  peak memory {peak:.2f} GB")
        sys.exit()
    for job in arguments.jobs:
        print(job, flush=True)
        subprocess.run([sys.executable, *sys.argv, "--run", job], check=True)

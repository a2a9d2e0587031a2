"""What fitting a matrix larger than memory takes, beside one that is in memory.

    python larger_than_memory.py --folder DIR [--estimators SCARF GexBERT] [--quick]
    python larger_than_memory.py --folder DIR --folds [--estimators SCARF GexBERT]

DIR takes two files of float32, of 50,000 and of 10,000 samples with 20,000 genes (4 and
0.8 GB), which are made where they are absent. The first stays on disk and is read
through a memory map, the second is loaded. Each run is a process of its own:

- memory: the highest resident memory in `fit`, and in `fit` and `transform`, over that
  after the imports. Pages of the map that are held count; for the matrix that is
  loaded, so does the matrix itself;
- fit: seconds of `fit` with one epoch, and milliseconds a sample, with all that is
  done once, such as the moments of the genes or the low-rank start of GexBERT;
- cpu: milliseconds of CPU time a sample of the same, which tells more where other work
  is done at the same time;
- epoch: milliseconds a sample of the epoch alone;
- transform: milliseconds a sample, of all of them, but of 500 by GexBERT.

With `--folds` runs are of a fold, random 80 % of the larger file: selected from a
memory map by numpy, which copies it, or from a table opened with `lazy=True`.

`GexBERT start` is its low-rank start alone, with no epoch. Files are read once before
each run, so that they lie in the cache of the operating system, or are dropped from it
with --cold. Medians of --repeats runs, all of them in turn.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _records import record
from _timing import peak_memory, seconds

from skgex import BYOL, SCARF, VIME, GexBERT
from skgex.io import MappedTable

N_GENES = 20_000
ON_DISK, IN_MEMORY = 50_000, 10_000
ESTIMATORS = {
    "SCARF": lambda: SCARF(max_epochs=1, random_state=0),
    "VIME": lambda: VIME(max_epochs=1, random_state=0),
    "BYOL": lambda: BYOL(max_epochs=1, random_state=0),
    "GexBERT start": lambda: GexBERT(max_epochs=0, random_state=0),
    "GexBERT": lambda: GexBERT(max_epochs=1, random_state=0),
}
# It takes a few milliseconds a sample.
TRANSFORMED = {"GexBERT start": 500, "GexBERT": 500}
PER_SAMPLE = ("fit", "cpu", "epoch", "transform")
N_FACTORS, N_KINDS, N_LEADING = 300, 20, 10
SHARE_EXPLAINED = 0.6


def make_file(path, n_samples, n_genes):
    """Write profiles of some kinds of samples, with many factors, by chunks."""
    rng = np.random.default_rng(0)
    # Each factor matters less than the one before, and none is the last that does.
    size = (1 + np.arange(N_FACTORS)) ** -0.7
    loadings = rng.standard_normal((N_FACTORS, n_genes)) * size[:, None]
    loadings *= np.sqrt(SHARE_EXPLAINED / np.square(loadings).sum(0))
    kinds = rng.standard_normal((N_KINDS, N_LEADING))
    mean, std = rng.uniform(1, 12, n_genes), rng.uniform(0.2, 2, n_genes)
    loadings, mean, std = (a.astype(np.float32) for a in (loadings, mean, std))
    X = np.lib.format.open_memmap(path, "w+", np.float32, (n_samples, n_genes))
    for start in range(0, n_samples, 1000):
        n = min(1000, n_samples - start)
        factors = rng.standard_normal((n, N_FACTORS), dtype=np.float32)
        factors[:, :N_LEADING] *= 0.5
        factors[:, :N_LEADING] += kinds[rng.integers(N_KINDS, size=n)]
        Z = rng.standard_normal((n, n_genes), dtype=np.float32)
        Z *= np.sqrt(1 - SHARE_EXPLAINED)
        Z += factors @ loadings
        X[start : start + n] = mean + std * Z
    X.flush()


def warm(path):
    """Have the file in the cache of the operating system."""
    with path.open("rb", buffering=0) as file:
        while file.read(2**24):
            pass


def cool(path):
    """Have the file in no cache but that of the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read(path, kind):
    """Return what is fitted: a whole file, or a fold of it."""
    X = np.load(path, mmap_mode=None if kind == "loaded" else "r")
    if kind in ("mapped", "loaded"):
        return X
    if kind == "lazy fold":
        genes = pd.Index([f"gene {i}" for i in range(X.shape[1])])
        X = MappedTable(X, pd.RangeIndex(len(X)), genes, None)
    rows = np.random.default_rng(0).permutation(len(X))[: int(0.8 * len(X))]
    return X[np.sort(rows)]


def measure(name, path, kind):
    """Print what one run takes, in a process that does nothing else."""
    before = peak_memory()
    X = read(path, kind)
    embedder = ESTIMATORS[name]()
    busy = time.process_time()
    found = {"fit": seconds(embedder.fit, X), "cpu": time.process_time() - busy}
    found["fit memory"] = peak_memory() - before
    found["epoch"] = sum(row["dur"] for row in embedder.history_)
    some = X[: TRANSFORMED.get(name, len(X))]
    found["transform"] = seconds(embedder.transform, some) / len(some)
    found["memory"] = peak_memory() - before
    prior = getattr(embedder.encoder_, "prior", None)
    found["rank"] = 0 if prior is None else prior.rank
    print(json.dumps(found))


def run(name, path, kind, arguments):
    """Return what a run in a new process takes."""
    (cool if arguments.cold else warm)(path)
    command = [sys.executable, __file__, "--threads", str(arguments.threads)]
    command += ["--of", name, str(path), kind]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def report(name, kind, n_samples, n_genes, runs):
    label = f"{n_samples:,} {kind}"
    size = {"samples": n_samples, "genes": n_genes}
    memory = [1e3 * run["memory"] for run in runs]
    record(f"{name}, {kind}", memory, "MB", **size)
    record(f"{name} fit, {kind}", [run["cpu"] for run in runs], "CPU s", **size)
    found = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    per_sample = {
        key: 1e3 * found[key] / (1 if key == "transform" else n_samples)
        for key in PER_SAMPLE
    }
    rank = f"   {found['rank']:.0f} factors" if found["rank"] else ""
    print(
        f"{name:14s}{label:20s}{found['fit memory']:8.2f}{found['memory']:8.2f}"
        f"{found['fit']:10.1f}"
        + "".join(f"{value:11.2f}" for value in per_sample.values())
        + rank,
        flush=True,
    )
    return per_sample


def compare(name, kinds, arguments):
    """Report two kinds of input, each with its file and its numbers."""
    runs = [
        [run(name, path, kind, arguments) for kind, (path, *_) in kinds.items()]
        for _ in range(arguments.repeats)
    ]
    ours, theirs = (
        report(name, kind, n_samples, n_genes, found)
        for (kind, (_, n_samples, n_genes)), found in zip(
            kinds.items(), zip(*runs, strict=True), strict=True
        )
    )
    ratios = (f"{ours[key] / theirs[key]:.2f} ({key})" for key in ("fit", "cpu"))
    print(f"{name:14s}time a sample,", " to ".join(kinds) + ":", *ratios, flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument(
        "--estimators", nargs="*", choices=ESTIMATORS, default=list(ESTIMATORS)
    )
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folds", action="store_true", help="folds of the larger")
    parser.add_argument("--cold", action="store_true", help="files in no cache")
    parser.add_argument("--quick", action="store_true", help="a tenth of each side")
    parser.add_argument("--of", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def main(arguments):
    paths = []
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for n_samples in (ON_DISK,) if arguments.folds else (ON_DISK, IN_MEMORY):
        scale = 10 if arguments.quick else 1
        n_samples, n_genes = n_samples // scale, N_GENES // scale
        path = arguments.folder / f"expression_{n_samples}x{n_genes}.npy"
        if not path.exists():
            make_file(path, n_samples, n_genes)
        paths.append((path, n_samples, n_genes))
    print(f"{'':34s}{'memory over':>16s}{'seconds':>10s}{'ms a sample':>22s}")
    print(f"{'':34s}{'imports, GB':>16s}")
    print(f"{'':34s}{'fit':>8s}{'all':>8s}{'fit':>10s}", end="")
    print("".join(f"{key:>11s}" for key in PER_SAMPLE))
    if arguments.folds:
        path, n_samples, n_genes = paths[0]
        of_fold = path, int(0.8 * n_samples), n_genes
        kinds = {"lazy fold": of_fold, "copied fold": of_fold}
    else:
        kinds = dict(zip(("mapped", "loaded"), paths, strict=True))
    for name in arguments.estimators:
        compare(name, kinds, arguments)


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    if arguments.of:
        measure(*arguments.of)
    else:
        main(arguments)

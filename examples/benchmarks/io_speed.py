"""What reading costs, in time and memory, beside the plain way.

    python io_speed.py [--genes 20000] [--samples 2000] [--counts 5000] [--folder .]

Writes a text table as UCSC Xena has them, and gene counts in compressed chunks as in an
ARCHS4 file, and prints for each way of reading them:

- seconds, with the file in the cache of the system;
- the peak of the resident memory of a process that does nothing else, and how much of
  it is beyond that of a process that only imports.

Results are compared with each other, not only measured. Set OMP_NUM_THREADS=1.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
import zlib
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from skgex import io


def write_text(folder, n_genes, n_samples):
    """Write log2 values with four digits, gene by gene."""
    rng = np.random.default_rng(0)
    with open(folder / "xena.tsv", "w") as file:
        file.write("\t".join(["sample", *(f"S{i}" for i in range(n_samples))]) + "\n")
        for gene in range(n_genes):
            values = rng.uniform(0, 20, n_samples)
            file.write(f"g{gene}\t" + "\t".join(f"{v:.4f}" for v in values) + "\n")


def write_counts(folder, n_genes, n_samples):
    """Write negative binomial counts, of which many are zero."""
    rng = np.random.default_rng(0)
    rate = rng.lognormal(2, 2.5, (n_genes, 1))
    with h5py.File(folder / "archs4.h5", "w") as file:
        counts = file.create_dataset(
            "data/expression",
            (n_genes, n_samples),
            np.uint32,
            chunks=(min(n_genes, 2000), min(n_samples, 64)),
            compression="gzip",
        )
        for start in range(0, n_samples, 64):
            n = min(64, n_samples - start)
            drawn = rng.poisson(rate * rng.gamma(0.5, 2, (n_genes, n)))
            counts[:, start : start + n] = drawn
        file["meta/genes/symbol"] = [f"g{i}" for i in range(n_genes)]
        file["meta/samples/geo_accession"] = [f"GSM{i}" for i in range(n_samples)]


def some(folder):
    """Return the places of some samples: one in ten, in no order."""
    with h5py.File(folder / "archs4.h5") as file:
        n_samples = file["data/expression"].shape[1]
    return np.random.default_rng(0).permutation(n_samples)[: n_samples // 10]


def import_only(folder):
    return np.zeros(0)


def read_csv(folder):
    X = pd.read_csv(folder / "xena.tsv", sep="\t", index_col=0)
    return X.T.astype(np.float32)


def read_xena(folder):
    return io.read_xena(folder / "xena.tsv")


def read_100_genes(folder):
    genes = [f"g{i}" for i in range(0, 1000, 10)]
    return io.read_xena(folder / "xena.tsv", genes=genes)


def to_memmap(folder):
    return io.to_memmap(folder / "xena.tsv", folder / "xena.npy")


def h5py_whole(folder):
    with h5py.File(folder / "archs4.h5") as file:
        return file["data/expression"][:].T.astype(np.float32)


def read_archs4(folder):
    return io.read_archs4(folder / "archs4.h5")


def read_log_cpm(folder):
    return io.read_archs4(folder / "archs4.h5", normalize="log_cpm")


def counts_to_memmap(folder):
    return io.to_memmap(folder / "archs4.h5", folder / "archs4.npy")


def h5py_fancy(folder):
    places = some(folder)
    order = np.argsort(places)
    with h5py.File(folder / "archs4.h5") as file:
        columns = file["data/expression"][:, places[order]]
    return columns[:, np.argsort(order)].T.astype(np.float32)


def read_some(folder):
    samples = [f"GSM{i}" for i in some(folder)]
    return io.read_archs4(folder / "archs4.h5", samples=samples)


# What is read: ways of reading it, all of the same result. The plain way stands first.
WAYS = {
    "nothing": [import_only],
    "text": [read_csv, read_xena, to_memmap],
    "text, 100 genes": [read_100_genes],
    "counts": [h5py_whole, read_archs4, counts_to_memmap],
    "counts, log CPM": [read_log_cpm],
    "counts, a tenth": [h5py_fancy, read_some],
}


def check(X):
    """Return a number that tells one result from another, in little memory."""
    X, number = np.asarray(X), 0
    for start in range(0, len(X), 100):
        number = zlib.crc32(np.ascontiguousarray(X[start : start + 100]), number)
    return number


def measure(function, folder, results):
    """Run one way of reading, in a process of its own."""
    start = time.perf_counter()
    X = function(folder)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results.put((seconds, peak, X.nbytes if X.ndim < 2 else 4 * X.size, check(X)))


def in_a_process(function, *args):
    process = multiprocessing.get_context("spawn").Process(target=function, args=args)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{function.__name__} failed")


def compare(folder):
    print(f"{'':18s}{'':18s}{'seconds':>9s}{'peak':>11s}{'beyond':>11s}{'result':>11s}")
    base = None
    for name, functions in WAYS.items():
        checks = set()
        for function in functions:
            results = multiprocessing.get_context("spawn").SimpleQueue()
            in_a_process(measure, function, folder, results)
            seconds, peak, size, number = results.get()
            base = base or peak
            checks.add(number)
            print(
                f"{name:18s}{function.__name__:18s}{seconds:9.1f}{peak:8.0f} MB"
                f"{peak - base:8.0f} MB{size / 2**20:8.0f} MB",
                flush=True,
            )
        assert len(checks) == 1, f"{name}: results differ"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--counts", type=int, default=5000, help="samples with counts")
    parser.add_argument("--folder", help="where to write; about 2 GB by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = Path(folder)
        in_a_process(write_text, folder, options.genes, options.samples)
        in_a_process(write_counts, folder, options.genes, options.counts)
        for name in ("xena.tsv", "archs4.h5"):
            size = (folder / name).stat().st_size / 2**20
            print(f"{name}: {size:,.0f} MB")
        compare(folder)


if __name__ == "__main__":
    main()

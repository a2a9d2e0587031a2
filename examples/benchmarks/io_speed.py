"""What reading costs, in time and memory, beside the plain way.

    python io_speed.py [--genes 20000] [--samples 2000] [--counts 5000] [--folder .]
        [--only text ...] [--repeats 3]

Writes a text table as UCSC Xena has them, the same with a sample in each line, and gene
counts in compressed chunks as in an ARCHS4 file, and prints for each way of reading
them:

- seconds, with the file in the cache of the system, and their ratio to the first way;
  medians, with the ways in turn;
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
from _records import record

from skgex import io


def write_text(folder, n_genes, n_samples):
    """Write log2 values with four digits, gene by gene."""
    rng = np.random.default_rng(0)
    with open(folder / "xena.tsv", "w") as file:
        file.write("\t".join(["sample", *(f"S{i}" for i in range(n_samples))]) + "\n")
        for gene in range(n_genes):
            values = rng.uniform(0, 20, n_samples)
            file.write(f"g{gene}\t" + "\t".join(f"{v:.4f}" for v in values) + "\n")


def write_samples(folder, n_genes, n_samples):
    """Write the same kind of values, sample by sample."""
    rng = np.random.default_rng(0)
    with open(folder / "samples.csv", "w") as file:
        file.write(",".join(["sample_id", *(f"g{i}" for i in range(n_genes))]) + "\n")
        for sample in range(n_samples):
            values = rng.uniform(0, 20, n_genes)
            file.write(f"S{sample}," + ",".join(f"{v:.4f}" for v in values) + "\n")


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


def read_expression(folder):
    return io.read_expression(folder / "xena.tsv", orient="genes_in_rows")


def read_csv_samples(folder):
    return pd.read_csv(folder / "samples.csv", index_col=0).astype(np.float32)


def read_samples(folder):
    return io.read_expression(folder / "samples.csv", orient="samples_in_rows")


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
    "text": [read_csv, read_xena, read_expression, to_memmap],
    "samples in lines": [read_csv_samples, read_samples],
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


def compare(folder, names, n_repeats):
    print(
        f"{'':18s}{'':18s}{'seconds':>9s}{'ratio':>7s}{'peak':>11s}{'beyond':>11s}"
        f"{'result':>11s}"
    )
    base = run_in_process(import_only, folder)[1]
    for name in names:
        runs = {function: [] for function in WAYS[name]}
        for function in list(runs) * n_repeats:
            runs[function].append(run_in_process(function, folder))
        checks = {number for found in runs.values() for *_, number in found}
        assert len(checks) == 1, f"{name}: results differ"
        first = np.median([run[0] for run in runs[WAYS[name][0]]])
        for function, found in runs.items():
            seconds, peak, size, _ = np.median(np.array(found, float), axis=0)
            way, first_way = (
                f"{name}: {f.__name__}" for f in (function, WAYS[name][0])
            )
            record(way, [run[0] for run in found], beside=first_way)
            record(way, [run[1] - base for run in found], "MB", beside=first_way)
            print(
                f"{name:18s}{function.__name__:18s}{seconds:9.1f}{seconds / first:7.2f}"
                f"{peak:8.0f} MB{peak - base:8.0f} MB{size / 2**20:8.0f} MB",
                flush=True,
            )


def run_in_process(function, folder):
    results = multiprocessing.get_context("spawn").SimpleQueue()
    in_a_process(measure, function, folder, results)
    return results.get()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--counts", type=int, default=5000, help="samples with counts")
    parser.add_argument("--folder", help="where to write; about 2 GB by default")
    parser.add_argument("--only", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = Path(folder)
        size = options.genes, options.samples
        if any(name.startswith("text") for name in options.only):
            in_a_process(write_text, folder, *size)
        if "samples in lines" in options.only:
            in_a_process(write_samples, folder, *size)
        if any(name.startswith("counts") for name in options.only):
            in_a_process(write_counts, folder, options.genes, options.counts)
        for file in folder.iterdir():
            print(f"{file.name}: {file.stat().st_size / 2**20:,.0f} MB")
        compare(folder, options.only, options.repeats)


if __name__ == "__main__":
    main()

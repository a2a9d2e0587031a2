"""What preprocessing costs beside pandas, SciPy and scikit-learn.

    python preprocessing_speed.py [--samples 1000] [--genes 20000] [--repeats 5]

Prints the median and the range of seconds of

- alignment of a table to 19,000 other genes (95 % of its number), a twentieth of them
  absent, beside `DataFrame.reindex`, and with two columns of each gene, beside a
  `groupby` of the columns by gene;
- log-CPM, beside the formula in NumPy on the whole array;
- quantile normalisation of complete samples, and of samples that lack 2 % of their
  values, beside one sample at a time with `scipy.stats.rankdata` and `numpy.interp`;
- the selection of genes by variance from an array and from a memory map, beside
  `StandardScaler.partial_fit` over chunks of rows and `numpy.nanvar`, with the rate at
  which the values are read, and beside it that of a plain sum.

Results are compared before they are timed. Everything is measured side by side in one
run; set OMP_NUM_THREADS=1 to compare.
"""

import argparse
import re
import statistics
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from _records import record
from _timing import side_by_side
from scipy.stats import rankdata
from sklearn.preprocessing import StandardScaler

from skgex import GeneAligner, LogCPM, QuantileNormalizer, TopVarianceGenes


def report(title, functions, repeats, n_bytes=None, beside=None):
    reference = f"{title}: {beside or list(functions)[-1]}"
    print(f"\n{title}")
    for name, seconds in side_by_side(functions, repeats).items():
        median = statistics.median(seconds)
        record(f"{title}: {name}", seconds, beside=reference)
        rate = f"{n_bytes / median / 1e9:8.2f} GB/s" if n_bytes else ""
        print(f"{name:42s}{median:8.3f}{min(seconds):9.3f}-{max(seconds):.3f}{rate}")


def make_counts(n_samples, n_genes):
    rng = np.random.default_rng(0)
    level = rng.lognormal(3, 2, n_genes)
    noise = rng.standard_normal((n_samples, n_genes), dtype=np.float32)
    return np.rint(level * np.exp(0.5 * noise)).astype(np.float32)


def measure_alignment(counts, repeats):
    n_genes = counts.shape[1]
    rng = np.random.default_rng(0)
    ids = [f"ENSG{i:011d}" for i in range(n_genes)]
    table = pd.DataFrame(counts, columns=ids)
    n_shared = int(0.9 * n_genes)
    others = [f"ENSG{n_genes + i:011d}" for i in range(n_genes // 20)]
    genes = list(rng.permutation([*rng.choice(ids, n_shared, replace=False), *others]))
    aligner = GeneAligner(genes).fit(table)
    expected = table.reindex(columns=genes)
    np.testing.assert_array_equal(aligner.transform(table), expected)
    report(
        f"alignment to {len(genes):,d} genes, {len(others):,d} of them absent",
        {
            "GeneAligner, transform": lambda: aligner.transform(table),
            "GeneAligner, fit and transform": lambda: aligner.fit_transform(table),
            "DataFrame.reindex": lambda: table.reindex(columns=genes),
            "DataFrame.reindex, and to an array of rows": lambda: np.ascontiguousarray(
                table.reindex(columns=genes)
            ),
        },
        repeats,
    )
    doubled = table.set_axis([ids[i // 2] for i in range(n_genes)], axis=1)
    pairs = GeneAligner(ids[: (n_genes + 1) // 2]).fit(doubled)

    def group():
        return doubled.T.groupby(level=0, sort=False).mean().T

    np.testing.assert_allclose(pairs.transform(doubled), group(), rtol=1e-6)
    report(
        "the same with two columns of each gene",
        {
            "GeneAligner, transform": lambda: pairs.transform(doubled),
            "DataFrame.T.groupby(genes).mean().T": group,
        },
        repeats,
    )


def measure_log_cpm(counts, repeats):
    model = LogCPM().fit(counts)

    def formula():
        return np.log2(counts / counts.sum(axis=1, keepdims=True) * 1e6 + 1)

    np.testing.assert_allclose(model.transform(counts), formula(), atol=1e-4)
    report(
        "log-CPM",
        {
            "LogCPM, transform": lambda: model.transform(counts),
            "LogCPM, fit and transform": lambda: model.fit_transform(counts),
            "the formula in NumPy": formula,
        },
        repeats,
    )


def one_by_one(X):
    """Quantile normalisation, one sample after the other."""
    grid = np.linspace(0, 1, X.shape[1])
    measured = [sample[~np.isnan(sample)] for sample in X]
    places = [np.linspace(0, 1, len(values)) for values in measured]
    curves = zip(places, measured, strict=True)
    reference = np.mean([np.interp(grid, p, np.sort(v)) for p, v in curves], axis=0)
    output = np.full_like(X, np.nan)
    for sample, values, row in zip(X, measured, output, strict=True):
        share = (rankdata(values) - 1) / (len(values) - 1)
        row[~np.isnan(sample)] = np.interp(share, grid, reference)
    return output


def measure_quantiles(counts, repeats):
    logs = LogCPM().fit_transform(counts)
    holes = logs.copy()
    holes[np.random.default_rng(0).random(logs.shape, np.float32) < 0.02] = np.nan
    for name, X in {"complete": logs, "2 % missing": holes}.items():
        model = QuantileNormalizer().fit(X)
        few = slice(0, 50)
        np.testing.assert_allclose(
            QuantileNormalizer().fit_transform(X[few]), one_by_one(X[few]), rtol=1e-5
        )
        report(
            f"quantile normalisation, {name}",
            {
                "QuantileNormalizer, fit": lambda X=X: QuantileNormalizer().fit(X),
                "QuantileNormalizer, transform": lambda X=X, m=model: m.transform(X),
                "sample by sample, rankdata and interp": lambda X=X: one_by_one(X),
            },
            repeats,
        )


def scaler(X):
    model = StandardScaler()
    for start in range(0, len(X), 200):
        model.partial_fit(X[start : start + 200])
    return model.var_


def resident():
    """Megabytes of this process in memory, files that it maps included."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1]) / 1e3


def measure_variance(counts, repeats):
    logs = LogCPM().fit_transform(counts)
    selector = TopVarianceGenes(k=min(2000, logs.shape[1]))
    expected = scaler(logs)
    np.testing.assert_allclose(selector.fit(logs).variances_, expected, rtol=1e-5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "logs.npy")
        np.save(path, logs)
        mapped = np.load(path, mmap_mode="r")
        for name, X in {"array": logs, "memory map": mapped}.items():
            report(
                f"variances, {name}",
                {
                    "TopVarianceGenes, fit": lambda X=X: selector.fit(X),
                    "StandardScaler.partial_fit": lambda X=X: scaler(X),
                    "numpy.nanvar": lambda X=X: np.nanvar(X, axis=0),
                    "the sum of the values": lambda X=X: X.sum(axis=0),
                },
                repeats,
                n_bytes=X.nbytes,
                beside="StandardScaler.partial_fit",
            )
        mapped = np.load(path, mmap_mode="r")
        before = resident()
        selector.fit(mapped)
        print(f"memory after a fit to the map: {resident() - before:+.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{options.samples:,d} samples, {options.genes:,d} genes, float32")
    counts = make_counts(options.samples, options.genes)
    measure_alignment(counts, options.repeats)
    measure_log_cpm(counts, options.repeats)
    measure_quantiles(counts, options.repeats)
    measure_variance(counts, options.repeats)


if __name__ == "__main__":
    main()

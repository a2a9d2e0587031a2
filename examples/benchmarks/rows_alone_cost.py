"""What a call takes, on many samples and on one.

    python rows_alone_cost.py [--repeats 5] [--only SCARF GexBERT GexImputer] [--quick]

A sample has the same outputs, bit for bit, whoever else is in the call: rows are
computed in blocks of one size, which a single sample fills up. Run it with two versions
of the package by turns, ``PYTHONPATH=...``, to compare them. Prints processor seconds
for all samples, and milliseconds for one.
"""

import argparse
import statistics

import numpy as np
import torch
from _records import record
from _timing import cpu_seconds

from skgex import SCARF, GexBERT, GexImputer
from skgex.datasets import make_expression

# What sizes are divided by.
SCALE = {"size": 1}


def make_table(n_samples, n_genes, rate=0.0):
    n_samples, n_genes = n_samples // SCALE["size"], n_genes // SCALE["size"]
    X = make_expression(n_samples, n_genes, n_factors=60, random_state=0)
    holes = np.random.default_rng(0).random(X.shape) < rate
    return np.where(holes, np.nan, X).astype(np.float32)


def report(name, function, X, repeats):
    calls = cpu_seconds(function, X, repeats), cpu_seconds(function, X[:1], 4 * repeats)
    record(name, calls[0], "CPU s")
    record(f"{name}, one row", calls[1], "CPU s")
    many, one = (statistics.median(times) for times in calls)
    print(f"{name:<28} {many:8.3f} s {1e3 * one:9.2f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    known = ["SCARF", "GexBERT", "GexImputer"]
    parser.add_argument("--only", nargs="+", choices=known, default=known)
    parser.add_argument("--quick", action="store_true", help="a tenth of each side")
    options = parser.parse_args()
    SCALE["size"] = 10 if options.quick else 1
    torch.set_num_threads(1)
    print(f"{'':<28} {'all':>10} {'one':>12}")
    if "SCARF" in options.only:
        X = make_table(10_000, 5000)
        scarf = SCARF(max_epochs=1, random_state=0).fit(X[:300])
        report("SCARF, 10,000 x 5,000", scarf.transform, X, options.repeats)
    if "GexBERT" in options.only:
        X = make_table(500, 1000, 0.1)
        bert = GexBERT(max_epochs=1, random_state=0).fit(X)
        report("GexBERT, 500 x 1,000, 10 %", bert.transform, X, options.repeats)
    if "GexImputer" in options.only:
        few, many = make_table(1000, 1500, 0.02), make_table(1000, 1500, 0.1)
        imputer = GexImputer(GexBERT(max_epochs=0), random_state=0).fit(many)
        report("GexImputer, its own, 10 %", imputer.transform, many, options.repeats)
        report("GexImputer, new, 10 %", imputer.transform, many + 0.01, options.repeats)
        report("GexImputer, new, 2 %", imputer.transform, few, options.repeats)


if __name__ == "__main__":
    main()

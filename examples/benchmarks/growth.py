"""How time grows with samples and with genes.

    python growth.py [--samples 1000 2000 4000] [--genes 1000 2000 4000] [--repeats 3]

Seconds of processor time of a fit with one epoch, and of `transform`, of each embedder
with its default settings, on one thread: with more samples at the fewest genes, and
with more genes at the fewest samples. `run.py` tells the exponents: 1 is linear.
"""

import argparse
import statistics

import torch
from _records import record
from _timing import cpu_seconds

from skgex import BYOL, SCARF, VIME, GexBERT
from skgex.datasets import make_expression

EMBEDDERS = {
    "SCARF": lambda: SCARF(max_epochs=1, random_state=0),
    "VIME": lambda: VIME(max_epochs=1, random_state=0),
    "BYOL": lambda: BYOL(max_epochs=1, random_state=0),
    "GexBERT": lambda: GexBERT(max_epochs=1, random_state=0),
}


def measure(n_samples, n_genes, names, repeats):
    X = make_expression(n_samples, n_genes, n_factors=20, random_state=0)
    for name in names:
        embedder = EMBEDDERS[name]()
        for method in ("fit", "transform"):
            times = cpu_seconds(getattr(embedder, method), X, repeats)
            print(
                f"{name:8s} {method:10s} {n_samples:7,} x {n_genes:<7,} "
                f"{statistics.median(times):9.3f} s",
                flush=True,
            )
            size = {"samples": n_samples, "genes": n_genes}
            record(f"{name}, {method}", times, "CPU s", **size)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[1000, 2000, 4000])
    parser.add_argument("--genes", type=int, nargs="+", default=[1000, 2000, 4000])
    parser.add_argument("--only", nargs="+", choices=EMBEDDERS, default=list(EMBEDDERS))
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    samples, genes = sorted(options.samples), sorted(options.genes)
    sizes = [(n, genes[0]) for n in samples] + [(samples[0], p) for p in genes[1:]]
    for n_samples, n_genes in sizes:
        measure(n_samples, n_genes, options.only, options.repeats)


if __name__ == "__main__":
    main()

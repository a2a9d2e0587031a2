"""Restore genes of a cohort of which few rows are known, with a pretrained start.

    python few_rows.py --data DIR [--targets ...] [--sizes 10 20 40 100 300]
        [--seeds 0 1 2 3 4] [--methods ...] [--weights ...] [--only-ours]
        [--save CSV] [--cache DIR] [--quick]
    python few_rows.py --data DIR --shipped [--sizes ...] [--seeds ...] [--save CSV]
    python few_rows.py --data DIR --cost [--cache DIR] [--quick]

DIR holds the sets, each with `X.npz` (X, samples, genes) and `meta.csv`. Pretrained is
`GexBERT(max_epochs=0)` on the ten cohorts of tcga_z13, as sign(z) log(1 + abs(z)),
genes centred within each cohort. Targets are other sets (tcga_toil4 floored at -4,
arrays with the holes that they have), and each of the ten cohorts ("z13:KIRP"), with
the other nine as the start. Patients recur between sets: those of the target are left
out of the pretraining table, so that nearly each target has a start of its own.

Of a target n rows are given, drawn by patient, and up to 150 other rows are restored.
Genes that do not vary in the n rows are dropped. Beside the genes shared with the start
the target keeps up to 1,500 others, those that vary most in the n rows, and the two
kinds are scored separately ("shared", "new"). Of the test rows 30 % or 70 % of the
values are hidden at random, or one random half of the genes in all of them ("panel").
Errors are in standard deviations of the gene over all rows that are used, clipped at
10; correlations are those of a gene across samples, their median over genes.

- own rows: GexBERT(max_epochs=0), fitted to the n rows;
- frozen: the pretrained model; shared genes are standardised by the n rows and brought
  to its mean and scale, and what it restores is brought back. "frozen, raw" does so for
  means alone, for the cohorts of tcga_z13, which share a unit;
- adapted: GexBERT(max_epochs=0, start=...); with `--weights` also with fixed weights;
- gene mean, and KNN own: of the n rows, 10 neighbours (KNNImputer);
- of pretraining samples, standardised, over shared genes: the mean of the 10 nearest
  ("KNN pretraining"); a sparse mixture of 500 of them, for each sample its own
  ("SampleLASSO"); and for the panel ridge regression from the genes measured to those
  hidden ("ridge pretraining").

Prints the errors, and what "adapted" gains over the better of "own rows" and "frozen",
the better of each draw, with a normal 95 % interval over targets and draws. With
`--save`, rows are appended as they come, and what the file has is not measured again.
`--cache` keeps pretrained models, and must be emptied when their code changes. `--cost`
measures seconds and peak memory of adapting to 100 synthetic rows instead. `--shipped`
starts from the weights that ship with the package, for sets without patients of TCGA.
"""

import argparse
from pathlib import Path

import few_rows_cost
import pandas as pd
import torch
from _timing import timed
from few_rows_data import SETS, TARGETS, draw, read_cohort, scores
from few_rows_methods import (
    METHODS,
    NEEDS_SHARED,
    OURS,
    PANEL_ONLY,
    Shipped,
    make,
    pretrained,
)
from few_rows_report import report
from threadpoolctl import threadpool_limits

SIZES = [10, 20, 40, 100, 300]
KEY = ["target", "seed", "n", "method"]
SCORES = ["holes", "genes", "rmse", "r", "n_test", "n_genes", "fit_s", "restore_s"]
NOT_TCGA = ["breast_nki150", "breast_expo353"]
QUICK = {
    "targets": ["tcga_toil4", "breast_nki150", "lung_michigan", "z13:PAAD"],
    "sizes": [10, 100],
    "seeds": [0, 1],
}


def unfit(name, target, known):
    """Whether a method has nothing to say of a target."""
    other_unit = name == "frozen, raw" and target in SETS
    return other_unit or (name in NEEDS_SHARED and not known.any())


def measure(name, task, start):
    """Yield the scores of a method for each pattern of holes."""
    method = make(name)
    # Pretraining is no part of the seconds.
    start.model
    method, fit_s = timed(method.fit, task, start)
    for holes in ["panel"] if name in PANEL_ONLY else task.hidden:
        restored, restore_s = timed(method.restore, task.holed(holes))
        for row in scores(task, holes, restored):
            yield {**row, "fit_s": fit_s, "restore_s": restore_s}


def run(target, arguments, saved):
    """Measure all cells of a target that are not among the saved ones."""
    done = set(map(tuple, saved[KEY].values.tolist()))
    cohort = read_cohort(arguments.data, target)
    if arguments.shipped:
        start = Shipped()
    else:
        patients = frozenset(cohort.patients)
        start = pretrained(arguments.data, patients, arguments.quick, arguments.cache)
    for seed in arguments.seeds:
        for n in arguments.sizes:
            task = draw(cohort, start.genes, n, seed, 60 if arguments.quick else 1500)
            if task is None:
                continue
            shapes = (
                f"{task.known.sum()} + {(~task.known).sum()} genes, {len(task.test)}"
            )
            print(f"{target}, seed {seed}, n = {n}: {shapes} test rows", flush=True)
            for name in arguments.methods:
                key = target, seed, n, name
                if key in done or unfit(name, target, task.known):
                    continue
                about = dict(zip(KEY, key, strict=True))
                new = [{**about, **row} for row in measure(name, task, start)]
                main = [row for row in new if row["genes"] == new[0]["genes"]]
                errors = " ".join(f"{row['rmse']:.4f}" for row in main)
                seconds = sum(row["restore_s"] for row in main)
                print(f"  {name}: {errors}, {new[0]['fit_s']:.1f} + {seconds:.1f} s")
                yield pd.DataFrame(new, columns=KEY + SCORES)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--targets", nargs="*", choices=TARGETS)
    parser.add_argument("--sizes", nargs="*", type=int)
    parser.add_argument("--seeds", nargs="*", type=int)
    parser.add_argument("--methods", nargs="*", choices=METHODS)
    parser.add_argument("--weights", nargs="*", type=float, default=[])
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few rows and genes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="append rows to this CSV; resume")
    parser.add_argument("--cache", type=Path, help="folder for pretrained models")
    arguments = parser.parse_args()
    quick = QUICK if arguments.quick else {}
    arguments.targets = arguments.targets or quick.get("targets", TARGETS)
    arguments.sizes = arguments.sizes or quick.get("sizes", SIZES)
    arguments.seeds = arguments.seeds or quick.get("seeds", list(range(5)))
    if arguments.shipped:
        # All sets of TCGA are in these weights.
        arguments.targets, arguments.only_ours = NOT_TCGA, True
    methods = arguments.methods or list(OURS if arguments.only_ours else METHODS)
    weights = [f"adapted, {weight:g}" for weight in arguments.weights]
    arguments.methods = methods + weights
    return arguments


def main(arguments):
    path, saved = arguments.save, pd.DataFrame(columns=KEY + SCORES)
    if path and path.exists():
        saved = pd.read_csv(path)
    asked = saved["target"].isin(arguments.targets) & saved["n"].isin(arguments.sizes)
    asked &= saved["seed"].isin(arguments.seeds)
    tables = [saved[asked & saved["method"].isin(arguments.methods)]]
    for target in arguments.targets:
        for new in run(target, arguments, saved):
            tables.append(new)
            if path:
                new.to_csv(path, mode="a", header=not path.exists(), index=False)
    report(pd.concat([table for table in tables if len(table)], ignore_index=True))


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    with threadpool_limits(arguments.threads):
        few_rows_cost.main(arguments) if arguments.cost else main(arguments)

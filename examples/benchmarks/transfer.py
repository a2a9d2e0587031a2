"""Transfer between cohorts and platforms: what another study adds to few labels.

    python transfer.py --data DIR [--tasks ...] [--seeds 3] [--draws 4] [--quick]

DIR holds the sets, each with `X.npz` (X, samples, genes) and `meta.csv`. From a source
to a target, over the genes that both have:

- `gtex-toil4`: healthy tissues to four cancer types, RNA-seq, log2 TPM; 31 genes;
- `toil4-gtex`: the reverse, to 26 tissues;
- `pam50-expo`, `pam50-nki`: subtypes of breast cancer, RNA-seq, to the oestrogen
  receptor, on an Affymetrix and on a two-colour microarray; 74 and 91 genes;
- `restore`: patients in both `tcga_toil4` and `tcga_z13`; genes of the one restored
  from the 222 genes that both have as measured in the other (`transfer_restore.py`).

The target is split 70/30 by patient or donor. A share of its training part has labels,
at least one for each class; smaller shares are among the larger ones. All models see
the same splits and labels, and no test row before they are fitted.

- Of the target alone: logistic regression as it comes ("LR") and with C = 0.01 and
  balanced classes ("LR, C=.01"); a support vector machine; a network that was not
  pretrained ("scratch", its head started like that of the others, or at random), or on
  the training part of the target without labels ("target").
- Transferred without labels: pretrained on the source ("source"), then also on the
  training part of the target ("source, target").
- Transferred with the labels of the source, of subtypes only: "source labels" is
  "source", tuned to them, then to those of the target. "source classes" is "source"
  with a head for them, the encoder frozen; logistic regression reads its logits. The
  encoder of "source classes, scratch" is not pretrained. "LR of source classes" is the
  same, without a network, from the decision values of a logistic regression, also for
  tissues and cancer types, and "genes + LR of ..." reads the genes beside them.
- "all genes": what leaving out genes costs: logistic regression on all genes of the
  target, and with `--all-genes` a network pretrained on all genes of the source that
  goes on with all genes of the target. With z-scores only.

Scales: values as they are ("none"), z-scores in each cohort by its training rows ("z"),
`QuantileNormalizer` fitted on the source ("quantile"), or one after the other. A
network standardises by the samples on which it was pretrained first, a simple model by
the training part of the target, and what was fitted to the source by the source.

Networks have the default settings of `--method`. Prints means over seeds and draws, and
paired differences with their standard deviation over seeds. That the classes of the
source are read by a regularised head, and the settings of these heads, was chosen on
seeds 100 to 103; the seeds reported are others.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import transfer_restore
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from transfer_data import SCALES, TASKS, draw_labelled, read_task, scaled, split
from transfer_models import (
    ALL_GENES,
    FEW,
    METHODS,
    MODELS,
    TAUGHT,
    TRANSFERRED,
    all_genes,
    networks,
    simple_models,
)

# Against which the transferred models are held.
BASELINES = ["LR", "LR, C=.01", "scratch, random head", "target"]
BASELINES += ["LR of source classes"]


def run_task(task, seed, arguments):
    """Yield the scores of all models in one split."""
    source, target = read_task(arguments.data, task, arguments.quick)
    train, test = split(target, seed)
    for scale in arguments.scales:
        start = time.perf_counter()
        models = fit_without_labels(task, source, target, train, scale, seed, arguments)
        seconds = time.perf_counter() - start
        print(
            f"{task}, seed {seed}, {scale}: pretrained in {seconds:.0f} s", flush=True
        )
        for about, rows in draws(target.y, train, seed, arguments):
            about |= {"scale": scale, "seed": seed, "labels": len(rows)}
            for name, (model, X) in models.items():
                fitted = clone(model).fit(X.iloc[rows], target.y[rows])
                found = scores(fitted, X.iloc[test], target.y[test])
                yield about | {"model": name} | found


def chosen(task, scale, arguments):
    """Return the names of the models that are compared."""
    names = [name for name in arguments.models if name in FEW or scale == "z"]
    if not task.startswith("pam50"):
        names = [name for name in names if name not in TAUGHT]
    if not arguments.all_genes:
        names = [name for name in names if name != ALL_GENES[-1]]
    return names


def fit_without_labels(task, source, target, train, scale, seed, arguments):
    """Return the models for the target, each with the table that it reads."""
    names = chosen(task, scale, arguments)
    shared = source.X.columns.intersection(target.X.columns)
    tables = scaled(source.X[shared], target.X[shared], train, scale)
    models = simple_models(*tables, source.y, train)
    models |= networks(*tables, source.y, train, arguments, seed, names)
    if scale == "z":
        models |= all_genes(source.X, target.X, train, arguments, seed, names)
    return {name: models[name] for name in names}


def draws(y, train, seed, arguments):
    """Yield the rows that have labels, with where they were drawn."""
    for draw in range(arguments.draws):
        for fraction in arguments.fractions:
            if fraction == 1 and draw > 0:
                continue  # all labels are the same labels
            rng = np.random.default_rng([seed, draw])
            rows = draw_labelled(y, train, fraction, rng)
            yield {"draw": draw, "fraction": fraction}, rows


def scores(fitted, X, y):
    predicted = fitted.predict(X)
    found = {"accuracy": 100 * np.mean(predicted == y)}
    found["balanced"] = 100 * balanced_accuracy_score(y, predicted)
    if len(fitted.classes_) == 2:
        if hasattr(fitted, "decision_function"):
            value = fitted.decision_function(X)
        else:
            value = fitted.predict_proba(X)[:, 1]
        found["auc"] = 100 * roc_auc_score(y == fitted.classes_[1], value)
    return found


def report(table):
    for task, part in table.groupby("task", sort=False):
        binary = "auc" in part and part["auc"].notna().all()
        metrics = ["auc", "balanced"] if binary else ["accuracy"]
        labels = part.groupby("fraction").labels.mean().round().astype(int)
        print(f"\n{task}; labels: {labels.to_dict()}")
        for scale, of_scale in part.groupby("scale", sort=False):
            for metric in metrics:
                runs = of_scale.pivot_table(
                    index=["model", "seed"], columns="fraction", values=metric
                )
                mean = runs.groupby("model").mean()
                names = [name for name in MODELS if name in mean.index]
                print(f"\n{scale}, {metric}\n{mean.loc[names].round(1).to_string()}")
                if metric == metrics[0]:
                    report_leads(runs, names)


def report_leads(runs, names):
    """Print by how much transferred models lead others, over the seeds."""
    for name in [name for name in TRANSFERRED if name in names]:
        for base in [base for base in BASELINES if base in names]:
            lead = runs.loc[name] - runs.loc[base]
            cells = zip(lead.mean(), lead.std(), strict=True)
            cells = "  ".join(f"{m:+5.1f} ({s:4.1f})" for m, s in cells)
            print(f"{name + ' - ' + base:38s}{cells}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    tasks = [*TASKS, "restore"]
    parser.add_argument("--tasks", nargs="*", choices=tasks, default=tasks)
    parser.add_argument("--scales", nargs="*", choices=SCALES, default=SCALES)
    parser.add_argument("--method", choices=METHODS, default="VIME")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=4)
    fractions = [0.02, 0.05, 0.1]
    parser.add_argument("--fractions", nargs="*", type=float, default=fractions)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=MODELS)
    parser.add_argument(
        "--all-genes", action="store_true", help="also a network that reads all genes"
    )
    parser.add_argument(
        "--prior-alone", action="store_true", help="restore without the network"
    )
    parser.add_argument("--quick", action="store_true", help="one seed, two epochs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the tables as CSV here")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    warnings.filterwarnings("ignore", message=".*constant in X")
    warnings.filterwarnings("ignore", message="The number of unique classes")
    warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
    if arguments.quick:
        arguments.seeds, arguments.draws = 1, 1
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    rows = []
    for task in arguments.tasks:
        for seed in seeds:
            if task == "restore":
                run = transfer_restore.run(
                    arguments.data, seed, arguments.quick, not arguments.prior_alone
                )
            else:
                run = run_task(task, seed, arguments)
            rows += [{"task": task} | row for row in run]
            if arguments.save:
                pd.DataFrame(rows).to_csv(arguments.save, index=False)
    table = pd.DataFrame(rows)
    restored = table.task == "restore"
    if not restored.all():
        report(table[~restored])
    if restored.any():
        transfer_restore.report(table[restored])

"""Claims on self-supervised pretraining that no other table holds, part by part.

    python claims.py --data DIR [--parts size freeze rank shape paper] [--sets gtex]

DIR, sets, splits by donor or patient and simple models are those of
`label_efficiency.py`. All models of a split see the same labelled samples, nested over
shares, one of each class at least. Networks are fine-tuned alone (`linear_weight=0`).

- size: pretraining on 100, 300, 900 and all training samples; 5 % of the labels;
- freeze: only the head is trained on the pretrained encoder, or the encoder as well, by
  share of labels; and logistic regression on the embedding;
- rank: effective rank of the embedding of the test samples: the exponential of the
  entropy of its singular values, which add up to one [1]_. With `--gexbert` also of
  GexBERT's;
- shape: 2, 4 and 8 layers of 256 and 1,024; 5 % of the labels and all;
- paper: the settings of the study of the claims beside the defaults. Their optimisers
  and their fine-tuning are not repeated.

`--rows` leaves so many random training samples, as if there were no others.

"Scratch" is the network of SCARF and BYOL without pretraining, with its head started as
for the others or, "random head", at random.

.. [1] Roy O., Vetterli M. "The effective rank: a measure of effective dimensionality",
   EUSIPCO 2007.
"""

import argparse
import time
import warnings
from ast import literal_eval
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from claims_split import Split, published
from label_efficiency import METHODS, SETS, simple_models
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transfer_models import tuned

from skgex import GexBERT

SHARES = [0.02, 0.05, 0.1, 0.2, 1.0]
SIZES = [100, 300, 900, None]
SHAPES = [(width,) * depth for depth in (2, 4, 8) for width in (256, 1024)]


def size(split, arguments):
    yield from split.baselines([0.05])
    for n in SIZES:
        for method in METHODS:
            score = split.score(tuned(split.pretrained(method, n), split.seed), 0.05)
            what = f"{n:,}" if n else "all"
            yield {"model": method, "of": what, "share": 0.05, "score": score}


def freeze(split, arguments):
    yield from split.baselines(SHARES)
    starts = {method: split.pretrained(method) for method in METHODS}
    starts["scratch"] = split.pretrained("SCARF", max_epochs=0)
    for method, start in starts.items():
        Z = start.transform(split.X)
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        for share in SHARES:
            row = {"model": method, "share": share}
            yield row | {"of": "frozen + LR", "score": split.score(probe, share, Z)}
            kinds = {"frozen": True} | ({"tuned": False} if method in METHODS else {})
            for kind, frozen in kinds.items():
                model = tuned(start, split.seed).set_params(freeze=frozen)
                yield row | {"of": kind, "score": split.score(model, share)}


def rank(split, arguments):
    scaler, clip, components, _ = simple_models(128)["PCA + LR"]
    Z = clip.transform(scaler.fit(split.X[split.train]).transform(split.X))
    yield spectrum("genes, standardised", Z[split.test])
    if components.n_components < Z.shape[1]:
        components.fit(Z[split.train])
        yield spectrum("PCA", components.transform(Z[split.test]))
    starts = {"untrained": split.pretrained("SCARF", max_epochs=0)}
    # Those of the part paper, if it was run.
    names = [name for name, n, *_ in split.fitted if n is None and "published" in name]
    starts |= {name: split.pretrained(name) for name in [*METHODS, *names]}
    if arguments.gexbert:
        embedder = GexBERT(random_state=split.seed)
        starts["GexBERT"] = embedder.fit(split.X[split.train])
    for name, embedder in starts.items():
        yield spectrum(name, embedder.transform(split.X[split.test]))


def spectrum(name, Z):
    """Return the effective rank of an embedding, and where 99 % of its variance is."""
    found = np.linalg.svd(Z - Z.mean(axis=0), compute_uv=False)
    p, variance = found / found.sum(), np.cumsum(found**2) / (found**2).sum()
    entropy = -(p[p > 0] * np.log(p[p > 0])).sum()
    row = {"model": name, "dimensions": Z.shape[1], "score": np.exp(entropy)}
    return row | {"99 % of variance": np.searchsorted(variance, 0.99) + 1}


def shape(split, arguments):
    yield from split.baselines([0.05, 1.0])
    for dims in arguments.shapes:
        for method in [*METHODS, "scratch"]:
            scratch = {"max_epochs": 0} if method == "scratch" else {}
            name = "SCARF" if scratch else method
            start = split.pretrained(name, hidden_dims=dims, **scratch)
            for share in (0.05, 1.0):
                model = tuned(start, split.seed)
                if scratch:
                    model.set_params(head_init="random")
                row = {"model": method, "of": f"{len(dims)} x {dims[0]:,}"}
                yield row | {"share": share, "score": split.score(model, share)}


def paper(split, arguments):
    yield from split.baselines(SHARES)
    deep = {"hidden_dims": (256,) * 4, "max_epochs": 0, "dropout": 0.2}
    starts = {name: split.pretrained(name) for name in [*published(), *METHODS]}
    starts["scratch, random head, published"] = split.pretrained("SCARF", **deep)
    for name, start in starts.items():
        for share in SHARES:
            model = tuned(start, split.seed)
            if "scratch" in name:
                model.set_params(head_init="random")
            yield {"model": name, "share": share, "score": split.score(model, share)}


PARTS = {"size": size, "freeze": freeze, "paper": paper, "rank": rank, "shape": shape}


def report(table):
    """Print means over seeds, with their standard deviation."""
    for (part, name), rows in table.groupby(["part", "set"], sort=False):
        print(f"\n{part}, {name}, {rows.seed.nunique()} seeds")
        rows = rows.dropna(axis=1, how="all").fillna({"of": "", "share": ""})
        keys = [key for key in ("model", "of") if key in rows]
        if part == "rank":
            keys, rows = ["model", "dimensions"], rows.assign(share="effective rank")
        wide = rows.pivot_table(
            index=keys, columns="share", values="score", aggfunc=["mean", "std"], sort=0
        )
        cells = wide["mean"].map("{:.1f}".format)
        if "std" in wide:
            cells += wide["std"].map(" ({:.1f})".format)
        if part == "rank":
            cells["99 %"] = rows.groupby(keys)["99 % of variance"].mean().round(1)
        print(cells.to_string())


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--draws", type=int, default=2, help="of labels, for a seed")
    parser.add_argument("--rows", type=int, help="training samples; default all")
    parser.add_argument("--gexbert", action="store_true", help="in the part rank")
    parser.add_argument("--shapes", nargs="*", type=literal_eval, default=SHAPES)
    parser.add_argument("--add", nargs="*", type=Path, default=[], help="such tables")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write the table as CSV here")
    return parser.parse_args()


def main():
    arguments, rows = parse(), []
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", message=".*constant in X")
    warnings.filterwarnings("ignore", message="The number of unique classes")
    for name in arguments.sets:
        X, y, groups, n_components = SETS[name](arguments.data)
        for seed in arguments.seeds:
            splitter = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
            train, test = next(splitter.split(X, groups=groups))
            order = np.random.default_rng([seed, 2]).permutation(train)
            train = np.sort(order[: arguments.rows])
            split = Split(X, y, train, test, seed, n_components, arguments.draws, {})
            for part in arguments.parts:
                start = time.perf_counter()
                about = {"part": part, "set": name, "seed": seed}
                for row in PARTS[part](split, arguments):
                    rows.append(about | row)
                    if arguments.save:
                        pd.DataFrame(rows).to_csv(arguments.save, index=False)
                seconds = time.perf_counter() - start
                print(f"{part}, {name}, seed {seed}: {seconds:.0f} s", flush=True)
    tables = [pd.DataFrame(rows), *(pd.read_csv(path) for path in arguments.add)]
    report(pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    main()

"""Accuracy with few labels under other settings than the defaults.

    python search_settings.py --data DIR --set gtex --method VIME \\
        --vary dropout=0.0,0.1,0.2 --vary classifier__encoder_lr=3e-4,1e-3

Each `--vary` names a parameter of the method, or with the prefix `classifier__` one of
`FineTunedClassifier`, and its values, as Python literals. One is varied at a time. Each
setting is fine-tuned beside the same network from scratch, on the splits and labelled
samples of `label_efficiency.py`. This is how the defaults were found.
"""

import argparse
import ast
from pathlib import Path

import torch
from label_efficiency import METHODS, SETS

from skgex import FineTunedClassifier
from skgex.evaluation import label_efficiency_curve


def make(Method, name=None, value=None):
    """The fine-tuned method and its scratch network, with one setting changed."""
    for_classifier = (name or "").removeprefix("classifier__")
    classifier = {for_classifier: value} if for_classifier != (name or "") else {}
    classifier = {"linear_weight": 0, **classifier}
    method = {name: value} if name and for_classifier not in classifier else {}
    scratch = Method(**{**method, "max_epochs": 0})
    return {
        "scratch": FineTunedClassifier(scratch, **classifier),
        "tuned": FineTunedClassifier(Method(**method), **classifier),
    }


def literal(text):
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text


def settings(vary):
    yield "defaults", None, None
    for item in vary:
        name, values = item.split("=")
        for value in values.split(","):
            yield f"{name}={value}", name, literal(value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=SETS, default="gtex")
    parser.add_argument("--method", choices=METHODS, default="SCARF")
    parser.add_argument("--vary", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--fractions", nargs="*", type=float, default=[0.02, 0.05, 0.1])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    X, y, groups, _ = SETS[arguments.set](arguments.data)
    print(f"{arguments.method} on {arguments.set}, shares {arguments.fractions}")
    print("accuracy of fine-tuning (points above scratch)")
    for label, name, value in settings(arguments.vary):
        table = label_efficiency_curve(
            make(METHODS[arguments.method], name, value),
            X,
            y,
            groups=groups,
            fractions=arguments.fractions,
            n_splits=arguments.seeds,
            n_draws=arguments.draws,
        )
        mean = 100 * table.groupby(["estimator", "fraction"]).score.mean().unstack(0)
        gain = mean["tuned"] - mean["scratch"]
        cells = [
            f"{a:5.1f} ({g:+.1f})" for a, g in zip(mean["tuned"], gain, strict=True)
        ]
        print(f"{label:40s}" + "  ".join(cells), flush=True)

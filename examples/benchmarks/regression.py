"""Continuous targets: fine-tuned regression beside ridge regression.

    python regression.py

On the shipped TCGA set: the age of the patient, of which expression says little, and
the expression of a gene that is taken out of the profile, of which it says much. Three
folds over random subsets of 300 and 1,500 patients (each has one sample); R2 of the
default settings with and without ridge regression beside the network, of other
learning rates, and of baselines. Encoders are pretrained in
the training fold.
"""

import argparse
import warnings

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import VIME, FineTunedRegressor
from skgex.datasets import load_tcga_pancancer

HIDDEN_GENE = 5


def models():
    embedder = VIME(max_epochs=60, random_state=0)
    untrained = VIME(max_epochs=0, random_state=0)
    ridge = RidgeCV(np.logspace(-2, 4, 13))
    alone = {"linear_weight": 0, "random_state": 0}
    return {
        "ridge": make_pipeline(StandardScaler(), ridge),
        "scratch": FineTunedRegressor(untrained, **alone),
        "ridge on the embedding": FineTunedRegressor(embedder, max_epochs=0, **alone),
        "fine-tuned": FineTunedRegressor(embedder, **alone),
        "fine-tuned, rates 1e-3": FineTunedRegressor(
            embedder, lr=1e-3, encoder_lr=1e-3, **alone
        ),
        "fine-tuned + ridge": FineTunedRegressor(
            embedder, linear_weight=0.5, random_state=0
        ),
    }


def tasks(n_samples, seed):
    tcga = load_tcga_pancancer()
    age = tcga.metadata["age"].to_numpy(float)
    known = np.flatnonzero(~np.isnan(age))
    rows = np.random.default_rng(seed).permutation(known)[:n_samples]
    X = tcga.data[rows]
    yield "age", X, age[rows]
    yield "gene", np.delete(X, HIDDEN_GENE, axis=1), X[:, HIDDEN_GENE].astype(float)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", message=".* constant in X")
    cv = KFold(3, shuffle=True, random_state=arguments.seed)
    for n_samples in (300, 1500):
        for name, X, y in tasks(n_samples, arguments.seed):
            print(
                f"{name}, {n_samples} samples: R2, mean (standard deviation of folds)"
            )
            for label, model in models().items():
                scores = cross_val_score(model, X, y, cv=cv)
                print(
                    f"  {label:24s}{scores.mean():.3f} ({scores.std():.3f})", flush=True
                )

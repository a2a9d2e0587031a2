"""Save one model of each kind as this version writes it, for the tests of later ones.

Usage: python tools/write_old_models.py

Run it when a release is made: later versions have to load these files, and to compute
what is stored beside them. Files of earlier releases are not touched. Data are drawn.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.frozen import FrozenEstimator

import skgex
from skgex.datasets import make_expression
from skgex.io import to_memmap

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from discovery import ESTIMATORS, make_target, tiny, with_network
from old_models import FOLDER, outputs, release_of

GENES = [f"G{i}" for i in range(12)]
N_SAMPLES = 8


def fitted(Estimator, table, **parameters):
    """Return an estimator that has learnt from a table."""
    classes = np.array(["a", "b", "c"])[np.arange(len(table)) % 3]
    target = make_target(Estimator, classes, table["G0"].to_numpy())
    parameters = with_network(Estimator) | parameters
    return tiny(Estimator, **parameters).fit(table, target)


def models(table):
    """Yield a name and a fitted model, for all classes and for some of their uses."""
    for Estimator in ESTIMATORS:
        if hasattr(Estimator, "save"):
            yield Estimator.__name__, fitted(Estimator, table)
    scarf, gexbert = (fitted(E, table) for E in (skgex.SCARF, skgex.GexBERT))
    tuned = skgex.FineTunedClassifier
    yield (
        "FineTunedClassifier-frozen",
        fitted(tuned, table, embedder=FrozenEstimator(scarf), freeze=True),
    )
    yield (
        "FineTunedCoxPH-covariates",
        fitted(skgex.FineTunedCoxPH, table, covariates=["G1", "G2"]),
    )
    # Genes that this cohort lacks are kept from the start.
    few = table.iloc[:20, :9]
    yield "GexBERT-start", fitted(skgex.GexBERT, few, start=FrozenEstimator(gexbert))


def write(folder):
    """Write models, samples, what the models make of them, and a table on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    X = make_expression(n_samples=40, n_genes=len(GENES), random_state=0)
    table = pd.DataFrame(X, columns=GENES)
    holes = np.random.default_rng(0).random((N_SAMPLES, len(GENES))) < 0.2
    holes[:, :3] = False  # covariates are among them
    samples = table[:N_SAMPLES].mask(holes)
    np.savez_compressed(folder / "samples.npz", X=samples.to_numpy(), genes=GENES)
    to_memmap(samples, folder / "table.npy", unit="log2(TPM + 1)")
    for name, model in models(table):
        path = folder / f"{name}.safetensors"
        model.save(path, unit="log2(TPM + 1)")
        loaded = skgex.load(path)
        own = samples[loaded.feature_names_in_]
        np.savez_compressed(path.with_suffix(".npz"), **outputs(loaded, own))


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = FOLDER / release_of(skgex.__version__)
    write(folder)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{folder.name}: {len(list(folder.iterdir()))} files, {size / 1e3:.0f} kB")

"""Files that the tests of the command line read, and how they call it."""

import os
import subprocess
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from discovery import tiny
from typer.testing import CliRunner

from skgex import SCARF, FineTunedClassifier, FineTunedRegressor, GexBERT, GexImputer
from skgex._cli import app
from skgex.datasets import load_tcga_pancancer

ROOT = Path(__file__).parent.parent


def cohort(n_samples=40, n_genes=30, missing=0.1):
    """Return patients of TCGA, with two decimals and some values missing."""
    X = load_tcga_pancancer(as_frame=True).data.drop(columns="619564")
    X = X.iloc[:n_samples, :n_genes].astype(np.float64).round(2)
    return X.mask(np.random.default_rng(0).random(X.shape) < missing)


def write_semicolons(path, X):
    """Write as a German spreadsheet does, a patient in each line."""
    X.to_csv(path, sep=";", decimal=",", na_rep="NA", float_format="%.2f")
    return path


def write_genes(path, X, name="gene"):
    """Write as most do, a gene in each line."""
    X.T.to_csv(path, sep="\t", na_rep="NA", float_format="%.2f", index_label=name)
    return path


def write_anndata(path, X):
    """Write a file with more in it than a table."""
    index, genes = (pd.Index([*names], dtype=object) for names in (X.index, X.columns))
    elements = {
        "X": X.to_numpy(np.float32),
        "obs": pd.DataFrame({"age": np.arange(len(X))}, index),
        "var": pd.DataFrame({"length": np.arange(X.shape[1])}, genes),
        "obsm": {"X_pca": np.ones((len(X), 2))},
        "uns": {"note": "kept"},
    }
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        for name, element in elements.items():
            anndata.io.write_elem(file, name, element)
    return path


def write_models(folder):
    """Write small models of the genes of the cohort, and return their paths."""
    X = cohort(missing=0.0)
    y = np.where(X.iloc[:, 0] > X.iloc[:, 0].median(), "high", "low")
    fitted = {
        "gexbert": tiny(GexBERT, max_epochs=0).fit(X),
        "scarf": tiny(SCARF, max_epochs=1).fit(X),
        "classes": tiny(FineTunedClassifier, max_epochs=1).fit(X, y),
        "values": tiny(FineTunedRegressor, max_epochs=1).fit(X, X.iloc[:, :2]),
        "array": tiny(SCARF, max_epochs=1).fit(X.to_numpy()),
        "imputer": GexImputer(tiny(GexBERT, max_epochs=0)).fit(X),
    }
    for name, model in fitted.items():
        model.save(folder / f"{name}.safetensors", unit="log2(RSEM + 1)")
    return {name: folder / f"{name}.safetensors" for name in fitted}


def skgex(*args, stdin=None):
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(arg) for arg in args], input=stdin)


def in_shell(command, folder, **options):
    """Run a line of shell in a folder, where skgex is the command."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    line = f'skgex() {{ "{sys.executable}" -m skgex "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        **options,
    )

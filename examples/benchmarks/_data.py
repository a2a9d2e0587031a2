"""The sets in the folder that `--data` names."""

from pathlib import Path

import numpy as np
import pandas as pd


def read_set(data, name):
    """Return values, the names of the genes, and what is known of the samples."""
    folder = Path(data) / name
    with np.load(folder / "X.npz") as z:
        X, genes = z["X"], z["genes"]
    return X, genes, pd.read_csv(folder / "meta.csv", index_col=0)


def signed_log(X):
    """Return values of tcga_z13, which have long tails, on a logarithmic scale."""
    return np.sign(X) * np.log1p(np.abs(X))

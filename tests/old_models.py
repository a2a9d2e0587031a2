"""Models as each release has saved them, with what it made of some samples.

``tools/write_old_models.py`` adds those of a new release; those of earlier ones stay.
"""

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "old_models"
METHODS = {
    "transform": {},
    "predict": {},
    "predict_proba": {},
    "restore": {},
    "score_samples": {},
    "predict_survival_function": {"return_array": True},
}


def release_of(version):
    """Return the release that a version is, or is on the way to."""
    return version.partition(".dev")[0]


def read_samples(folder):
    """Return the profiles whose outputs are stored, some with missing values."""
    with np.load(folder / "samples.npz") as arrays:
        return pd.DataFrame(arrays["X"], columns=arrays["genes"])


def read_outputs(path):
    """Return what the release made of the samples, by method."""
    with np.load(path.with_suffix(".npz")) as arrays:
        return dict(arrays)


def outputs(model, X):
    """Return what all methods make of samples."""
    return {
        method: np.asarray(getattr(model, method)(X, **options))
        for method, options in METHODS.items()
        if hasattr(model, method)
    }

"""What must work where nothing but the package is installed.

``tools/release_check.py`` runs it in new environments, outside of the checkout.
"""

import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import skgex
from skgex.datasets import load_breast_nki, load_pretrained, load_tissues_u133

WEIGHTS = {
    "scarf-tcga90": "SCARF",
    "gexbert-tcga90": "GexBERT",
    "gexbert-tcga": "GexBERT",
    "cox-tcga": "FineTunedCoxPH",
}


def run(*arguments):
    """Run the command line of this environment."""
    command = [sys.executable, "-I", "-m", "skgex", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check_version():
    assert Path(skgex.__file__).is_relative_to(sys.prefix), skgex.__file__
    assert skgex.__version__ == version("skgex")
    assert run("--version").split() == ["skgex", skgex.__version__]


def check_fit(folder):
    X, y = load_tissues_u133(return_X_y=True)
    model = skgex.FineTunedClassifier(
        skgex.SCARF(max_epochs=5), max_epochs=5, random_state=0
    )
    assert model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9
    model.save(folder / "model.safetensors")
    loaded = skgex.load(folder / "model.safetensors")
    assert (loaded.predict(X) == model.predict(X)).all()


def check_weights():
    for name, kind in WEIGHTS.items():
        if kind != "FineTunedCoxPH" or find_spec("sksurv"):
            assert type(load_pretrained(name)).__name__ == kind
    if not find_spec("sksurv"):
        assert 'pip install "skgex[survival]"' in why_not("cox-tcga")


def why_not(name):
    """Return why weights do not load."""
    try:
        load_pretrained(name)
    except ImportError as error:
        return str(error)
    return ""


def check_files(folder):
    X = load_breast_nki(as_frame=True).data.iloc[:40, :60]
    X.T.to_csv(folder / "holes.csv")
    run("impute", folder / "holes.csv", folder / "filled.csv", "--seed", 0)
    filled = skgex.io.read_expression(folder / "filled.csv", orient="genes_in_rows")
    assert filled.shape == X.shape
    assert np.isfinite(filled.to_numpy()).all()


if __name__ == "__main__":
    check_version()
    check_weights()
    with tempfile.TemporaryDirectory() as folder:
        check_fit(Path(folder))
        check_files(Path(folder))
    print(f"python {sys.version.split()[0]}, torch {version('torch')}: fine")

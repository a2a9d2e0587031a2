"""Models that earlier versions have saved load, and compute what they did."""

import json

import numpy as np
import pandas as pd
import pytest
from discovery import ESTIMATORS, tiny
from numpy.testing import assert_allclose, assert_array_equal
from old_models import FOLDER, outputs, read_outputs, read_samples, release_of
from saved_files import header_of
from sklearn.frozen import FrozenEstimator

import skgex
from skgex.datasets import make_expression
from skgex.io import open_memmap

RELEASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
FILES = [path for folder in RELEASES for path in sorted(folder.glob("*.safetensors"))]
OLD_FILES = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
# Other processors, and other versions of torch, round sums of single precision in other
# ways. Outputs are of the order of one.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}


@OLD_FILES
def test_an_old_file_computes_what_it_did(path, tmp_path):
    model = skgex.load(path)
    assert type(model).__name__ == path.stem.partition("-")[0]
    assert model.unit_ == "log2(TPM + 1)"
    X = read_samples(path.parent)[model.feature_names_in_]
    found, expected = outputs(model, X), read_outputs(path)
    assert expected.keys() <= found.keys()
    for method, values in expected.items():
        same = assert_array_equal if values.dtype.kind == "U" else assert_allclose
        options = {} if values.dtype.kind == "U" else TOLERANCE
        same(found[method], values, err_msg=method, **options)
    # What is written now is no less.
    model.save(tmp_path / "again.safetensors")
    again = outputs(skgex.load(tmp_path / "again.safetensors"), X)
    for method, values in found.items():
        assert_array_equal(again[method], values)


@OLD_FILES
def test_the_folder_is_that_of_the_release(path):
    versions = json.loads(header_of(path)["header"])["versions"]
    assert release_of(versions["skgex"]) == path.parent.name


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
@pytest.mark.parametrize("name", ["SCARF", "VIME", "BYOL", "GexBERT", "GexBERT-start"])
def test_an_old_embedder_is_a_start(release, name):
    old = skgex.load(release / f"{name}.safetensors")
    genes = list(old.feature_names_in_)[2:]
    X = make_expression(n_samples=30, n_genes=len(genes), random_state=1)
    table = pd.DataFrame(X, columns=genes)
    new = tiny(type(old), start=FrozenEstimator(old)).fit(table)
    assert np.isfinite(new.transform(table)).all()


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_an_old_table_on_disk_opens(release):
    table = open_memmap(release / "table.npy")
    expected = read_samples(release)
    assert table.attrs["unit"] == "log2(TPM + 1)"
    assert list(table.columns) == list(expected.columns)
    assert_array_equal(table, expected)


def test_a_release_comes_with_models_of_all_classes():
    """Between releases classes may be added: tools/write_old_models.py comes after."""
    release = release_of(skgex.__version__)
    assert FILES
    if release == skgex.__version__:
        written = {path.stem for path in FILES if path.parent.name == release}
        assert {E.__name__ for E in ESTIMATORS if hasattr(E, "save")} <= written


def test_files_of_models_stay_small():
    for folder in RELEASES:
        assert sum(path.stat().st_size for path in folder.iterdir()) < 4e5

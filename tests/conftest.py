"""Fixtures that several test files share."""

import numpy as np
import pytest
import torch
from discovery import EMBEDDERS, MLP_EMBEDDERS, class_name, tiny
from numpy.testing import assert_array_equal

from skgex._training import RowReader, _batches
from skgex.pretext import _base, _pretraining


@pytest.fixture(params=EMBEDDERS, ids=class_name)
def embedder(request):
    """Every embedder, small and unfitted."""
    return tiny(request.param)


@pytest.fixture(params=MLP_EMBEDDERS, ids=class_name)
def mlp_embedder(request):
    """Every embedder whose encoder is a multilayer perceptron, small and unfitted."""
    return tiny(request.param)


@pytest.fixture
def global_generators():
    """Fail if a test moves the generators that users seed by hand."""

    def states():
        legacy = np.random.get_state()  # noqa: NPY002
        return torch.get_rng_state(), legacy[1].copy(), legacy[2]

    before = states()
    yield
    for state, old in zip(states(), before, strict=True):
        assert_array_equal(state, old)


@pytest.fixture
def seen(monkeypatch):
    """Record the arrays that embedders read, and the rows that train and validate."""

    class Reader(RowReader):
        def __init__(self, X, *args):
            record["arrays"].append(X)
            super().__init__(X, *args)

    def train(objective, batches, valid_batches, **options):
        record["parts"] = [part and part.rows for part in (batches, valid_batches)]
        return original(objective, batches, valid_batches=valid_batches, **options)

    record, original = {"arrays": []}, _pretraining.train
    monkeypatch.setattr(_base, "RowReader", Reader)
    monkeypatch.setattr(_batches, "RowReader", Reader)
    monkeypatch.setattr(_pretraining, "train", train)
    return record


@pytest.fixture
def file(tmp_path):
    """Write text or bytes to a file, and return its path."""

    def write(content, name="table.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Paths of small saved models, by name; see `write_models`."""
    # What it imports is of no use to most tests.
    from cli_files import write_models

    return write_models(tmp_path_factory.mktemp("models"))

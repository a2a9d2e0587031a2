"""Embedders read what is larger than memory: nothing they make is as large."""

from unittest import mock

import numpy as np
import pytest
import torch
from discovery import EMBEDDERS, class_name, takes, tiny
from torch.utils._python_dispatch import TorchDispatchMode

from skgex._low_rank import (
    _blocks,
    _choose_rank,
    _fit_factors,
    _fit_holes,
    _fit_mixture,
    _fit_prior,
    _pattern_groups,
    _start,
)
from skgex._training import RowReader, _batches, _rows
from skgex.pretext import _base

N_SAMPLES, N_GENES = 4000, 40
# Bounds in bytes and in rows, which are far above this size of data.
SMALL = [
    (_rows, "_CHUNK_BYTES", 2**13),
    (_rows, "_RELEASE_BYTES", 2**13),
    (_batches, "_BATCH_BYTES", 2**13),
    (_batches, "_WORK_BYTES", 2**18),
    (_blocks, "_BLOCK_BYTES", 2**13),
    (_blocks, "_KEPT_BYTES", 2**15),
    (_start, "_START_BYTES", 2**13),
    (_fit_factors, "FIRST_ROWS", 100),
    (_choose_rank, "_CHOICE_ROWS", 100),
    (_fit_mixture, "_MIXTURE_ROWS", 100),
    (_fit_holes, "FIRST_ROWS", 100),
    (_fit_prior, "CURVE_ROWS", 100),
    (_fit_prior, "VALID_ROWS", 100),
    (_pattern_groups, "_CLUSTER_ROWS", 100),
    (_base, "N_RECALIBRATION", 100),
]


class _Largest(TorchDispatchMode):
    """Keeps the size of the largest tensor that is made of the data."""

    def __init__(self, data):
        super().__init__()
        self.data = data
        self.n_values, self.operation = 0, None

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        outputs = function(*args, **(kwargs or {}))
        for output in outputs if isinstance(outputs, list | tuple) else [outputs]:
            if isinstance(output, torch.Tensor) and output.numel() > self.n_values:
                # The memory map itself, as a tensor, takes no memory.
                if output.data_ptr() != self.data.ctypes.data:
                    self.n_values, self.operation = output.numel(), str(function)
        return outputs


@pytest.fixture
def X(tmp_path):
    rng = np.random.default_rng(0)
    X = np.memmap(tmp_path / "X", np.float32, "w+", shape=(N_SAMPLES, N_GENES))
    X[:] = rng.normal(size=(N_SAMPLES, 3)) @ rng.normal(size=(3, N_GENES))
    X += rng.normal(size=X.shape)
    return np.memmap(tmp_path / "X", np.float32, "r", shape=X.shape)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)


def unfitted(Embedder):
    # Training reads batches in any case; what comes before looks at the data as well.
    small = (0, 16) if takes(Embedder, "prior") else (1, 90)
    return tiny(Embedder, max_epochs=small[0], batch_size=small[1])


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_no_tensor_is_of_the_size_of_the_data(Embedder, X):
    with _Largest(X) as largest:
        embedder = unfitted(Embedder).fit(X)
        assert largest.n_values < X.size // 4, largest.operation
        embedder.transform(X[:200])
    assert largest.n_values < X.size // 4, largest.operation


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_all_rows_are_read_a_few_times(Embedder, X):
    n_rows, take, chunks = [], RowReader.take, RowReader.chunks

    def count_taken(reader, rows):
        n_rows.append(len(rows))
        return take(reader, rows)

    def count_chunks(reader, size=None):
        for chunk in chunks(reader, size):
            n_rows.append(len(chunk))
            yield chunk

    with (
        mock.patch.object(RowReader, "take", count_taken),
        mock.patch.object(RowReader, "chunks", count_chunks),
    ):
        unfitted(Embedder).fit(X)
    # The moments, then an epoch; or a look at whether all is measured, and two
    # iterations of four fits, of which three leave out a third of the samples.
    n_passes = 1 + (1 + 2 * (1 + 3 * 2 / 3) if takes(Embedder, "prior") else 1)
    assert n_passes <= sum(n_rows) / N_SAMPLES <= n_passes + 1
    assert max(n_rows) <= 100

"""Embedders read what is larger than memory: nothing they make is as large."""

from unittest import mock

import numpy as np
import pytest
import torch
from discovery import EMBEDDERS, class_name, takes, tiny
from torch.utils._python_dispatch import TorchDispatchMode

from skgex import GexBERT
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
from skgex._training import RowReader, _fixed_blocks, _rows
from skgex.pretext import _calibrate, _pretraining

N_SAMPLES, N_GENES = 4000, 40
# Bounds in bytes and in rows, which are far above this size of data.
SMALL = [
    (_rows, "_CHUNK_BYTES", 2**13),
    (_rows, "_RELEASE_BYTES", 2**13),
    (_fixed_blocks, "_CPU_ROWS", 8),
    (_fixed_blocks, "_WORK_BYTES", 2**18),
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
    (_pretraining, "N_RECALIBRATION", 100),
    (_calibrate, "_MAX_ROWS", 16),
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


def on_disk(path, n_genes, missing=0.0):
    """Return a memory map of samples with a few factors, and with holes at random."""
    rng = np.random.default_rng(0)
    X = np.memmap(path, np.float32, "w+", shape=(N_SAMPLES, n_genes))
    X[:] = rng.normal(size=(N_SAMPLES, 3)) @ rng.normal(size=(3, n_genes))
    X += rng.normal(size=X.shape)
    X[rng.random(X.shape) < missing] = np.nan
    return np.memmap(path, np.float32, "r", shape=X.shape)


@pytest.fixture
def X(tmp_path):
    return on_disk(tmp_path / "X", N_GENES)


@pytest.fixture
def X_with_holes(tmp_path, monkeypatch):
    # The factors of each sample are kept, and what its pattern is known by: little in
    # the face of thousands of genes.
    for module in (_choose_rank, _fit_prior):
        monkeypatch.setattr(module, "RANKS", (2, 4, 8))
    monkeypatch.setattr(_blocks, "_BLOCK_BYTES", 2**16)
    return on_disk(tmp_path / "X", 8 * N_GENES, 0.3)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)


def unfitted(Embedder):
    # Training reads batches in any case; what comes before looks at the data as well.
    small = (0, 16) if takes(Embedder, "prior") else (1, 90)
    return tiny(Embedder, max_epochs=small[0], batch_size=small[1])


def check_no_tensor_is_of_the_size_of(X, embedder):
    with _Largest(X) as largest:
        embedder.fit(X)
        assert largest.n_values < X.size // 4, largest.operation
        embedder.transform(X[:200])
    assert largest.n_values < X.size // 4, largest.operation


def passes(X, embedder):
    """Return how many times all rows are read in fit, and the most rows at a time."""
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
        embedder.fit(X)
    return sum(n_rows) / N_SAMPLES, max(n_rows)


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_no_tensor_is_of_the_size_of_the_data(Embedder, X):
    check_no_tensor_is_of_the_size_of(X, unfitted(Embedder))


def test_no_tensor_is_of_the_size_of_data_with_holes(X_with_holes):
    check_no_tensor_is_of_the_size_of(X_with_holes, unfitted(GexBERT))


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_all_rows_are_read_a_few_times(Embedder, X):
    n_passes, most = passes(X, unfitted(Embedder))
    # The moments, then an epoch; or a look at whether all is measured, two iterations
    # of four fits, of which three leave out a third of the samples, and a last look.
    expected = 1 + (1 + 2 * (1 + 3 * 2 / 3) + 1 if takes(Embedder, "prior") else 1)
    assert expected <= n_passes <= expected + 1
    assert most <= 100


def test_rows_with_holes_are_read_a_few_times(X_with_holes):
    n_passes, most = passes(X_with_holes, unfitted(GexBERT))
    # The moments; for each fit the patterns, in two passes, and two iterations of two
    # passes; and a number for each sample.
    expected = 1 + (2 + 2 * 2) * (1 + 3 * 2 / 3) + 1
    assert expected <= n_passes <= expected + 3
    assert most <= 100

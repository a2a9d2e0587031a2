"""Several processes that fit together come to what one process comes to."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from discovery import tiny
from fit_in_processes import N_SAMPLES, X, fit_all, make_cases
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

import skgex
from skgex import SCARF
from skgex.nn._draws import uniform
from skgex.nn._shares import Share, own, own_draws, share_of

NAMES = pytest.mark.parametrize("name", list(make_cases()))
# Of the largest gradient of a parameter, what two orders of summation may differ by.
ROUNDING = 1e-5
# Where the gradient is zero but for rounding, as of biases before a normalisation,
# AdamW takes steps all the same. So weights are compared by what they compute.
OF_LOSS, OF_EMBEDDING = 2e-3, 2e-2


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What each of two processes has found, how they ended, and their folder."""
    folder = tmp_path_factory.mktemp("together")
    script = Path(__file__).with_name("fit_in_processes.py")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    paths = [str(Path(skgex.__file__).parents[1]), os.environ.get("PYTHONPATH")]
    run = subprocess.run(
        [sys.executable, *command, str(script), str(folder)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        },
        timeout=300,
    )
    files = [folder / f"{rank}.pkl" for rank in (0, 1)]
    assert all(file.exists() for file in files), run.stderr
    return *(pickle.loads(file.read_bytes()) for file in files), run, folder


@pytest.fixture(scope="module")
def alone():
    """What one process finds."""
    return fit_all()


@NAMES
def test_all_processes_have_the_same_bits(together, name):
    first, second = (found["fits"][name] for found in together[:2])
    assert first["bits"] == second["bits"]
    for key, value in first["gradients"].items():
        assert_array_equal(value, second["gradients"][key])


@NAMES
def test_a_step_is_that_of_one_process(together, alone, name):
    ours, theirs = alone[name]["gradients"], together[1]["fits"][name]["gradients"]
    assert ours.keys() == theirs.keys()
    largest = max((np.abs(g).max() for g in ours.values()), default=0)
    for key, gradient in ours.items():
        assert_allclose(theirs[key], gradient, rtol=0, atol=ROUNDING * largest)


@NAMES
def test_a_fit_is_that_of_one_process(together, alone, name):
    ours, theirs = alone[name]["estimator"], together[1]["fits"][name]["estimator"]
    assert ours.n_iter_ == theirs.n_iter_
    for column in ("train_loss", "valid_loss")[: 1 + (name == "holed")]:
        expected = [row[column] for row in ours.history_]
        found = [row[column] for row in theirs.history_]
        assert_allclose(found, expected, rtol=OF_LOSS)
    expected = ours.transform(X)
    scale = np.abs(expected).max()
    assert_allclose(theirs.transform(X), expected, rtol=0, atol=OF_EMBEDDING * scale)


@NAMES
def test_nothing_of_the_processes_is_kept(together, name):
    stored = pickle.dumps(together[0]["fits"][name]["estimator"])
    for word in (b"distributed", b"Shared", b"_processes"):
        assert word not in stored
    layers = [
        m
        for value in vars(pickle.loads(stored)).values()
        if isinstance(value, nn.Module)
        for m in value.modules()
    ]
    assert not [m for m in layers if "torch.nn.parallel" in type(m).__module__]


def test_a_search_without_a_seed_is_the_same_in_all(together):
    assert together[0]["search"] == together[1]["search"]


def test_one_process_prints_and_saves(together, alone):
    _, _, run, folder = together
    assert run.stdout.count("train_loss") == 1
    assert [path.name for path in folder.glob("*.safetensors")] == ["0.safetensors"]
    loaded = skgex.load(folder / "0.safetensors")
    expected = together[0]["fits"]["SCARF"]["estimator"].transform(X)
    assert_array_equal(loaded.transform(X), expected)


def test_one_that_fails_ends_all(together):
    assert together[2].returncode
    (others, _), (own_messages, _) = (found["failure"] for found in together[:2])
    assert own_messages[0] == "MemoryError: as if memory was short"
    assert others[0].startswith("RuntimeError")
    for found in together[:2]:
        messages, seconds = found["failure"]
        assert "Another of the processes" in messages[1]
        assert seconds < 60


def test_threads_end_with_the_connection(together):
    # A group that something still refers to keeps its threads, one of which may abort
    # the interpreter when that ends.
    for found in together[:2]:
        assert found["is_connected"] == (False, False)


@pytest.fixture
def launched(monkeypatch):
    """As if a launcher had started this process as the second of two."""
    for name, value in {
        "RANK": "1",
        "WORLD_SIZE": "2",
        "LOCAL_RANK": "1",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": "1",
    }.items():
        monkeypatch.setenv(name, value)


def test_without_accelerate_the_extra_is_named(launched, monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ImportError, match=r"pip install .skgex\[distributed\]"):
        tiny(SCARF).fit(X)


def test_alone_accelerate_is_not_imported(alone):
    assert "accelerate" not in sys.modules


@given(st.integers(2, 5), st.integers(4, 40))
def test_shares_are_a_partition(n_processes, n_rows):
    rows = torch.arange(n_rows)
    parts = []
    for rank in range(n_processes):
        with share_of(rank, n_processes, n_rows):
            parts.append(own(rows))
    if n_rows < 2 * n_processes:
        assert all(len(part) == n_rows for part in parts)
        return
    assert_array_equal(torch.cat(parts), rows)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert [len(part) for part in parts] == Share(0, n_processes, n_rows).sizes


def test_what_is_drawn_for_other_rows_is_refused():
    with (
        share_of(0, 2, N_SAMPLES),
        pytest.raises(RuntimeError, match="Drawn for 3 rows"),
    ):
        own_draws(uniform, (3, 2))

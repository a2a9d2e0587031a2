"""Tables over a memory map arrive in other processes as they are."""

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_array_equal

from skgex._mapped_table import memory_map
from skgex._plain_map import plain_map
from skgex.evaluation._profiles import as_table, check_profiles
from skgex.io import open_memmap, to_memmap

VALUES = np.arange(60, dtype=np.float32).reshape(12, 5)


@pytest.fixture
def path(tmp_path):
    to_memmap(pd.DataFrame(VALUES).add_prefix("g"), tmp_path / "table.npy")
    return tmp_path / "table.npy"


def test_joblib_sends_what_is_there(path):
    X, stored = open_memmap(path), np.load(path, mmap_mode="r")
    frame = pd.DataFrame(stored, copy=False)
    tables = [X, X.iloc[3:9], X.iloc[:, 1:3], X.to_numpy(), X.T]
    for checked in (check_profiles, as_table):
        tables += [checked(table) for table in (X, frame, stored, stored.T)]
    found = Parallel(n_jobs=2)(delayed(np.array)(table) for table in tables)
    for values, table in zip(found, tables, strict=True):
        assert_array_equal(values, table)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("kind", ["<f4", ">f8"])
def test_a_plain_map_is_the_same_array(tmp_path, mode, kind):
    np.save(tmp_path / "x.npy", VALUES.astype(kind))
    stored = np.load(tmp_path / "x.npy", mmap_mode=mode)
    for X in (stored, stored.T, stored[2:5], stored[::3, 1:].T, stored[:0]):
        plain = plain_map(X)
        assert_array_equal(plain, X)
        assert (plain.dtype, plain.strides) == (X.dtype, X.strides)
        assert plain.flags.writeable == X.flags.writeable
        assert np.shares_memory(plain, X) == bool(X.size)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_changes_of_a_private_map_are_kept(tmp_path, mode):
    np.save(tmp_path / "x.npy", VALUES)
    stored = np.load(tmp_path / "x.npy", mmap_mode=mode)
    if mode != "r":
        stored[3] = 7
    for X in (plain_map(stored), plain_map(plain_map(stored.T)).T):
        # Pages of such a map would be given back after reading, with the changes.
        assert (memory_map(X) is None) == (mode == "c")
        assert_array_equal(X, stored)


def test_what_is_in_memory_is_returned_as_it_is():
    for X in (VALUES, VALUES.T, VALUES[1:3]):
        assert plain_map(X) is X

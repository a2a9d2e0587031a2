"""Memory maps: read where they lie, and no more of them held than is needed."""

import mmap
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from test_rows import numbered, on_disk, read

from skgex import SCARF
from skgex._inputs import check_genes
from skgex._training import RowReader, _rows


def test_memory_maps_are_not_copied(tmp_path):
    X = on_disk(tmp_path / "X", numbered())
    checked = check_genes(SCARF(), X, reset=True)
    assert np.shares_memory(checked, X)
    assert np.shares_memory(RowReader(checked)._data.numpy(), X)
    assert isinstance(RowReader(checked)._map, type(X._mmap))


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_pages_of_memory_maps_are_given_back(tmp_path, mode):
    X = on_disk(tmp_path / "X", numbered(), mode)
    reader = RowReader(X)
    with (
        mock.patch.object(_rows, "_RELEASE_BYTES", 3 * 6 * 4),
        mock.patch.object(reader, "_map") as pages,
    ):
        for _ in range(3):
            reader.take(torch.arange(2))
        given_back = mock.call(mmap.MADV_DONTNEED)
        assert pages.madvise.call_args_list.count(given_back) == 1  # at the fourth row
    with mock.patch.object(_rows, "_RELEASE_BYTES", 1):
        for _ in range(2):
            assert_array_equal(read(reader), numbered())
    assert_array_equal(X, numbered())


def pages_of(rows, pages):
    """Return the pages of a memory map in which some rows lie."""
    start = np.frombuffer(pages, np.uint8).ctypes.data
    ends = ((row[:1].ctypes.data - start, row[-1:].ctypes.data - start) for row in rows)
    return {
        page
        for first, last in ends
        for page in range(first // mmap.PAGESIZE, (last + 3) // mmap.PAGESIZE + 1)
    }


@pytest.mark.parametrize(
    "view", [lambda X: X, lambda X: X[3:], lambda X: X[::2], lambda X: X[:, 90:900]]
)
@given(st.lists(st.integers(0, 7), max_size=6))
def test_rows_that_are_wanted_are_read_ahead(tmp_path_factory, view, rows):
    path = tmp_path_factory.mktemp("map") / "X.npy"
    np.save(path, numbered(16, mmap.PAGESIZE // 4 + 7))
    whole = np.load(path, mmap_mode="r")
    X = view(whole)
    reader = RowReader(X)
    with mock.patch.object(reader, "_map") as pages:
        batch = reader.take(torch.tensor(rows, dtype=torch.int64))
    assert_array_equal(batch, X[rows])
    advised = []
    for call in pages.madvise.call_args_list:
        advice, start, size = call.args
        assert advice == mmap.MADV_WILLNEED
        assert start % mmap.PAGESIZE == 0
        last = (start + size - 1) // mmap.PAGESIZE
        advised.extend(range(start // mmap.PAGESIZE, last + 1))
    wanted = pages_of([X[row] for row in rows], whole._mmap)
    # Between neighbours in X lies a row of the file that is not.
    assert set(advised) >= wanted if len(X) == 8 else set(advised) == wanted
    runs = np.diff(sorted(set(rows))) > 1
    assert pages.madvise.call_count == (1 + runs.sum() if rows else 0)


def test_genes_that_are_far_apart_in_the_file_are_not_read_ahead(tmp_path):
    X = np.memmap(tmp_path / "X", np.float32, "w+", shape=(8, 5), order="F")
    reader = RowReader(X)
    with mock.patch.object(reader, "_map") as pages:
        reader.take(torch.arange(3))
    assert not pages.madvise.called


@pytest.mark.parametrize(
    "view", [np.array, np.asarray, lambda X: X, lambda X: X[2:], lambda X: X.view()]
)
def test_changes_of_a_private_memory_map_are_kept(tmp_path, view):
    # Mode "c" keeps changes in memory only: pages given back would lose them.
    X = on_disk(tmp_path / "X", numbered(), "c")
    X += 100
    expected = view(np.array(X)).copy()
    with mock.patch.object(_rows, "_RELEASE_BYTES", 1):
        reader = RowReader(view(X))
        for _ in range(2):
            assert_array_equal(read(reader), expected)

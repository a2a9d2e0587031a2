"""Reading rows in bounded memory, and what is learnt of the genes on the way."""

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex import SCARF
from skgex._inputs import check_genes
from skgex._training import RowReader, _rows, gene_moments, gene_ranges
from skgex._training._rows import check_profiles

ROWS = torch.tensor([4, 0, 0, 7])


def numbered(n=10, d=6, dtype=np.float32):
    return np.arange(n * d, dtype=dtype).reshape(n, d)


def on_disk(path, X, mode="r"):
    """Return the values of X as a memory map."""
    np.memmap(path, X.dtype, "w+", shape=X.shape)[:] = X
    return np.memmap(path, X.dtype, mode, shape=X.shape)


def in_chunks(n_rows, X):
    """Have the rows of X read in chunks of a given size."""
    return mock.patch.object(_rows, "_CHUNK_BYTES", n_rows * X.itemsize * X.shape[1])


def read(reader):
    """Return all rows, by both ways of reading, which must agree."""
    taken = reader.take(torch.arange(len(reader)))
    assert_array_equal(torch.cat(list(reader.chunks(3))).float(), taken)
    return taken.numpy()


# The reader


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_take_gives_rows_in_single_precision(dtype):
    X = numbered(dtype=dtype)
    reader = RowReader(X)
    assert (len(reader), reader.shape) == (10, (10, 6))
    batch = reader.take(ROWS)
    assert batch.dtype == torch.float32
    assert_array_equal(batch, X[ROWS])
    batch.zero_()
    assert_array_equal(reader.take(ROWS), X[ROWS])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_in_row_order_are_not_copied(dtype):
    X = numbered(dtype=dtype)
    assert np.shares_memory(RowReader(X)._data.numpy(), X)
    assert check_genes(SCARF(), X, reset=True) is X


@pytest.mark.parametrize(
    "view",
    [
        np.asfortranarray,
        lambda X: X[::-1],
        lambda X: X[:, ::-1],
        lambda X: X[::2],
        lambda X: X[:, 1:4],
        lambda X: np.lib.stride_tricks.as_strided(X, writeable=False),
    ],
    ids=[
        "fortran",
        "reversed",
        "genes reversed",
        "every other",
        "columns",
        "read-only",
    ],
)
@pytest.mark.parametrize("mode", [None, "r", "c"])
def test_any_view_of_an_array_or_memory_map_can_be_read(tmp_path, view, mode):
    X = numbered() if mode is None else on_disk(tmp_path / "X", numbered(), mode)
    assert_array_equal(read(RowReader(view(X))), view(numbered()))


def test_chunks_are_copies_in_order_and_of_the_given_size():
    X = numbered(dtype=np.float64)
    chunks = list(RowReader(X).chunks(4))
    assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    assert chunks[0].dtype == torch.float64
    assert_array_equal(torch.cat(chunks), X)
    chunks[0].zero_()
    assert_array_equal(X, numbered())


# Moments and ranges

EXPRESSION = st.builds(
    dict,
    n=st.integers(1, 30),
    d=st.integers(1, 5),
    n_rows=st.integers(1, 31),
    offset=st.sampled_from([0, 1, -30, 1e3, 1e5]),
    spread=st.sampled_from([1e-3, 1, 1e3]),
    missing_rate=st.sampled_from([0, 0.1, 0.5, 0.95]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**16),
)


def draw(n, d, offset, spread, missing_rate, dtype, seed, **_):
    rng = np.random.default_rng(seed)
    X = (offset + spread * rng.standard_normal((n, d))).astype(dtype)
    X[rng.random((n, d)) < missing_rate] = np.nan
    X[np.isnan(X).all(axis=1), 0] = offset
    return X


@given(EXPRESSION)
def test_moments_are_those_of_numpy_in_double_precision(case):
    X = draw(**case)
    with in_chunks(case["n_rows"], X):
        mean, std, count = gene_moments(RowReader(X))
    measured = np.isfinite(X)
    assert_array_equal(count, measured.sum(axis=0))
    assert_array_equal(np.isnan(mean), count == 0)
    assert_array_equal(np.isnan(std), count == 0)
    for gene in np.flatnonzero(count):
        values = X[measured[:, gene], gene].astype(np.float64)
        # In units of the spread of the gene; 1e-15 is what double precision leaves.
        unit = values.std() + 1e-9 * abs(values).max()
        assert_allclose(mean[gene], values.mean(), rtol=1e-15, atol=1e-6 * unit)
        assert_allclose(std[gene], values.std(), rtol=1e-6, atol=1e-6 * unit)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e6])
def test_a_constant_gene_has_no_spread(value):
    X = np.full((1000, 2), value, dtype=np.float32)
    with in_chunks(7, X):
        mean, std, _ = gene_moments(RowReader(X))
    assert_allclose(mean, np.float64(np.float32(value)), rtol=1e-12)
    assert (std <= 1e-7 * abs(mean)).all()


@given(EXPRESSION)
def test_ranges_are_the_smallest_and_largest_values(case):
    X = draw(**case)
    X[:, np.isnan(X).all(axis=0)] = 0
    with in_chunks(case["n_rows"], X):
        low, high = gene_ranges(RowReader(X))
    assert_array_equal(low, np.nanmin(X, axis=0))
    assert_array_equal(high, np.nanmax(X, axis=0))


# Bad values


def test_good_profiles_pass():
    X = torch.randn(4, 3)
    X[1, 2] = torch.nan
    X[2, 0] = 1e38  # the sum is still finite
    check_profiles(X)
    check_profiles(torch.full((2, 2), 3e38, dtype=torch.float64))


def test_large_values_whose_sum_overflows_pass():
    check_profiles(torch.full((3, 3), 3e38))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("also_missing", [True, False])
def test_infinity_is_reported_with_its_place(value, also_missing):
    X = torch.zeros(4, 3)
    X[2, 1] = value
    if also_missing:
        X[0] = torch.nan
        X[3, 1] = -value
    with pytest.raises(ValueError, match="infinity: sample 12, gene 1"):
        check_profiles(X, first_row=10)
    with pytest.raises(ValueError, match=r"gene 'TP53'\. Mark .* NaN"):
        check_profiles(X, gene_names=["A", "TP53", "C"])


def test_moments_check_every_chunk():
    X = numbered(10, 2)
    X[8] = np.nan
    with in_chunks(3, X), pytest.raises(ValueError, match="every gene of sample 8"):
        gene_moments(RowReader(X))

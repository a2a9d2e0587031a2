"""TopVarianceGenes: moments in one pass, and which genes are kept."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from skgex import TopVarianceGenes
from skgex.preprocessing import _gene_moments

X = np.random.default_rng(0).normal(5, np.linspace(1, 3, 40), (60, 40))


def in_chunks(n_rows, X):
    """Have the rows of X read in chunks of a given size."""
    size = n_rows * X.itemsize * X.shape[1]
    return mock.patch.object(_gene_moments, "_CHUNK_BYTES", size)


def moments(X, n_rows):
    with in_chunks(n_rows, X):
        return _gene_moments.gene_moments(X)


# Moments


@pytest.mark.parametrize("n_rows", [1, 7, 100])
def test_moments(n_rows):
    mean, variance, count = moments(X, n_rows)
    assert_allclose(mean, X.mean(axis=0))
    assert_allclose(variance, X.var(axis=0))
    assert_array_equal(count, 60)


@pytest.mark.parametrize("n_rows", [1, 3, 100])
def test_moments_by_batch(n_rows):
    holes = np.where(np.random.default_rng(1).random(X.shape) < 0.9, np.nan, X)
    holes[:, 5] = 0.1
    codes = np.arange(60) % 4 - 1
    with in_chunks(n_rows, X):
        moments = _gene_moments.batch_moments(holes, codes)
    for code, (mean, variance, count) in enumerate(zip(*moments, strict=True)):
        part = holes[codes == code]
        measured = count > 0
        assert_array_equal(count, np.count_nonzero(~np.isnan(part), axis=0))
        assert_allclose(mean[measured], np.nanmean(part[:, measured], axis=0))
        expected = np.nanvar(part[:, measured], axis=0)
        assert_allclose(variance[measured], expected, atol=1e-12)
        assert variance[5] == 0
        assert not measured.all()
        assert np.isnan([mean[~measured], variance[~measured]]).all()
    assert code == 2


@given(
    arrays(np.float64, (7, 3), elements=st.floats(-1e6, 1e6)),
    arrays(bool, (7, 3)),
    st.integers(1, 8),
)
def test_moments_with_missing_values(values, hidden, n_rows):
    hidden[:, 0] = False  # no sample is empty
    holes = np.where(hidden, np.nan, values)
    mean, variance, count = moments(holes, n_rows)
    for gene in range(3):
        measured = holes[~hidden[:, gene], gene]
        assert count[gene] == len(measured)
        if not len(measured):
            assert np.isnan([mean[gene], variance[gene]]).all()
            continue
        scale = 1 + np.ptp(measured)
        assert_allclose(mean[gene], measured.mean(), atol=1e-12 * scale, rtol=1e-12)
        assert_allclose(variance[gene], measured.var(), atol=1e-12 * scale**2)


@pytest.mark.parametrize("n_rows", [1, 9, 1000])
@pytest.mark.parametrize(("dtype", "mean"), [(np.float32, 2**16), (np.float64, 2**40)])
def test_genes_with_a_large_mean(dtype, mean, n_rows):
    """The values are exact in their dtype, so that the variance has a true value."""
    noise = np.random.default_rng(0).integers(-50, 51, (300, 20)) / 64
    _, variance, _ = moments((mean + noise).astype(dtype), n_rows)
    assert_allclose(variance, noise.var(axis=0), rtol=1e-6)


def test_a_first_sample_far_from_the_others():
    data = np.random.default_rng(0).normal(8, 1, (500, 20)).astype(np.float32)
    data[0] = 1e5
    _, variance, _ = moments(data, 16)
    assert_allclose(variance, data.astype(np.float64).var(axis=0), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_genes_have_no_variance_at_all(dtype):
    data = np.full((100, 3), 0.1, dtype)
    data[:50, 1] = np.nan
    data[0, 2] = 0.2
    mean, variance, _ = moments(data, 7)
    assert_array_equal(variance[:2], 0)
    assert variance[2] > 0
    assert_array_equal(mean[:2], data[60, 0])


# Selection


@pytest.mark.parametrize("k", [1, 7, 40])
def test_genes_of_largest_variance(k):
    selector = TopVarianceGenes(k).fit(X)
    expected = np.sort(np.argsort(-X.var(axis=0))[:k])
    assert_array_equal(selector.get_support(indices=True), expected)
    assert_array_equal(selector.transform(X), X[:, expected])
    assert_allclose(selector.variances_, X.var(axis=0))
    assert_allclose(selector.means_, X.mean(axis=0))


def test_names_and_rows_are_kept():
    table = pd.DataFrame(X, [f"S{i}" for i in range(60)], [f"G{i}" for i in range(40)])
    selector = TopVarianceGenes(3).set_output(transform="pandas").fit(table)
    kept = table.columns[selector.get_support()]
    pd.testing.assert_frame_equal(selector.transform(table), table[kept])


def test_floor_on_the_mean():
    data = X + np.arange(40)[::-1]
    selector = TopVarianceGenes(5, min_mean=30).fit(data)
    passing = np.flatnonzero(data.mean(axis=0) >= 30)
    best = passing[np.argsort(-data.var(axis=0)[passing])[:5]]
    assert_array_equal(selector.get_support(indices=True), np.sort(best))
    everything = TopVarianceGenes("all", min_mean=30).fit(data)
    assert_array_equal(everything.get_support(indices=True), passing)
    with pytest.raises(ValueError, match=r"mean of min_mean=50.*largest is 4.*Lower"):
        TopVarianceGenes(5, min_mean=50).fit(data)


def test_first_of_equal_genes_is_kept():
    doubled = np.repeat(X, 2, axis=1)
    best = np.argsort(-X.var(axis=0))[:3]
    kept = TopVarianceGenes(5).fit(doubled).get_support(indices=True)
    assert_array_equal(kept, sorted([*2 * best, *2 * best[:2] + 1]))


def test_constant_genes_come_last_and_unmeasured_ones_never():
    data = X.copy()
    data[:, :5] = 0.1
    data[:, 5:8] = np.nan
    selector = TopVarianceGenes(32).fit(data)
    assert_array_equal(selector.get_support(indices=True), np.arange(8, 40))
    selector = TopVarianceGenes(35).fit(data)
    assert_array_equal(selector.get_support(indices=True), [0, 1, 2, *range(8, 40)])
    selector = TopVarianceGenes("all").fit(data)
    assert_array_equal(np.flatnonzero(~selector.get_support()), [5, 6, 7])
    assert np.isnan(selector.variances_[5:8]).all()


def test_more_genes_asked_for_than_there_are():
    with pytest.warns(UserWarning, match="k=41 is more than the 40 genes in X"):
        selector = TopVarianceGenes(41).fit(X)
    assert selector.get_support().all()
    assert TopVarianceGenes("all").fit(X).get_support().all()


def test_no_variance_at_all():
    message = r"Every gene in X is constant \(zero variance\).* Check how X was made"
    for data in (np.ones((6, 4)), np.tile(X[0], (6, 1))):
        with pytest.raises(ValueError, match=message):
            TopVarianceGenes(1).fit(data)
    with pytest.raises(ValueError, match="Found array with 1 sample"):
        TopVarianceGenes(1).fit(X[:1])


@pytest.mark.parametrize("parameters", [{"k": 0}, {"k": 0.5}, {"min_mean": "low"}])
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=f"The {next(iter(parameters))!r} parameter"):
        TopVarianceGenes(**parameters).fit(X)

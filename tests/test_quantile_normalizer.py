"""QuantileNormalizer: the reference, ranks, ties, and genes not measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata

from skgex import QuantileNormalizer

X = np.random.default_rng(0).lognormal(3, 1, (30, 50))


def bolstad(X):
    """Quantile normalisation of one complete table without ties, as published."""
    mean = np.sort(X, axis=1).mean(axis=0)
    return mean[np.argsort(np.argsort(X, axis=1), axis=1)]


def slow_reference(X):
    """The mean of the quantile functions on an even grid, as limma has it."""
    grid = np.linspace(0, 1, X.shape[1])
    curves = []
    for sample in X:
        measured = sample[~np.isnan(sample)]
        curves.append(np.quantile(measured, grid, method="linear"))
    return np.mean(curves, axis=0)


def slow_transform(X, reference):
    """Ranks by SciPy, spread over the reference."""
    grid = np.linspace(0, 1, len(reference))
    output = np.full(X.shape, np.nan)
    for i, sample in enumerate(X):
        measured = np.flatnonzero(~np.isnan(sample))
        n = len(measured)
        share = (rankdata(sample[measured]) - 1) / (n - 1) if n > 1 else [0.5]
        output[i, measured] = np.interp(share, grid, reference)
    return output


def test_complete_samples_have_exactly_the_reference():
    model = QuantileNormalizer().fit(X)
    output = model.transform(X)
    for sample in output:
        assert_array_equal(np.sort(sample), model.reference_)
    assert_allclose(output, bolstad(X), rtol=1e-14)


def test_single_precision():
    model = QuantileNormalizer().fit(X.astype(np.float32))
    output = model.transform(X.astype(np.float32))
    assert output.dtype == np.float32
    assert_array_equal(np.sort(output[0]), model.reference_.astype(np.float32))
    assert_allclose(output, bolstad(X), rtol=1e-6)


# Few distinct values make many ties.
@given(arrays(np.float64, (5, 8), elements=st.integers(-3, 4)), arrays(bool, (5, 8)))
def test_ties_and_missing_values(values, hidden):
    hidden[:, 2] = False
    holes = np.where(hidden, np.nan, values)
    model = QuantileNormalizer().fit(holes)
    assert_allclose(model.reference_, slow_reference(holes), atol=1e-12)
    output = model.transform(holes)
    assert_allclose(output, slow_transform(holes, model.reference_), atol=1e-12)


@given(arrays(np.float64, (3, 8), elements=st.floats(-1e6, 1e6)))
def test_order_is_kept(values):
    output = QuantileNormalizer().fit(X[:, :8]).transform(values)
    for before, after in zip(values, output, strict=True):
        order = np.argsort(before, kind="stable")
        assert (np.diff(after[order]) >= 0).all()
        equal = np.diff(before[order]) == 0
        assert (np.diff(after[order])[equal] == 0).all()


def test_whatever_bends_all_genes_alike_drops_out():
    model = QuantileNormalizer().fit(X)
    expected = model.transform(X)
    for bent in (100 * X + 7, np.log(X), X**3):
        assert_array_equal(model.transform(bent), expected)


def test_fewer_measured_genes():
    """Genes missing at random leave the others close to where they were."""
    many = np.random.default_rng(0).normal(size=(20, 4000))
    model = QuantileNormalizer().fit(many)
    half = np.where(np.random.default_rng(1).random(many.shape) < 0.5, np.nan, many)
    output = model.transform(half)
    assert_array_equal(np.isnan(output), np.isnan(half))
    assert np.nanmean(abs(output - model.transform(many))) < 0.05
    again = QuantileNormalizer().fit(half).reference_
    assert abs(again - model.reference_)[40:-40].max() < 0.05


def test_a_single_measured_gene_gets_the_median():
    one = np.full((1, 50), np.nan)
    one[0, 3] = 1e6
    model = QuantileNormalizer().fit(X)
    assert model.transform(one)[0, 3] == pytest.approx(np.median(model.reference_))
    assert_array_equal(QuantileNormalizer().fit(one).reference_, 1e6)
    assert_array_equal(QuantileNormalizer().fit_transform(X[:, :1]), X[:, :1].mean())


def test_the_reference_is_that_of_the_training_samples():
    model = QuantileNormalizer().fit(X[:20])
    assert_allclose(model.reference_, np.sort(X[:20], axis=1).mean(axis=0))
    before = model.reference_.copy()
    model.transform(1000 * X[20:])
    assert_array_equal(model.reference_, before)

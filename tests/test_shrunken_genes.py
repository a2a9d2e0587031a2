"""Shrunken moments of genes of which little is known, and of any input."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from batch_effects import simulate
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex._shrunken_moments import shrunken_moments

# Genes of which little is known


def test_genes_without_a_prior():
    (mean, std, count), prior, _ = simulate(3, prior_df=5, tau=1.0)
    unknown = np.arange(len(mean)) < 100
    partly = {name: np.where(unknown, np.nan, v) for name, v in prior.items()}
    location, scale = shrunken_moments(mean, std, count, **partly)
    assert_array_equal(location[unknown], mean[unknown])
    # shrunk to what is usual among all genes
    _, without = shrunken_moments(mean, std, count)
    assert_array_equal(scale[unknown], without[unknown])
    assert_array_equal(shrunken_moments(mean, std, count)[0], mean)
    known = ~unknown
    some = {name: v[known] for name, v in prior.items()}
    alone = shrunken_moments(mean[known], std[known], count[known], **some)
    assert_allclose(location[known], alone[0])
    assert_allclose(scale[known], alone[1])


def test_genes_that_were_not_measured():
    (mean, std, count), prior, _ = simulate(4, tau=0.2)
    absent = np.arange(len(mean)) < 50
    mean = np.where(absent, np.nan, mean)
    std, count = np.where(absent, 0, std), np.where(absent, 0, count)
    location, scale = shrunken_moments(mean, std, count, **prior)
    assert_allclose(scale[absent], 1.3 * prior["prior_std"][absent], rtol=0.05)
    shift = (location - prior["prior_mean"])[absent] / scale[absent]
    assert_allclose(shift, shift[0])
    assert shift[0] == pytest.approx(0.5, abs=0.05)
    location, scale = shrunken_moments(mean, std, count)
    assert np.isnan(location[absent]).all()
    assert (scale[absent] == scale[0]).all()


def test_genes_that_do_not_vary():
    (mean, std, count), prior, _ = simulate(4, prior_df=5)
    flat = np.arange(len(mean)) < 50
    location, scale = shrunken_moments(mean, np.where(flat, 0, std), count, **prior)
    rest = {name: v[~flat] for name, v in prior.items()}
    others = shrunken_moments(mean[~flat], std[~flat], count[~flat], **rest)
    assert_allclose(scale[~flat], others[1])  # they play no role for the others
    assert (scale[flat] > 0).all()
    # constant elsewhere too: nothing to shrink to, and nothing to shrink
    prior["prior_std"] = np.where(flat, 0, prior["prior_std"])
    location, scale = shrunken_moments(mean, np.where(flat, 0, std), count, **prior)
    assert_array_equal(scale[flat], 0)
    assert_array_equal(location[flat], mean[flat])


def test_few_genes_are_not_shrunk():
    (mean, std, count), prior, _ = simulate(4, n_genes=9)
    location, scale = shrunken_moments(mean, std, count, **prior)
    assert_array_equal(location, mean)
    assert_allclose(scale, std * np.sqrt(4 / 3))
    count = np.array([0, 1, *count[2:]])
    std = np.where(count > 1, std, 0)
    location, scale = shrunken_moments(mean, std, count, **prior)
    assert_array_equal(location[:2], [prior["prior_mean"][0], mean[1]])
    assert_array_equal(scale[:2], prior["prior_std"][:2])
    assert np.isnan(shrunken_moments(mean, std, count)[1][:2]).all()


# Any input


@st.composite
def batches(draw, exponent=300):
    n_genes = draw(st.integers(1, 40))
    large, small = 10.0**exponent, 10.0**-exponent

    def vector(elements):
        return draw(hnp.arrays(float, n_genes, elements=elements))

    count = vector(st.sampled_from([0.0, 1.0, 2.0, 3.0, 1e6]))
    mean = vector(st.floats(-large, large))
    positive = st.floats(small, large) | st.just(0.0) | st.just(1.0)
    std = np.where(count > 1, vector(positive), 0)
    prior_mean = vector(st.floats(-large, large) | st.just(np.nan))
    prior_std = np.where(np.isnan(prior_mean), np.nan, vector(positive))
    return np.where(count, mean, np.nan), std, count, prior_mean, prior_std


@settings(max_examples=300, deadline=None)
@given(batches())
def test_finite_for_all_that_is_finite(batch):
    _, _, count, prior_mean, prior_std = batch
    location, scale = shrunken_moments(*batch)
    known = (count > 0) | ~np.isnan(prior_mean)
    assert np.isfinite(location[known]).all()
    assert np.isnan(location[~known]).all()
    known = (count > 1) | ~np.isnan(prior_std)
    assert np.isfinite(scale[known]).all()
    assert (scale[known] >= 0).all()


@settings(max_examples=200, deadline=None)
@given(batches(exponent=6), st.randoms())
def test_permuted_genes_give_permuted_moments(batch, random):
    order = random.sample(range(len(batch[0])), len(batch[0]))
    expected = shrunken_moments(*batch)
    found = shrunken_moments(*(values[order] for values in batch))
    for a, b in zip(found, expected, strict=True):
        assert_allclose(a, b[order], rtol=1e-5, atol=1e-5)


@settings(max_examples=200, deadline=None)
@given(batches(exponent=3), st.integers(-20, 20))
def test_another_scale_of_all_values(batch, power):
    """By powers of two, which are exact."""
    mean, std, count, prior_mean, prior_std = batch
    a = 2.0**power
    location, scale = shrunken_moments(*batch)
    moved = shrunken_moments(a * mean, a * std, count, a * prior_mean, a * prior_std)
    assert_allclose(moved[0] / a, location, rtol=1e-6, atol=1e-6)
    assert_allclose(moved[1] / a, scale, rtol=1e-6, atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(batches(exponent=3))
def test_results_lie_between_the_batch_and_the_prior(batch):
    """With shifts that are symmetric, so that their median is zero."""
    mean, std, count, prior_mean, prior_std = batch
    twice = (np.concatenate([v, v]) for v in (std, count, prior_mean, prior_std))
    mirrored = np.concatenate([mean, 2 * prior_mean - mean])
    mirrored = np.where(np.isnan(mirrored), 0, mirrored)
    std, count, prior_mean, prior_std = twice
    location, _ = shrunken_moments(mirrored, std, count, prior_mean, prior_std)
    known = (count > 0) & ~np.isnan(prior_mean)
    low = np.minimum(mirrored, prior_mean)[known]
    high = np.maximum(mirrored, prior_mean)[known]
    assert (location[known] >= low - 1e-9 * (1 + abs(low))).all()
    assert (location[known] <= high + 1e-9 * (1 + abs(high))).all()


@settings(max_examples=200, deadline=None)
@given(batches(exponent=3))
def test_scales_lie_between_that_of_the_batch_and_what_is_usual(batch):
    """What is usual is that of a gene that was not measured."""
    mean, std, count, *_ = (np.append(values, 0.0) for values in batch)
    _, scale = shrunken_moments(mean, std, count)
    measured = count > 1
    own = std[measured] * np.sqrt(count[measured] / (count[measured] - 1))
    usual = scale[-1]
    if np.count_nonzero(own) < 10:
        assert np.isnan(usual)
        usual = own
    assert (scale[measured] >= np.minimum(own, usual) * (1 - 1e-9)).all()
    assert (scale[measured] <= np.maximum(own, usual) * (1 + 1e-9)).all()

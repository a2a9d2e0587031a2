"""The scales on which genes enter the linear part of a risk."""

import copy
import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm, rankdata

from skgex._survival._scaling import N_KNOTS, fit_scaling, scale_by_stratum
from skgex._training import apply_by_batches
from skgex.nn import NormalScores, SampleStandardizer

CPU = torch.device("cpu")
X = np.random.default_rng(0).gamma(1.0, size=(90, 7)).astype(np.float32)
X[:, 2] = np.round(X[:, 2])  # many zeros


def fitted(values, scaling="rank"):
    """Scale a matrix as learnt from itself."""
    module, scaled = fit_scaling(values, scaling)
    assert_allclose(apply_by_batches(module, values, CPU), scaled, atol=1e-6)
    return scaled


def expected_scores(values):
    """Return normal scores by the ranks of scipy, tied values at their mean."""
    return norm.ppf((rankdata(values, axis=0) - 0.5) / len(values))


# Normal scores


def test_training_values_have_the_scores_of_their_ranks():
    scores = NormalScores(torch.from_numpy(np.sort(X, axis=0).T.copy()))
    assert_allclose(scores(torch.from_numpy(X)), expected_scores(X), atol=1e-5)


@settings(deadline=None)
@given(values=arrays(np.float32, (9, 2), elements=st.integers(-3, 3)))
def test_tied_values_share_the_mean_of_their_ranks(values):
    scores = NormalScores(torch.from_numpy(np.sort(values, axis=0).T.copy()))
    found = scores(torch.from_numpy(values))
    assert_allclose(found, expected_scores(values), atol=1e-5)


def test_what_is_kept_of_the_knots_is_of_these_knots():
    knots = np.sort(X, axis=0).T.copy()
    scores, values = NormalScores(torch.tensor(knots)), torch.from_numpy(X)
    before = scores(values)
    for module in (scores, copy.deepcopy(scores), pickle.loads(pickle.dumps(scores))):
        assert_array_equal(module(values), before)
    assert "_kept_ends" not in pickle.loads(pickle.dumps(scores)).__dict__
    other = torch.from_numpy(np.sort(np.round(X), axis=0).T.copy())
    expected = NormalScores(other)(values)
    scores.load_state_dict({"knots": other})
    assert_array_equal(scores(values), expected)
    scores.knots = torch.from_numpy(knots)
    assert_array_equal(scores(values), before)


@settings(deadline=None)
@given(
    knots=arrays(np.float32, (1, 6), elements=st.floats(-1e6, 1e6, width=32)),
    values=arrays(np.float32, (20, 1), elements=st.floats(-2e6, 2e6, width=32)),
)
def test_scores_rise_with_the_values(knots, values):
    scores = NormalScores(torch.from_numpy(np.sort(knots)))
    found = scores(torch.from_numpy(np.sort(values, axis=0)))[:, 0].numpy()
    assert (np.diff(found) >= -1e-6).all()
    assert abs(found).max() <= norm.ppf(5.5 / 6) + 1e-6


def test_ranks_between_and_beyond_training_values():
    scores = NormalScores(torch.tensor([[1.0, 2.0, 4.0]]))
    new = torch.tensor([[0.0], [1.5], [2.5], [3.0], [99.0]])
    ranks = np.array([0, 0.5, 1.25, 1.5, 2])
    assert_allclose(scores(new)[:, 0], norm.ppf((ranks + 0.5) / 3), atol=1e-6)


def test_missing_values_stay_missing():
    holes = X.copy()
    holes[3, 1] = holes[5, :5] = np.nan
    scores = NormalScores(torch.from_numpy(np.sort(X, axis=0).T.copy()))
    found = scores(torch.from_numpy(holes)).numpy()
    assert_array_equal(np.isnan(found), np.isnan(holes))
    seen = ~np.isnan(holes)
    assert_array_equal(found[seen], scores(torch.from_numpy(X)).numpy()[seen])


# Samples


def test_samples_are_standardised_over_measured_genes():
    values = X.copy()
    values[3, 1] = values[5, :5] = np.nan
    found = SampleStandardizer()(torch.from_numpy(values)).numpy()
    center = np.nanmean(values, axis=1, keepdims=True)
    spread = np.nanstd(values, axis=1, keepdims=True)
    assert_allclose(found, (values - center) / spread, atol=1e-5)
    same = SampleStandardizer()(torch.full((2, 3), 7.0))
    assert_array_equal(same, np.zeros((2, 3)))


# What the estimators learn


def test_ranks_are_standardised():
    scores = expected_scores(X)
    assert_allclose(fitted(X), (scores - scores.mean(0)) / scores.std(0), atol=1e-4)
    # Whatever the units, as long as the order is the same.
    assert_allclose(fitted(np.log1p(X) * 5), fitted(X), atol=1e-4)


def test_knots_stand_for_many_samples():
    many = np.random.default_rng(0).gamma(1.0, size=(5000, 2)).astype(np.float32)
    module, found = fit_scaling(many, "rank")
    assert module[0].knots.shape == (2, N_KNOTS)
    scores = expected_scores(many)
    inner = abs(scores) < 2
    assert_allclose(found[inner], (scores / scores.std(0))[inner], atol=0.03)


@pytest.mark.parametrize("n_genes", [199, 200])
def test_samples_are_standardised_where_genes_are_many(n_genes):
    values = np.random.default_rng(0).normal(size=(40, n_genes)).astype(np.float32)
    for scaling, expected in [("rank", n_genes == 200), ("standard", False)]:
        stages = [type(stage) for stage in fit_scaling(values, scaling)[0]]
        assert (SampleStandardizer in stages) == expected


@pytest.mark.parametrize("scaling", ["rank", "standard"])
def test_a_gene_that_says_nothing_is_zero(scaling):
    values = X.copy()
    values[:, 0], values[:, 1] = 4.0, np.nan
    values[::2, 3] = np.nan
    found = fitted(values, scaling)
    assert_array_equal(found[:, :2], 0)
    assert_array_equal(found[::2, 3], 0)  # not measured: the mean
    # But for the few that were measured, the scale is that of these.
    assert_allclose(found[1::2, 3].std(), 1, atol=1e-3)
    assert_allclose(found[:, 4:].std(axis=0), 1, atol=1e-3)


def test_outliers_are_clipped_in_their_units():
    values = X.copy()
    values[0, 0] = 1e6
    assert fitted(values, "standard")[0, 0] == 6
    assert abs(fitted(values)).max() < 3.5


@pytest.mark.parametrize("scaling", ["rank", "standard"])
def test_strata_are_scaled_one_by_one(scaling):
    stratum = np.random.default_rng(0).integers(0, 3, 90)
    scaled_up = X * 4.0 ** stratum[:, None].astype(np.float32)
    whole = fit_scaling(scaled_up, scaling)[1]
    found = scale_by_stratum(scaled_up, whole.copy(), scaling, stratum)
    for name in range(3):
        here = stratum == name
        assert_allclose(found[here], fitted(X[here], scaling), atol=1e-3)
    assert_array_equal(scale_by_stratum(scaled_up, whole, scaling, np.zeros(90)), whole)

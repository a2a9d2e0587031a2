"""Samples of the fit are known again: numbers of samples, and what keeps them."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from discovery import tiny
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import skgex
from skgex import GexBERT
from skgex._low_rank import FactorAnalysis, LowRankPrior
from skgex._low_rank._fingerprints import fingerprints

# Zero has two signs, which are two values here, and NaN has many, which are one.
floats = st.floats(width=32, allow_infinity=False).map(lambda x: 0.0 if x == 0 else x)
samples = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 6), st.integers(1, 8)), elements=floats
)


def numbers(X):
    return fingerprints(torch.from_numpy(X)).numpy()


def same(a, b):
    return a == b or (np.isnan(a) and np.isnan(b))


@given(samples)
@example(np.full((2, 3), np.nan, np.float32))
def test_equal_samples_have_equal_numbers_and_others_do_not(X):
    found = numbers(X)
    assert_array_equal(numbers(X.copy()), found)
    # Whatever the others are, and wherever they lie in memory.
    for i in range(len(X)):
        assert_array_equal(numbers(np.asfortranarray(X)[i : i + 1]), found[i])
    for i, row in enumerate(X):
        for j, other in enumerate(X):
            assert (found[i] == found[j]) == np.array_equal(row, other, equal_nan=True)


@given(samples, st.data())
def test_one_other_value_makes_another_number(X, data):
    row = X[:1]
    gene = data.draw(st.integers(0, X.shape[1] - 1))
    value = np.float32(data.draw(floats))
    other = row.copy()
    other[0, gene] = value
    assert (numbers(other) == numbers(row)) == same(value, row[0, gene])


@given(samples, st.data())
def test_two_values_that_change_places_make_another_number(X, data):
    first, second = (data.draw(st.integers(0, X.shape[1] - 1)) for _ in range(2))
    row, other = X[:1], X[:1].copy()
    other[0, [first, second]] = row[0, [second, first]]
    assert (numbers(other) == numbers(row)) == same(row[0, first], row[0, second])


def test_all_that_is_not_a_number_is_one():
    bits = np.array([[0x7FC00000, 0x7F800001, 0x7FFFFFFF]], np.uint32)
    X = np.vstack([bits, bits + np.uint32(0x80000000)]).view(np.float32)
    assert np.isnan(X).all()
    assert len(set(numbers(X.reshape(-1, 1)).tolist())) == 1


def test_many_samples_have_numbers_of_their_own():
    rng = np.random.default_rng(0)
    # Few values, as of counts, and many holes.
    X = rng.integers(0, 3, (50_000, 40)).astype(np.float32)
    X[rng.random(X.shape) < 0.5] = np.nan
    assert len(np.unique(numbers(X))) == len(np.unique(X, axis=0, equal_nan=True))


# The samples that a prior has seen


def with_holes(n, n_genes, seed=0):
    """Return samples, of which every third is complete."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) @ rng.normal(size=(3, n_genes))
    X += rng.normal(size=X.shape)
    X[np.arange(n) % 3 > 0] += np.where(rng.random(n_genes) < 0.3, np.nan, 0)
    return X.astype(np.float32)


def make_prior():
    return LowRankPrior(FactorAnalysis(torch.randn(20, 4), torch.ones(20)))


def test_samples_with_holes_are_known_again():
    Z = torch.from_numpy(with_holes(60, 20))
    prior = make_prior()
    assert prior.has_seen(Z) is None
    prior.remember([Z[:30], Z[30:45]])
    expected = Z.isnan().any(1) & (torch.arange(60) < 45)
    order = torch.randperm(60)
    for copy in (prior, deepcopy(prior), pickle.loads(pickle.dumps(prior))):
        assert_array_equal(copy.has_seen(Z), expected)
        assert_array_equal(copy.has_seen(Z[order]), expected[order])
    # A gene less, and it is another sample.
    assert not prior.has_seen(Z.index_fill(1, torch.tensor([19]), torch.nan)).any()


def test_what_was_seen_is_part_of_the_state():
    Z = torch.from_numpy(with_holes(60, 20))
    prior, other = make_prior(), make_prior()
    prior.remember([Z])
    other.remember([Z])
    other.seen.zero_()
    assert not other.has_seen(Z).any()
    other.load_state_dict(prior.state_dict())
    assert_array_equal(other.has_seen(Z), Z.isnan().any(1))


def test_complete_samples_are_not_kept():
    Z = torch.randn(30, 20)
    prior = make_prior()
    prior.remember([Z])
    assert prior.has_seen(Z) is None
    assert_array_equal(prior(Z, left_out=True).values, prior(Z).values)


# In an estimator


@pytest.fixture(scope="module")
def X():
    return with_holes(60, 20)


@pytest.fixture(scope="module")
def embedder(X):
    return tiny(GexBERT, max_epochs=0).fit(X)


def prepared(embedder, X):
    return embedder.standardizer_(torch.from_numpy(X))


def hidden_of(embedder, X):
    """Return what is restored where samples have holes."""
    return embedder.restore(X)[np.isnan(X)]


def test_the_fit_remembers_its_samples(embedder, X):
    prior, new = embedder.encoder_.prior, with_holes(60, 20, seed=1)
    assert_array_equal(prior.has_seen(prepared(embedder, X)), np.isnan(X).any(1))
    assert not prior.has_seen(prepared(embedder, new)).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_of_the_fit_are_restored_as_new_ones_are(embedder, X, dtype):
    found = hidden_of(embedder, X.astype(dtype))
    prior, Z = embedder.encoder_.prior, prepared(embedder, X)
    values, unlike = (prior(Z, left_out=left_out).values for left_out in (True, False))
    scale, mean = embedder.standardizer_.scale, embedder.standardizer_.mean
    values, unlike = ((part * scale + mean).numpy() for part in (values, unlike))
    assert_allclose(found, values[np.isnan(X)], atol=1e-4)
    assert np.abs(values - unlike)[np.isnan(X)].max() > 0.01
    # One by one as all together.
    alone = [embedder.restore(row[None])[0] for row in X]
    assert_allclose(np.array(alone)[np.isnan(X)], found, atol=1e-4)


def test_a_saved_estimator_restores_the_same(embedder, X, tmp_path):
    embedder.save(tmp_path / "x.safetensors")
    loaded = skgex.load(tmp_path / "x.safetensors")
    assert_array_equal(loaded.encoder_.prior.seen, embedder.encoder_.prior.seen)
    assert_array_equal(hidden_of(loaded, X), hidden_of(embedder, X))
    again = pickle.loads(pickle.dumps(embedder))
    assert_array_equal(hidden_of(again, X), hidden_of(embedder, X))


def test_files_of_earlier_versions_know_no_samples(embedder, X, tmp_path):
    earlier = deepcopy(embedder)
    prior = earlier.encoder_.prior
    del prior.seen
    earlier.save(tmp_path / "x.safetensors")
    loaded = skgex.load(tmp_path / "x.safetensors")
    assert loaded.encoder_.prior.has_seen(prepared(loaded, X)) is None
    new = with_holes(60, 20, seed=1)
    assert_array_equal(hidden_of(loaded, new), hidden_of(embedder, new))
    values = loaded.encoder_.prior(prepared(loaded, X)).values
    expected = values * loaded.standardizer_.scale + loaded.standardizer_.mean
    assert_allclose(hidden_of(loaded, X), expected[np.isnan(X)], atol=1e-4)

"""What samples of a group share: averages over many patterns, and exact posteriors."""

import numpy as np
import pytest
import torch
from exact_factors import uncertain_model
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import SharedPosterior, pattern_groups
from skgex._low_rank._shared_posterior import (
    average_covariance,
    by_group,
    solve_factors,
)


def covariances(model, seen):
    """Return the exact covariance of the factors for each pattern, in double."""
    loadings, noise = model.loadings.double().numpy(), model.noise.double().numpy()
    spread = model.uncertainty.double().numpy()
    added = [
        np.outer(own, own) / noise_j + size * spread
        for own, noise_j, size in zip(
            loadings, noise, model.uncertainty_scale.double().numpy(), strict=True
        )
    ]
    precision = np.tensordot(seen.astype(float), np.array(added), axes=1)
    return np.linalg.inv(np.eye(model.rank) + precision)


def relative(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


# Averages over patterns


@pytest.mark.parametrize("uncertain", [False, True])
@pytest.mark.parametrize(
    ("n_genes", "least", "most", "bound"),
    [(250, 0.1, 0.9, 0.01), (250, 0.5, 1.0, 0.01), (300, 0.2, 0.4, 0.03)],
)
def test_averages_are_those_over_many_patterns(n_genes, least, most, bound, uncertain):
    model = uncertain_model(n_genes, 20, uncertain=uncertain)
    rng = np.random.default_rng(1)
    share = rng.uniform(least, most, n_genes)
    seen = rng.random((4000, n_genes)) < share
    exact = covariances(model, seen)
    found = average_covariance(model, torch.tensor(share).float())
    assert relative(found.covariance, exact.mean(0)) < bound
    # The inverse of the mean precision is several times as far away.
    mean = np.linalg.inv(np.linalg.inv(exact).mean(0))
    assert relative(mean, exact.mean(0)) > 3 * bound
    loadings = model.loadings.double().numpy()
    known, along = [], []
    for j in range(n_genes):
        own = exact[seen[:, j]].mean(0)
        known.append(loadings[j] @ own @ loadings[j] / float(model.noise[j]))
        along.append(own @ loadings[j])
    assert_allclose(found.known, known, rtol=3 * bound)
    shrunk = found.shrinkage[:, None] * model.loadings @ found.covariance
    assert relative(shrunk, np.array(along)) < 1.5 * bound


@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 99))
def test_averages_over_one_pattern_are_exact(n_genes, rank, seed):
    model = uncertain_model(n_genes, rank, seed)
    seen = np.random.default_rng(seed).random(n_genes) < 0.6
    found = average_covariance(model, torch.tensor(seen).float())
    exact = covariances(model, seen[None])[0]
    assert_allclose(found.covariance, exact, atol=1e-4)
    assert_allclose(found.shrinkage[seen], 1, rtol=1e-6)
    loadings = model.loadings.double().numpy()[seen]
    known = ((loadings @ exact) * loadings).sum(1) / model.noise.numpy()[seen]
    assert_allclose(found.known[seen], known, rtol=1e-3)


# Posteriors


def profiles(rng, n, n_genes, missing):
    X = rng.normal(size=(n, n_genes)) * 2
    X[rng.random(X.shape) < missing] = np.nan
    return torch.tensor(X).float()


def in_patterns(rng, n, n_genes, n_patterns):
    """Return samples with few patterns, and their groups."""
    Z = profiles(rng, n, n_genes, 0)
    missing = torch.from_numpy(rng.random((n_patterns, n_genes)) < 0.4)
    group = torch.from_numpy(rng.integers(0, n_patterns, n))
    return Z.masked_fill(missing[group], torch.nan), group, (~missing).float()


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 9), st.integers(0, 99))
def test_few_patterns_have_exact_posteriors(n, n_patterns, rank, seed):
    rng = np.random.default_rng(seed)
    model = uncertain_model(30, rank, seed)
    Z, group, share = in_patterns(rng, n, 30, n_patterns)
    found = SharedPosterior(model, share)(Z, group)
    expected = model.posterior(Z)
    assert_allclose(found.mean, expected.mean, atol=2e-4)
    for i in range(n):
        shared = found.covariance[found.pattern[i]]
        own = expected.covariance[expected.pattern[i]]
        assert_allclose(shared, own, atol=1e-4)


@pytest.mark.parametrize("missing", [0.05, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("rank", [1, 20, 60])
def test_means_are_found_where_holes_are_at_random(missing, rank):
    model = uncertain_model(200, rank)
    Z = drawn(model, 80, missing)
    groups = pattern_groups([Z])
    assert len(groups.share) == 1
    found = SharedPosterior(model, groups.share)(Z, groups.row_group).mean
    exact = model.posterior(Z)
    precision = np.linalg.inv(exact.covariances().double().numpy())
    error, mean = (found - exact.mean).double().numpy(), exact.mean.double().numpy()
    # What conjugate gradients lower: errors in units of the posterior.
    size = np.einsum("nk,nkl,nl->n", mean, precision, mean)
    assert (np.einsum("nk,nkl,nl->n", error, precision, error) < 0.005 * size).all()
    if missing <= 0.3 and rank <= 20:
        assert relative(found, exact.mean) < 0.005


def drawn(model, n, missing, seed=0):
    """Return samples that the model draws, with holes at random."""
    rng = np.random.default_rng(seed)
    factors = torch.tensor(rng.normal(size=(n, model.rank))).float()
    noise = torch.tensor(rng.normal(size=(n, len(model.noise)))).float()
    Z = model.expected(factors) + model.noise.sqrt() * noise
    return Z.masked_fill(torch.from_numpy(rng.random(Z.shape) < missing), torch.nan)


@given(st.integers(1, 30), st.integers(1, 6), st.floats(0, 0.9), st.integers(0, 99))
def test_as_many_steps_as_factors_are_exact(n, rank, missing, seed):
    model = uncertain_model(25, rank, seed)
    rng = np.random.default_rng(seed)
    Z = profiles(rng, n, 25, missing)
    # From anywhere, and however badly the covariance of the group fits.
    factors = torch.tensor(rng.normal(size=(n, rank))).float()
    covariance = torch.eye(rank)[None]
    group = torch.zeros(n, dtype=torch.int64)
    for _ in range(3):
        rest = solve_factors(model, Z, factors, covariance, group, 2 * rank)
    assert_allclose(factors, model.posterior(Z).mean, atol=5e-3, rtol=5e-3)
    expected = (Z - model.expected(factors)).nan_to_num(nan=0.0)
    assert_allclose(rest, expected, atol=1e-4)
    assert_array_equal(rest[Z.isnan()], 0)


def test_each_step_comes_nearer():
    model = uncertain_model(200, 60)
    Z = drawn(model, 40, 0.5)
    groups = pattern_groups([Z])
    shared = SharedPosterior(model, groups.share).covariance
    exact = model.posterior(Z)
    precision = np.linalg.inv(exact.covariances().double().numpy())
    last = np.inf
    for n_steps in (1, 2, 4, 8):
        factors = torch.zeros(40, 60)
        solve_factors(model, Z, factors, shared, groups.row_group, n_steps)
        error = (factors - exact.mean).double().numpy()
        distance = np.einsum("nk,nkl,nl->n", error, precision, error)
        assert (distance < last).all()
        last = distance


@given(st.integers(1, 20), st.integers(1, 4), st.integers(1, 5), st.integers(0, 99))
def test_each_row_is_multiplied_by_the_matrix_of_its_group(n, n_groups, rank, seed):
    rng = np.random.default_rng(seed)
    vectors, roots = rng.normal(size=(n, rank)), rng.normal(size=(n_groups, rank, rank))
    matrices, group = roots + roots.swapaxes(1, 2), rng.integers(0, n_groups, n)
    expected = [matrices[own] @ row for own, row in zip(group, vectors, strict=True)]
    found = by_group(*(torch.tensor(part) for part in (vectors, matrices, group)))
    assert_allclose(found, np.array(expected).reshape(n, rank), atol=1e-10)

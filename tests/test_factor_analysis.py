"""Factor analysis against the conditional Gaussian, in double precision."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import FactorAnalysis, distinct_rows


def parameters(rng, n_genes, rank):
    """Return loadings, noise and mean of a random model, in double precision."""
    return (
        rng.normal(size=(n_genes, rank)),
        rng.uniform(0.2, 2.0, n_genes),
        rng.normal(size=n_genes),
    )


def tensors(*arrays):
    return [torch.tensor(array, dtype=torch.float32) for array in arrays]


def conditional(x, loadings, noise, mean):
    """Return moments of all genes given those of `x` that are not NaN, slowly.

    In the joint Gaussian of the genes with covariance WW' + Psi, and of the factors.
    The noise of a gene is drawn anew, as for a second measurement of it.
    """
    joint = loadings @ loadings.T + np.diag(noise)
    seen = ~np.isnan(x)
    gain = loadings[seen].T @ np.linalg.inv(joint[np.ix_(seen, seen)])
    factors = gain @ (x - mean)[seen]
    covariance = np.eye(loadings.shape[1]) - gain @ loadings[seen]
    genes = mean + loadings @ factors
    return factors, covariance, genes, np.diag(loadings @ covariance @ loadings.T)


def profiles(rng, n, n_genes, missing):
    X = rng.normal(size=(n, n_genes)) * 2
    X[rng.random(X.shape) < missing] = np.nan
    return X


sizes = st.tuples(st.integers(1, 40), st.integers(1, 12), st.integers(1, 9))


@given(sizes, st.sampled_from([0.0, 0.3, 0.9, 1.0]), st.integers(0, 99))
@example((40, 12, 9), 0.3, 0)  # more patterns than are summed one by one
@example((40, 20, 18), 0.5, 0)  # more factors than pairs are made of at a time
@example((1, 1, 1), 0.0, 0)
@example((1, 1, 1), 1.0, 0)
def test_posterior_is_the_conditional_gaussian(size, missing, seed):
    n, n_genes, rank = size
    rng = np.random.default_rng(seed)
    arrays = parameters(rng, n_genes, rank)
    X = profiles(rng, n, n_genes, missing)
    model = FactorAnalysis(*tensors(*arrays))
    posterior = model.posterior(*tensors(X))
    expected = model.expected(posterior.mean)
    explained, own = model.variance(posterior)
    for i in range(n):
        factors, covariance, genes, variance = conditional(X[i], *arrays)
        assert_allclose(posterior.mean[i], factors, atol=2e-4)
        own_covariance = posterior.covariance[posterior.pattern[i]]
        assert_allclose(own_covariance, covariance, atol=2e-4)
        assert_allclose(expected[i], genes, atol=1e-3)
        assert_allclose(explained[i], variance, atol=1e-3)
        assert_allclose(own[i], arrays[1], rtol=1e-6)


@pytest.mark.parametrize("n_patterns", [1, 2, 50])
@pytest.mark.parametrize("missing", [0.03, 0.2, 0.5, 0.97])
def test_patterns_near_the_usual_one_and_far_from_it(n_patterns, missing):
    rng = np.random.default_rng(0)
    arrays = parameters(rng, 30, 20)
    X = rng.normal(size=(60, 30))
    # Some genes were measured in no sample, as where others have holes of their own.
    masks = (rng.random((n_patterns, 30)) < missing) | (np.arange(30) % 5 == 0)
    masks[:3, 7:] = True
    X[masks[np.arange(60) % n_patterns]] = np.nan
    posterior = FactorAnalysis(*tensors(*arrays)).posterior(*tensors(X))
    for i in range(60):
        factors, covariance, _, _ = conditional(X[i], *arrays)
        assert_allclose(posterior.mean[i], factors, atol=1e-3)
        shared = posterior.covariance[posterior.pattern[i]]
        assert_allclose(shared, covariance, atol=1e-3)


def test_leading_factors_leave_the_variance_of_each_gene():
    arrays = tensors(*parameters(np.random.default_rng(0), 10, 5))
    uncertainty = torch.diag(torch.arange(1.0, 6.0))
    model = FactorAnalysis(*arrays, uncertainty, torch.arange(10.0))
    first = model.leading(2)
    assert first.rank == 2
    total = [(m.loadings**2).sum(1) + m.noise for m in (model, first)]
    assert_allclose(total[0], total[1], rtol=1e-6)
    assert_array_equal(first.loadings, model.loadings[:, :2])
    assert_array_equal(first.uncertainty, uncertainty[:2, :2])
    assert_array_equal(first.uncertainty_scale, model.uncertainty_scale)


def test_without_a_measured_gene_the_prior_is_left():
    loadings, noise, mean = parameters(np.random.default_rng(0), 7, 3)
    model = FactorAnalysis(*tensors(loadings, noise, mean))
    posterior = model.posterior(torch.full((2, 7), torch.nan))
    assert_array_equal(posterior.mean, np.zeros((2, 3)))
    assert_allclose(posterior.covariance, np.eye(3)[None], atol=1e-6)
    assert_allclose(model.expected(posterior.mean), np.tile(mean, (2, 1)), rtol=1e-6)
    explained, _ = model.variance(posterior)
    assert_allclose(explained, np.tile((loadings**2).sum(1), (2, 1)), rtol=1e-5)


@given(sizes, st.integers(0, 99))
@example((30, 12, 18), 0)
def test_uncertain_loadings_by_a_loop_over_genes(size, seed):
    n, n_genes, rank = size
    rng = np.random.default_rng(seed)
    loadings, noise, mean = parameters(rng, n_genes, rank)
    root = rng.normal(size=(rank, rank)) / rank
    uncertainty, scale = root @ root.T, rng.uniform(0.5, 3, n_genes)
    model = FactorAnalysis(*tensors(loadings, noise, mean, uncertainty, scale))
    X = profiles(rng, n, n_genes, 0.4)
    posterior = model.posterior(*tensors(X))
    explained, own = model.variance(posterior)
    for i in range(n):
        precision, evidence = np.eye(rank), np.zeros(rank)
        for j in np.flatnonzero(~np.isnan(X[i])):
            # E[w w'] / noise is the square of the mean and the uncertainty.
            precision += np.outer(loadings[j], loadings[j]) / noise[j]
            precision += scale[j] * uncertainty
            evidence += loadings[j] * (X[i, j] - mean[j]) / noise[j]
        covariance = np.linalg.inv(precision)
        factors = covariance @ evidence
        assert_allclose(posterior.mean[i], factors, atol=1e-3)
        second = covariance + np.outer(factors, factors)
        for j in range(n_genes):
            variance = loadings[j] @ covariance @ loadings[j]
            assert_allclose(explained[i, j], variance, atol=1e-3)
            # Var(w'f) of an independent w adds tr(Var(w) E[ff']).
            added = scale[j] * np.trace(uncertainty @ second)
            assert_allclose(own[i, j], noise[j] * (1 + added), rtol=1e-3)


def test_genes_with_uncertain_loadings_say_less_about_the_factors():
    arrays = tensors(*parameters(np.random.default_rng(0), 10, 3))
    Z = torch.randn(4, 10)
    sure = FactorAnalysis(*arrays).posterior(Z)
    unsure = FactorAnalysis(*arrays, torch.eye(3)).posterior(Z)
    assert (unsure.mean.norm(dim=1) < sure.mean.norm(dim=1)).all()


@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 99))
def test_distinct_rows_are_those_of_numpy(n, n_genes, seed):
    mask = np.random.default_rng(seed).random((n, n_genes)) < 0.5
    distinct, row = distinct_rows(torch.from_numpy(mask))
    assert_array_equal(distinct[row], mask)
    assert len(distinct) == len(np.unique(mask, axis=0))

"""Samples of the fit as if it had not seen them: refits without them, and new ones."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import FactorAnalysis, LowRankPrior, fit_prior
from skgex._low_rank._left_out import leave_out
from skgex._training import RowReader


def make_model(n_genes, rank, size=0.1, seed=0):
    """Return arrays of a model, with loadings as uncertain as after few samples."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(rank, 2 * rank)) * np.sqrt(size / rank)
    return (
        rng.normal(size=(n_genes, rank)),
        rng.uniform(0.2, 2.0, n_genes),
        rng.normal(size=n_genes),
        root @ root.T,
        rng.uniform(0.5, 2, n_genes),
    )


def as_model(arrays):
    return FactorAnalysis(*(torch.tensor(array).float() for array in arrays))


def profiles(n, n_genes, missing, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_genes)) * 1.5
    X[rng.random(X.shape) < missing] = np.nan
    return X


def posterior(row, loadings, noise, mean, spread):
    """Return the moments of the factors of a sample by sums over its genes."""
    precision, evidence = np.eye(loadings.shape[1]), np.zeros(loadings.shape[1])
    for j in np.flatnonzero(~np.isnan(row)):
        precision += np.outer(loadings[j], loadings[j]) / noise[j] + spread[j]
        evidence += loadings[j] * (row[j] - mean[j]) / noise[j]
    covariance = np.linalg.inv(precision)
    return covariance @ evidence, covariance


def without(row, loadings, noise, mean, uncertainty, scale):
    """Return loadings, and their covariance, of regressions without a sample.

    The normal equations of each gene, less what the sample adds to them.
    """
    spread = scale[:, None, None] * uncertainty
    factors, _ = posterior(row, loadings, noise, mean, spread)
    loadings, spread = loadings.copy(), spread.copy()
    for j in np.flatnonzero(~np.isnan(row)):
        matrix = np.linalg.inv(spread[j])
        right = matrix @ loadings[j] - factors * (row[j] - mean[j])
        # A sample that stands alone leaves half of what is known at the least.
        leverage = factors @ spread[j] @ factors
        if leverage > 0.5:
            error = row[j] - mean[j] - factors @ loadings[j]
            lean = spread[j] @ factors
            loadings[j] -= 2 * error * lean
            spread[j] += 2 * np.outer(lean, lean)
            continue
        spread[j] = np.linalg.inv(matrix - np.outer(factors, factors))
        loadings[j] = spread[j] @ right
    return loadings, spread


def check_left_out(arrays, X, left_out, atol=2e-3, n_columns=None):
    model = as_model(arrays)
    found = model.posterior(
        torch.tensor(X).float(), n_columns, torch.from_numpy(left_out)
    )
    loadings, noise, mean, uncertainty, scale = arrays
    linear = model.expected(found.mean)
    if found.change is not None:
        along = (found.lean * found.mean).sum(1, keepdim=True)
        linear = linear + found.change * along
    n_columns = n_columns or loadings.shape[1]
    for i, row in enumerate(X):
        own, spread = loadings, scale[:, None, None] * uncertainty
        if left_out[i]:
            own, spread = without(row, *arrays)
        factors, covariance = posterior(row, own, noise, mean, spread)
        assert_allclose(found.mean[i], factors, atol=atol)
        shared = found.covariance[found.pattern[i]]
        assert_allclose(shared, covariance[:, :n_columns], atol=atol)
        # What is expected of measured genes, by loadings that have not seen them.
        assert_allclose(linear[i], mean + own @ factors, atol=3 * atol)


@given(
    st.integers(1, 12),
    st.integers(1, 30),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    st.sampled_from([1e-4, 0.05, 2.0]),
    st.integers(0, 99),
)
def test_left_out_samples_have_posteriors_of_refits(
    n, n_genes, rank, missing, size, seed
):
    arrays = make_model(n_genes, rank, size, seed)
    X = profiles(n, n_genes, missing, seed)
    check_left_out(arrays, X, np.random.default_rng(seed).random(n) < 0.6)


@pytest.mark.parametrize("n_columns", [1, 5, 20])
@pytest.mark.parametrize("missing", [0.02, 0.1, 0.5])
def test_leading_columns_of_samples_with_few_holes(missing, n_columns):
    X = profiles(20, 60, missing)
    check_left_out(make_model(60, 20), X, np.arange(20) % 3 > 0, n_columns=n_columns)


def test_loadings_are_those_of_a_regression_without_the_sample():
    # Ridge regression of all genes on given factors, and again without each sample.
    rng = np.random.default_rng(0)
    factors, X = rng.normal(size=(30, 3)), rng.normal(size=(30, 8))
    X[rng.random(X.shape) < 0.3] = np.nan
    X[:, :5] = np.nan_to_num(X[:, :5])

    def regress(rows, j):
        own = rows[~np.isnan(X[rows, j])]
        matrix = factors[own].T @ factors[own] + np.eye(3)
        return np.linalg.solve(matrix, factors[own].T @ X[own, j])

    everyone = np.arange(30)
    loadings = np.array([regress(everyone, j) for j in range(8)])
    uncertainty = np.linalg.inv(factors.T @ factors + np.eye(3))
    noise, mean = np.ones(8), np.zeros(8)
    model = as_model((loadings, noise, mean, uncertainty, noise))
    Z, given = (torch.tensor(part).float() for part in (X, factors))
    *_, change, lean = leave_out(model, Z, given, lambda vectors: vectors)
    found = model.loadings + change[:, :, None] * lean[:, None, :]
    for i in range(30):
        # Of genes that were measured in all samples the uncertainty is exact.
        refit = [regress(np.delete(everyone, i), j) for j in range(5)]
        assert_allclose(found[i, :5], refit, atol=1e-5)
        missing = np.isnan(X[i])
        assert_array_equal(found[i, missing], model.loadings[missing])


def test_nothing_changes_where_loadings_are_certain():
    loadings, noise, mean, uncertainty, scale = make_model(20, 4)
    model = as_model((loadings, noise, mean, 0 * uncertainty, scale))
    Z = torch.tensor(profiles(10, 20, 0.3)).float()
    plain = model.posterior(Z)
    found = model.posterior(Z, left_out=torch.ones(10, dtype=torch.bool))
    assert_allclose(found.mean, plain.mean, atol=1e-6)
    assert_allclose(found.covariances(), plain.covariances(), atol=1e-6)
    assert not found.lean.any()


def test_prior_leaves_out_what_it_remembers():
    arrays = make_model(20, 4)
    X = profiles(10, 20, 0.3)
    Z = torch.tensor(X).float()
    prior = LowRankPrior(as_model(arrays))
    assert_array_equal(prior(Z, left_out=True).values, prior(Z).values)
    prior.remember([Z[:3], Z[3:6]])
    found, plain = prior(Z, left_out=True).values, prior(Z).values
    for i, row in enumerate(X[:6]):
        own, spread = without(row, *arrays)
        factors, _ = posterior(row, own, *arrays[1:3], spread)
        assert_allclose(found[i], arrays[2] + own @ factors, atol=5e-3)
    assert_allclose(found[6:], plain[6:], atol=1e-5)


# On new samples, and on those of the fit


def draw(n, spread=1.0, n_genes=200, rank=10, noise=0.3, seed=0):
    """Return samples, every fifth with so much wider noise, and as many new ones."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_genes, rank))
    loadings *= np.sqrt(1 - noise) / np.linalg.norm(loadings, axis=1, keepdims=True)
    wide = np.where(np.arange(2 * n) % n % 5 == 0, spread, 1.0)[:, None]
    X = rng.normal(size=(2 * n, rank)) @ loadings.T
    X += rng.normal(size=X.shape) * np.sqrt(noise) * wide
    return X.astype(np.float32)


def errors(X, hidden, n):
    """Return errors of hidden values: new samples; those of the fit; these left out."""
    Z = torch.from_numpy(X).masked_fill(torch.from_numpy(hidden), torch.nan)
    torch.manual_seed(0)
    prior = fit_prior(RowReader(Z.numpy()), torch.arange(n), torch.clone, 40)
    prior.remember([Z[:n]])
    found = []
    for rows, left_out in ((slice(n, None), True), (slice(n), False), (slice(n), True)):
        rest = prior(Z[rows], left_out=left_out).values.numpy() - X[rows]
        found.append(np.sqrt((rest[hidden[rows]] ** 2).mean()))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_samples_of_the_fit_are_restored_as_well_as_new_ones(seed):
    # Noisy samples pull loadings towards them, and miss what they lack.
    X = draw(300, spread=3.0, seed=seed)
    block = (np.arange(600)[:, None] % 2 == 0) & (np.arange(200) < 80)
    new, plain, left_out = errors(X, block, 300)
    assert plain > 1.035 * new
    assert left_out < 1.02 * new


@pytest.mark.parametrize("kind", ["block", "random"])
def test_where_all_samples_are_alike_it_costs_little(kind):
    X = draw(150)
    hidden = (np.arange(300)[:, None] % 2 == 0) & (np.arange(200) < 80)
    if kind == "random":
        hidden = np.random.default_rng(1).random(X.shape) < 0.3
    new, plain, left_out = errors(X, hidden, 150)
    assert left_out < 1.01 * min(new, plain)

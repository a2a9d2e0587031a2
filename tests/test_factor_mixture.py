"""The mixture over factors against brute force over its components."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from skgex._low_rank import FactorAnalysis, FactorMixture, FactorPosterior


def make_problem(seed, n_genes, rank, n_leading, n_components):
    """Return the arrays of a model and of a mixture, in double precision."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n_components, n_leading, n_leading))
    covariance = roots @ roots.transpose(0, 2, 1) / n_leading + 0.3 * np.eye(n_leading)
    weight = rng.uniform(0.1, 1, n_components)
    model = rng.normal(size=(n_genes, rank)), rng.uniform(0.3, 2, n_genes)
    mean = 2 * rng.normal(size=(n_components, n_leading))
    return rng, model, (weight / weight.sum(), mean, covariance)


def tensors(*arrays):
    return [torch.tensor(array, dtype=torch.float32) for array in arrays]


def brute_force(x, loadings, noise, weight, mean, covariance):
    """Return posterior moments of all factors, and responsibilities.

    Each component is a Gaussian of all factors, those that it does not speak of
    being N(0, I), and so of the genes.
    """
    rank, q = loadings.shape[1], mean.shape[1]
    seen = ~np.isnan(x)
    W, moments, evidence = loadings[seen], [], []
    for share, centre, own in zip(weight, mean, covariance, strict=True):
        m, C = np.zeros(rank), np.eye(rank)
        m[:q], C[:q, :q] = centre, own
        joint = W @ C @ W.T + np.diag(noise[seen])
        gain = C @ W.T @ np.linalg.inv(joint)
        moments.append((m + gain @ (x[seen] - W @ m), C - gain @ W @ C))
        logpdf = multivariate_normal(W @ m, joint).logpdf(x[seen]) if seen.any() else 0
        evidence.append(np.log(share) + logpdf)
    resp = np.exp(evidence - np.logaddexp.reduce(evidence))
    total = sum(r * m for r, (m, _) in zip(resp, moments, strict=True))
    spread = sum(
        r * (C + np.outer(m - total, m - total))
        for r, (m, C) in zip(resp, moments, strict=True)
    )
    return total, spread, resp


problems = st.tuples(
    st.integers(0, 99), st.integers(1, 12), st.integers(1, 6), st.integers(1, 5)
)


@given(problems, st.integers(1, 25), st.sampled_from([0.0, 0.4, 1.0]))
@example((0, 12, 6, 5), 25, 0.4)
@example((1, 12, 6, 3), 1, 0.0)
def test_moments_and_responsibilities(problem, n, missing):
    seed, n_genes, rank, n_components = problem
    n_leading = 1 + seed % rank  # some problems have all factors in the mixture
    rng, model, mixture = make_problem(seed, n_genes, rank, n_leading, n_components)
    X = 2 * rng.normal(size=(n, n_genes))
    X[rng.random(X.shape) < missing] = np.nan
    analysis = FactorAnalysis(*tensors(*model))
    posterior = analysis.posterior(*tensors(X))
    fitted = FactorMixture(*tensors(*mixture))
    # With what is known of the leading factors alone.
    leading = fitted(analysis.posterior(*tensors(X), n_leading))
    plain, found = fitted(posterior), fitted(posterior, with_covariance=True)
    weight = fitted.components(posterior).weight
    for i in range(n):
        mean, covariance, resp = brute_force(X[i], *model, *mixture)
        assert_allclose(weight[i], resp, atol=2e-3)
        assert_allclose(found.mean[i], mean, atol=1e-2)
        assert_allclose(leading.mean[i], mean, atol=1e-2)
        own = found.covariances()[i]
        assert_allclose(own, covariance, atol=2e-2, rtol=1e-3)
    assert_allclose(plain.mean, found.mean, atol=1e-5)


def test_one_component_at_the_prior_changes_nothing():
    _, model, _ = make_problem(0, 12, 5, 3, 1)
    posterior = FactorAnalysis(*tensors(*model)).posterior(torch.randn(6, 12))
    mixture = FactorMixture(torch.ones(1), torch.zeros(1, 3), torch.eye(3)[None])
    found = mixture(posterior, with_covariance=True)
    assert_allclose(found.mean, posterior.mean, atol=1e-5)
    assert_allclose(found.covariances(), posterior.covariances(), atol=1e-5)


def test_kinds_far_apart_are_told_apart():
    model = FactorAnalysis(torch.ones(20, 1), torch.ones(20))
    mixture = FactorMixture(
        torch.tensor([0.5, 0.5]), torch.tensor([[-9.0], [9.0]]), torch.ones(2, 1, 1)
    )
    Z = torch.tensor([[-9.0], [9.0]]) + torch.randn(2, 20)
    weight = mixture.components(model.posterior(Z)).weight
    assert_allclose(weight, np.eye(2), atol=1e-6)


def test_samples_are_independent_and_patterns_shared():
    rng, model, mixture = make_problem(3, 12, 5, 3, 4)
    X = rng.normal(size=(30, 12))
    X[rng.random(X.shape) < 0.3] = np.nan
    analysis, fitted = (
        FactorAnalysis(*tensors(*model)),
        FactorMixture(*tensors(*mixture)),
    )
    together = fitted(analysis.posterior(*tensors(X)), with_covariance=True)
    assert isinstance(together, FactorPosterior)
    for i in (0, 7, 29):
        alone = fitted(analysis.posterior(*tensors(X[i : i + 1])), with_covariance=True)
        assert_allclose(alone.mean[0], together.mean[i], atol=1e-4)
        assert_allclose(alone.covariances()[0], together.covariances()[i], atol=1e-4)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_variance_of_genes_under_the_mixture(missing):
    rng, model, mixture = make_problem(4, 12, 5, 3, 4)
    X = rng.normal(size=(10, 12))
    X[rng.random(X.shape) < missing] = np.nan
    loadings, noise = model
    uncertainty = np.diag(rng.random(5))
    analysis = FactorAnalysis(
        *tensors(*model), uncertainty=torch.tensor(uncertainty).float()
    )
    fitted = FactorMixture(*tensors(*mixture))
    found = fitted(analysis.posterior(*tensors(X)), with_covariance=True)
    explained, own = analysis.variance(found)
    for i, covariance in enumerate(found.covariances().double().numpy()):
        expected = np.einsum("jq,qr,jr->j", loadings, covariance, loadings)
        assert_allclose(explained[i], expected, rtol=1e-3)
        mean = found.mean[i].double().numpy()
        size = np.trace(uncertainty @ (covariance + np.outer(mean, mean)))
        assert_allclose(own[i], noise * (1 + size), rtol=1e-3)

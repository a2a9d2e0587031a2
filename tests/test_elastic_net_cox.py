"""The linear part with a penalty on absolute coefficients."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sksurv.linear_model import CoxnetSurvivalAnalysis
from survival_cohorts import as_data, planted_cohort

from skgex import SCARF, FineTunedCoxPH
from skgex._survival import _elastic_net
from skgex._survival._elastic_net import elastic_net_path, largest_penalty
from skgex._survival._ridge_path import ridge_path

L1_RATIO = pytest.mark.parametrize("l1_ratio", [0.2, 0.9, 1.0])
SHAPES = pytest.mark.parametrize("n_genes", [12, 120], ids=["p < n", "p > n"])


def problem(n_genes, ties="efron", n_times=15):
    """Return centred genes and a likelihood with strata, weights and ties."""
    X, y = planted_cohort(70, n_genes, n_times=n_times)
    rng = np.random.default_rng(0)
    data = as_data(y, rng.integers(0, 2, 70), rng.uniform(0.5, 2, 70))
    G = torch.from_numpy(X - X.mean(axis=0))
    return G, data.likelihood(ties)


@L1_RATIO
@SHAPES
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_solutions_are_stationary(l1_ratio, n_genes, ties):
    G, likelihood = problem(n_genes, ties)
    alphas = largest_penalty(G, likelihood, l1_ratio) * np.array([0.5, 0.2, 0.1])
    for alpha, coef in zip(
        alphas, elastic_net_path(G, likelihood, alphas, l1_ratio), strict=True
    ):
        lasso, ridge = alpha * l1_ratio, alpha * (1 - l1_ratio)
        slope = G.T @ likelihood.value_and_gradient(G @ coef)[1] + ridge * coef
        zero = coef == 0
        assert 0 < zero.sum() < n_genes
        assert slope[zero].abs().max() <= lasso * (1 + 1e-6)
        assert_allclose(slope[~zero], -lasso * coef[~zero].sign(), rtol=1e-5)


@L1_RATIO
@SHAPES
def test_largest_penalty_is_the_least_that_leaves_nothing(l1_ratio, n_genes):
    G, likelihood = problem(n_genes)
    largest = largest_penalty(G, likelihood, l1_ratio)
    alphas = [1.0001 * largest, 0.99 * largest]
    none, some = elastic_net_path(G, likelihood, alphas, l1_ratio)
    assert not none.any()
    assert some.count_nonzero() == 1


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
@SHAPES
def test_solutions_are_those_of_coxnet(l1_ratio, n_genes):
    X, y = planted_cohort(70, n_genes)
    G = torch.from_numpy(X - X.mean(axis=0))
    likelihood = as_data(y).likelihood("breslow")
    alphas = largest_penalty(G, likelihood, l1_ratio) * np.array([0.5, 0.2])
    # Its loss is the mean over the samples.
    coxnet = CoxnetSurvivalAnalysis(
        l1_ratio=l1_ratio, alphas=alphas / 70, tol=1e-14, max_iter=10**6
    )
    expected = coxnet.fit(G.numpy(), y).coef_.T
    coefs = elastic_net_path(G, likelihood, alphas, l1_ratio)
    assert_allclose(coefs, expected, atol=1e-5)


def test_a_little_of_the_lasso_is_nearly_a_ridge():
    G, likelihood = problem(12)
    (net,) = elastic_net_path(G, likelihood, [5.0], 1e-7)
    assert_allclose(net, ridge_path(G, likelihood, [5.0])[0], atol=1e-5)


def test_a_weak_penalty_from_a_cold_start():
    # The first step goes much too far; what it finds there must not be believed.
    X, y = planted_cohort(400, 10)
    G = torch.from_numpy(100 * (X - X.mean(axis=0)))
    likelihood = as_data(y).likelihood("efron")
    (net,) = elastic_net_path(G, likelihood, [1e-3], 0.5)
    (ridge,) = ridge_path(G, likelihood, [1e-3])
    assert_allclose(100 * net, 100 * ridge, atol=1e-3)


def test_estimator_selects_the_prognostic_genes():
    X, y = planted_cohort(300, 60)
    cox = FineTunedCoxPH(
        SCARF(max_epochs=0), l1_ratio=1.0, max_epochs=0, random_state=0
    )
    coef = cox.fit(X, y).coef_
    assert (np.sign(coef[:3]) == [1, 1, -1]).all()
    assert abs(coef[:3]).min() > 3 * abs(coef[3:]).max()
    assert 10 < (coef[3:] == 0).sum()
    ridge = cox.set_params(l1_ratio=0.0).fit(X, y)
    assert ridge.coef_.all()


def test_steps_that_run_out_are_told_of(monkeypatch):
    G, likelihood = problem(12)
    alphas = [0.1 * largest_penalty(G, likelihood, 0.9)]
    monkeypatch.setattr(_elastic_net, "_MAX_STEPS", 2)
    with pytest.warns(ConvergenceWarning, match="2 steps; raise alpha"):
        elastic_net_path(G, likelihood, alphas, 0.9)

"""The linear part with a ridge: against scikit-survival, and a general optimiser."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sksurv.linear_model import CoxPHSurvivalAnalysis
from survival_cohorts import as_data, planted_cohort, without_network
from survival_oracles import slow_cox_loss

from skgex._finetune import _sample_span
from skgex._finetune._sample_span import SampleSpan
from skgex._survival import _ridge_path
from skgex._survival._linear import fit_linear_risk
from skgex._survival._ridge_path import penalty_path, ridge_path
from skgex._survival._split import EventStratifiedKFold

TIES = pytest.mark.parametrize("ties", ["efron", "breslow"])


def standardised(X):
    """Scale genes as ``scaling="standard"`` does."""
    return ((X - X.mean(axis=0)) / X.std(axis=0)).clip(-6, 6)


def reference(G, y, alpha, ties="efron"):
    """Fit scikit-survival's model to convergence."""
    model = CoxPHSurvivalAnalysis(alpha=alpha, ties=ties, tol=1e-13, n_iter=200)
    return model.fit(G, y)


# The solver


@TIES
@pytest.mark.parametrize("n_genes", [5, 90], ids=["p < n", "p > n"])
def test_path_is_that_of_scikit_survival(ties, n_genes):
    X, y = planted_cohort(60, n_genes, n_times=15)
    G = X - X.mean(axis=0)
    span = SampleSpan(G)
    alphas = [1000.0, 30.0, 0.5]
    thetas = ridge_path(span.scores, as_data(y).likelihood(ties), alphas)
    for alpha, theta in zip(alphas, thetas, strict=True):
        coef = span.coefficients(theta)
        assert_allclose(coef, reference(G, y, alpha, ties).coef_, atol=1e-5)
        alone = fit_linear_risk(
            X, as_data(y), alpha=alpha, l1_ratio=0, ties=ties, folds=[]
        )
        assert_allclose(alone.coef, coef, atol=1e-5)
        assert_allclose(alone.alphas, [alpha])
        assert alone.gains is alone.held_out is None


def test_span_has_the_distances_of_the_samples():
    X, _ = planted_cohort(30, 50)
    G = X - X.mean(axis=0)
    span = SampleSpan(G)
    assert span.scores.shape == (30, 29)  # one direction less, as genes are centred
    assert_allclose(span.scores @ span.scores.T, G @ G.T, atol=1e-9)
    theta = torch.randn(29, dtype=torch.float64)
    assert_allclose(G @ span.coefficients(theta).numpy(), span.scores @ theta)
    assert_allclose(span.coefficients(theta).norm(), theta.norm())


@pytest.mark.parametrize("shape", [(30, 50), (50, 30)])
def test_span_does_not_depend_on_what_is_in_memory_at_once(shape, monkeypatch):
    X, _ = planted_cohort(*shape)
    G = X - X.mean(axis=0)
    whole = SampleSpan(G)
    monkeypatch.setattr(_sample_span, "_CHUNK_VALUES", 200)
    in_parts = SampleSpan(G)
    for span in (whole, in_parts):
        theta = span.scores.T @ torch.ones(shape[0], dtype=torch.float64)
        assert_allclose(span.coefficients(theta), G.T @ np.ones(shape[0]), atol=1e-9)


@pytest.mark.parametrize("shape", [(60, 150), (150, 60)])
def test_leading_directions_of_what_is_large(shape, monkeypatch):
    X, y = planted_cohort(*shape)
    # Three factors, and little noise.
    X[:, 3:] = 0.1 * X[:, 3:] + X[:, :3] @ np.ones((3, 1))
    G = X - X.mean(axis=0)
    exact = SampleSpan(G)
    monkeypatch.setattr(_sample_span, "_MAX_EXACT", 50)
    monkeypatch.setattr(_sample_span, "_N_LEADING", 40)
    leading = SampleSpan(G)
    assert leading.scores.shape == (shape[0], 40)
    risks = []
    for span, precision in [(exact, 1e-9), (leading, 1e-3)]:
        (theta,) = ridge_path(span.scores, as_data(y).likelihood("efron"), [100.0])
        risks.append(span.scores @ theta)
        told = G @ span.coefficients(theta).numpy()
        assert_allclose(told, risks[-1], atol=precision)
    assert np.corrcoef(*risks)[0, 1] > 0.99


def test_constant_genes_have_no_coefficient():
    X, y = planted_cohort(40, 3)
    X = np.c_[X - X.mean(axis=0), np.zeros((40, 2))]
    risk = fit_linear_risk(X, as_data(y), alpha=1.0, l1_ratio=0, ties="efron", folds=[])
    assert (risk.coef[3:] == 0).all()
    assert risk.coef[:3].all()


def test_newton_says_when_it_does_not_converge(monkeypatch):
    X, y = planted_cohort(60, 90)
    span = SampleSpan(X - X.mean(axis=0))
    monkeypatch.setattr(_ridge_path, "_MAX_NEWTON", 1)
    with pytest.warns(ConvergenceWarning, match=r"=0\.1 did not .* 1 Newton steps"):
        ridge_path(span.scores, as_data(y).likelihood("efron"), [0.1])


def test_penalties_reach_from_nothing_to_a_weak_one():
    X, y = planted_cohort(80, 30)
    span, likelihood = SampleSpan(X - X.mean(axis=0)), as_data(y).likelihood("efron")
    alphas = penalty_path(span.scores, likelihood)
    assert len(alphas) == 12
    assert (np.diff(np.log(alphas)) < 0).all()
    spreads = [
        float(r.std())
        for r in ridge_path(span.scores, likelihood, alphas) @ span.scores.T
    ]
    assert np.all(np.diff(spreads) > 0)
    assert spreads[0] < 0.2 * spreads[-1]
    assert spreads[-1] > 1


# The estimator


@TIES
@pytest.mark.parametrize("n_genes", [6, 100], ids=["p < n", "p > n"])
def test_estimator_without_a_network_is_ridge_regression(ties, n_genes):
    X, y = planted_cohort(70, n_genes, n_times=20)
    X = (10 + 3 * X).astype(np.float32)
    G = standardised(X.astype(float))
    expected = reference(G, y, 20.0, ties)
    cox = without_network(alpha=20.0, ties=ties).fit(X, y)
    assert_allclose(cox.coef_, expected.coef_, atol=1e-4)
    # Ours is of the average profile, which the genes of scikit-survival's are not.
    assert_allclose(cox.predict(X), G @ expected.coef_, atol=1e-3)
    baseline, other = cox.cum_baseline_hazard_, expected.cum_baseline_hazard_
    np.testing.assert_array_equal(baseline.x, other.x)
    # scikit-survival's baseline is Breslow's, whatever the ties.
    assert_allclose(baseline.y, other.y, rtol=1e-3)
    new = planted_cohort(10, n_genes, seed=1)[0]
    new_G = ((10 + 3 * new - X.mean(axis=0)) / X.std(axis=0)).clip(-6, 6)
    for method in ("predict_survival_function", "predict_cumulative_hazard_function"):
        curves = getattr(cox, method)(10 + 3 * new, return_array=True)
        others = getattr(expected, method)(new_G, return_array=True)
        assert_allclose(curves, others, rtol=2e-3, atol=1e-4)
    assert cox.n_iter_ == 0


def test_outliers_are_clipped():
    X, y = planted_cohort(70, 5)
    X[3, 2] = 1e4
    cox = without_network(alpha=1.0).fit(X, y)
    expected = reference(standardised(X), y, 1.0)
    assert_allclose(cox.coef_, expected.coef_, atol=1e-4)


@TIES
def test_strata_add_their_likelihoods(ties):
    X, y = planted_cohort(60, 4, n_times=10)
    strata = np.random.default_rng(0).integers(0, 3, 60)
    weight = np.random.default_rng(1).uniform(0.5, 2, 60)
    # Genes are scaled within strata.
    G = np.empty_like(X)
    for name in range(3):
        G[strata == name] = standardised(X[strata == name])

    def objective(coef):
        loss = slow_cox_loss(G @ coef, y["event"], y["time"], strata, weight, ties)
        return loss + coef @ coef / 2 * 3.0

    expected = minimize(objective, np.zeros(4), method="BFGS", options={"gtol": 1e-6})
    cox = without_network(alpha=3.0, ties=ties)
    cox.fit(X, y, strata=np.array(["b", "c", "a"])[strata], sample_weight=weight)
    assert_allclose(cox.coef_, expected.x, atol=1e-4)


# The choice of the penalty


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_penalty_with_the_largest_gain_is_chosen(l1_ratio):
    X, y = planted_cohort(120, 20)
    X -= X.mean(axis=0)
    folds = list(EventStratifiedKFold(3, random_state=0).split(X, y))
    options = {"l1_ratio": l1_ratio, "ties": "efron"}
    risk = fit_linear_risk(X, as_data(y), alpha="cv", folds=folds, **options)
    best = int(np.argmax(risk.gains))
    assert 0 < best < 11
    assert risk.alpha == risk.alphas[best]
    # How likely the follow-up of samples is, by what the other folds say of them.
    gain = np.zeros(12)
    for train, test in folds:
        for i, alpha in enumerate(risk.alphas):
            part = fit_linear_risk(
                X[train], as_data(y[train]), alpha=alpha, folds=[], **options
            )
            told = X[test] @ part.coef
            if i == best:
                assert_allclose(told, risk.held_out[test], atol=0.02)
            event, time = y["event"][test], y["time"][test]
            nothing = slow_cox_loss(0 * told, event, time)
            gain[i] += nothing - slow_cox_loss(told, event, time)
    assert_allclose(gain, risk.gains, atol=0.05)
    whole = fit_linear_risk(X, as_data(y), alpha=risk.alpha, folds=[], **options)
    assert_allclose(risk.coef, whole.coef, atol=1e-5)


def test_estimator_reports_the_choice():
    X, y = planted_cohort(120, 20)
    cox = without_network(alpha="cv", cv=3, random_state=0).fit(X, y)
    assert cox.alphas_.shape == cox.gains_.shape == (12,)
    assert cox.alpha_ == cox.alphas_[cox.gains_.argmax()]
    assert cox.gains_.max() > 0
    given = without_network(alpha=cox.alpha_).fit(X, y)
    assert_allclose(given.coef_, cox.coef_, atol=1e-6)
    assert given.gains_ is None

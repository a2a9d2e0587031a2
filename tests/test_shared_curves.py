"""Curves that genes share: against scipy, dense ridge, and skewed genes."""

import numpy as np
import pytest
import torch
from cohorts import hidden_error, model_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import skew
from test_known_curves import TRUTH, fit, make_sums, random_curves

from skgex._low_rank import LowRankPrior
from skgex._low_rank._curve_equations import N_KNOTS
from skgex._low_rank._curve_trials import CurveTrials
from skgex._low_rank._shared_curves import (
    features,
    power_sums,
    shared_curves,
    skewness,
)


@given(st.integers(0, 99), st.integers(5, 60), st.floats(0, 0.5))
def test_skewness_is_that_of_scipy(seed, n, rate):
    rng = np.random.default_rng(seed)
    X = rng.gamma(2.0, size=(n, 6)).astype(np.float32)
    X[rng.random(X.shape) < rate] = np.nan
    found = skewness(power_sums(torch.tensor(X).split(7), 6))
    for gene, values in enumerate(X.T.astype(float)):
        values = values[~np.isnan(values)]
        n_values = len(values)
        # Of two values there is none, but for rounding.
        expected = skew(values) * n_values / (n_values + 10) if n_values > 2 else 0.0
        assert found[gene] == pytest.approx(np.clip(expected, -2.5, 2.5), abs=1e-3)


def test_sums_of_no_samples_are_zero():
    assert_allclose(power_sums([], 3), np.zeros((4, 3)))
    assert_allclose(skewness(power_sums([], 3)), np.zeros(3))


def test_a_gene_that_does_not_vary_is_not_skewed():
    sums = power_sums([torch.full((9, 2), 3.0)], 2)
    assert_allclose(features(sums, True), [[1, 0], [1, 0]], atol=1e-6)


@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("is_known", [False, True])
def test_they_are_ridge_regression_on_all_genes(n_features, is_known):
    rng = np.random.default_rng(0)
    known = random_curves(4) if is_known else None
    parts, designs, rows, targets = [], [], [], []
    for seed in range(2):
        gram, cross, dense = make_sums(4, seed=seed)
        parts.append((gram, cross))
        designs.append(rng.normal(size=(4, n_features)))
        for gene, (design, target) in enumerate(dense):
            base = known.heights[gene].flatten().double().numpy() if is_known else 0
            rows.append(np.kron(designs[-1][gene], design))
            targets.append(target - design @ (base * np.ones(2 * N_KNOTS)))
    at = rng.normal(size=(4, n_features))
    as_floats = [torch.tensor(design).float() for design in designs]
    found = shared_curves(parts, as_floats, torch.tensor(at).float(), known)
    A, y = np.vstack(rows), np.concatenate(targets)
    bend = np.diff(np.eye(N_KNOTS), n=2, axis=0)
    penalty = 100 * (np.eye(N_KNOTS) + 2 * bend.T @ bend)
    penalty = np.kron(np.eye(2 * n_features), penalty)
    curves = np.linalg.solve(A.T @ A + penalty, A.T @ y).reshape(n_features, -1)
    expected = at @ curves + (known.heights.flatten(1).numpy() if is_known else 0)
    assert_allclose(found.heights.flatten(1), expected, atol=1e-4)


def test_a_skewness_is_without_the_fold_that_it_is_learnt_from():
    rng = np.random.default_rng(0)
    X = torch.tensor(rng.gamma(1.0, size=(30, 3))).float()
    folds = X.split(10)
    powers = [power_sums([part], 3) for part in folds]
    trials = CurveTrials(powers, None)
    for f in range(3):
        others = torch.cat([part for i, part in enumerate(folds) if i != f])
        expected = features(power_sums([others], 3), False)
        assert_allclose(trials.fold_features[f], expected, atol=1e-4)


@pytest.mark.parametrize(("n_known", "n_features"), [(3, 2), (2, 1), (0, 1)])
def test_slopes_are_shared_where_all_genes_have_known_curves(n_known, n_features):
    powers = [power_sums([torch.randn(9, 3)], 3) for _ in range(3)]
    known = random_curves(3)
    known.heights[n_known:] = 0
    trials = CurveTrials(powers, known if n_known else None)
    assert trials.features.shape == (3, n_features)


# The choice


def skewed_genes(n, seed):
    """Return samples whose genes bend, each by as much as it is skewed then."""
    loadings, noise = TRUTH
    rng = np.random.default_rng(seed)
    linear = rng.normal(size=(n, loadings.shape[1])) @ loadings.T
    size = np.linspace(-1, 1, len(noise))
    X = linear + np.sqrt(noise) * rng.normal(size=linear.shape)
    return (X + size * (np.abs(linear) - 0.6)).astype(np.float32)


@pytest.mark.parametrize("n", [30, 60])
def test_of_few_samples_genes_share_what_skewness_tells(n, monkeypatch):
    new = skewed_genes(400, seed=9)
    errors = []
    for few in (30, 10**6):
        monkeypatch.setattr("skgex._low_rank._fit_curves._FEW_ROWS", few)
        curves = fit(skewed_genes(n, seed=1), None, n_folds=5)
        prior = LowRankPrior(model_of(*TRUTH), curves=curves)
        errors.append(hidden_error(prior, new, 0.3))
    assert errors[0] < 0.995 * errors[1]


@pytest.mark.parametrize(("n", "is_adapted"), [(29, False), (29, True), (1000, False)])
def test_with_fewer_and_with_many_samples_nothing_is_shared(n, is_adapted, monkeypatch):
    known = random_curves(40, 0.1) if is_adapted else None
    X = skewed_genes(n, seed=1)
    without = fit(X, known)
    monkeypatch.setattr("skgex._low_rank._curve_trials.shared_curves", None)
    again = fit(X, known)
    assert (without is None) == (again is None)
    if again is not None:
        assert_allclose(without.heights, again.heights)

"""Curves of genes: against numpy's interpolation, and a nonlinearity that is known."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import (
    FactorAnalysis,
    GeneCurves,
    LowRankPrior,
    _curve_equations,
    _curve_trials,
    _fit_curves,
    knot_place,
    pattern_groups,
)
from skgex._low_rank._blocks import Blocks
from skgex._low_rank._choose_rank import held_out_error
from skgex._low_rank._curve_equations import N_KNOTS
from skgex._low_rank._fit_curves import fit_curves
from skgex._low_rank._gene_curves import LIMIT
from skgex._training import RowReader


@given(
    st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=30),
    st.integers(2, 20),
    st.integers(0, 9),
)
@example([-LIMIT, LIMIT, 0.0], 13, 0)
def test_curves_interpolate_as_numpy_does(values, n_knots, seed):
    rng = np.random.default_rng(seed)
    heights = rng.normal(size=(4, 2, n_knots))
    expected = np.tile(np.array(values)[:, None], 4)
    uncertainty = rng.random(len(values))
    found = GeneCurves(torch.tensor(heights).float())(
        torch.tensor(expected).float(), torch.tensor(uncertainty).float()
    )
    knots = np.linspace(-LIMIT, LIMIT, n_knots)
    for gene in range(4):
        level, change = (np.interp(values, knots, line) for line in heights[gene])
        assert_allclose(found[:, gene], level + uncertainty * change, atol=1e-4)


@given(st.lists(st.floats(-9, 9, width=32), min_size=1), st.integers(2, 20))
def test_knots_left_of_values(values, n_knots):
    left, share = knot_place(torch.tensor(values), n_knots)
    knots = torch.linspace(-LIMIT, LIMIT, n_knots)
    assert ((left >= 0) & (left < n_knots - 1)).all()
    assert ((share >= 0) & (share <= 1 + 1e-5)).all()
    place = torch.lerp(knots[left], knots[left + 1], share)
    assert_allclose(place, np.clip(values, -LIMIT, LIMIT), atol=1e-5)


# The fit


def make_data(bend, n=400, n_genes=40, seed=0):
    """Return genes of two factors, some a function of what is linear, and the model."""
    rng = np.random.default_rng(seed)
    loadings = 0.65 * rng.normal(size=(n_genes, 2))
    linear = rng.normal(size=(n, 2)) @ loadings.T
    X = linear + 0.5 * rng.normal(size=(n, n_genes))
    X[:, :10] += bend(linear[:, :10])
    model = FactorAnalysis(torch.tensor(loadings).float(), torch.full((n_genes,), 0.25))
    return X.astype(np.float32), model


def fit(X, model, seed=0):
    """Fit curves with the true linear model for both folds."""
    torch.manual_seed(seed)
    fold = torch.arange(len(X)) % 2
    priors = [LowRankPrior(model) for _ in range(2)]
    return fit_curves(RowReader(X), torch.arange(len(X)), torch.clone, fold, priors)


def error(prior, X):
    rng = np.random.default_rng(3)
    masks = [torch.from_numpy(rng.random(X.shape[1]) < 0.3) for _ in range(5)]
    blocks = Blocks(RowReader(X), torch.arange(len(X)), torch.clone)
    return held_out_error(prior, blocks, pattern_groups(blocks), masks)


def test_a_known_curve_is_recovered():
    X, model = make_data(lambda f: np.abs(f) - 0.5, n=2000)
    curves = fit(X, model)
    places = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0])
    grid = places[:, None].expand(-1, 40)
    # With little uncertainty the correction is the bend itself, smoothed.
    correction = curves(grid, torch.full((5,), 0.02)).numpy()
    usual = np.median(correction[:, :10], axis=1)
    assert_allclose(usual, places.abs() - 0.5, atol=0.2)
    assert np.abs(correction[:, 10:]).mean() < 0.1
    assert usual[0] > usual[2] + 0.5


def test_curves_help_on_new_samples():
    def bend(f):
        return np.abs(f) - 0.5

    X, model = make_data(bend, n=2000)
    new = X[1500:]
    prior = LowRankPrior(model, curves=fit(X[:1500], model))
    assert error(prior, new) < 0.97 * error(LowRankPrior(model), new)


@pytest.mark.parametrize("n", [12, 60, 400])
def test_where_all_is_linear_curves_do_no_harm(n):
    X, model = make_data(np.zeros_like, n=n)
    new, _ = make_data(np.zeros_like, n=400, seed=0)
    curves = fit(X, model)
    plain = error(LowRankPrior(model), new)
    assert (
        curves is None or error(LowRankPrior(model, curves=curves), new) < 1.01 * plain
    )


def test_curves_that_do_not_help_are_not_returned(monkeypatch):
    X, model = make_data(np.zeros_like, n=12)
    # Hardly a penalty, on hardly a sample: what is fitted is noise.
    monkeypatch.setattr(_curve_trials, "PENALTIES", (1e-3,))
    assert fit(X, model) is None


def test_penalised_least_squares_by_hand():
    # One gene, a normal equation for each knot and its change with uncertainty.
    rng = np.random.default_rng(0)
    n, weight = 50, 7.0
    place, target, u = rng.uniform(-3, 3, n), rng.normal(size=n), rng.random(n)
    knots = np.linspace(-LIMIT, LIMIT, N_KNOTS)
    hats = np.stack([np.interp(place, knots, row) for row in np.eye(N_KNOTS)], 1)
    design = np.hstack([hats, u[:, None] * hats])
    bend = np.diff(np.eye(N_KNOTS), n=2, axis=0)
    penalty = weight * (np.eye(N_KNOTS) + 2 * bend.T @ bend)
    penalty = np.kron(np.eye(2), penalty)
    expected = np.linalg.solve(design.T @ design + penalty, design.T @ target)
    gram, cross = np.zeros((N_KNOTS, 2, 3)), np.zeros((N_KNOTS, 2))
    for power in range(3):
        product = hats.T @ (hats * u[:, None] ** power)
        gram[:, 0, power] = product.diagonal()
        gram[:-1, 1, power] = product.diagonal(1)
    for power in range(2):
        cross[:, power] = hats.T @ (target * u**power)
    curves = _curve_equations.solve_curves(
        torch.tensor(gram), torch.tensor(cross), weight
    )
    assert_allclose(curves.heights[0].flatten(), expected, atol=1e-10)


def test_normal_equations_hold_what_is_hidden():
    X, model = make_data(np.zeros_like, n=30, n_genes=8)
    X[::3, 2] = np.nan
    masks = [torch.arange(8) < 4, torch.zeros(8, dtype=torch.bool)]
    blocks = Blocks(RowReader(X), torch.arange(30), torch.clone)
    prior = LowRankPrior(model)
    gram, cross, _ = _fit_curves._normal_equations(prior, blocks, masks)
    Z = torch.from_numpy(X).masked_fill(masks[0], torch.nan)
    values, _, posterior = prior(Z)
    u = prior.uncertainty(posterior).numpy()
    knots = np.linspace(-LIMIT, LIMIT, N_KNOTS)
    for gene in range(8):
        known = ~np.isnan(X[:, gene]) & bool(masks[0][gene])
        hats = np.stack(
            [np.interp(values[known, gene], knots, row) for row in np.eye(N_KNOTS)], 1
        )
        own = gram.unflatten(0, (8, N_KNOTS))[gene]
        for power in range(3):
            product = hats.T @ (hats * u[known, None] ** power)
            assert_allclose(own[:, 0, power], product.diagonal(), atol=1e-4)
            assert_allclose(own[:-1, 1, power], product.diagonal(1), atol=1e-4)
        rest = X[known, gene] - values[known, gene].numpy()
        assert_allclose(
            cross.unflatten(0, (8, N_KNOTS))[gene, :, 0], hats.T @ rest, atol=1e-4
        )
    assert_array_equal(gram.unflatten(0, (8, N_KNOTS))[4:], 0)


def test_errors_of_trials_are_found_on_the_way():
    X, model = make_data(lambda f: np.abs(f) - 0.5, n=40)
    X[::3, 2] = np.nan
    masks = [torch.arange(40) % 4 < k for k in (1, 2)]
    blocks = Blocks(RowReader(X), torch.arange(40), torch.clone)
    trial = fit(X, model)
    prior = LowRankPrior(model)
    *_, errors = _fit_curves._normal_equations(prior, blocks, masks, [trial])
    for found, curves in zip(errors, [None, trial], strict=True):
        own = LowRankPrior(model, curves=curves)
        expected = held_out_error(own, blocks, pattern_groups(blocks), masks)
        assert found / (len(masks) * len(X)) == pytest.approx(expected, rel=1e-5)

"""Curves that are drawn to known ones: against dense ridge, and a known bend."""

import numpy as np
import pytest
import torch
from cohorts import draw, hidden_error, known, make_truth, model_of
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import skew

from skgex._low_rank import (
    GeneCurves,
    LowRankPrior,
    _fit_curves,
    _fit_prior,
    fit_priors,
)
from skgex._low_rank._curve_equations import N_KNOTS, solve_curves
from skgex._low_rank._curve_trials import PENALTIES
from skgex._low_rank._fit_curves import fit_curves
from skgex._low_rank._gene_curves import LIMIT
from skgex._low_rank._shared_curves import shared_curves
from skgex._training import RowReader

KNOTS = torch.linspace(-LIMIT, LIMIT, N_KNOTS)
TRUTH = make_truth(n_genes=40, rank=2)


def make_sums(n_genes, n=30, seed=0):
    """Return normal equations of random values, and the designs they are of."""
    rng = np.random.default_rng(seed)
    gram = np.zeros((n_genes, N_KNOTS, 2, 3), np.float32)
    cross = np.zeros((n_genes, N_KNOTS, 2), np.float32)
    designs = []
    for gene in range(n_genes):
        place, u = rng.uniform(-3, 3, n), rng.random(n)
        target = rng.normal(size=n)
        hats = np.stack([np.interp(place, KNOTS, row) for row in np.eye(N_KNOTS)], 1)
        for power in range(3):
            product = hats.T @ (hats * u[:, None] ** power)
            gram[gene, :, 0, power] = product.diagonal()
            gram[gene, :-1, 1, power] = product.diagonal(1)
        for power in range(2):
            cross[gene, :, power] = hats.T @ (target * u**power)
        designs.append((np.hstack([hats, u[:, None] * hats]), target))
    sums = (torch.from_numpy(part).flatten(0, 1) for part in (gram, cross))
    return (*sums, designs)


def random_curves(n_genes, size=1.0, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return GeneCurves(size * torch.randn(n_genes, 2, N_KNOTS, generator=generator))


@pytest.mark.parametrize("weight", [0.5, 10.0, 1000.0])
def test_they_are_ridge_regression_toward_the_known_ones(weight):
    gram, cross, designs = make_sums(3)
    curves = random_curves(3)
    found = solve_curves(gram, cross, weight, curves)
    penalty = np.zeros((2 * N_KNOTS, 2 * N_KNOTS))
    for part in (0, N_KNOTS):
        for i in range(N_KNOTS):
            penalty[part + i, part + i] += weight
        for i in range(N_KNOTS - 2):
            bend = np.zeros(2 * N_KNOTS)
            bend[part + i : part + i + 3] = 1, -2, 1
            penalty += 2 * weight * np.outer(bend, bend)
    for gene, (design, target) in enumerate(designs):
        b = curves.heights[gene].flatten().double().numpy()
        # (y - D h)'(y - D h) + (h - b)' P (h - b) is least here.
        step = np.linalg.solve(
            design.T @ design + penalty, design.T @ (target - design @ b)
        )
        assert_allclose(found.heights[gene].flatten(), b + step, atol=1e-3)


def test_limits_of_the_weight():
    gram, cross, _ = make_sums(3)
    curves = random_curves(3)
    assert solve_curves(gram, cross, torch.inf, curves) is curves
    close = solve_curves(gram, cross, 1e6, curves)
    assert_allclose(close.heights, curves.heights, atol=1e-3)
    # Without known ones they are drawn to zero, as to known ones that are zero.
    nothing = GeneCurves(torch.zeros(3, 2, N_KNOTS))
    plain, to_zero = (solve_curves(gram, cross, 10.0, c) for c in (None, nothing))
    assert_array_equal(plain.heights, to_zero.heights)


# The choice


def bent(n, seed=1, size=1.0):
    """Return samples of a factor model whose genes bend, each with known curves."""
    loadings, noise = TRUTH
    rng = np.random.default_rng(seed)
    linear = rng.normal(size=(n, loadings.shape[1])) @ loadings.T
    X = linear + np.sqrt(noise) * rng.normal(size=linear.shape)
    return (X + size * (np.abs(linear) - 0.6)).astype(np.float32)


def bend_curves(size=1.0):
    """Return the curves of such genes, if factors are nearly known."""
    heights = torch.zeros(40, 2, N_KNOTS)
    heights[:, 0] = size * (KNOTS.abs() - 0.6)
    return GeneCurves(heights)


def fit(X, curves, n_folds=2):
    torch.manual_seed(0)
    fold = torch.arange(len(X)) % n_folds
    priors = [LowRankPrior(model_of(*TRUTH)) for _ in range(n_folds)]
    rows = torch.arange(len(X))
    return fit_curves(RowReader(X), rows, torch.clone, fold, priors, curves)


def error(curves, X):
    return hidden_error(LowRankPrior(model_of(*TRUTH), curves=curves), X, 0.3)


@pytest.mark.parametrize("n", [8, 16, 40])
def test_of_few_samples_known_curves_are_better_than_own(n):
    new, truth = bent(300, seed=9), bend_curves()
    found, own = fit(bent(n), truth), fit(bent(n), None)
    assert error(found, new) < 0.99 * error(own, new)
    assert error(found, new) < 1.02 * error(truth, new)


@pytest.mark.parametrize("n", [8, 16, 40])
@pytest.mark.parametrize("wrong", [bend_curves(-1.0), random_curves(40)])
def test_wrong_curves_are_dropped(n, wrong):
    X = bent(n)
    new = bent(300, seed=9)
    found, own = fit(X, wrong), fit(X, None)
    assert error(found, new) <= 1.02 * error(own, new) < error(wrong, new)


def test_where_all_is_straight_known_bends_are_dropped():
    X = draw(20, TRUTH)
    found = fit(X, bend_curves())
    new = draw(300, TRUTH, seed=9)
    assert error(found, new) < 1.01 * error(None, new)


def skewed(X):
    """Return one and the skewness of each gene, drawn to zero."""
    skewness = skew(X.astype(float)) * len(X) / (len(X) + 10)
    columns = [np.ones(X.shape[1]), skewness.clip(-2.5, 2.5)]
    return torch.from_numpy(np.stack(columns, 1)).float()


def test_the_best_of_all_kinds_is_taken(monkeypatch):
    """By errors on the folds that are looked at, each with curves from the others."""
    X, curves = bent(30), bend_curves(0.7)
    kept = []
    original = _fit_curves._normal_equations

    def record(prior, blocks, masks, trials=()):
        kept.append((prior, blocks, masks))
        return original(prior, blocks, masks, trials)

    monkeypatch.setattr(_fit_curves, "_normal_equations", record)
    found = fit(X, curves, n_folds=3)
    parts, masks = kept[:3], kept[0][2]
    assert [len(blocks) for _, blocks, _ in parts] == [10] * 3
    sums = [original(prior, blocks, masks)[:2] for prior, blocks, _ in parts]
    designs = [skewed(X[np.arange(30) % 3 != f]) for f in (1, 2, 0)]

    def solve(folds, at):
        some, about = [sums[f] for f in folds], [designs[f] for f in folds]
        total = [sum(parts) for parts in zip(*some, strict=True)]
        to_zero, to_known = (
            shared_curves(some, about, at, base) for base in (None, curves)
        )
        return [
            solve_curves(*total, weight, drawn_to)
            for drawn_to in (None, curves, to_zero, to_known)
            for weight in (*PENALTIES, torch.inf)
            if drawn_to is not None or weight < torch.inf
        ]

    errors = np.zeros(12)
    for f, (prior, blocks, _) in enumerate(parts):
        tried = solve([i for i in range(3) if i != f], designs[f])
        errors += original(prior, blocks, masks, tried)[2].numpy()
    assert errors.argmin() > 0
    expected = solve(range(3), skewed(X))[errors[1:].argmin()]
    assert_allclose(found.heights, expected.heights, atol=1e-4)


@pytest.mark.parametrize(
    ("sizes", "n_judges"),
    [
        ([100, 100], 1),
        ([64, 9, 9], 1),
        ([30, 30, 30], 3),
        ([5, 5], 2),
        ([40, 40, 4], 2),
    ],
)
def test_folds_are_looked_at_until_they_have_enough_samples(sizes, n_judges):
    assert len(_fit_curves._judges([(None, range(size)) for size in sizes])) == n_judges


# Within the fit of a prior


def test_curves_are_those_of_the_start_that_counts_most():
    models = [random_curves(2, seed=seed) for seed in range(3)]
    starts = [known(TRUTH)._replace(curves=curves) for curves in models]
    assert _fit_prior._known_curves(starts, [10.0, 300.0, 30.0]) is models[1]
    assert _fit_prior._known_curves(starts, [0.0, 0.0, 0.0]) is None
    assert _fit_prior._known_curves([], []) is None


def test_a_cohort_gets_the_curves_of_its_start():
    start = known(TRUTH)._replace(curves=bend_curves())
    new, X = bent(300, seed=9), bent(12)
    errors = []
    for part in (start, start._replace(curves=None)):
        torch.manual_seed(0)
        prior = fit_priors(RowReader(X), torch.clone, None, [part], 100.0).prior
        errors.append(hidden_error(prior, new, 0.3))
    assert errors[0] < 0.95 * errors[1]

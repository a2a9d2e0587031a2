"""Pretrained factor analysis, moved to a cohort: against slow loops, and the truth."""

import numpy as np
import pytest
import torch
from cohorts import (
    blocks_of,
    draw,
    hidden_error,
    known,
    make_truth,
    model_of,
)
from exact_factors import arrays, exact_posterior
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import _adapt
from skgex._low_rank._adapt import CohortMoments, adapt, recentred
from skgex._low_rank._fit_factors import fit_factor_analysis

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
NOISE_WEIGHT, NEW, MIN_LEFT = 20, 0.25, 0.05
TRUTH = make_truth(n_genes=12, rank=3)
SOME_GENES = np.arange(12) % 4 > 0


def with_holes(X, kind):
    """Hide panels of genes: patterns are few, so that nothing is approximate."""
    X = X.copy()
    if kind == "panels":
        X[::3, :5] = np.nan
        X[1::3, 7:] = np.nan
    return X


def slow_step(X, start, weight):
    """Return loadings, noise, mean and spread after a step, a sample at a time."""
    loadings, noise, *_ = parameters = arrays(start.model)
    (n, n_genes), rank = X.shape, loadings.shape[1]
    total, square = np.zeros(n_genes), np.zeros(n_genes)
    cross, second = np.zeros((n_genes, rank)), np.zeros((rank, rank))
    for row, m, C in zip(X, *exact_posterior(X, parameters), strict=True):
        second += np.outer(m, m) + C
        for j in range(n_genes):
            w = loadings[j]
            if np.isnan(row[j]):
                total[j] += w @ m
                cross[j] += (np.outer(m, m) + C) @ w
                square[j] += (w @ m) ** 2 + w @ C @ w + noise[j]
            else:
                total[j] += row[j]
                cross[j] += row[j] * m
                square[j] += row[j] ** 2
    found, rest = np.empty_like(loadings), np.empty(n_genes)
    is_known = start.known.numpy()
    for j in range(n_genes):
        known_gene = (weight, loadings[j])
        pull, w0 = known_gene if is_known[j] else (NEW * rank, np.zeros(rank))
        w = np.linalg.solve(second + pull * np.eye(rank), cross[j] + pull * w0)
        found[j] = w
        rest[j] = square[j] - 2 * w @ cross[j] + w @ second @ w
        rest[j] += pull * (w - w0) @ (w - w0)
    after = (NOISE_WEIGHT * noise + rest) / (NOISE_WEIGHT + n)
    # Of a new gene the variance that the factors leave, and nothing else.
    left = np.maximum(square / n - (found**2).sum(1), MIN_LEFT)
    after = np.where(is_known, after, left)
    measured = np.nanmean(X, 0, where=~np.isnan(X))
    spread = [has * np.linalg.inv(second + weight * np.eye(rank)) for has in is_known]
    return found, after, total / n - measured, np.array(spread)


@pytest.mark.parametrize("genes", [None, SOME_GENES], ids=["all", "some"])
@pytest.mark.parametrize("kind", ["complete", "panels"])
@pytest.mark.parametrize("weight", [1e-3, 5.0, 300.0])
def test_a_step_is_that_of_a_slow_loop(kind, weight, genes):
    X = with_holes(draw(20, make_truth(12, 3, seed=7)) + 0.2, kind)
    start = known(TRUTH, genes)
    with np.errstate(invalid="ignore"):
        loadings, noise, mean, spread = slow_step(X.astype(float), start, weight)
    found = CohortMoments(start, blocks_of(X)).moved(weight)
    assert_allclose(found.loadings, loadings, atol=2e-4)
    assert_allclose(found.noise, noise, rtol=1e-3)
    assert_allclose(found.mean, mean, atol=1e-4)
    # All known genes share one matrix; of new ones uncertainty is in the noise.
    trace = np.trace(found.uncertainty) * found.uncertainty_scale
    assert_allclose(trace, np.einsum("jkk->j", spread), rtol=1e-3)
    first = np.flatnonzero(start.known)[0]
    assert_allclose(found.uncertainty, spread[first], rtol=1e-3, atol=1e-6)


def test_holes_at_random_are_close_to_a_slow_loop():
    truth = make_truth(40, 3)
    X = draw(200, make_truth(40, 3, own_rank=1))
    X[np.random.default_rng(0).random(X.shape) < 0.3] = np.nan
    start = known(truth)
    loadings, noise, *_ = slow_step(X.astype(float), start, 50.0)
    found = CohortMoments(start, blocks_of(X)).moved(50.0)
    step = np.linalg.norm(loadings - truth[0])
    assert np.linalg.norm(found.loadings.numpy() - loadings) < 0.03 * step
    assert_allclose(found.noise, noise, rtol=0.03)


@pytest.mark.parametrize("weight", [1e6, 1e9, 1e12])
def test_with_a_large_weight_loadings_are_the_pretrained_ones(weight):
    """And noise is what these leave; rounding must not make anything else of it."""
    X = draw(20, make_truth(12, 3, seed=7))
    found = CohortMoments(known(TRUTH), blocks_of(X)).moved(weight)
    assert_allclose(found.loadings, TRUTH[0], atol=1e-4)
    assert_allclose(found.uncertainty, np.zeros((3, 3)), atol=1e-5)
    mean, covariance = exact_posterior(X, arrays(known(TRUTH).model))
    rest = np.square(X - mean @ TRUTH[0].T).sum(0)
    rest += np.einsum("ja,iab,jb->j", TRUTH[0], covariance, TRUTH[0])
    expected = (NOISE_WEIGHT * TRUTH[1] + rest) / (NOISE_WEIGHT + 20)
    assert_allclose(found.noise, expected, rtol=1e-3)


def test_of_many_samples_some_are_enough(monkeypatch):
    X, start = draw(50, TRUTH), known(TRUTH)
    few = CohortMoments(start, blocks_of(X).spread(20)).moved(5.0)
    monkeypatch.setattr(_adapt, "_MAX_ROWS", 20)
    many = CohortMoments(start, blocks_of(X)).moved(5.0)
    assert_array_equal(many.loadings, few.loadings)
    assert_array_equal(many.noise, few.noise)


# The whole


def fitted(X, rank=16):
    torch.manual_seed(0)
    blocks = blocks_of(X)
    model = fit_factor_analysis(blocks.reader, blocks.rows, torch.clone, rank)
    return model, blocks


def test_means_are_those_of_the_standardisation():
    """Those may be drawn to what is known; the mean of the samples is not."""
    own, blocks = fitted(draw(30, TRUTH) + 0.5)
    mean = torch.stack(list(blocks)).mean((0, 1))
    assert_allclose(recentred(own, blocks).mean, own.mean - mean, atol=1e-5)
    assert own.mean.mean() > 0.3
    assert adapt([known(TRUTH)], own, blocks, [30.0]).mean.abs().max() < 0.02


def test_starts_without_weight_are_left_out():
    own, blocks = fitted(draw(30, TRUTH))
    first, second = known(TRUTH), known(make_truth(12, 3, seed=5))
    assert adapt([first, second], own, blocks, [0.0, 0.0]) is own
    both = adapt([first, second], own, blocks, [0.0, 40.0])
    alone = adapt([second], own, blocks, [40.0])
    assert_array_equal(both.loadings, alone.loadings)
    assert_array_equal(both.noise, alone.noise)


@pytest.mark.parametrize("device", DEVICES)
def test_device_and_dtype_are_kept(device):
    own, blocks = fitted(with_holes(draw(30, TRUTH), "panels"))
    blocks.reader.device, blocks.prepare = torch.device(device), lambda Z: Z.to(device)
    blocks._kept = None
    model = adapt([known(TRUTH).to(device)], own.to(device), blocks, [30.0])
    for value in model.state_dict().values():
        assert value.dtype == torch.float32
        assert value.device.type == device


@pytest.mark.parametrize("n", [20, 40])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_adapted_restores_better_than_own_and_than_frozen(n, missing):
    before, truth = make_truth(), make_truth(own_rank=2)
    new, start = draw(300, truth, seed=99), known(before)
    best = hidden_error(model_of(*truth), new)
    frozen = hidden_error(start.model, new)
    for seed in range(2):
        X = draw(n, truth, seed)
        X[np.random.default_rng(seed).random(X.shape) < missing] = np.nan
        own, blocks = fitted(X)
        error = hidden_error(adapt([start], own, blocks, [50.0]), new)
        assert error < 0.97 * min(hidden_error(own, new), frozen)
        assert best < error < 1.2 * best


@pytest.mark.parametrize(("n_genes", "rank"), [(60, 4), (200, 20)])
def test_new_genes_are_restored_from_the_factors_of_the_start(n_genes, rank):
    """Better than from those that few samples show, be factors few or many."""
    before, truth = (make_truth(n_genes, rank, own) for own in (0, rank // 4))
    genes = np.arange(n_genes) % 3 > 0
    own, blocks = fitted(draw(20, truth))
    adapted = adapt([known(before, genes)], own, blocks, [10.0])
    Z = torch.from_numpy(draw(200, truth, seed=99))
    view = Z.masked_fill(torch.from_numpy(~genes), torch.nan)
    errors = [
        float((m.expected(m.posterior(view).mean) - Z)[:, ~genes].square().mean())
        for m in (model_of(*truth), adapted, own)
    ]
    assert errors[0] < errors[1] < 0.97 * errors[2]

"""The number of factors: against the errors of all numbers, and the true model."""

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from skgex._low_rank import (
    FactorAnalysis,
    LowRankPrior,
    _choose_rank,
    fit_prior,
    pattern_groups,
)
from skgex._low_rank._blocks import Blocks
from skgex._low_rank._choose_rank import (
    MIN_GAIN,
    RANKS,
    choose_rank,
    held_out_error,
    row_errors,
)
from skgex._training import RowReader


def draw(n, n_genes, rank, noise=0.4, missing=0.0, seed=0):
    """Return samples of genes with unit variance."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_genes, rank))
    loadings *= np.sqrt(1 - noise) / np.linalg.norm(loadings, axis=1, keepdims=True)
    X = rng.normal(size=(n, rank)) @ loadings.T
    X += rng.normal(size=X.shape) * np.sqrt(noise)
    X[rng.random(X.shape) < missing] = np.nan
    return X.astype(np.float32)


def choose(X, n_fit, **options):
    rows = torch.arange(len(X))
    return choose_rank(RowReader(X), rows[:n_fit], rows[n_fit:], torch.clone, **options)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_few_factors_are_chosen_where_there_are_few(missing):
    X = draw(300, 80, 4, missing=missing)
    rank, model = choose(X, 200)
    assert rank == 16  # the smallest that is tried, and enough
    assert model.rank == 16


def test_many_factors_are_chosen_where_there_are_many():
    rank, model = choose(draw(900, 260, 100, noise=0.05), 700)
    assert rank > 64
    assert model.rank == rank


# Errors by the number of factors, and what hill-climbing makes of them


def climb(errors, n_fit, n_genes):
    """Choose by given errors; return the number, the model and what was fitted."""
    fitted = []

    def fit(reader, rows, prepare, rank, complete):
        fitted.append((rank, len(rows)))
        return FactorAnalysis(torch.ones(n_genes, rank), torch.ones(n_genes))

    def error(prior, *_):
        return errors[prior.rank]

    with (
        mock.patch.object(_choose_rank, "fit_factor_analysis", fit),
        mock.patch.object(_choose_rank, "held_out_error", error),
    ):
        rank, model = choose(np.zeros((n_fit + 1, n_genes), np.float32), n_fit)
    return rank, model, fitted


@given(st.lists(st.integers(0, 9), min_size=len(RANKS), max_size=len(RANKS)))
@example([0, 1, 2, 3, 4, 5])
@example([5, 4, 3, 2, 1, 0])
@example([0, 9, 1, 9, 9, 0])  # the nearest valley, not the deepest
def test_a_number_is_chosen_that_no_neighbour_betters(levels):
    errors = dict(zip(RANKS, (1 + 0.01 * level for level in levels), strict=True))
    rank, model, fitted = climb(errors, 600, 700)
    place = RANKS.index(rank)
    if place + 1 < len(RANKS):
        assert errors[RANKS[place + 1]] >= (1 - MIN_GAIN) * errors[rank]
    if 0 < place <= 2:
        assert errors[RANKS[place - 1]] >= (1 + MIN_GAIN) * errors[rank]
    assert model.rank == rank
    # Each number once, and none beyond the neighbours of those passed.
    ranks = [size for size, _ in fitted]
    assert len(set(ranks)) == len(ranks)
    tried = sorted(RANKS.index(size) for size in ranks)
    assert tried == list(range(tried[0], tried[-1] + 1))
    assert set(ranks[:2]) == {64, 128}


def test_fewer_factors_are_chosen_where_more_hardly_pay():
    flat = {rank: 1 - 1e-5 * rank for rank in RANKS}
    assert climb(flat, 600, 700)[0] == 16


@pytest.mark.parametrize("n_fit", [2, 20, 40, 100])
def test_no_more_factors_are_tried_than_samples_support(n_fit):
    most = max(1, int(0.75 * n_fit))
    errors = {rank: 1 / rank for rank in [*RANKS, most]}
    rank, model, fitted = climb(errors, n_fit, 500)
    assert rank == model.rank == most
    assert max(size for size, _ in fitted) == most


def test_some_of_many_samples_are_enough_to_choose_by(monkeypatch):
    monkeypatch.setattr(_choose_rank, "_CHOICE_ROWS", 300)
    errors = {rank: 1 / rank for rank in [*RANKS, 225]}
    rank, model, fitted = climb(errors, 301, 700)
    assert rank == 225
    # It was fitted to some of them only, and is to be fitted again.
    assert model is None
    assert {n_rows for _, n_rows in fitted} == {300}


# The error


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_error_is_the_mean_over_samples_and_masks(missing):
    X = draw(60, 30, 3)
    rng = np.random.default_rng(1)
    # Two patterns, so that what groups share is exact.
    X[np.ix_(rng.random(60) < 0.5, rng.random(30) < missing)] = np.nan
    X[0, 1:] = np.nan  # nothing is known where genes are hidden
    reader = RowReader(X)
    prior = fit_prior(reader, torch.arange(60), torch.clone, 3)
    masks = [torch.arange(30) % 3 > k for k in range(2)]
    blocks = Blocks(reader, torch.arange(60), torch.clone)
    found = held_out_error(prior, blocks, pattern_groups(blocks), masks)
    errors = []
    for mask in masks:
        for row in torch.from_numpy(X):
            view = row.masked_fill(mask, torch.nan)[None]
            rest = (prior(view).values[0] - row)[mask].numpy()
            if not np.isnan(rest).all():
                errors.append(np.sqrt(np.nanmean(rest**2)))
    assert found == pytest.approx(np.mean(errors), rel=1e-4)


def test_what_groups_share_is_close_where_holes_are_at_random():
    X = draw(150, 60, 4, missing=0.4)
    blocks = Blocks(RowReader(X), torch.arange(150), torch.clone)
    prior = LowRankPrior(fit_prior(blocks.reader, blocks.rows, torch.clone, 4).model)
    masks = [torch.arange(60) % 2 == 0]
    found = held_out_error(prior, blocks, pattern_groups(blocks), masks)
    Z = torch.from_numpy(X)
    rest = (prior(Z.masked_fill(masks[0], torch.nan)).values - Z)[:, masks[0]]
    assert found == pytest.approx(float(row_errors(rest).mean()), rel=1e-3)

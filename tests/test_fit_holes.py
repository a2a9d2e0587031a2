"""The fit where values are missing: exact variational EM, and the true model."""

import numpy as np
import pytest
import torch
from exact_factors import (
    arrays,
    draw,
    exact_fit,
    exact_posterior,
    make_model,
    with_holes,
)
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skgex._low_rank import FactorAnalysis, _fit_holes
from skgex._low_rank._blocks import Blocks
from skgex._low_rank._fit_factors import N_ITER, N_LAST, fit_factor_analysis
from skgex._low_rank._fit_holes import (
    NOISE_COUNT,
    _most_complete,
    fit_with_holes,
    shrunk_noise,
)
from skgex._low_rank._pattern_groups import PatternGroups, pattern_groups
from skgex._low_rank._start import MIN_NOISE
from skgex._training import RowReader

PATTERNS = ["one hole", "block", "panels", "rare gene"]
RANDOM = ["10 %", "40 %", "block, 10 %", "rare gene, 10 %"]


def fit(X, rank, n_iter, seed=0):
    torch.manual_seed(seed)
    blocks = Blocks(RowReader(X), torch.arange(len(X)), torch.clone)
    return fit_with_holes(blocks, rank, n_iter, n_iter)


# Against expectation maximisation with a matrix for each sample and for each gene


def differences(X, new, pooled):
    """Return relative differences to the exact fit, from the same start."""
    rank = 3
    exact = exact_fit(X, arrays(fit(X, rank, n_iter=1)), pooled)
    found = arrays(fit(X, rank, n_iter=300))

    def results(parameters):
        loadings, noise, mean, spread = parameters
        factors, _ = exact_posterior(new, parameters)
        size = np.einsum("jkk->j", spread)
        return loadings @ loadings.T, noise, mean, factors @ loadings.T, size

    names = ("shared", "noise", "mean", "expected", "uncertainty")
    pairs = zip(names, results(found), results(exact), strict=True)
    return {
        name: np.linalg.norm(own - other) / np.linalg.norm(other)
        for name, own, other in pairs
    }


@pytest.mark.parametrize("kind", PATTERNS)
def test_few_patterns_are_fitted_exactly(kind):
    truth = make_model(30, 3)
    X, new = with_holes(draw(80, truth), kind), with_holes(draw(40, truth, 2), "40 %")
    assert max(differences(X, new, pooled=True).values()) < 1e-3


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        # One matrix for the loadings of all genes is an approximation,
        ("block", 0.003),
        ("panels", 0.003),
        ("rare gene", 0.02),
        # and averages over patterns are limits for many genes and samples.
        ("10 %", 0.002),
        ("40 %", 0.01),
        ("block, 10 %", 0.005),
        ("rare gene, 10 %", 0.02),
    ],
)
def test_averages_over_patterns_and_genes_are_close(kind, most):
    truth = make_model(30, 3)
    X, new = with_holes(draw(80, truth), kind), with_holes(draw(40, truth, 2), "40 %")
    found = differences(X, new, pooled=False)
    uncertainty = found.pop("uncertainty")
    assert max(found.values()) < most
    # How uncertain a rare gene is depends on which samples it was measured in.
    if "rare gene, " not in kind:
        assert uncertainty < 0.1


# Against the true model, on new samples


def fit_as_always(X, rank):
    torch.manual_seed(0)
    return fit_factor_analysis(RowReader(X), torch.arange(len(X)), torch.clone, rank)


def errors(model, X):
    """Return the error of each gene where it is hidden, the same for each model."""
    Z, rng = torch.from_numpy(X), np.random.default_rng(9)
    hidden = rng.random((20, X.shape[1])) < 0.5
    hidden = torch.from_numpy(hidden)[np.arange(len(X)) % 20]
    found = model.expected(model.posterior(Z.masked_fill(hidden, torch.nan)).mean)
    return (((found - Z) * hidden).square().sum(0) / hidden.sum(0)).sqrt().numpy()


@pytest.mark.parametrize("kind", ["complete", *PATTERNS, *RANDOM, "panels, 40 %"])
def test_error_on_new_samples_is_that_of_the_true_model(kind):
    truth = make_model(60, 4)
    X, new = with_holes(draw(1500, truth), kind), draw(400, truth, seed=2)
    best = errors(FactorAnalysis(*(torch.tensor(part).float() for part in truth)), new)
    found = errors(fit_as_always(X, 4), new)
    rare = np.arange(60) == 3 if "rare" in kind else np.zeros(60, dtype=bool)
    assert best[~rare].mean() <= found[~rare].mean() < 1.01 * best[~rare].mean()
    # What four samples tell of a gene is not much, and does no harm.
    assert (found[rare] < 1.02 * new.std(0)[rare]).all()


@pytest.mark.parametrize("n", [150, 1000])
@pytest.mark.parametrize("rank", [4, 12])
def test_one_hole_makes_no_difference(n, rank):
    truth = make_model(60, 4)
    X, new = draw(n, truth), draw(400, truth, seed=2)
    complete = errors(fit_as_always(X, rank), new).mean()
    holes = errors(fit_as_always(with_holes(X, "one hole"), rank), new).mean()
    assert holes == pytest.approx(complete, rel=0.003)


# What does not matter


@pytest.mark.parametrize("kind", [*PATTERNS, "10 %", "40 %"])
def test_neither_order_nor_seed_matters(kind):
    X, rng = with_holes(draw(80, make_model(30, 3)), kind), np.random.default_rng(0)
    rows, genes = rng.permutation(80), rng.permutation(30)
    found = fit(X, 3, 200, seed=0)
    other = fit(np.ascontiguousarray(X[rows][:, genes]), 3, 200, seed=1)
    first, second = (m.loadings @ m.loadings.T + m.noise.diag() for m in (found, other))
    assert_allclose(first[genes][:, genes], second, atol=1e-4)
    assert_allclose(found.mean[genes], other.mean, atol=1e-4)
    assert_allclose(found.uncertainty_scale[genes], other.uncertainty_scale, rtol=1e-3)


def test_groups_that_are_not_found_are_no_loss(monkeypatch):
    truth, rng = make_model(200, 8), np.random.default_rng(0)
    X, new = draw(300, truth), draw(300, truth, seed=2)
    # Eight cohorts that each lack other genes: halving them explains too little.
    cohort, part = rng.integers(0, 8, 300), rng.integers(0, 8, 200)
    X[(cohort[:, None] == part) | (rng.random(X.shape) < 0.2)] = np.nan
    Z = torch.from_numpy(X)
    assert len(pattern_groups([Z]).n_rows) == 1
    found = errors(fit_as_always(X, 8), new).mean()
    measured, cohort = (~Z.isnan()).float(), torch.from_numpy(cohort)
    share = torch.stack([measured[cohort == number].mean(0) for number in range(8)])
    part = torch.from_numpy(part)
    genes = torch.stack([share[:, part == number].mean(1) for number in range(8)], 1)
    groups = PatternGroups(cohort, part, share, cohort.bincount().float(), genes)
    monkeypatch.setattr(_fit_holes, "pattern_groups", lambda _: groups)
    assert found == pytest.approx(errors(fit_as_always(X, 8), new).mean(), rel=1e-3)


@pytest.mark.parametrize("kind", ["block", "40 %"])
def test_what_was_not_measured_is_no_evidence(kind):
    X = with_holes(draw(80, make_model(30, 3)), kind)
    X[5], X[:, 7] = np.nan, np.nan
    model = fit(X, 3, 200)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    # Nothing is expected of such a gene but the mean, with the noise of all genes.
    assert_allclose(model.loadings[7], 0, atol=1e-4)
    assert_allclose(model.mean[7], 0, atol=1e-4)
    others = np.delete(np.arange(30), 7)
    fewer = fit(np.delete(X[:, others], 5, axis=0), 3, 200)
    shared = (m.loadings @ m.loadings.T for m in (model, fewer))
    first, second = (part.numpy() for part in shared)
    first = first[np.ix_(others, others)]
    assert np.linalg.norm(first - second) < 0.02 * np.linalg.norm(second)


# Parts


@given(st.integers(1, 30), st.integers(0, 99))
def test_noise_is_drawn_to_that_of_all_genes(n_genes, seed):
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 50, n_genes)
    square = rng.uniform(0, 2, n_genes) * count
    common = square.sum() / max(count.sum(), 1)
    # As if so many more samples of a gene had the squared error of all genes.
    expected = [
        max((own + NOISE_COUNT * common) / (number + NOISE_COUNT), MIN_NOISE)
        for own, number in zip(square, count, strict=True)
    ]
    found = shrunk_noise(torch.tensor(square), torch.tensor(count))
    assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("rank", "n_expected"), [(2, 50), (30, 80), (60, 100)])
def test_the_most_complete_samples_come_first(rank, n_expected):
    X = draw(100, make_model(20, 2))
    X[:50, :2] = np.nan  # half of the samples lack 2 genes
    X[50:80, :8] = np.nan  # others 8
    X[80:, :15] = np.nan
    order = np.random.default_rng(0).permutation(100)
    groups = pattern_groups([torch.from_numpy(X[order])])
    found = _most_complete(groups, rank)
    assert sorted(order[found].tolist()) == list(range(n_expected))


def test_so_many_iterations_are_enough():
    truth = make_model(60, 4)
    X, new = with_holes(draw(300, truth), "40 %"), draw(400, truth, seed=2)
    torch.manual_seed(0)
    blocks = Blocks(RowReader(X), torch.arange(300), torch.clone)
    few = errors(fit_with_holes(blocks, 4, N_ITER, N_LAST), new).mean()
    assert few < 1.005 * errors(fit(X, 4, 300), new).mean()

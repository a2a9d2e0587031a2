"""The fit of factor analysis: against the true model, and scikit-learn's."""

from unittest import mock

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import FactorAnalysis as ReferenceAnalysis

from skgex._low_rank import FactorAnalysis, fit_prior
from skgex._low_rank._blocks import Blocks
from skgex._low_rank._fit_factors import fit_factor_analysis, supported_rank
from skgex._low_rank._start import MIN_NOISE, _leading, principal_components
from skgex._training import RowReader

RANK = 4


def make_model(n_genes=60, noise=0.4, seed=0):
    """Return a model of genes with unit variance."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_genes, RANK))
    loadings *= np.sqrt(1 - noise) / np.linalg.norm(loadings, axis=1, keepdims=True)
    return torch.tensor(loadings).float(), torch.full((n_genes,), noise)


def draw(n, model, seed=1):
    loadings, noise = (part.numpy() for part in model)
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, loadings.shape[1]))
    X = factors @ loadings.T + rng.normal(size=(n, len(noise))) * np.sqrt(noise)
    return X.astype(np.float32)


def fit(X, rank=RANK):
    return fit_factor_analysis(RowReader(X), torch.arange(len(X)), torch.clone, rank)


def hidden_error(model, X, share=0.5):
    """Return the error where values are hidden, the same for each model."""
    Z, rng = torch.from_numpy(X), np.random.default_rng(9)
    hidden = torch.from_numpy(rng.random((20, X.shape[1])) < share)[
        np.arange(len(X)) % 20
    ]
    posterior = model.posterior(Z.masked_fill(hidden, torch.nan))
    return float((model.expected(posterior.mean) - Z)[hidden].square().mean().sqrt())


def with_holes(X, kind):
    """Hide values: at random, or whole panels of genes in two thirds of the samples."""
    X, rng = X.copy(), np.random.default_rng(5)
    if kind == "random":
        X[rng.random(X.shape) < 0.3] = np.nan
    elif kind == "panels":
        half = rng.permutation(X.shape[1])[: X.shape[1] // 2]
        X[::3, half] = np.nan
        X[1::3, np.setdiff1d(np.arange(X.shape[1]), half)] = np.nan
    return X


@pytest.mark.parametrize("kind", ["complete", "random", "panels"])
def test_error_is_close_to_that_of_the_true_model(kind):
    truth = make_model()
    X, new = draw(600, truth), draw(200, truth, seed=2)
    best, mean = hidden_error(FactorAnalysis(*truth), new), float(new.std())
    error = hidden_error(fit(with_holes(X, kind)), new)
    assert best <= error < 1.05 * best
    assert error < 0.8 * mean


@pytest.mark.parametrize("kind", ["complete", "random", "panels"])
def test_first_iterations_need_not_see_all_samples(monkeypatch, kind):
    truth = make_model()
    X, new = with_holes(draw(1500, truth), kind), draw(200, truth, seed=2)
    expected = hidden_error(fit(X), new)
    for module in ("_fit_factors", "_fit_holes"):
        monkeypatch.setattr(f"skgex._low_rank.{module}.FIRST_ROWS", 100)
    monkeypatch.setattr("skgex._low_rank._start._START_BYTES", 4 * 60 * 100)
    few = hidden_error(fit(X[::15]), new)
    error = hidden_error(fit(X), new)
    assert error < 1.01 * expected
    assert error - expected < 0.3 * (few - expected)


def test_samples_are_spread_evenly():
    blocks = Blocks(RowReader(draw(100, make_model())), torch.arange(100), torch.clone)
    assert blocks.spread(100) is blocks
    assert blocks.spread(4).rows.tolist() == [0, 33, 66, 99]


def test_wide_data_start_from_as_many_samples_as_fit_into_memory(monkeypatch):
    X = draw(300, make_model())
    blocks = Blocks(RowReader(X), torch.arange(300), torch.clone)
    monkeypatch.setattr("skgex._low_rank._start._START_BYTES", 4 * 60 * 50)
    with mock.patch("skgex._low_rank._start._leading", wraps=_leading) as found:
        principal_components(blocks, RANK)
        assert found.call_args.args[0].shape == (50, 60)
        # Never fewer than twice the number of components.
        principal_components(blocks, 40)
        assert found.call_args.args[0].shape == (80, 60)


def test_complete_data_are_fitted_as_well_as_by_scikit_learn():
    truth = make_model(seed=3)
    X, new = draw(300, truth), draw(200, truth, seed=2)
    reference = ReferenceAnalysis(RANK, svd_method="lapack").fit(X)
    arrays = reference.components_.T, reference.noise_variance_, reference.mean_
    theirs = FactorAnalysis(*(torch.tensor(array).float() for array in arrays))
    ours = fit(X)
    assert hidden_error(ours, new) < 1.02 * hidden_error(theirs, new)
    covariance = (m.loadings @ m.loadings.T + m.noise.diag() for m in (ours, theirs))
    first, second = (part.numpy() for part in covariance)
    assert np.linalg.norm(first - second) < 0.1 * np.linalg.norm(second)


def test_noise_of_each_gene_is_found():
    loadings, _ = make_model()
    noise = torch.linspace(0.1, 1.0, len(loadings))
    model = fit(draw(2000, (loadings, noise)))
    assert_allclose(model.noise, noise, rtol=0.2)


@pytest.mark.parametrize("kind", ["complete", "random"])
def test_far_too_many_factors_do_little_harm(kind):
    truth = make_model()
    X, new = with_holes(draw(150, truth), kind), draw(200, truth, seed=2)
    right, many = (hidden_error(fit(X, rank), new) for rank in (RANK, 40))
    assert many < 1.04 * right
    # The others faded: those come first of which most is known.
    size = fit(X, 40).loadings.norm(dim=0)
    assert size[RANK:].max() < 0.5 * size[:RANK].min()


@pytest.mark.parametrize("kind", ["complete", "random"])
def test_odd_genes_are_no_obstacle(kind):
    X = draw(120, make_model(n_genes=10))
    X[:, 3] = 0  # a constant gene, standardised
    X[:, 5] = X[:, 4]
    model = fit(with_holes(X, kind), 8)
    for value in model.state_dict().values():
        assert value.isfinite().all()
    assert (model.noise >= MIN_NOISE).all()
    posterior = model.posterior(torch.from_numpy(X))
    expected = model.expected(posterior.mean)
    assert_allclose(expected[:, 3], 0, atol=0.1)
    # A copy of a gene is the best witness of it, but never the only one.
    hidden = torch.from_numpy(X).clone()
    hidden[:, 5] = torch.nan
    expected = model.expected(model.posterior(hidden).mean)
    assert np.corrcoef(expected[:, 5], X[:, 5])[0, 1] > 0.9


@pytest.mark.parametrize("shape", [(2, 3), (3, 50), (3, 1), (12, 2), (5, 5)])
@pytest.mark.parametrize("kind", ["complete", "random"])
def test_tiny_data_give_finite_models(shape, kind):
    X = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    X = with_holes(X, kind)
    rows = torch.arange(len(X))
    prior = fit_prior(RowReader(X), rows, torch.clone, 16)
    assert prior.rank <= max(1, min(shape) - 1)
    found = prior(torch.from_numpy(X), with_covariance=True)
    assert found.values.isfinite().all()
    for part in prior.variance(torch.from_numpy(X), found):
        assert (part >= 0).all()
        assert part.isfinite().all()


def test_rows_are_read_from_a_memory_map_by_blocks(tmp_path, monkeypatch):
    X = draw(100, make_model())
    np.memmap(tmp_path / "X", np.float32, "w+", shape=X.shape)[:] = X
    on_disk = np.memmap(tmp_path / "X", np.float32, "r", shape=X.shape)
    torch.manual_seed(0)
    expected = fit(X)
    torch.manual_seed(0)
    monkeypatch.setattr("skgex._low_rank._blocks._BLOCK_BYTES", 1)
    found = fit(on_disk)
    assert Blocks(RowReader(X), torch.arange(100), torch.clone).size == 16
    # Sums in another order differ by rounding.
    first, second = (m.loadings @ m.loadings.T for m in (expected, found))
    assert_allclose(first, second, atol=1e-3)


def test_only_the_given_rows_are_fitted():
    X = draw(60, make_model())
    other = X.copy()
    other[40:] = 1e6
    torch.manual_seed(0)
    expected = fit(X[:40])
    torch.manual_seed(0)
    reader = RowReader(other)
    found = fit_factor_analysis(reader, torch.arange(40), torch.clone, RANK)
    assert_array_equal(found.loadings, expected.loadings)


def test_kinds_of_samples_make_a_better_prior():
    # Two kinds that differ in every gene, known from three genes.
    rng = np.random.default_rng(0)
    sign = np.where(np.arange(400) % 2, 1.0, -1.0)[:, None]
    X = 0.95 * sign * np.ones(40) + 0.3 * rng.normal(size=(400, 40))
    X = X.astype(np.float32)
    prior = fit_prior(RowReader(X), torch.arange(300), torch.clone, 4)
    new = torch.from_numpy(X[300:]).clone()
    new[:, 3:] = torch.nan
    linear = prior.model.expected(prior.model.posterior(new).mean)
    errors = [
        (values - torch.from_numpy(X[300:]))[:, 3:].square().mean()
        for values in (prior(new).values, linear)
    ]
    assert errors[0] < 0.95 * errors[1]


@pytest.mark.parametrize(
    ("n_samples", "n_genes", "rank"),
    [(100, 500, 75), (3000, 1500, 900), (4, 2, 1), (1, 1, 1)],
)
def test_samples_and_genes_support_a_share_of_their_number(n_samples, n_genes, rank):
    assert supported_rank(n_samples, n_genes) == rank

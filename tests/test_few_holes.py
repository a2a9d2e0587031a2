"""Samples that lack few genes: against the inverse of each precision."""

import pickle
from copy import deepcopy
from functools import partial
from unittest import mock

import numpy as np
import pytest
import torch
from exact_factors import arrays, exact_posterior, uncertain_model
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import FactorAnalysis, LowRankPrior, _few_holes
from skgex._low_rank._few_holes import CompleteBasis, FewHoles
from skgex._low_rank._leading_inverse import LeadingInverse
from skgex._low_rank._pattern_sets import PatternSets

make_model = partial(uncertain_model, least_noise=0.05)


def precisions(model, missing):
    """Return the posterior precision for each pattern, by a loop over genes."""
    names = ("loadings", "noise", "uncertainty", "uncertainty_scale")
    loadings, noise, spread, scale = (
        getattr(model, name).double().numpy() for name in names
    )
    found = []
    for lacks in missing:
        total = np.eye(model.rank)
        for j in np.flatnonzero(~lacks):
            total += np.outer(loadings[j], loadings[j]) / noise[j] + scale[j] * spread
        found.append(total)
    return np.array(found)


def check_inverses(inverse, expected, n_columns, seed):
    """Check columns of inverses, what leads, and products with them."""
    rank = expected.shape[1]
    columns, precision = inverse.moments()
    assert_allclose(columns, expected[:, :, :n_columns], atol=1e-4)
    leading = np.linalg.inv(expected[:, :n_columns, :n_columns])
    size = np.abs(leading).max()
    assert_allclose(precision, leading, atol=1e-4 * size)
    rng = np.random.default_rng(seed)
    pattern = rng.integers(0, len(expected), 7)
    vectors = rng.normal(size=(7, rank))
    sets = PatternSets(torch.from_numpy(pattern), len(expected))
    found = inverse.times(torch.tensor(vectors).float(), sets)
    for own, row, vector in zip(found, pattern, vectors, strict=True):
        assert_allclose(own, expected[row] @ vector, atol=3e-4)


sizes = st.tuples(st.integers(1, 12), st.integers(1, 50), st.integers(1, 30))


@given(sizes, st.integers(0, 20), st.booleans(), st.integers(1, 30), st.integers(0, 99))
@example((12, 50, 30), 0, True, 5, 0)  # complete profiles
@example((12, 50, 30), 20, True, 30, 0)  # more holes than are solved for at a time
@example((12, 50, 30), 20, False, 5, 0)
def test_inverses_are_exact(size, n_holes, uncertain, n_columns, seed):
    n, n_genes, rank = size
    model = make_model(n_genes, rank, seed, uncertain)
    missing = np.random.default_rng(seed).random((n, n_genes)).argsort(1) < n_holes
    missing[0] = False
    n_columns = min(n_columns, rank)
    precision = precisions(model, missing)
    exact = np.linalg.inv(precision)
    roots = LeadingInverse(torch.tensor(precision).float(), n_columns)
    check_inverses(roots, exact, n_columns, seed)
    places = []
    complete = CompleteBasis(model)
    for part, inverse in complete.parts(torch.from_numpy(missing), n_columns):
        check_inverses(inverse, exact[part.numpy()], n_columns, seed)
        places.extend(part.tolist())
    assert sorted(places) == list(range(n))


def test_patterns_are_solved_together_in_bounded_memory(monkeypatch):
    model = make_model(50, 30)
    missing = np.random.default_rng(0).random((40, 50)) < 0.2
    exact = np.linalg.inv(precisions(model, missing))
    monkeypatch.setattr(_few_holes, "_CHUNK_BYTES", 40_000)
    n_parts = 0
    for part, inverse in CompleteBasis(model).parts(torch.from_numpy(missing), 4):
        assert inverse.scaled.nbytes < 40_000
        columns, _ = inverse.moments()
        assert_allclose(columns, exact[part.numpy()][:, :, :4], atol=1e-4)
        n_parts += 1
    assert n_parts > 5


@given(
    st.lists(
        st.sampled_from([0, 1, 3, 9, 10, 11, 20, 21, 25, 39, 40]),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 20),
    st.integers(0, 99),
)
@example([0, 0, 0], 4, 0)
@example([0, 1, 40], 20, 0)
def test_posterior_of_samples_with_any_number_of_holes(n_holes, n_columns, seed):
    model = make_model(40, 20, seed)
    rng = np.random.default_rng(seed)
    Z = torch.tensor(rng.normal(size=(len(n_holes), 40))).float()
    missing = rng.random(Z.shape).argsort(1) < np.array(n_holes)[:, None]
    Z = Z.masked_fill(torch.from_numpy(missing), torch.nan)
    # As a loop over samples in double precision has it.
    means, covariances = exact_posterior(Z.double().numpy(), arrays(model))
    for wanted in (n_columns, None):
        found = model.posterior(Z, wanted)
        q = found.covariance.shape[2]
        assert q == (wanted or 20)
        assert_allclose(found.mean, means, atol=1e-3)
        own = found.covariance[found.pattern]
        assert_allclose(own, covariances[:, :, :q], atol=1e-4)
        # What leads, as precision: that which was kept, and others.
        for leading in {1, (q + 1) // 2, q}:
            own = found.precision(leading)[found.pattern]
            expected = np.linalg.inv(covariances[:, :leading, :leading])
            assert_allclose(own, expected, atol=1e-3 * expected.max())


def test_few_holes_are_those_of_fewer_genes_than_half_the_factors():
    model = make_model(40, 20)
    Z = torch.zeros(3, 40)
    Z[0, :10], Z[1, :11] = torch.nan, torch.nan
    with mock.patch.object(_few_holes, "FewHoles", wraps=FewHoles) as made:
        model.posterior(Z, 4)
    missing = torch.cat([call.args[1] for call in made.call_args_list])
    assert sorted(missing.sum(1).tolist()) == [0, 10]


def test_genes_that_pin_the_factors_down():
    # Copies of a gene, with as little noise as is allowed, of which some are missing.
    rng = np.random.default_rng(0)
    loadings = np.repeat(rng.normal(size=(10, 20)), 4, axis=0)
    noise = np.full(40, 0.01)
    model = FactorAnalysis(*(torch.tensor(part).float() for part in (loadings, noise)))
    missing = np.zeros((5, 40), dtype=bool)
    for i in range(5):
        missing[i, 4 * i : 4 * i + 4] = True  # all copies
        missing[i, 30 + i] = True
    exact = np.linalg.inv(precisions(model, missing))
    for part, inverse in CompleteBasis(model).parts(torch.from_numpy(missing), 20):
        assert_allclose(inverse.moments()[0], exact[part.numpy()], atol=3e-3)


@given(sizes, st.booleans(), st.integers(0, 99))
@example((12, 50, 30), True, 0)
def test_factors_of_what_factors_make_expect(size, uncertain, seed):
    n, n_genes, rank = size
    model = make_model(n_genes, rank, seed, uncertain)
    factors = np.random.default_rng(seed).normal(size=(n, rank))
    loadings, _, mean, _ = parameters = arrays(model)
    expected, _ = exact_posterior(factors @ loadings.T + mean, parameters)
    found = model.again(torch.tensor(factors).float())
    assert_allclose(found, expected, atol=1e-4)
    prior = LowRankPrior(model)
    assert_array_equal(prior.factors_again(torch.tensor(factors).float()), found)


# What is kept for the next call


def with_a_hole():
    Z = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
    Z[torch.arange(4), torch.arange(4)] = torch.nan
    return Z


def test_the_basis_is_found_once_and_not_saved():
    model, Z = make_model(40, 20), with_a_hole()
    names = set(model.state_dict())
    with mock.patch(
        "skgex._low_rank._factor_analysis.CompleteBasis", wraps=CompleteBasis
    ) as made:
        first, second = model.posterior(Z, 4), model.posterior(Z, 4)
    assert made.call_count == 1
    assert_array_equal(first.mean, second.mean)
    assert set(model.state_dict()) == names
    for copy in (deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert vars(copy).keys() == vars(make_model(40, 20)).keys()
        assert_array_equal(copy.posterior(Z, 4).mean, first.mean)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_basis_is_found_anew_for_another_type(dtype):
    model, Z = make_model(40, 20), with_a_hole()
    model.posterior(Z, 4)
    model = model.to(dtype)
    found = model.posterior(Z.to(dtype), 4)
    assert found.mean.dtype == dtype
    assert_allclose(found.mean, model.posterior(Z.to(dtype)).mean, atol=1e-4)


def test_the_kept_basis_is_that_of_the_model_as_it_is():
    def make(seed):
        loadings = torch.randn(40, 20, generator=torch.Generator().manual_seed(seed))
        return FactorAnalysis(loadings, torch.ones(40))

    model, Z = make(0), torch.randn(5, 40)
    Z[range(4), range(4)] = torch.nan
    model.posterior(Z, 4)
    model.load_state_dict(make(1).state_dict())
    assert_allclose(model.posterior(Z, 4).mean, model.posterior(Z).mean, atol=1e-4)

"""What a fitted prior brings to other genes: against dense Gaussian algebra."""

import numpy as np
import pytest
import torch
from cohorts import blocks_of, draw, known, make_truth, model_of
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import (
    FactorMixture,
    GeneCurves,
    LowRankPrior,
    OtherGenes,
    moved_prior,
    pretrained_for,
    prior_for_genes,
    prior_with_others,
    regression_on_factors,
)
from skgex._low_rank._adapt import CohortMoments
from skgex._training import RowReader
from skgex.nn._draws import draws_from

TRUTH = make_truth(n_genes=12, rank=3)
# In another order, some of them new.
PLACES = np.array([7, -1, 3, 0, 11, -1, 5])
SHARED = PLACES >= 0
OTHERS = np.setdiff1d(np.arange(12), PLACES)
PER_GENE = ("loadings", "noise", "mean", "uncertainty_scale")


def make_prior(unit=2.0):
    """Return a prior of genes whose variance is not one, with all its parts."""
    loadings, noise = TRUTH
    heights = torch.randn(12, 2, 5, generator=torch.Generator().manual_seed(0))
    mixture = FactorMixture(
        torch.tensor([0.6, 0.4]), torch.zeros(2, 3), torch.eye(3).expand(2, -1, -1)
    )
    model = model_of(unit * loadings, unit**2 * noise)
    return LowRankPrior(model, mixture, GeneCurves(heights))


def dense(model):
    loadings, noise = model.loadings.double(), model.noise.double()
    return (loadings @ loadings.T + noise.diag()).numpy()


@pytest.mark.parametrize("unit", [0.2, 1.0, 3.0])
def test_correlations_are_kept_in_standard_deviations(unit):
    prior = make_prior(unit)
    start = pretrained_for(prior, PLACES)
    covariance = dense(prior.model)
    size = np.sqrt(covariance.diagonal())
    correlation = covariance / np.outer(size, size)
    found, places = dense(start.model), PLACES[SHARED]
    assert_allclose(
        found[np.ix_(SHARED, SHARED)], correlation[np.ix_(places, places)], atol=1e-6
    )
    # New genes have nothing in common with any other.
    assert_array_equal(found[~SHARED], np.eye(7)[~SHARED])
    assert_array_equal(start.known, SHARED)
    assert_array_equal(start.curves.heights[SHARED], prior.curves.heights[places])
    assert not start.curves.heights[~SHARED].any()
    assert pretrained_for(LowRankPrior(prior.model), PLACES).curves is None


def test_what_is_brought_is_a_copy():
    prior = make_prior()
    before = {name: value.clone() for name, value in prior.state_dict().items()}
    start = pretrained_for(prior, np.arange(12))
    for value in (*start.model.buffers(), *start.curves.buffers()):
        value.fill_(7)
    for name, value in prior.state_dict().items():
        assert_array_equal(value, before[name])


# Factors of one model from those of another


def test_regression_on_factors_is_that_of_dense_covariances():
    genes = np.arange(12) % 4 > 0
    start, model = known(TRUTH, genes), model_of(*make_truth(12, 5, seed=3))
    W, noise = (part[genes] for part in TRUTH)
    L, own = (
        part[torch.from_numpy(genes)].double().numpy()
        for part in (model.loadings, model.noise)
    )
    # Samples x = W f + e, read by the other model: g | x ~ N(R x, C).
    C = np.linalg.inv(np.eye(5) + L.T @ (L / own[:, None]))
    R = C @ (L / own[:, None]).T
    second = R @ (W @ W.T + np.diag(noise)) @ R.T + C
    expected = W.T @ R.T @ np.linalg.inv(second)
    found = regression_on_factors(model, start)
    assert_allclose(found, expected, atol=1e-4)


def test_factors_that_were_turned_are_turned_back():
    loadings, noise = make_truth(400, 3)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    weights = regression_on_factors(
        model_of(loadings @ turn, noise), known((loadings, noise))
    )
    # Loadings times factors are the same: f = turn g.
    assert_allclose(weights, turn, atol=0.02)


# Genes that a cohort lacks


def test_genes_of_the_cohort_are_moved_and_the_others_are_as_they_were():
    prior, blocks = make_prior(), blocks_of(draw(20, make_truth(7, 2, seed=9)))
    found = moved_prior(prior, PLACES, OTHERS, blocks, 40.0)
    moved = CohortMoments(pretrained_for(prior, PLACES), blocks).moved(40.0)
    rest = pretrained_for(prior, OTHERS).model
    for name in ("loadings", "noise", "mean"):
        own, other = getattr(found.model, name).split([7, len(OTHERS)])
        assert_allclose(own, getattr(moved, name), atol=1e-5)
        assert_array_equal(other, getattr(rest, name))
    # What the cohort does not show of a gene is no more uncertain than it was.
    assert_array_equal(found.model.uncertainty_scale[7:], np.zeros(len(OTHERS)))
    for name, value in prior.mixture.state_dict().items():
        assert_array_equal(found.mixture.state_dict()[name], value)
    places = np.append(PLACES, OTHERS)
    has = places >= 0
    heights = prior.curves.heights[places[has]]
    assert_array_equal(found.curves.heights[has], heights)


@pytest.mark.parametrize("curved", [False, True])
def test_of_a_warm_start_all_that_was_known_is_as_it_was(curved):
    prior = make_prior()
    prior.model.uncertainty += 0.1 * torch.eye(3)
    prior.model.mean += torch.arange(12.0)
    prior.model.uncertainty_scale *= torch.arange(1.0, 13.0)
    prior.curves = prior.curves if curved else None
    reader, places = RowReader(draw(20, make_truth(7, 2, seed=9))), PLACES
    with draws_from(0):
        found = prior_with_others(prior, places, OTHERS, reader, torch.clone)
    with draws_from(0):
        here = prior_for_genes(prior, places, reader, torch.clone)
    priors = found, prior, here
    pairs = [[getattr(p.model, name) for p in priors] for name in PER_GENE]
    if curved:
        pairs.append([p.curves.heights for p in priors])
    for values, before, new in pairs:
        assert_array_equal(values[7:], before[OTHERS])
        assert_array_equal(values[:7][SHARED], before[PLACES[SHARED]])
        # Genes that are new are learnt as without the others.
        assert_array_equal(values[:7], new)
    assert_array_equal(found.model.uncertainty, prior.model.uncertainty)
    for name, value in prior.mixture.state_dict().items():
        assert_array_equal(found.mixture.state_dict()[name], value)
    assert (found.curves is not None) == curved


def test_others_are_expected_by_the_conditional_distribution():
    loadings, noise = TRUTH
    prior = LowRankPrior(model_of(loadings, noise))
    names = [f"G{i}" for i in range(8, 12)]
    other = OtherGenes(names, prior, torch.zeros(4), torch.ones(4))
    Z = draw(6, TRUTH)[:, :8]
    Z[2:4, 5] = np.nan
    covariance = loadings @ loadings.T + np.diag(noise)
    values, variance = other(torch.from_numpy(Z), with_variance=True)
    again, nothing = other(torch.from_numpy(Z))
    assert nothing is None
    assert_allclose(again, values, atol=1e-6)
    for row, mean, spread in zip(Z, values, variance, strict=True):
        seen = np.flatnonzero(~np.isnan(row))
        weights = np.linalg.solve(
            covariance[np.ix_(seen, seen)], covariance[seen][:, 8:]
        )
        assert_allclose(mean, row[seen] @ weights, atol=1e-4)
        explained = covariance[8:][:, seen] @ weights
        expected = covariance[8:, 8:].diagonal() - explained.diagonal()
        # The noise of a sample is scaled by how far its measured genes are off.
        size = (np.asarray(spread) - expected) / noise[8:]
        assert_allclose(size, size.mean(), atol=1e-3)

"""The average of factor models: against dense covariances."""

import numpy as np
import pytest
import torch
from cohorts import draw, make_truth
from numpy.testing import assert_allclose

from skgex._low_rank import FactorAnalysis
from skgex._low_rank._adapt import average

TRUTH = make_truth(n_genes=12, rank=3)


def dense(model):
    """Return the covariance of the genes."""
    loadings, noise = model.loadings.double(), model.noise.double()
    return (loadings @ loadings.T + noise.diag()).numpy()


def random_model(rank, seed, n_genes=12):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(rank, rank))
    parts = (
        rng.normal(size=(n_genes, rank)),
        rng.uniform(0.1, 1, n_genes),
        rng.normal(size=n_genes),
        0.01 * root @ root.T,
    )
    return FactorAnalysis(*(torch.tensor(part).float() for part in parts))


@pytest.mark.parametrize("weights", [[1.0, 1.0], [20, 30.0], [7.0, 1.0, 2.0]])
def test_covariance_is_the_average(weights):
    models = [random_model(rank, rank) for rank in range(2, 2 + len(weights))]
    found = average(models, weights)
    assert found.rank == sum(model.rank for model in models)
    parts = [w * dense(model) for w, model in zip(weights, models, strict=True)]
    assert_allclose(dense(found), sum(parts) / sum(weights), atol=1e-5)
    means = [w * model.mean for w, model in zip(weights, models, strict=True)]
    assert_allclose(found.mean, sum(means) / sum(weights), atol=1e-6)
    # Those factors come first of which most is known.
    information = (found.loadings / found.noise[:, None]).T @ found.loadings
    assert_allclose(information, information.diagonal().sort(descending=True)[0].diag(),
                    atol=1e-2)  # fmt: skip


def test_uncertain_loadings_are_as_uncertain_as_the_parts():
    """Exactly so where the noise of all genes is in proportion."""
    first, second = random_model(2, 0), random_model(3, 1)
    second = FactorAnalysis(second.loadings, 2 * first.noise, None, second.uncertainty)
    found = average([first, second], [3.0, 1.0])
    noise = 0.75 * first.noise + 0.25 * second.noise
    joint = [
        share * model.noise[0] / noise[0] * model.uncertainty
        for share, model in ((0.75, first), (0.25, second))
    ]
    loadings = [0.75**0.5 * first.loadings, 0.25**0.5 * second.loadings]
    expected = FactorAnalysis(
        torch.cat(loadings, 1), noise, 0.75 * first.mean, torch.block_diag(*joint)
    )
    Z = torch.tensor(draw(5, TRUTH))
    Z[:, 8:] = torch.nan
    # Whatever the basis of the factors.
    outputs = []
    for model in (found, expected):
        posterior = model.posterior(Z)
        outputs.append((model.expected(posterior.mean), *model.variance(posterior)))
    for one, other in zip(*outputs, strict=True):
        assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_factors_of_which_nothing_is_known_are_noise():
    model = random_model(3, 0)
    faint = FactorAnalysis(0.02 * random_model(2, 1).loadings, model.noise)
    found = average([model, faint], [1.0, 1.0])
    assert found.rank == 3
    expected = (dense(model) + dense(faint)) / 2
    assert_allclose(dense(found).diagonal(), expected.diagonal(), rtol=1e-5)
    assert_allclose(dense(found), expected, atol=1e-2)
    # One is kept, for what else would be a model?
    nothing = FactorAnalysis(torch.zeros(12, 2), torch.ones(12))
    assert average([nothing, nothing], [1.0, 2.0]).rank == 1

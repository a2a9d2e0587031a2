"""Genes that are swapped in fine-tuning."""

import numpy as np
import pytest
import torch
from discovery import FINE_TUNED, class_name, make_target, tiny
from numpy.testing import assert_array_equal
from torch import nn

from skgex import SCARF
from skgex._finetune._corrupted import SwappedGenes
from skgex._finetune._objective import SupervisedObjective
from skgex.datasets import make_cohort
from skgex.nn import GeneCorruption

COHORT = make_cohort(n_samples=60, n_genes=20, random_state=0)
X = COHORT.data


@pytest.fixture(params=FINE_TUNED, ids=class_name)
def Estimator(request):
    return request.param


@pytest.fixture
def y(Estimator):
    return make_target(Estimator, COHORT.target, COHORT.factors[:, 0])


class Spy(nn.Identity):
    """An encoder that keeps what it was shown."""

    embedding_dim = 500

    def forward(self, X):
        self.seen = X
        return X


def objective(rate):
    def loss(output, target):
        return output.mean(dim=1)

    return SupervisedObjective(Spy(), nn.Identity(), loss, SwappedGenes(rate))


def test_a_share_of_the_genes_has_values_of_other_samples():
    values = torch.arange(20.0 * 500).reshape(20, 500)
    values[3, 7] = torch.nan
    model = objective(0.2).train()
    model(values, torch.zeros(20), torch.ones(20))
    seen = model.encoder.seen
    changed = (seen != values) & ~values.isnan()
    assert changed.float().mean().item() == pytest.approx(0.2, abs=0.02)
    # Each value is one of the same gene: it has the same remainder.
    assert torch.equal(seen[changed] % 500, values[changed] % 500)
    assert seen[3, 7].isnan()
    assert not seen.isnan()[changed].any()


def test_validation_sees_samples_as_they_are():
    values = torch.randn(20, 500)
    model = objective(0.9).eval()
    model(values, torch.zeros(20), torch.ones(20))
    assert model.encoder.seen is values


def test_a_rate_of_zero_is_the_training_without(Estimator, y, monkeypatch):
    def refuse(*_):
        raise AssertionError("drawn")

    swapped = tiny(Estimator, corruption_rate=0.3).fit(X, y)
    again = tiny(Estimator, corruption_rate=0.3).fit(X, y)
    monkeypatch.setattr(GeneCorruption, "forward", refuse)
    embedder = tiny(SCARF, max_epochs=0)
    plain = tiny(Estimator, embedder=embedder, corruption_rate=0.0).fit(X, y)
    assert_array_equal(
        plain.predict(X), tiny(Estimator, embedder=embedder).fit(X, y).predict(X)
    )
    assert_array_equal(swapped.transform(X), again.transform(X))
    assert (swapped.transform(X) != plain.transform(X)).any()


def test_it_keeps_a_network_from_learning_samples_by_heart(Estimator, y):
    embedder = tiny(SCARF, max_epochs=0)
    loss = {
        rate: tiny(Estimator, embedder=embedder, corruption_rate=rate, max_epochs=40)
        .fit(X, np.random.default_rng(0).permutation(y))
        .history_[-1]["train_loss"]
        for rate in (0.0, 0.5)
    }
    assert loss[0.5] > 2 * loss[0.0]


def test_frozen_encoders_are_refused(Estimator, y):
    with pytest.raises(ValueError, match=r"corruption_rate=0.3 .* freeze=False"):
        tiny(Estimator, corruption_rate=0.3, freeze=True).fit(X, y)
    with pytest.raises(ValueError, match="corruption_rate"):
        tiny(Estimator, corruption_rate=1.0).fit(X, y)


def test_covariates_are_not_swapped():
    values = torch.arange(20.0 * 50).reshape(20, 50)
    view = SwappedGenes(0.9, 3)(values)
    assert torch.equal(view[:, -3:], values[:, -3:])
    assert (view[:, :-3] != values[:, :-3]).float().mean() > 0.7

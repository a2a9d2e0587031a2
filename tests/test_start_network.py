"""The network of GexBERT starts from weights, and is kept if it pays."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from cohorts import draw, make_truth, names_of
from discovery import tiny
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator
from torch import nn

from skgex import GexBERT
from skgex._training import RowReader
from skgex.pretext import _adapted
from skgex.pretext._adapted import keep_if_better

TRUTH, NAMES = make_truth(n_genes=40, rank=4), names_of(40)


def table(n, seed):
    return pd.DataFrame(draw(n, TRUTH, seed), columns=NAMES)


NEW = table(200, 99)
HOLES = NEW.mask(np.random.default_rng(0).random(NEW.shape) < 0.4)


def fit(X, start, **parameters):
    return tiny(GexBERT, **{"max_epochs": 0, "start": start, **parameters}).fit(X)


class Trial(nn.Module):
    """An objective whose loss falls by a given share with what was learnt."""

    def __init__(self, gain, fold):
        super().__init__()
        self.decoder = nn.Module()
        self.decoder.out = nn.Linear(2, 1)
        self.gain, self.fold = gain, fold

    def forward(self, Z, fold):
        assert not self.training
        learnt = float(self.decoder.out.weight.any())
        return (1 - self.gain * learnt) * Z.abs().mean()


@pytest.mark.parametrize(
    ("gain", "folds", "kept"), [(0.1, 2, 1), (1e-4, 2, 0), (-0.1, 2, 0), (0.1, 0, 0)]
)
def test_corrections_are_kept_if_they_pay(gain, folds, kept):
    trial = Trial(gain, torch.arange(80) % folds if folds else None)
    before = trial.decoder.out.weight.clone()
    keep_if_better(trial, RowReader(NEW.to_numpy()[:80]), torch.clone)
    assert_array_equal(trial.decoder.out.weight.detach(), kept * before.detach())
    assert trial.training


def trained(**parameters):
    gexbert = tiny(GexBERT, max_epochs=2, **parameters).fit(table(60, 7))
    return FrozenEstimator(gexbert)


@pytest.mark.parametrize("kept", [True, False])
def test_the_network_starts_from_its_weights(kept, monkeypatch):
    start, genes = trained(), NAMES[::-1]
    monkeypatch.setattr(_adapted, "_MIN_GAIN", -9.0 if kept else 9.0)
    gexbert = fit(table(30, 1)[genes], start)
    before = start.estimator.objective_.state_dict()
    for name, value in gexbert.objective_.state_dict().items():
        if "prior" in name or "factors" in name or "calibration" in name:
            continue
        expected = before[name]
        if name == "encoder.gene":
            expected = expected.flip(0)
        elif name == "encoder.order":
            expected = 39 - expected
        elif "decoder.out" in name and not kept:
            expected = torch.zeros_like(expected)
        assert_array_equal(value, expected)
    # Samples are embedded much as they were.
    found, known = gexbert.transform(NEW[genes]), start.estimator.transform(NEW)
    assert np.square(found - known).mean() < 0.2 * known.var(0).mean()


def test_a_network_that_does_harm_is_not_kept():
    start = trained()
    expected = fit(table(30, 1), FrozenEstimator(bent(start, 0.0)))
    found = fit(table(30, 1), FrozenEstimator(bent(start, 3.0)))
    assert_array_equal(found.restore(HOLES), expected.restore(HOLES))


def bent(start, size):
    """Return a start whose corrections are nonsense, or none."""
    gexbert = pickle.loads(pickle.dumps(start.estimator))
    with torch.no_grad():
        for parameter in gexbert.objective_.decoder.out.parameters():
            parameter.fill_(size)
    return gexbert


def test_of_a_network_of_another_size_only_the_prior_is_used():
    start = trained()
    expected = fit(table(30, 1), FrozenEstimator(bent(start, 0.0)), embedding_dim=4)
    found = fit(table(30, 1), start, embedding_dim=4)
    assert found.transform(NEW).shape == (200, 8 * 4)
    assert_array_equal(found.restore(HOLES), expected.restore(HOLES))


def test_without_a_prior_all_weights_are_those_of_the_start():
    start = trained(prior=None)
    gexbert = fit(table(30, 1), start, prior=None)
    before = start.estimator.objective_.state_dict()
    for name, value in gexbert.objective_.state_dict().items():
        if "calibration" not in name and "gene_error" not in name:
            assert_array_equal(value, before[name])

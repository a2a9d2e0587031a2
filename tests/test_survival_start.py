"""Where survival models start from, and the machinery around them."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import EMBEDDERS, SURVIVAL, class_name, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from survival_cohorts import planted_cohort, without_network

from skgex import SCARF, FineTunedCoxPH, FineTunedDiscreteHazard
from skgex._survival import _base

X, Y = planted_cohort(90, 8)
X = X.astype(np.float32)
OTHER_X, OTHER_Y = planted_cohort(90, 8, seed=1)
BOTH = pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)


@pytest.fixture(scope="module")
def pretrained():
    return tiny(SCARF).fit(OTHER_X)  # not to be fitted again


def trusting(Estimator, **parameters):
    """Return a model whose network is always trained."""
    return tiny(Estimator, **{"alpha": 5.0, "cv": None, **parameters})


def everything(model, values=X):
    """Return all that a model predicts."""
    survival = model.predict_survival_function(values, return_array=True)
    return np.c_[model.predict(values), survival, model.transform(values)]


def assert_same_weights(module, other):
    for name, value in module.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


# Embedders


@BOTH
@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_every_embedder_can_be_the_start(Estimator, Embedder):
    model = trusting(Estimator, embedder=tiny(Embedder)).fit(X, Y)
    assert model.n_iter_ == 5
    assert model.score(X, Y) > 0.7


@BOTH
def test_a_frozen_embedder_is_not_modified(Estimator, pretrained):
    before = pickle.dumps(pretrained)
    model = trusting(Estimator, embedder=FrozenEstimator(pretrained)).fit(X, Y)
    assert pickle.dumps(pretrained) == before
    for name, value in pretrained.encoder_.named_parameters():
        assert not torch.equal(model.encoder_.get_parameter(name), value), name


@BOTH
@pytest.mark.parametrize("cv", [None, 2])
def test_freeze_leaves_the_encoder(Estimator, cv, pretrained):
    frozen = FrozenEstimator(pretrained)
    model = trusting(Estimator, embedder=frozen, freeze=True, cv=cv).fit(X, Y)
    assert_same_weights(model.encoder_, pretrained.encoder_)
    assert_array_equal(model.transform(X), pretrained.transform(X))
    assert model.head_.weight.any() == (model.n_iter_ > 0)


# Earlier survival models


@BOTH
def test_coefficients_of_an_earlier_model_take_part(Estimator):
    before = without_network().fit(OTHER_X, OTHER_Y)
    dumped = pickle.dumps(before)
    alone = without_network(Estimator).fit(X, Y)
    for weight in (0.0, 0.3, 2.0):
        model = without_network(Estimator, prior_weight=weight)
        model.set_params(embedder=FrozenEstimator(before)).fit(X, Y)
        expected = alone.coef_ + weight * before.coef_
        assert_allclose(model.coef_, expected, atol=1e-6)
    assert pickle.dumps(before) == dumped


def test_what_was_held_out_knows_of_the_earlier_model(monkeypatch):
    def fit_network(estimator, task, X, data, folds, model, held_out, *args):
        given.append(held_out)
        return [], None

    given = []
    before = without_network().fit(OTHER_X, OTHER_Y)
    monkeypatch.setattr(_base, "fit_network", fit_network)
    for weight in (0.0, 0.5):
        model = without_network(cv=3, prior_weight=weight)
        model.set_params(embedder=FrozenEstimator(before)).fit(X, Y)
    added = 0.5 * ((X - X.mean(axis=0)) / X.std(axis=0)) @ before.coef_
    assert_allclose(given[1] - given[0], added, atol=1e-4)


def test_the_network_of_an_earlier_model_takes_part():
    before = trusting(FineTunedCoxPH).fit(OTHER_X, OTHER_Y)
    options = {"embedder": FrozenEstimator(before), "max_epochs": 0}
    model = trusting(FineTunedCoxPH, prior_weight=0.4, **options).fit(X, Y)
    assert_allclose(model.head_.weight.detach(), 0.4 * before.head_.weight.detach())
    assert_same_weights(model.encoder_, before.encoder_)
    # A head with other outputs says nothing to ours.
    hazard = trusting(FineTunedDiscreteHazard, **options).fit(X, Y)
    assert not hazard.head_.weight.any()


@BOTH
def test_earlier_models_that_do_not_fit(Estimator):
    table = pd.DataFrame(X, columns=[f"G{i}" for i in range(8)])
    before = without_network(Estimator).fit(table, Y)
    model = without_network(Estimator).set_params(embedder=FrozenEstimator(before))
    with pytest.raises(ValueError, match="pretrained on 8 genes, but X has 7"):
        model.fit(X[:, :7], Y)
    # Names on one side only can't be compared: the same number of genes is believed.
    assert_array_equal(model.fit(X, Y).coef_, model.fit(table, Y).coef_)
    unfitted = FrozenEstimator(without_network(Estimator))
    with pytest.raises(ValueError, match="not fitted"):
        model.set_params(embedder=unfitted).fit(X, Y)


@BOTH
def test_warm_start_goes_on(Estimator):
    model = trusting(Estimator, warm_start=True, prior_weight=0.5).fit(X, Y)
    first, encoder = model.coef_, model.encoder_
    kept = pickle.dumps(encoder)
    again = model.fit(X, Y)
    # What was learnt here, and half of what was known.
    assert_allclose(again.coef_, 1.5 * first, atol=1e-6)
    assert again.encoder_ is not encoder
    assert pickle.dumps(encoder) == kept
    with pytest.raises(ValueError, match="8 features"):
        model.fit(X[:, :7], Y)


# Input


@BOTH
def test_missing_values_count_as_the_mean(Estimator):
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
    model = trusting(Estimator, scaling="standard").fit(holes, Y)
    assert np.isfinite(everything(model, holes)).all()
    assert model.score(holes, Y) > 0.65
    filled = np.where(np.isnan(holes), np.nanmean(holes, axis=0), holes)
    assert_allclose(model.predict(filled), model.predict(holes), atol=1e-3)
    with pytest.raises(ValueError, match="NaN in every gene of sample 3"):
        model.predict(np.where(np.arange(90)[:, None] == 3, np.nan, X))


@BOTH
def test_tables_and_precision(Estimator):
    expected = everything(trusting(Estimator).fit(X, Y))
    table = pd.DataFrame(X, columns=[f"G{i}" for i in range(8)])
    model = trusting(Estimator).fit(table, Y)
    assert_array_equal(model.feature_names_in_, table.columns)
    assert_array_equal(everything(model, table), expected)
    single = without_network(Estimator).fit(X, Y)
    double = without_network(Estimator).fit(X.astype(np.float64), Y)
    assert_allclose(everything(double), everything(single), atol=1e-4)
    assert single.predict(X).dtype == double.predict(X).dtype == np.float64


@BOTH
def test_memory_map(Estimator, tmp_path):
    np.memmap(tmp_path / "X", np.float32, "w+", shape=X.shape)[:] = X
    on_disk = np.memmap(tmp_path / "X", np.float32, "r", shape=X.shape)
    expected = everything(trusting(Estimator).fit(X, Y))
    assert_array_equal(
        everything(trusting(Estimator).fit(on_disk, Y), on_disk), expected
    )


@BOTH
def test_a_sample_is_predicted_by_itself(Estimator):
    model = trusting(Estimator).fit(X, Y)
    alone = np.concatenate([everything(model, row[None]) for row in X])
    assert_allclose(alone, everything(model), atol=1e-5)


# Training


@BOTH
@pytest.mark.parametrize("batch_size", [32, 7, "auto"])
def test_batches_of_any_size_train(Estimator, batch_size):
    # No linear part to speak of.
    model = trusting(Estimator, alpha=1e9, batch_size=batch_size, max_epochs=30)
    assert model.fit(X, np.ceil(0.2 + 5 * Y["time"])).score(X, Y) > 0.7


@BOTH
def test_batches_without_an_event(Estimator):
    y = Y.copy()
    y["event"] = np.arange(90) % 15 == 0
    model = trusting(Estimator, batch_size=2).fit(X, y)
    assert np.isfinite(everything(model)).all()
    assert np.isfinite(model.history_[:, "train_loss"]).all()


@BOTH
def test_same_seed_same_model(Estimator, global_generators):
    def fitted(seed, inner=None):
        embedder = tiny(SCARF, random_state=inner)
        model = trusting(Estimator, embedder=embedder, random_state=seed)
        return everything(model.fit(X, Y))

    first = fitted(0)
    assert_array_equal(fitted(0), first)
    assert (fitted(1) != first).any()
    assert (fitted(0, inner=5) != first).any()


@BOTH
def test_copies_predict_alike_and_are_small(Estimator):
    model = trusting(Estimator).fit(X, Y)
    expected = everything(model)
    assert_array_equal(everything(pickle.loads(pickle.dumps(model))), expected)
    assert_array_equal(everything(clone(model).fit(X, Y)), expected)
    assert not hasattr(clone(model), "head_")
    # No sample of the training data is in it but for the ranks of their values.
    wide = np.tile(X, (1, 30))
    standard = {"scaling": "standard", "embedder": tiny(SCARF, max_epochs=1)}
    size = len(pickle.dumps(trusting(Estimator, **standard).fit(wide, Y)))
    twice = np.r_[wide, wide], np.r_[Y, Y]
    assert len(pickle.dumps(trusting(Estimator, **standard).fit(*twice))) - size < 999

"""What holds for every fine-tuned estimator: pretraining, freezing, rows, seeds."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch
from discovery import EMBEDDERS, FINE_TUNED, class_name, make_target, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from torch import nn

from skgex import SCARF
from skgex._finetune import _network
from skgex._finetune._objective import SupervisedObjective
from skgex.datasets import make_cohort

COHORT = make_cohort(n_samples=80, n_genes=30, replicate_rate=0.9, random_state=0)
X, GROUPS = COHORT.data, COHORT.groups
LARGE = make_cohort(n_samples=400, n_genes=10, replicate_rate=0.9, random_state=0)
UNLABELED = np.arange(80) % 3 == 0


@pytest.fixture(params=FINE_TUNED, ids=class_name)
def Estimator(request):
    return request.param


@pytest.fixture
def y(Estimator):
    return make_target(Estimator, COHORT.target, COHORT.factors[:, 0])


@pytest.fixture
def parts(monkeypatch):
    """Record the rows of the training and of the validation part of fine-tuning."""

    def train(objective, batches, valid_batches, **options):
        rows.append([part and part.rows for part in (batches, valid_batches)])
        return original(objective, batches, valid_batches=valid_batches, **options)

    rows, original = [], _network.train
    monkeypatch.setattr(_network, "train", train)
    return rows


def output(estimator, values=X):
    """Return the finest prediction there is."""
    predict = getattr(estimator, "predict_proba", estimator.predict)
    return predict(values)


def weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def assert_same_weights(module, expected):
    for name, value in module.state_dict().items():
        assert torch.equal(value, expected[name]), name


# Pretraining


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_every_embedder_can_be_fine_tuned(Estimator, Embedder, y):
    estimator = tiny(Estimator, embedder=tiny(Embedder), max_epochs=40).fit(X, y)
    assert estimator.score(X, y) > 0.7


def test_the_embedder_is_a_parameter_and_stays_unfitted(Estimator, y):
    embedder = tiny(SCARF, random_state=None)
    tiny(Estimator, embedder=embedder).fit(X, y)
    assert not hasattr(embedder, "encoder_")
    assert embedder.random_state is None


def test_the_seed_serves_an_embedder_without_one(Estimator, y):
    def fitted(inner, outer):
        embedder = tiny(SCARF, random_state=inner)
        return output(tiny(Estimator, embedder=embedder, random_state=outer).fit(X, y))

    assert_array_equal(fitted(None, 3), fitted(None, 3))
    assert (fitted(None, 3) != fitted(None, 4)).any()
    assert (fitted(5, 3) != fitted(6, 3)).any()


def test_without_pretraining_it_is_the_network_from_scratch(Estimator, y):
    embedder = tiny(SCARF, max_epochs=0)
    scratch = tiny(Estimator, embedder=embedder, freeze=True).fit(X, y)
    assert_same_weights(scratch.encoder_, weights(clone(embedder).fit(X).encoder_))
    pretrained = tiny(Estimator, freeze=True).fit(X, y)
    assert (pretrained.transform(X) != scratch.transform(X)).any()


def test_unlabelled_rows_take_part_in_pretraining_only(Estimator, y, parts):
    """Of a network; what they do to the linear part is tested there."""
    marked = np.where(UNLABELED, -7, y)
    estimator = tiny(Estimator, unlabeled=-7, linear_weight=0).fit(X, marked)
    assert_array_equal(parts[0][0], np.flatnonzero(~UNLABELED))
    # The same in two steps: pretrain on all rows, fine-tune on the others.
    frozen = FrozenEstimator(tiny(SCARF).fit(X))
    in_steps = tiny(Estimator, embedder=frozen, linear_weight=0)
    in_steps.fit(X[~UNLABELED], y[~UNLABELED])
    assert_allclose(output(estimator), output(in_steps), atol=1e-5)
    # And it is not what pretraining on the labelled rows gives.
    fewer = tiny(Estimator, linear_weight=0).fit(X[~UNLABELED], y[~UNLABELED])
    assert abs(output(estimator) - output(fewer)).max() > 1e-3


def test_no_value_is_unlabelled_unless_named(Estimator, y, parts):
    tiny(Estimator).fit(X, y - 1)
    assert_array_equal(parts[0][0], np.arange(80))


# Frozen


@pytest.mark.parametrize("freeze", [True, False])
def test_an_encoder_tuned_for_something_else_is_a_start(Estimator, y, freeze):
    other = FINE_TUNED[FINE_TUNED[0] is Estimator]
    y_other = make_target(other, COHORT.target, COHORT.factors[:, 0])
    before = tiny(other).fit(X, y_other)
    frozen = FrozenEstimator(before)
    untrained = tiny(Estimator, embedder=frozen, freeze=freeze, max_epochs=0).fit(X, y)
    assert_array_equal(untrained.transform(X), before.transform(X))
    weights_before = weights(before.encoder_)
    trained = tiny(Estimator, embedder=frozen, freeze=freeze).fit(X, y)
    assert (trained.transform(X) == before.transform(X)).all() == freeze
    for name, value in weights_before.items():
        assert_array_equal(before.encoder_.state_dict()[name], value)


@pytest.mark.parametrize("freeze", [True, False])
def test_frozen_estimators_are_untouched(Estimator, y, freeze):
    embedder = tiny(SCARF).fit(X)
    before = pickle.dumps(embedder)
    estimator = tiny(Estimator, embedder=FrozenEstimator(embedder), freeze=freeze)
    copy = clone(estimator)
    assert copy.embedder.estimator is embedder  # a clone keeps what was learnt
    assert_array_equal(output(estimator.fit(X, y)), output(copy.fit(X, y)))
    assert pickle.dumps(embedder) == before
    assert estimator.encoder_ is not embedder.encoder_


def test_freeze_leaves_the_encoder_as_it_was_pretrained(Estimator, y):
    embedder = tiny(SCARF).fit(X)
    frozen = FrozenEstimator(embedder)
    estimator = tiny(Estimator, embedder=frozen, freeze=True).fit(X, y)
    assert_same_weights(estimator.encoder_, weights(embedder.encoder_))
    assert_array_equal(estimator.transform(X), embedder.transform(X))
    tuned = tiny(Estimator, embedder=frozen).fit(X, y)
    for name, value in embedder.encoder_.named_parameters():
        assert not torch.equal(tuned.encoder_.get_parameter(name), value), name


def test_encoder_lr_is_the_rate_of_the_encoder(Estimator, y):
    embedder = tiny(SCARF, normalization="layer").fit(X)
    Z = embedder.transform(X)
    moved = {}
    for rate in (1e-20, 1e-4, 1e-2):
        estimator = tiny(Estimator, embedder=FrozenEstimator(embedder), encoder_lr=rate)
        moved[rate] = abs(estimator.fit(X, y).transform(X) - Z).max()
    assert moved[1e-20] < 1e-5
    assert moved[1e-4] < 0.1 * moved[1e-2]


# Rows


def test_a_weight_of_zero_is_no_label(Estimator, y):
    weight = np.where(UNLABELED, 0.0, 1.0)
    other = np.where(UNLABELED, y[::-1], y)  # targets without weight are not looked at
    weighted = tiny(Estimator).fit(X, other, sample_weight=weight)
    marked = tiny(Estimator, unlabeled=-7).fit(X, np.where(UNLABELED, -7, y))
    assert_array_equal(output(weighted), output(marked))


def test_weights_are_relative(Estimator, y):
    weight = np.random.default_rng(0).random(80)
    weighted = tiny(Estimator).fit(X, y, sample_weight=weight)
    scaled = tiny(Estimator).fit(X, y, sample_weight=8 * weight)
    plain = tiny(Estimator).fit(X, y)
    assert_allclose(output(scaled), output(weighted), atol=1e-5)
    assert abs(output(plain) - output(weighted)).max() > 1e-3
    ones = tiny(Estimator).fit(X, y, sample_weight=np.full(80, 3.0))
    assert_allclose(output(ones), output(plain), atol=1e-5)


def test_objective_is_the_weighted_mean_of_the_losses():
    encoder, head = nn.Linear(3, 2), nn.Linear(2, 1)
    objective = SupervisedObjective(encoder, head, lambda out, y: (out[:, 0] - y) ** 2)
    batch, y, weight = torch.randn(5, 3), torch.randn(5), torch.rand(5)
    error = (head(encoder(batch)).flatten() - y) ** 2
    expected = sum(w * e for w, e in zip(weight, error, strict=True)) / 5
    assert_allclose(objective(batch, y, weight).item(), expected.item(), rtol=1e-5)


def test_early_stopping_needs_enough_labelled_samples(Estimator, parts):
    y = make_target(Estimator, LARGE.target, LARGE.factors[:, 0])
    marked = np.where(np.arange(400) < 40, y, -7)
    options = {"n_iter_no_change": 2, "unlabeled": -7, "validation_fraction": 0.1}
    few = tiny(Estimator, **options).fit(LARGE.data, marked)
    assert parts[-1][1] is None
    assert "valid_loss" not in few.history_[0]
    assert few.n_iter_ == few.max_epochs
    options["unlabeled"] = None
    many = tiny(Estimator, **options).fit(LARGE.data, y)
    rows, valid_rows = parts[-1]
    assert len(valid_rows) == 40
    assert_array_equal(np.sort(np.r_[rows, valid_rows]), np.arange(400))
    assert "valid_loss" in many.history_[0]


def test_early_stopping_stops(Estimator):
    y = make_target(Estimator, LARGE.target, LARGE.factors[:, 0])
    options = {"n_iter_no_change": 2, "validation_fraction": 0.2, "max_epochs": 200}
    estimator = tiny(Estimator, **options, lr=0.05).fit(LARGE.data, y)
    valid = estimator.history_[:, "valid_loss"]
    assert len(valid) == estimator.n_iter_ == np.argmin(valid) + 3 < 200


def test_groups_are_not_split(Estimator, parts):
    y = make_target(Estimator, LARGE.target, LARGE.factors[:, 0])
    marked = np.where(np.arange(400) % 4, y, -7)
    options = {"n_iter_no_change": 2, "unlabeled": -7, "validation_fraction": 0.2}
    estimator = tiny(Estimator, **options)
    with config_context(enable_metadata_routing=True):
        estimator.set_fit_request(groups=True)
        make_pipeline(estimator).fit(LARGE.data, marked, groups=LARGE.groups)
    rows, valid_rows = parts[0]
    assert_array_equal(np.sort(np.r_[rows, valid_rows]), np.flatnonzero(marked != -7))
    assert not set(LARGE.groups[rows]) & set(LARGE.groups[valid_rows])


def test_groups_reach_the_pretraining(Estimator, y, monkeypatch):
    def fit(embedder, X, y=None, groups=None):
        given.append(groups)
        return original(embedder, X, y, groups)

    given, original = [], SCARF.fit
    monkeypatch.setattr(SCARF, "fit", fit)
    tiny(Estimator).fit(X, y, groups=GROUPS)
    assert_array_equal(given, [GROUPS])


# Going on, seeds, machinery


def test_warm_start_goes_on(Estimator, y):
    estimator = tiny(Estimator, warm_start=True, max_epochs=30).fit(X, y)
    first = estimator.history_[:, "train_loss"]
    second = estimator.fit(X, y).history_[:, "train_loss"]
    assert second[0] < (first[0] + first[-1]) / 2
    before = output(estimator)
    assert_array_equal(output(estimator.set_params(max_epochs=0).fit(X, y)), before)


def test_global_generators_are_left_alone(Estimator, y, global_generators):
    tiny(Estimator, embedder=tiny(SCARF, random_state=None)).fit(X, y).predict(X)


def test_memory_map_gives_the_result_of_an_array(Estimator, y, tmp_path):
    np.memmap(tmp_path / "X", np.float32, "w+", shape=X.shape)[:] = X
    on_disk = np.memmap(tmp_path / "X", np.float32, "r", shape=X.shape)
    expected = output(tiny(Estimator).fit(X, y))
    assert_array_equal(output(tiny(Estimator).fit(on_disk, y), on_disk), expected)


def test_copies_predict_alike_and_are_small(Estimator, y):
    estimator = tiny(Estimator).fit(X, y)
    expected = output(estimator)
    for copy in (deepcopy(estimator), pickle.loads(pickle.dumps(estimator))):
        assert_array_equal(output(copy), expected)
    # X alone would take 9,600 bytes; the network has some 700 weights.
    twice = tiny(Estimator).fit(np.r_[X, X], np.r_[y, y])
    assert abs(len(pickle.dumps(twice)) - len(pickle.dumps(estimator))) < 100


def test_search_reaches_the_embedder(Estimator, y):
    estimator = tiny(Estimator)
    grid = {"embedder__corruption_rate": [0.1, 0.6], "freeze": [True, False]}
    search = GridSearchCV(estimator, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(X, y)
    best = clone(estimator).set_params(**search.best_params_)
    scores = cross_val_score(best, X, y, cv=2)
    assert_allclose(search.best_score_, scores.mean(), rtol=1e-3)
    assert_allclose(output(search), output(best.fit(X, y)), atol=1e-4)


def test_pipeline_with_a_fine_tuned_estimator_at_the_end(Estimator, y):
    pipeline = make_pipeline(MinMaxScaler(), tiny(Estimator)).fit(X, y)
    # Each gene is standardised anyway.
    assert_allclose(output(pipeline), output(tiny(Estimator).fit(X, y)), atol=0.02)


def test_new_patients_are_predicted(Estimator):
    cohort = make_cohort(n_samples=300, n_genes=50, random_state=1)
    y = make_target(Estimator, cohort.target, cohort.factors[:, 0])
    test = cohort.groups % 3 == 0
    embedder = tiny(SCARF, hidden_dims=(64, 32), max_epochs=20)
    estimator = tiny(Estimator, embedder=embedder, encoder_lr=3e-3, max_epochs=40)
    estimator.fit(cohort.data[~test], y[~test])
    # Chance is 1/3 and 0.
    goal = 0.8 if is_classifier(estimator) else 0.7
    assert estimator.score(cohort.data[test], y[test]) > goal

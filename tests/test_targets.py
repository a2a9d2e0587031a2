"""What classifiers and regressors do with their targets."""

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import compute_sample_weight

from skgex import SCARF, FineTunedClassifier, FineTunedRegressor
from skgex._finetune import _network
from skgex.datasets import make_cohort

COHORT = make_cohort(n_samples=90, n_genes=30, n_classes=3, random_state=0)
X, CLASSES, FACTORS = COHORT.data, COHORT.target, COHORT.factors
NAMES = np.array(["LUAD", "BRCA", "THCA"])[CLASSES]
HIDDEN = np.arange(90) % 4 == 0
PRETRAINED = FrozenEstimator(tiny(SCARF).fit(X))


def classifier(**parameters):
    """Return a network alone, of which targets are computed by hand."""
    parameters = {"linear_weight": 0, **parameters}
    return tiny(FineTunedClassifier, embedder=PRETRAINED, **parameters)


def regressor(**parameters):
    parameters = {"linear_weight": 0, **parameters}
    return tiny(FineTunedRegressor, embedder=PRETRAINED, **parameters)


def linear(head, Z):
    """Apply a fitted head in numpy."""
    weight, bias = (p.detach().numpy() for p in (head.weight, head.bias))
    return Z.astype(float) @ weight.T.astype(float) + bias


# Classes


def test_string_labels():
    model = classifier(max_epochs=40).fit(X, NAMES)
    assert_array_equal(model.classes_, ["BRCA", "LUAD", "THCA"])
    predicted = model.predict(X)
    assert predicted.dtype == NAMES.dtype
    assert accuracy_score(NAMES, predicted) == model.score(X, NAMES) > 0.9


@pytest.mark.parametrize(
    "convert",
    [
        list,
        lambda y: y.astype(object),
        pd.Series,
        lambda y: pd.Categorical(y),
    ],
    ids=["list", "object", "series", "categorical"],
)
def test_labels_of_any_kind_give_the_same_model(convert):
    expected = classifier().fit(X, NAMES).predict_proba(X)
    assert_array_equal(classifier().fit(X, convert(NAMES)).predict_proba(X), expected)


def test_order_of_the_classes_is_that_of_the_columns():
    model = classifier(max_epochs=40).fit(X, 10 - 3 * CLASSES)
    assert_array_equal(model.classes_, [4, 7, 10])
    probability = model.predict_proba(X)
    assert probability.shape == (90, 3)
    assert_allclose(probability.sum(axis=1), 1, rtol=1e-6)
    assert (probability >= 0).all()
    assert_array_equal(model.predict(X), model.classes_[probability.argmax(axis=1)])
    # Class 4 was class 2, and stands first.
    mean = [probability[CLASSES == c].mean(axis=0).argmax() for c in range(3)]
    assert mean == [2, 1, 0]


@pytest.mark.parametrize("freeze", [True, False])
def test_probabilities_come_from_the_embedding_that_transform_gives(freeze):
    model = classifier(freeze=freeze).fit(X, CLASSES)
    logits = linear(model.head_, model.transform(X))
    assert_allclose(model.predict_proba(X), softmax(logits, axis=1), atol=1e-5)
    assert list(model.get_feature_names_out()[:2]) == [
        "finetunedclassifier0",
        "finetunedclassifier1",
    ]


@pytest.mark.parametrize(
    ("y", "marker"),
    [
        (NAMES, "?"),
        (NAMES.astype(object), None),
        (CLASSES, -1),
        (CLASSES.astype(float), np.nan),
        (NAMES.astype(object), np.nan),
    ],
    ids=["string", "object none", "minus one", "float nan", "object nan"],
)
def test_markers_of_unlabelled_samples(y, marker):
    marked = y.copy()
    marked[HIDDEN] = "?" if marker is None else marker
    model = classifier(unlabeled="?" if marker is None else marker).fit(X, marked)
    assert_array_equal(model.classes_, np.unique(y))
    expected = classifier().fit(X[~HIDDEN], y[~HIDDEN]).predict_proba(X)
    assert_allclose(model.predict_proba(X), expected, atol=1e-5)


def test_a_marker_that_numpy_cut_is_refused():
    y = np.where(HIDDEN, "unlabelled", "a").astype("U4")
    with pytest.raises(ValueError, match=r"'unlabelled' was cut to 'unla'.*astype"):
        classifier(unlabeled="unlabelled").fit(X, y)


def test_early_stopping_with_more_classes_than_validation_samples():
    # 24 samples validate, fewer than there are classes: they cannot be stratified.
    values = np.random.default_rng(0).normal(size=(240, X.shape[1]))
    model = classifier(n_iter_no_change=3, validation_fraction=0.1, max_epochs=2)
    model.fit(values, np.arange(240) % 30)
    assert "valid_loss" in model.history_[0]
    assert len(model.classes_) == 30


def test_minus_one_is_a_class_unless_it_is_named():
    assert_array_equal(classifier().fit(X, CLASSES - 1).classes_, [-1, 0, 1])


def test_balanced_weights_are_those_of_scikit_learn():
    rare = (CLASSES == 0) & (np.cumsum(CLASSES == 0) > 4)
    values, y = X[~rare], CLASSES[~rare]
    weights = compute_sample_weight("balanced", y)
    by_class = {c: weights[y == c][0] for c in range(3)}
    models = [
        classifier(class_weight="balanced").fit(values, y),
        classifier(class_weight=by_class).fit(values, y),
        classifier().fit(values, y, sample_weight=weights),
    ]
    balanced, explicit, weighted = (model.predict_proba(values) for model in models)
    assert_array_equal(explicit, balanced)
    assert_allclose(weighted, balanced, atol=1e-5)
    plain = classifier().fit(values, y).predict_proba(values)
    assert balanced[:, 0].mean() > plain[:, 0].mean()


def test_weights_of_classes_and_of_samples_are_multiplied():
    weight = np.random.default_rng(0).random(90)
    by_class = {0: 1.0, 1: 5.0, 2: 0.2}
    both = classifier(class_weight=by_class).fit(X, CLASSES, sample_weight=weight)
    product = weight * np.array([1.0, 5.0, 0.2])[CLASSES]
    once = classifier().fit(X, CLASSES, sample_weight=product)
    assert_allclose(both.predict_proba(X), once.predict_proba(X), atol=1e-5)


def test_validation_part_has_classes_in_proportion(monkeypatch):
    def train(objective, batches, valid_batches, **options):
        labels.append(valid_batches.targets[0][valid_batches.rows])
        return original(objective, batches, valid_batches=valid_batches, **options)

    labels, original = [], _network.train
    monkeypatch.setattr(_network, "train", train)
    values, y = np.tile(X, (4, 1)), np.repeat([0, 1], [324, 36])
    classifier(n_iter_no_change=3, validation_fraction=0.25).fit(values, y)
    assert labels[0].bincount().tolist() == [81, 9]


def test_a_class_of_one_sample_is_no_obstacle_to_a_validation_part():
    values, y = np.tile(X, (4, 1)), np.r_[7, np.tile([0, 1], 180)[:359]]
    model = classifier(n_iter_no_change=3, validation_fraction=0.25).fit(values, y)
    assert "valid_loss" in model.history_[0]


def test_warm_start_refuses_other_classes():
    model = classifier(warm_start=True).fit(X, CLASSES)
    before = model.predict_proba(X)
    for other in (CLASSES + 1, CLASSES > 0):
        with pytest.raises(ValueError, match=r"classes.*set warm_start=False"):
            model.fit(X, other)
    assert_array_equal(model.predict_proba(X), before)
    assert_array_equal(model.classes_, [0, 1, 2])


# Continuous targets


@pytest.mark.parametrize("n_outputs", [None, 1, 3])
def test_predictions_have_the_shape_and_the_units_of_the_targets(n_outputs):
    y = FACTORS[:, 0] if n_outputs is None else FACTORS[:, :n_outputs]
    scale, shift = 1024.0, 4096.0  # powers of two change no digit
    predicted = regressor(max_epochs=40).fit(X, y).predict(X)
    rescaled = regressor(max_epochs=40).fit(X, scale * y + shift).predict(X)
    assert predicted.shape == y.shape
    assert predicted.dtype == np.float64
    assert r2_score(y, predicted) > 0.8
    assert_allclose(rescaled, scale * predicted + shift, rtol=1e-3, atol=1)


def test_one_output_is_the_same_as_a_column_or_a_vector():
    vector = regressor().fit(X, FACTORS[:, 0]).predict(X)
    column = regressor().fit(X, FACTORS[:, :1]).predict(X)
    assert_array_equal(column[:, 0], vector)


def test_outputs_of_different_units_weigh_alike():
    y = FACTORS[:, :2] * [1, 1000]
    model = regressor(max_epochs=40).fit(X, y)
    scores = r2_score(y, model.predict(X), multioutput="raw_values")
    assert (scores > 0.7).all()


@pytest.mark.parametrize("freeze", [True, False])
def test_predictions_come_from_the_embedding_that_transform_gives(freeze):
    y = 50 + 10 * FACTORS[:, :2].astype(float)
    model = regressor(freeze=freeze).fit(X, y)
    output = linear(model.head_, model.transform(X))
    expected = output * y.std(axis=0) + y.mean(axis=0)
    assert_allclose(model.predict(X), expected, rtol=1e-4)


def test_targets_are_centred_by_their_weights():
    weight = np.random.default_rng(0).random(90)
    y = FACTORS[:, 0].astype(float)
    mean = np.average(y, weights=weight)
    spread = np.sqrt(np.average((y - mean) ** 2, weights=weight))
    model = regressor(max_epochs=0).fit(X, y, sample_weight=weight)
    output = linear(model.head_, model.transform(X))[:, 0]
    assert_allclose(model.predict(X), mean + spread * output, atol=1e-5)


@pytest.mark.parametrize("marker", [np.nan, -1.0])
@pytest.mark.parametrize("n_outputs", [None, 2])
def test_targets_that_were_not_measured(marker, n_outputs):
    y = FACTORS[:, 0].copy() if n_outputs is None else FACTORS[:, :2].copy()
    expected = regressor().fit(X[~HIDDEN], y[~HIDDEN]).predict(X)
    if n_outputs is None:
        y[HIDDEN] = marker
    else:  # a sample of which one target is missing is left out
        y[HIDDEN, np.arange(HIDDEN.sum()) % 2] = marker
    model = regressor(unlabeled=marker).fit(X, y)
    assert_allclose(model.predict(X), expected, atol=1e-4)


def test_a_constant_target_is_predicted():
    assert_allclose(regressor(max_epochs=60).fit(X, np.full(90, 7)).predict(X), 7, 0.05)


def test_the_loss_is_the_mean_over_outputs():
    model = regressor()
    output, target = torch.randn(6, 3), torch.randn(6, 3)
    expected = ((output - target) ** 2).numpy().mean(axis=1)
    assert_allclose(model._loss(output, target), expected, rtol=1e-6)


def test_warm_start_refuses_another_number_of_outputs():
    model = regressor(warm_start=True).fit(X, FACTORS[:, :2])
    with pytest.raises(ValueError, match=r"number of outputs.*set warm_start=False"):
        model.fit(X, FACTORS[:, :3])
    assert model.predict(X).shape == (90, 2)

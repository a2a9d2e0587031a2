"""Heads start as linear models on the pretrained embedding."""

import math
from functools import partial

import numpy as np
import pytest
from discovery import FINE_TUNED, class_name, make_target, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeCV
from skorch.callbacks import Callback

from skgex import SCARF, FineTunedClassifier, FineTunedRegressor
from skgex._finetune import _linear_models
from skgex.datasets import make_cohort

COHORT = make_cohort(n_samples=90, n_genes=30, n_classes=3, random_state=0)
X, FACTORS = COHORT.data, COHORT.factors.astype(float)
PRETRAINED = tiny(SCARF).fit(X)
WEIGHT = np.random.default_rng(0).random(90)


class CountBatches(Callback):
    """Record the sizes of the training batches."""

    def __init__(self):
        self.sizes = []

    def on_batch_begin(self, net, batch, training, **kwargs):
        self.sizes.append(len(batch[0]))


@pytest.fixture
def probe(monkeypatch):
    """Return a function that makes the linear model heads start as, not fitted."""

    def record(Model, **parameters):
        made.append(Model(**parameters))
        return made[-1]

    made = []
    for Model in (LogisticRegression, RidgeCV):
        monkeypatch.setattr(_linear_models, Model.__name__, partial(record, Model))
    return lambda: clone(made[0])


def untrained(Estimator, **parameters):
    """Return an estimator whose head is as it starts, without a linear part."""
    parameters = {"linear_weight": 0, "max_epochs": 0, **parameters}
    return tiny(Estimator, embedder=FrozenEstimator(PRETRAINED), **parameters)


def scaled_embedding(rows):
    """Centre the embedding, with one scale for all dimensions."""
    Z = PRETRAINED.transform(X).astype(float)
    mean, scale = Z[rows].mean(axis=0), np.sqrt(Z[rows].var(axis=0).mean())
    return (Z - mean) / scale


@pytest.mark.parametrize("freeze", [True, False])
@pytest.mark.parametrize("weight", [None, 5 * WEIGHT])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classifier_starts_as_a_logistic_regression(n_classes, weight, freeze, probe):
    y = np.minimum(COHORT.target, n_classes - 1)
    Z = scaled_embedding(slice(None))
    relative = None if weight is None else weight / weight.mean()
    model = untrained(FineTunedClassifier, freeze=freeze)
    model.fit(X, y, sample_weight=weight)
    expected = probe().fit(Z, y, sample_weight=relative)
    assert_allclose(model.predict_proba(X), expected.predict_proba(Z), atol=1e-4)


@pytest.mark.parametrize("weight", [None, 5 * WEIGHT])
@pytest.mark.parametrize("n_outputs", [None, 1, 2])
def test_a_regressor_starts_as_a_ridge_regression(n_outputs, weight, probe):
    y = FACTORS[:, 0] if n_outputs is None else 30 * FACTORS[:, :n_outputs] + 7
    mean = np.average(y, axis=0, weights=weight)
    spread = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
    Z = scaled_embedding(slice(None))
    relative = None if weight is None else weight / weight.mean()
    model = untrained(FineTunedRegressor).fit(X, y, sample_weight=weight)
    ridge = probe().fit(Z, (y - mean) / spread, sample_weight=relative)
    expected = (ridge.predict(Z).reshape(y.shape)) * spread + mean
    assert_allclose(model.predict(X), expected, rtol=1e-3, atol=1e-3)


def test_the_start_knows_labelled_samples_only(probe):
    labeled = np.arange(90) % 3 > 0
    Z = scaled_embedding(labeled)
    model = untrained(FineTunedClassifier, unlabeled=-1)
    model.fit(X, np.where(labeled, COHORT.target, -1))
    expected = probe().fit(Z[labeled], COHORT.target[labeled])
    assert_allclose(model.predict_proba(X), expected.predict_proba(Z), atol=1e-4)


@pytest.mark.parametrize("Estimator", FINE_TUNED, ids=class_name)
def test_a_random_head_is_the_layer_of_torch(Estimator):
    y = make_target(Estimator, COHORT.target, FACTORS[:, 0])
    heads = [
        untrained(Estimator, head_init="random", random_state=seed).fit(X, y).head_
        for seed in (0, 0, 1)
    ]
    first, same, other = (head.weight.detach() for head in heads)
    assert_array_equal(same, first)
    assert (other != first).all()
    assert abs(first).max() <= 1 / math.sqrt(8)  # uniform within +-1/sqrt(width)
    probe = untrained(Estimator).fit(X, y).head_.weight.detach()
    assert (probe != first).all()


@pytest.mark.filterwarnings("error")
def test_many_classes_of_few_samples_need_no_warning():
    y = np.r_[np.arange(8), np.full(82, -1)]
    y[8:10] = [0, 1]
    model = untrained(FineTunedClassifier, unlabeled=-1).fit(X, y)
    assert len(model.classes_) == 8


@pytest.mark.parametrize(
    ("n_labeled", "size"), [(40, 32), (800, 32), (2000, 80), (9000, 256)]
)
def test_automatic_batches_are_a_25th_within_bounds(n_labeled, size):
    values = np.random.default_rng(0).standard_normal((n_labeled, 4))
    y = values[:, 0]
    embedder = FrozenEstimator(tiny(SCARF, max_epochs=0).fit(values))
    model = tiny(
        FineTunedRegressor,
        embedder=embedder,
        freeze=True,
        batch_size="auto",
        max_epochs=1,
        callbacks=[CountBatches()],
    ).fit(values, y)
    sizes = model.callbacks[0].sizes
    assert len(sizes) == math.ceil(n_labeled / size)
    assert max(sizes) <= size
    assert sum(sizes) == n_labeled

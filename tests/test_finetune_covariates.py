"""Covariates of classifiers and regressors: beside the embedding, not in it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from discovery import FINE_TUNED, class_name, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.compose import make_column_selector
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeCV

import skgex
from skgex import SCARF
from skgex.datasets import make_expression

BOTH = pytest.mark.parametrize("Estimator", FINE_TUNED, ids=class_name)
GENES = [f"G{i}" for i in range(12)]
RNG = np.random.default_rng(0)
X = pd.DataFrame(make_expression(n_samples=90, n_genes=12, random_state=0))
X.columns = GENES
X.insert(5, "age", RNG.normal(60, 10, 90))
X["sex"] = RNG.integers(0, 2, 90)
CLINIC = ["age", "sex"]
EMBEDDER = tiny(SCARF).fit(X[GENES])


def target(Estimator):
    """Return what depends on covariates alone."""
    value = (X["age"] - 60) / 10 + 2 * X["sex"]
    return (value > 1).to_numpy() if is_classifier(Estimator()) else value.to_numpy()


def start(Estimator, **parameters):
    """Return an unfitted model whose head stays nearly where it starts."""
    options = {"freeze": True, "max_epochs": 1, "lr": 1e-12, "covariates": CLINIC}
    embedder = FrozenEstimator(EMBEDDER)
    return tiny(Estimator, embedder=embedder, **{**options, **parameters})


@BOTH
@pytest.mark.parametrize("freeze", [True, False])
def test_the_head_starts_as_a_linear_model_of_both(Estimator, freeze):
    y = target(Estimator)
    options = {"freeze": freeze, "encoder_lr": 1e-12, "weight_decay": 0.0}
    options["linear_weight"] = 0
    model = start(Estimator, **options).fit(X, y)
    Z = EMBEDDER.transform(X[GENES]).astype(float)
    Z = (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0).mean())
    C = X[CLINIC].to_numpy(float)
    both = np.c_[Z, (C - C.mean(axis=0)) / C.std(axis=0)]
    # Moments of batches are computed anew after training.
    precision = 1e-4 if freeze else 1e-2
    if is_classifier(Estimator()):
        expected = LogisticRegression(C=0.1, max_iter=300).fit(both, y)
        found = model.predict_proba(X)
        assert_allclose(found, expected.predict_proba(both), atol=precision)
    else:
        scaled = (y - y.mean()) / y.std()
        expected = RidgeCV(alphas=np.logspace(0, 4, 9)).fit(both, scaled)
        found = (model.predict(X) - y.mean()) / y.std()
        assert_allclose(found, expected.predict(both), atol=10 * precision)
    assert model.head_.in_features == Z.shape[1] + 2


@BOTH
def test_what_covariates_say_is_used(Estimator):
    y = target(Estimator)
    options = {"freeze": False, "max_epochs": 5, "lr": 1e-3, "encoder_lr": 1e-3}
    with_clinic = start(Estimator, **options).fit(X, y)
    without = start(Estimator, **options, covariates=None).fit(X[GENES], y)
    assert with_clinic.score(X, y) > without.score(X[GENES], y) + 0.1
    assert with_clinic.score(X, y) > 0.85


@BOTH
def test_the_encoder_sees_genes_only(Estimator):
    y = target(Estimator)
    model = tiny(Estimator, covariates=CLINIC).fit(X, y)
    other = X.assign(age=0.0, sex=5)
    assert_array_equal(model.transform(X), model.transform(other))
    assert model.transform(X).shape == (90, model.encoder_.embedding_dim)
    assert not np.array_equal(model.predict(X), model.predict(other))
    assert len(model.get_feature_names_out()) == model.encoder_.embedding_dim


@BOTH
def test_files_pickles_clones_and_going_on(Estimator, tmp_path):
    y = target(Estimator)
    selector = make_column_selector(pattern="age|sex")
    model = start(Estimator, covariates=selector, warm_start=True).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    loaded = skgex.load(tmp_path / "model.safetensors")
    for other in (loaded, pickle.loads(pickle.dumps(model)), clone(model).fit(X, y)):
        assert_array_equal(other.predict(X), model.predict(X))
    found = model.predict(X)
    assert_array_equal([model.predict(X[i : i + 1])[0] for i in range(90)], found)
    model.fit(X, y)
    assert_allclose(model.predict(X), found, atol=1e-5)
    with pytest.raises(ValueError, match=r"other covariates, of columns \[5, 13\]"):
        model.set_params(covariates="age").fit(X, y)


@BOTH
def test_columns_of_an_array(Estimator):
    y = target(Estimator)
    model = start(Estimator, covariates=[5, -1]).fit(X.to_numpy(np.float32), y)
    expected = start(Estimator).fit(X, y)
    found = model.predict(X.to_numpy(np.float32)).astype(float)
    assert_allclose(found, expected.predict(X).astype(float), atol=1e-4)


@BOTH
def test_refusals(Estimator):
    y = target(Estimator)
    model = start(Estimator).fit(X, y)
    holes = X.assign(age=np.where(X["sex"] > 0, np.nan, X["age"]))
    with pytest.raises(ValueError, match=r"'age' is missing.*SimpleImputer"):
        model.predict(holes)
    with pytest.raises(ValueError, match=r"'age' is missing.*SimpleImputer"):
        model.fit(holes, y)
    with pytest.raises(
        ValueError, match="'sex' has the same value, 1, in all labelled"
    ):
        model.fit(X.assign(sex=1), y)

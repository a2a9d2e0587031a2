"""The linear model that votes beside the network of fine-tuned estimators."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeCV

from skgex import SCARF, FineTunedClassifier, FineTunedRegressor, load
from skgex._finetune import _linear_part

SMALL = {"max_epochs": 2, "random_state": 0}


def cohort(n_samples=90, n_genes=12, n_classes=3, seed=0, shift=2.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n_samples)
    X = 5 + rng.normal(size=(n_samples, n_genes)) * rng.uniform(0.5, 3, n_genes)
    X[:, :4] += shift * np.eye(n_classes, 4)[y]
    return X.astype(np.float32), y


def scaled(X, like):
    return np.clip((X - like.mean(axis=0)) / like.std(axis=0), -10, 10)


def classifier(**parameters):
    embedder = SCARF(hidden_dims=(8, 4), max_epochs=0, random_state=0)
    return FineTunedClassifier(embedder, **{**SMALL, **parameters})


def regressor(**parameters):
    embedder = SCARF(hidden_dims=(8, 4), max_epochs=0, random_state=0)
    return FineTunedRegressor(embedder, **{**SMALL, **parameters})


def test_linear_alone_is_logistic_regression_and_discriminant_analysis():
    X, y = cohort()
    model = classifier(linear_weight=1.0).fit(X[:60], y[:60])
    A, B = scaled(X[:60], X[:60]), scaled(X[60:], X[:60])
    logistic = LogisticRegression(max_iter=300).fit(A, y[:60]).decision_function(B)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3).fit(A, y[:60])
    mixture = (theirs.decision_function(B) - np.log(theirs.priors_)) / 3
    expected = softmax((logistic + mixture) / 2, axis=1)
    assert model.n_mixture_steps_ > 0
    assert_allclose(model.predict_proba(X[60:]), expected, atol=2e-3)


def test_linear_alone_is_ridge_regression():
    X, y = cohort()
    target = X[:, :2] + y[:, None]
    model = regressor(linear_weight=1.0).fit(X[:60, 2:], target[:60])
    A, B = scaled(X[:60, 2:], X[:60, 2:]), scaled(X[60:, 2:], X[:60, 2:])
    ridge = RidgeCV(alphas=np.logspace(0, 7, 15))
    mean, std = target[:60].mean(axis=0), target[:60].std(axis=0)
    expected = ridge.fit(A, (target[:60] - mean) / std).predict(B) * std + mean
    assert_allclose(model.predict(X[60:, 2:]), expected, rtol=1e-3)


def test_log_odds_are_averaged():
    X, y = cohort()
    network = classifier(linear_weight=0).fit(X, y)
    linear = classifier(linear_weight=1.0).fit(X, y)
    vote = classifier(linear_weight=0.25).fit(X, y)
    assert network.linear_ is None
    parts = (np.log(m.predict_proba(X).astype(float)) for m in (network, linear))
    expected = sum(w * p for w, p in zip((0.75, 0.25), parts, strict=True))
    found = np.log(vote.predict_proba(X).astype(float))
    assert_allclose(found, log_softmax(expected, axis=1), atol=1e-4)


def test_predictions_are_averaged():
    X, _ = cohort()
    y = X[:, 0] * 3
    models = [regressor(linear_weight=w).fit(X, y) for w in (0, 1, 0.25)]
    network, linear, vote = (model.predict(X) for model in models)
    assert_allclose(vote, 0.75 * network + 0.25 * linear, rtol=1e-5)


def test_unlabelled_samples_have_a_part():
    X, y = cohort(300, n_genes=30, seed=1, shift=6.0)
    marked = np.full(200, -1)
    some = [np.flatnonzero(y[:200] == k)[:2] for k in range(3)]
    some = np.concatenate(some)
    marked[some] = y[some]
    options = {"linear_weight": 1.0}
    without = classifier(**options).fit(X[some], y[some]).score(X[200:], y[200:])
    model = classifier(unlabeled=-1, **options).fit(X[:200], marked)
    assert model.score(X[200:], y[200:]) > without + 0.02


def test_missing_values_are_the_mean():
    X, y = cohort()
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    model = classifier(linear_weight=1.0).fit(X, y)
    mean = np.nanmean(X, axis=0)
    filled = np.where(np.isnan(X), mean, X).astype(np.float32)
    assert_allclose(model.predict_proba(X), model.predict_proba(filled), atol=1e-4)


def test_of_many_values_some_samples_are_taken(monkeypatch):
    X, y = cohort(400)
    whole = classifier(linear_weight=1.0).fit(X, y)
    monkeypatch.setattr(_linear_part, "MAX_VALUES", 200 * X.shape[1])
    part = classifier(linear_weight=1.0).fit(X, y)
    marked = np.where(np.arange(400) < 40, y, -1)
    few = classifier(linear_weight=1.0, unlabeled=-1).fit(X, marked)
    assert not np.array_equal(part.predict_proba(X), whole.predict_proba(X))
    assert part.score(X, y) > whole.score(X, y) - 0.05
    assert few.score(X, y) > 0.6


def test_of_many_samples_each_class_keeps_one():
    target = np.r_[np.zeros(500, int), 1, np.full(10, 2)]
    some, chosen = _linear_part._at_most(np.arange(511), target, 600, 20)
    assert len(some) == len(chosen) == 20
    assert set(target[chosen]) == {0, 1, 2}
    some, chosen = _linear_part._at_most(np.arange(10), target, 600, 20)
    assert_array_equal(chosen, np.arange(10))
    assert np.isin(np.arange(10), some).all()
    assert len(some) == 20


def test_a_memory_map_gives_the_same(tmp_path):
    X, y = cohort()
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = classifier().fit(mapped, y).predict_proba(X)
    assert_allclose(found, classifier().fit(X, y).predict_proba(X), atol=1e-6)


def test_nothing_varies():
    X, y = cohort()
    with pytest.warns(UserWarning, match="constant"):
        embedder = SCARF(hidden_dims=(8, 4), max_epochs=0).fit(
            np.where(np.arange(12) < 1, X, 1)
        )
    model = FineTunedClassifier(FrozenEstimator(embedder), **SMALL)
    model.fit(np.ones_like(X), y)
    assert model.linear_ is None
    assert np.isfinite(model.predict_proba(X)).all()


def test_files_of_before_have_no_linear_part():
    X, y = cohort()
    model = classifier().fit(X, y)
    del model.linear_, model._linear_weight
    with torch.inference_mode():
        Z = model.encoder_(model.standardizer_(torch.from_numpy(X)))
        expected = model.head_(Z).softmax(dim=1).numpy()
    assert_allclose(model.predict_proba(X), expected, atol=1e-6)


def test_it_is_saved(tmp_path):
    X, y = cohort()
    model = classifier().fit(X, y)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.n_mixture_steps_ == model.n_mixture_steps_


def test_labelled_samples_of_which_only_constant_genes_were_measured():
    X, _ = cohort()
    X[:, 5] = 7
    X[:4] = np.nan
    X[:4, 5] = 7
    marked = np.where(np.arange(90) < 4, np.arange(90) % 2, -1)
    model = classifier(unlabeled=-1)
    with pytest.warns(UserWarning, match="constant in X"):
        model.fit(X, marked)
    assert np.isfinite(model.predict_proba(X)).all()
    with pytest.warns(UserWarning, match="constant in X"):
        target = regressor(unlabeled=-1, linear_weight=0.5).fit(X, marked)
    assert np.isfinite(target.predict(X)).all()

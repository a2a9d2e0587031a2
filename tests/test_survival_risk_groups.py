"""Groups of risk by thresholds of training: risks held out, and probabilities."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sksurv.linear_model import CoxPHSurvivalAnalysis
from survival_cohorts import planted_cohort, without_network

import skgex
from skgex import EventStratifiedKFold, FineTunedCoxPH, FineTunedDiscreteHazard

# As many as there are quantiles that are kept, so that these are exact.
X, Y = planted_cohort(121, 5)
NEW, Y_NEW = planted_cohort(80, 5, seed=1)
FOLDS = list(EventStratifiedKFold(3, random_state=0).split(X, Y))
BOTH = pytest.mark.parametrize("Estimator", [FineTunedCoxPH, FineTunedDiscreteHazard])


@pytest.fixture(scope="module")
def model():
    return without_network(alpha=5.0, cv=FOLDS, max_epochs=0).fit(X, Y)


def ridge_risks(X, y, folds, alpha):
    """Return log risks by models of the other folds, genes scaled as in all samples."""
    G = (X - X.mean(axis=0)) / X.std(axis=0)
    risk = np.full(len(X), np.nan)
    for train, test in folds:
        fit = CoxPHSurvivalAnalysis(alpha=alpha, ties="efron", tol=1e-12)
        risk[test] = G[test] @ fit.fit(G[train], y[train]).coef_
    return risk


def test_thresholds_are_quantiles_of_risks_held_out(model):
    expected = ridge_risks(X, Y, FOLDS, 5.0)
    shares = [0.2, 0.5, 0.9]
    found = model.risk_thresholds(shares)
    assert_allclose(found, np.quantile(expected, shares), atol=1e-4)
    assert_allclose(model.risk_thresholds(0.5), found[1:2])


def test_of_many_samples_quantiles_are_kept():
    many, y = planted_cohort(400, 5)
    folds = list(EventStratifiedKFold(3, random_state=0).split(many, y))
    model = without_network(alpha=5.0, cv=folds).fit(many, y)
    expected = ridge_risks(many, y, folds, 5.0)
    shares = [0.1, 0.25, 1 / 3, 0.5, 0.8]
    assert_allclose(
        model.risk_thresholds(shares), np.quantile(expected, shares), atol=1e-4
    )
    assert model._train_risk.shape == (121, 1)


def test_samples_that_no_fold_held_out_are_left_out():
    folds = FOLDS[:2]
    model = without_network(alpha=5.0, cv=folds).fit(X, Y)
    expected = ridge_risks(X, Y, folds, 5.0)
    assert np.isnan(expected).any()
    found = model.risk_thresholds(0.4)
    assert_allclose(found, np.nanquantile(expected, 0.4), atol=1e-4)


def test_samples_without_weight_are_left_out():
    weight = np.ones(121)
    weight[:30] = 0
    rest = np.arange(30, 121)
    model = without_network(alpha=5.0, cv=3).fit(X, Y, sample_weight=weight)
    alone = without_network(alpha=5.0, cv=3).fit(X[rest], Y[rest])
    assert_allclose(model._train_risk, alone._train_risk, rtol=1e-6)


def test_a_network_is_held_out_as_well(monkeypatch):
    outputs = torch.from_numpy(np.random.default_rng(0).normal(size=(121, 1)))
    where = "skgex._survival._network"
    monkeypatch.setattr(f"{where}.held_out_outputs", lambda *_: outputs)
    monkeypatch.setattr(f"{where}.choose_weights", lambda _: np.array([0.5, 0.25]))
    model = without_network(alpha=5.0, cv=FOLDS, max_epochs=1).fit(X, Y)
    assert model.n_iter_ == 1
    expected = 0.5 * ridge_risks(X, Y, FOLDS, 5.0) + 0.25 * outputs[:, 0].numpy()
    assert_allclose(model._train_risk[:, 0], np.sort(expected), atol=1e-4)


def test_hazards_in_intervals_are_held_out_as_well(monkeypatch):
    outputs = torch.from_numpy(np.random.default_rng(0).normal(size=(121, 4)))
    where = "skgex._survival._network"
    monkeypatch.setattr(f"{where}.held_out_outputs", lambda *_: outputs)
    monkeypatch.setattr(f"{where}.choose_weights", lambda _: np.array([0.5, 0.25]))
    options = {"alpha": 5.0, "cv": FOLDS, "n_intervals": 4}
    model = without_network(FineTunedDiscreteHazard, max_epochs=1, **options).fit(X, Y)
    first = without_network(FineTunedDiscreteHazard, **options).fit(X, Y)
    biases = first.head_.bias.detach().double().numpy()
    added = biases + 0.25 * (outputs.numpy() - biases)
    logits = 0.5 * ridge_risks(X, Y, FOLDS, 5.0)[:, None] + added
    hazards = -np.log(1 - expit(logits + model.intercepts_))
    expected = hazards.cumsum(axis=1).sum(axis=1)
    assert_allclose(model.risk_thresholds(0.3), np.quantile(expected, 0.3), rtol=1e-4)


@BOTH
def test_groups_are_cut_at_the_thresholds(Estimator):
    model = without_network(Estimator, alpha=5.0, cv=3).fit(X, Y)
    thresholds = model.risk_thresholds()
    group = model.predict_risk_group(NEW)
    risk = model.predict(NEW)
    expected = [sum(value > t for t in thresholds) for value in risk]
    assert_array_equal(group, expected)
    assert_array_equal(model.predict_risk_group(NEW[:1]), group[:1])
    assert set(model.predict_risk_group(NEW, 0.5)) == {0, 1}


def test_groups_of_new_samples_are_of_about_the_shares_asked_for():
    train, y = planted_cohort(200, 300, seed=2)
    test, _ = planted_cohort(2000, 300, seed=3)
    model = without_network(alpha="cv", cv=3).fit(train, y)
    honest = np.bincount(model.predict_risk_group(test), minlength=3) / 2000
    assert_allclose(honest, 1 / 3, atol=0.08)
    # Risks of samples that the model was fitted to are further apart.
    alone = model.set_params(alpha=model.alpha_, cv=None).fit(train, y)
    with pytest.warns(UserWarning, match="no inner folds, so that these thresholds"):
        cut = np.bincount(alone.predict_risk_group(test), minlength=3) / 2000
    assert cut[1] > 0.45


@BOTH
def test_recalibration_leaves_the_groups(Estimator, tmp_path):
    model = without_network(Estimator, alpha=5.0, cv=3).fit(X, Y)
    new = model.recalibrate(NEW, Y_NEW)
    assert not np.allclose(new.risk_thresholds(), model.risk_thresholds())
    group = model.predict_risk_group(NEW)
    assert_array_equal(new.predict_risk_group(NEW), group)
    model.save(tmp_path / "model.safetensors")
    loaded = skgex.load(tmp_path / "model.safetensors")
    assert_array_equal(loaded.predict_risk_group(NEW), group)


@BOTH
def test_groups_by_the_probability_of_the_event(Estimator):
    model = without_network(Estimator, alpha=5.0, cv=None).fit(X, Y)
    time = np.median(Y["time"])
    group = model.predict_risk_group(NEW, time=time, risks=[0.3, 0.6])
    risk = 1 - model.predict_survival_function(NEW, times=[time])[:, 0]
    assert_array_equal(group, (risk > 0.3).astype(int) + (risk > 0.6))
    assert_array_equal(model.predict_risk_group(NEW, time=time, risks=0.3), risk > 0.3)


def test_between_strata_risks_do_not_compare():
    strata = np.array(["a", "b"])[np.arange(121) % 2]
    model = without_network(alpha=5.0, cv=3).fit(X, Y, strata=strata)
    with pytest.raises(ValueError, match="fitted with strata"):
        model.predict_risk_group(NEW)
    own = np.repeat(["a", "b"], 40)
    group = model.predict_risk_group(NEW, time=0.5, risks=0.5, strata=own)
    risk = 1 - model.predict_survival_function(NEW, times=[0.5], strata=own)[:, 0]
    assert_array_equal(group, risk > 0.5)


def test_a_file_of_before(model):
    old = without_network(alpha=5.0, cv=FOLDS).fit(X, Y)
    del old._train_risk, old._train_held_out
    with pytest.raises(ValueError, match="file of an earlier version"):
        old.risk_thresholds()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": 1.0}, "Give both time and risks"),
        ({"risks": [0.5]}, "Give both time and risks"),
        ({"time": 1.0, "risks": [0.5, 0.2]}, "must be probabilities that ascend"),
        ({"time": 1.0, "risks": [1.5]}, "must be probabilities that ascend"),
        ({"time": "1", "risks": [0.5]}, "time='1' must be a number"),
        ({"time": 1e9, "risks": [0.5]}, "longest follow-up"),
        ({"quantiles": [0.5, 0.5]}, r"must ascend, within \(0, 1\)"),
        ({"quantiles": [0, 0.5]}, r"must ascend, within \(0, 1\)"),
    ],
)
def test_bad_input_is_named(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.predict_risk_group(NEW, **options)

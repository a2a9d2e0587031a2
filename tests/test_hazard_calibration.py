"""Discrete hazards on another cohort: slope and intercepts of their logits."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sksurv.nonparametric import kaplan_meier_estimator
from survival_cohorts import as_data, as_surv, planted_cohort, without_network

import skgex
from skgex import SCARF, FineTunedDiscreteHazard
from skgex._survival._hazard_calibration import fit_logit_slope
from skgex._survival._tasks import HazardTask

X, Y = planted_cohort(200, 6)
# Elsewhere effects are half as strong, and events happen later.
NEW, _ = planted_cohort(160, 6, seed=1)
_, Y_NEW = planted_cohort(160, 1, risk=lambda _: NEW[:, :3] @ [0.5, 0.5, -0.5], seed=2)
Y_NEW["time"] = 1.5 * Y_NEW["time"]
WEIGHT = np.random.default_rng(3).uniform(0.5, 2, 160)


@pytest.fixture(scope="module")
def model():
    return without_network(FineTunedDiscreteHazard, n_intervals=6).fit(X, Y)


def person_intervals(y, cuts, logits, weight):
    """Return a row for each patient and each interval that they reach."""
    rows, start = [], 0.0
    for k, end in enumerate(cuts):
        for i, (event, time) in enumerate(y):
            dead = event and start < time <= end
            if dead or time > end or (time == end and not event):
                place = np.eye(len(cuts))[k]
                rows.append([*place, logits[i, k], dead, weight[i]])
        start = end
    table = np.array(rows)
    return table[:, :-2], table[:, -2], table[:, -1]


def slow_slope(y, cuts, logits, weight):
    """Return the slope and its standard error, from a table of person-intervals."""
    x, event, w = person_intervals(y, cuts, logits, weight)
    fit = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=1000)
    beta = fit.fit(x, event, sample_weight=w).coef_[0]
    p = expit(x @ beta)
    information = x.T @ (x * (w * p * (1 - p))[:, None])
    return beta[-1], np.sqrt(np.linalg.inv(information)[-1, -1]), beta[:-1]


def test_slope_is_that_of_a_logistic_regression(model):
    found = model.calibration_slope(NEW, Y_NEW, sample_weight=WEIGHT)
    logits = model._logits(NEW)
    slope, error, _ = slow_slope(Y_NEW, model.cuts_, logits, WEIGHT)
    assert_allclose(found.slope, slope, rtol=1e-5)
    assert_allclose(found.standard_error, error, rtol=1e-5)
    width = 1.959963984540054 * error
    assert_allclose([found.lower, found.upper], [slope - width, slope + width], 1e-4)
    assert found.slope < 1


def test_slope_of_logits_that_differ_between_intervals():
    rng = np.random.default_rng(4)
    cuts = np.quantile(Y_NEW["time"], [0.2, 0.5, 0.7])
    logits = rng.normal(size=(160, 3)) + NEW[:, :1]
    slope, information = fit_logit_slope(logits, HazardTask(cuts), as_data(Y_NEW))
    expected, error, _ = slow_slope(Y_NEW, cuts, logits, np.ones(160))
    assert_allclose(slope, expected, rtol=1e-5)
    assert_allclose(information**-0.5, error, rtol=1e-5)
    shift = np.array([5, -3, 1])  # is what intercepts take up
    shifted = fit_logit_slope(logits + shift, HazardTask(cuts), as_data(Y_NEW))
    assert_allclose(shifted, (slope, information), rtol=1e-7)


def test_recalibration_is_that_logistic_regression(model):
    dumped = pickle.dumps(model)
    new = model.recalibrate(NEW, Y_NEW)
    assert pickle.dumps(model) == dumped
    logits = model._logits(NEW)
    slope, _, _ = slow_slope(Y_NEW, model.cuts_, logits, np.ones(160))
    assert_allclose(new.slope_, slope, rtol=1e-5)
    # As many events are expected as there were, of those lost by the share they lived.
    start = 0.0
    for k, end in enumerate(model.cuts_):
        expected = seen = 0.0
        for (event, time), logit in zip(Y_NEW, logits[:, k], strict=True):
            dead, hazard = event and start < time <= end, new.intercepts_[k]
            hazard = expit(hazard + new.slope_ * logit)
            lived = 1.0 if dead else np.clip((time - start) / (end - start), 0, 1)
            if time > start:
                expected, seen = expected + lived * hazard, seen + dead
        assert_allclose(expected, seen, rtol=1e-6)
        start = end
    assert_allclose(new.calibration_slope(NEW, Y_NEW).slope, 1, rtol=1e-7)
    assert_array_equal(new.cuts_, model.cuts_)
    assert_array_equal(new.coef_, model.coef_)
    assert_array_equal(new.unique_times_, np.unique(Y_NEW["time"]))
    order = model.predict(NEW).argsort()
    assert_array_equal(new.predict(NEW).argsort(), order)


def test_survival_is_right_on_average(model):
    times, survival = kaplan_meier_estimator(Y_NEW["event"], Y_NEW["time"])
    known = times <= model.cuts_[-2]
    new = model.recalibrate(NEW, Y_NEW)

    def error(model):
        found = model.predict_survival_function(NEW, times=times[known]).mean(axis=0)
        return np.abs(found - survival[known]).mean()

    assert error(new) < 0.02 < error(model)


def test_again_and_from_a_file(model, tmp_path):
    new = model.recalibrate(NEW, Y_NEW, sample_weight=WEIGHT)
    new.save(tmp_path / "model.safetensors")
    loaded = skgex.load(tmp_path / "model.safetensors")
    assert_array_equal(loaded.predict(NEW), new.predict(NEW))
    twice = new.recalibrate(NEW, Y_NEW, sample_weight=WEIGHT)
    assert_allclose(twice.slope_, new.slope_)
    assert_allclose(twice.intercepts_, new.intercepts_, atol=1e-6)
    assert new.fit(X, Y).slope_ == 1


def test_with_a_network():
    embedder = SCARF(hidden_dims=(8,), max_epochs=1, random_state=0)
    model = FineTunedDiscreteHazard(
        embedder, alpha=1.0, cv=None, n_intervals=4, lr=0.1, random_state=0
    ).fit(X.astype(np.float32), Y)
    logits = model._logits(NEW)
    assert np.ptp(logits - logits[:, :1], axis=0).max() > 1e-3
    slope, error, _ = slow_slope(Y_NEW, model.cuts_, logits, np.ones(160))
    found = model.calibration_slope(NEW, Y_NEW)
    assert_allclose([found.slope, found.standard_error], [slope, error], rtol=1e-5)


def test_where_follow_up_is_short_hazards_end_with_it(model):
    time = np.minimum(Y_NEW["time"], model.cuts_[2])
    y = as_surv(Y_NEW["event"] & (Y_NEW["time"] < model.cuts_[2]), time)
    new = model.recalibrate(NEW, y)
    assert new.unique_times_[-1] == model.cuts_[2]
    assert (expit(new.intercepts_[3:]) < 1e-12).all()
    with pytest.raises(ValueError, match="longest follow-up"):
        new.predict_survival_function(NEW, times=[model.cuts_[3]])


def test_a_model_that_says_nothing_is_refused(model):
    with pytest.raises(ValueError, match=r"slope is -0.*, not above zero: risks of"):
        model.recalibrate(-NEW, Y_NEW)
    with pytest.raises(ValueError, match="All samples have the same risk"):
        model.recalibrate(np.zeros((160, 6)), Y_NEW)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.recalibrate(NEW, Y_NEW[1:])
    with pytest.raises(ValueError, match="In no interval between cuts_"):
        model.recalibrate(NEW, as_surv(Y_NEW["event"], 1000 + Y_NEW["time"]))


def test_risks_that_separate_are_refused(model):
    order = (-model.predict(NEW)).argsort().argsort()
    y = as_surv(order < 20, np.where(order < 20, model.cuts_[0] / 2, 1e3))
    with pytest.raises(ValueError, match="has no bound: by the risk"):
        model.calibration_slope(NEW, y)

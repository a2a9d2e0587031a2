"""A fitted Cox model on another cohort: slope, recalibration, proportional hazards."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chi2
from sksurv.datasets import load_veterans_lung_cancer
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.nonparametric import kaplan_meier_estimator
from survival_cohorts import as_data, as_surv, planted_cohort, without_network
from survival_oracles import slow_cox_fit

import skgex
from skgex._survival._proportional import transform_times, zph_test

TIES = pytest.mark.parametrize("ties", ["efron", "breslow"])
X, Y = planted_cohort(150, 6)
# Elsewhere effects are half as strong, and events happen later.
NEW, _ = planted_cohort(140, 6, seed=1)
_, Y_NEW = planted_cohort(140, 1, risk=lambda _: NEW[:, :3] @ [0.5, 0.5, -0.5], seed=2)
Y_NEW["time"] = 10 * Y_NEW["time"]
STRATA = np.array(["a", "b"])[np.arange(140) % 2]
WEIGHT = np.random.default_rng(3).uniform(0.5, 2, 140)


@pytest.fixture(scope="module")
def model():
    return without_network().fit(X, Y)  # not to be fitted again


# The slope


@TIES
def test_slope_is_the_coefficient_of_the_risk(ties):
    fitted = without_network(ties=ties).fit(X, Y)
    time = np.ceil(Y_NEW["time"])
    y = as_surv(Y_NEW["event"], time)
    found = fitted.calibration_slope(NEW, y, sample_weight=WEIGHT, strata=STRATA)
    risk = fitted.predict(NEW)[:, None]
    coef, covariance = slow_cox_fit(risk, y["event"], time, STRATA, WEIGHT, ties)
    error = np.sqrt(covariance[0, 0])
    assert_allclose(found.slope, coef[0], rtol=1e-6)
    assert_allclose(found.standard_error, error, rtol=1e-6)
    width = 1.959963984540054 * error
    assert_allclose([found.lower, found.upper], [coef[0] - width, coef[0] + width])
    assert 0.2 < found.slope < 0.8


# Recalibration


def test_recalibration_is_a_cox_model_of_the_risk(model):
    dumped = pickle.dumps(model)
    new = model.recalibrate(NEW, Y_NEW)
    assert pickle.dumps(model) == dumped
    risk = model.predict(NEW)[:, None]
    expected = CoxPHSurvivalAnalysis(ties="efron", tol=1e-12).fit(risk, Y_NEW)
    assert_allclose(new.slope_, expected.coef_[0], rtol=1e-6)
    assert_allclose(new.predict(NEW), new.slope_ * risk[:, 0])
    times = np.quantile(Y_NEW["time"], [0.1, 0.5, 0.9])
    curves = new.predict_survival_function(NEW, times=times)
    others = [f(times) for f in expected.predict_survival_function(risk)]
    assert_allclose(curves, others, rtol=1e-6)
    assert_allclose(new.calibration_slope(NEW, Y_NEW).slope, 1)
    assert new.score(NEW, Y_NEW) == model.score(NEW, Y_NEW)
    assert_array_equal(new.unique_times_, np.unique(Y_NEW["time"]))
    assert_array_equal(new.coef_, model.coef_)


def test_survival_is_right_on_average(model):
    new = model.recalibrate(NEW, Y_NEW)
    times, survival = kaplan_meier_estimator(Y_NEW["event"], Y_NEW["time"])
    early = slice(0, 100)
    found = new.predict_survival_function(NEW, times=times[early]).mean(axis=0)
    assert_allclose(found, survival[early], atol=0.03)


def test_again_with_strata_and_from_a_file(model, tmp_path):
    new = model.recalibrate(NEW, Y_NEW, strata=STRATA)
    assert set(new.cum_baseline_hazard_) == {"a", "b"}
    curves = new.predict_survival_function(NEW, strata=STRATA, times=[1.0, 2.0])
    new.save(tmp_path / "model.safetensors")
    loaded = skgex.load(tmp_path / "model.safetensors")
    again = loaded.predict_survival_function(NEW, strata=STRATA, times=[1.0, 2.0])
    assert_array_equal(again, curves)
    twice = new.recalibrate(NEW, Y_NEW, strata=STRATA)
    assert_allclose(twice.slope_, new.slope_)
    assert new.fit(X, Y).slope_ == 1


def test_a_model_that_says_nothing_is_refused(model):
    with pytest.raises(ValueError, match=r"slope is -0.*, not above zero: risks of"):
        model.recalibrate(-NEW, Y_NEW)
    with pytest.raises(ValueError, match="All samples have the same risk"):
        model.recalibrate(np.zeros((140, 6)), Y_NEW)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.recalibrate(NEW, Y_NEW[1:])


@pytest.mark.parametrize("n_samples", [3, 140])
def test_risks_in_the_order_of_the_events_are_refused(model, n_samples):
    some = NEW[:n_samples]
    times = 1.0 + (-model.predict(some)).argsort().argsort()
    y = as_surv(np.ones(n_samples, bool), times)
    with pytest.raises(ValueError, match="has no bound: by the risk"):
        model.recalibrate(some, y)
    # In each of two strata, of which the later has the higher risks.
    strata = np.arange(n_samples) % 2
    with pytest.raises(ValueError, match="has no bound: by the risk"):
        model.calibration_slope(some, y, strata=strata)
    # One that is out of order is enough.
    times[[0, 1]] = times[[1, 0]]
    assert np.isfinite(model.calibration_slope(some, as_surv(y["event"], times)).slope)


# Proportional hazards


def slow_zph(x, beta, event, time, g, strata, weight, ties):
    """Test that x times g(t), which changes with time, has no effect beside x."""
    k = x.shape[1]
    score, information = np.zeros(2 * k), np.zeros((2 * k, 2 * k))
    hazard = weight * np.exp(x @ beta)
    for s in np.unique(strata):
        for t in np.unique(time[event & (strata == s)]):
            dead = np.flatnonzero(event & (time == t) & (strata == s))
            both = np.c_[x, x * g[dead[0]]]
            for rank in range(len(dead)):
                p = np.where((strata == s) & (time >= t), hazard, 0.0)
                p[dead] *= 1 - (rank / len(dead) if ties == "efron" else 0.0)
                p /= p.sum()
                mean = p @ both
                share = weight[dead].mean()
                score -= share * mean
                information += share * ((both - mean).T @ ((both - mean) * p[:, None]))
            score += weight[dead] @ both[dead]
    single = []
    for j in range(k):
        kept = [*range(k), k + j]
        part = np.where(np.arange(k + 1) < k, 0, score[kept])
        inside = information[np.ix_(kept, kept)]
        single.append(part @ np.linalg.solve(inside, part))
    part = np.where(np.arange(2 * k) < k, 0, score)
    return np.array(single), part @ np.linalg.solve(information, part)


@TIES
@pytest.mark.parametrize("transform", ["km", "rank", "identity", "log"])
def test_score_test_of_an_effect_that_changes(transform, ties):
    time = np.ceil(Y_NEW["time"])
    event, stratum = Y_NEW["event"], np.arange(140) % 2
    x = NEW[:, :2]
    data = as_data(as_surv(event, time), stratum, WEIGHT)
    beta, _ = slow_cox_fit(x, event, time, stratum, WEIGHT, ties)
    g = transform_times(transform, event, time)
    found = zph_test(
        data.likelihood(ties), torch.from_numpy(x), torch.from_numpy(beta), time, g
    )
    expected = slow_zph(x, beta, event, time, g, stratum, WEIGHT, ties)
    assert_allclose(found.statistic, expected[0], rtol=1e-6)
    assert_allclose(found.global_statistic, expected[1], rtol=1e-6)
    assert_allclose(found.pvalue, chi2.sf(expected[0], 1), rtol=1e-5)
    assert_allclose(found.global_pvalue, chi2.sf(expected[1], 2), rtol=1e-5)


def test_figures_of_r():
    # vfit <- coxph(Surv(time, status) ~ trt + prior + karno, veteran); cox.zph(vfit),
    # as printed in the vignette on time-dependent covariates of R's survival.
    printed = [0.288, 2.168, 12.138]
    data, y = load_veterans_lung_cancer()
    x = np.c_[
        data["Treatment"].to_numpy(dtype=str) == "test",
        data["Prior_therapy"].to_numpy(dtype=str) == "yes",
        data["Karnofsky_score"],
    ].astype(float)
    event, time = y["Status"], y["Survival_in_days"]
    beta, _ = slow_cox_fit(x - x.mean(axis=0), event, time)
    found = zph_test(
        as_data(as_surv(event, time)).likelihood("efron"),
        torch.from_numpy(x),
        torch.from_numpy(beta),
        time,
        transform_times("km", event, time),
    )
    assert_allclose(found.statistic, printed, atol=6e-4)
    assert_allclose(found.global_statistic, 18.073, atol=6e-4)


def test_km_transform():
    time = np.array([1.0, 2, 2, 3, 3, 5])
    event = np.array([1, 1, 0, 1, 1, 1], bool)
    found = transform_times("km", event, time)
    times, survival = kaplan_meier_estimator(event, time)
    before = dict(zip(times[1:], survival[:-1], strict=True))
    assert_allclose(found, [1 - before.get(t, 1.0) for t in time])
    assert_array_equal(transform_times("rank", event, time)[event], [1, 2, 3.5, 3.5, 5])


def test_estimator_tests_its_risk(model):
    found = model.check_proportional_hazards(NEW, Y_NEW)
    slope = model.calibration_slope(NEW, Y_NEW).slope
    assert found.slope == slope
    event, time = Y_NEW["event"], Y_NEW["time"]
    risk = model.predict(NEW)[:, None]
    g = transform_times("km", event, time)
    one = np.ones(140)
    expected, _ = slow_zph(risk, [slope], event, time, g, 0 * one, one, "efron")
    assert_allclose(found.statistic, expected[0], rtol=1e-6)
    assert_allclose(found.pvalue, chi2.sf(expected[0], 1), rtol=1e-5)
    assert_array_equal(found.times, np.sort(time[event]))
    # Schoenfeld's residuals sum to zero: scaled, their mean is the slope.
    assert_allclose(found.residuals.mean(), slope, rtol=1e-6)
    with pytest.raises(ValueError, match="transform must be one of 'km', 'rank'"):
        model.check_proportional_hazards(NEW, Y_NEW, transform="linear")


def test_an_effect_that_turns_is_found(model):
    # Who dies early has high risks, who dies late low ones.
    rng = np.random.default_rng(0)
    early = rng.random(140) < 0.5
    risk = model.predict(NEW)
    order = np.argsort(np.where(early, -risk, risk))
    time = np.empty(140)
    time[order] = np.arange(1, 141) + np.where(early[order], 0, 200)
    turned = as_surv(np.ones(140, bool), time)
    assert model.check_proportional_hazards(NEW, turned).pvalue < 1e-6
    table = pd.DataFrame(NEW)
    steady = model.check_proportional_hazards(table.to_numpy(), Y_NEW)
    assert steady.pvalue > 0.01

"""Survival curves and cumulative hazards of both models, and at which times."""

import hypothesis.strategies as st
import numpy as np
import pytest
from discovery import SURVIVAL, class_name
from hypothesis import assume, given, settings
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError
from sksurv.functions import StepFunction
from sksurv.nonparametric import nelson_aalen_estimator
from survival_cohorts import as_surv, planted_cohort, without_network

from skgex import FineTunedCoxPH
from skgex._survival._baseline import breslow_hazard

BOTH = pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
CURVES = pytest.mark.parametrize(
    "method", ["predict_survival_function", "predict_cumulative_hazard_function"]
)
X, Y = planted_cohort(80, 5, n_times=30)
NEW = planted_cohort(15, 5, seed=1)[0]
# So strong that the genes say nothing.
NO_GENES = 1e12


@pytest.fixture(scope="module", params=SURVIVAL, ids=class_name)
def fitted(request):
    return without_network(request.param).fit(X, Y)  # not to be fitted again


@st.composite
def follow_up(draw):
    """Few samples with ties, in whole times, some of them comparable."""
    n = draw(st.integers(3, 12))
    event = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    time = np.array(draw(st.lists(st.integers(1, 6), min_size=n, max_size=n)))
    assume(event.any())
    assume(time[event].min() < time.max())
    return as_surv(event, time)


# Their shape


@BOTH
@settings(deadline=None, max_examples=30)
@given(y=follow_up(), strength=st.sampled_from([1e-3, 1.0, 1e3]))
def test_curves_are_curves(Estimator, y, strength):
    model = without_network(Estimator, alpha=strength).fit(X[: len(y)], y)
    times = np.linspace(0, y["time"].max(), 40)
    survival = model.predict_survival_function(NEW, times=times)
    hazard = model.predict_cumulative_hazard_function(NEW, times=times)
    assert_array_equal(survival[:, 0], 1)
    assert_array_equal(hazard[:, 0], 0)
    assert (np.diff(survival) <= 0).all()
    assert (np.diff(hazard) >= 0).all()
    assert survival.min() >= 0
    assert np.isfinite(hazard).all()
    assert_allclose(survival, np.exp(-hazard))
    assert np.isfinite(model.predict(NEW)).all()


def test_a_higher_risk_is_a_lower_curve(fitted):
    order = np.argsort(fitted.predict(NEW))
    survival = fitted.predict_survival_function(NEW, return_array=True)[order]
    assert (np.diff(survival, axis=0) <= 1e-12).all()


# At which times


@CURVES
def test_functions_arrays_and_times_agree(fitted, method):
    predict = getattr(fitted, method)
    array = predict(NEW, return_array=True)
    assert array.shape == (15, len(fitted.unique_times_))
    assert_array_equal(fitted.unique_times_, np.unique(Y["time"]))
    assert_array_equal(fitted.event_times_, np.unique(Y["time"][Y["event"]]))
    assert_array_equal(predict(NEW, times=fitted.unique_times_), array)
    functions = predict(NEW)
    assert functions.shape == (15,)
    for function, row in zip(functions, array, strict=True):
        assert isinstance(function, StepFunction)
        assert_array_equal(function(fitted.unique_times_), row)


@CURVES
def test_times_in_any_order(fitted, method):
    predict = getattr(fitted, method)
    times = np.array([20.0, 0.0, 3.5, 3.5, fitted.unique_times_[-1]])
    values = predict(NEW, times=times)
    assert values.shape == (15, 5)
    assert_array_equal(values[:, 2], values[:, 3])
    order = np.argsort(times)
    assert_array_equal(predict(NEW, times=times[order].tolist()), values[:, order])
    assert_array_equal(predict(NEW, times=20), values[:, :1])
    assert_array_equal(predict(NEW, True, times=times), values)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.0, 99.0], r"between 0 and 31, the longest follow-up.* from 1 to 99"),
        ([-1.0], r"values from -1 to -1"),
        ([[1.0, 2.0]], r"1d array.*shape \(1, 2\)"),
        ([np.nan], "times contains NaN"),
        ([np.inf], "times contains infinity"),
        ([], "0 sample"),
        (["late"], "times must be numbers, but has 'late'"),
    ],
)
@CURVES
def test_bad_times(fitted, method, times, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(NEW, times=times)


@CURVES
def test_bad_input_is_refused_as_by_predict(fitted, method):
    predict = getattr(fitted, method)
    with pytest.raises(ValueError, match="X is sparse, but dense data is required"):
        predict(csr_array(NEW))
    with pytest.raises(ValueError, match=r"X has 4 features, but .* is expecting 5"):
        predict(NEW[:, 1:])
    with pytest.raises(NotFittedError):
        getattr(without_network(type(fitted)), method)(NEW)


def test_no_more_memory_than_the_times_need(monkeypatch):
    rng = np.random.default_rng(0)
    n = 10_000
    many = rng.normal(size=(n, 5)).astype(np.float32)
    y = as_surv(np.ones(n, bool), rng.exponential(size=n))
    model = without_network().fit(many, y)
    assert len(model.unique_times_) == n
    sizes, exp = [], np.exp

    def watched(values, *args, **kwargs):
        sizes.append(np.size(values))
        return exp(values, *args, **kwargs)

    monkeypatch.setattr(np, "exp", watched)
    assert model.predict_survival_function(many, times=[0.5, 1.0]).shape == (n, 2)
    assert max(sizes) == 2 * n


# Cox's baseline


def test_baseline_without_risk_is_that_of_nelson_and_aalen():
    model = without_network(alpha=NO_GENES).fit(X, Y)
    times, hazard = nelson_aalen_estimator(Y["event"], Y["time"])
    assert_array_equal(model.cum_baseline_hazard_.x, times)
    assert_allclose(model.cum_baseline_hazard_.y, hazard, atol=1e-7)
    curve = model.predict_cumulative_hazard_function(NEW[:1], times=times)[0]
    assert_allclose(curve, hazard, atol=1e-7)


def test_baseline_of_weights_is_that_of_repeated_samples():
    rng = np.random.default_rng(0)
    risk, weight = rng.normal(size=80), rng.integers(0, 4, 80)
    times = np.linspace(0, 32, 50)
    again = np.repeat(np.arange(80), weight)
    one, other = (
        breslow_hazard(
            risk[rows], Y["event"][rows], Y["time"][rows], w.astype(float), times
        )
        for rows, w in [(np.arange(80), weight), (again, np.ones(len(again)))]
    )
    assert_allclose(one, other)


def test_baseline_written_out():
    rng = np.random.default_rng(0)
    risk, weight = 50 * rng.normal(size=80), rng.uniform(size=80)
    times = np.array([0.0, 2.0, 7.5, 31.0])
    expected = np.zeros(4)
    for t in np.unique(Y["time"][Y["event"]]):
        dead = weight[Y["event"] & (Y["time"] == t)].sum()
        step = dead / (weight * np.exp(risk))[Y["time"] >= t].sum()
        expected[times >= t] += step
    found = breslow_hazard(risk, Y["event"], Y["time"], weight, times)
    assert_allclose(found, expected)


def test_ties_have_a_baseline_of_breslow():
    models = [without_network(ties=t).fit(X, Y) for t in ("efron", "breslow")]
    assert isinstance(models[0], FineTunedCoxPH)
    for model in models:
        risk = model.predict(X)
        expected = breslow_hazard(
            risk, Y["event"], Y["time"], np.ones(80), model.unique_times_
        )
        assert_allclose(model.cum_baseline_hazard_.y, expected)
        # As many events are expected as there were.
        place = np.searchsorted(model.unique_times_, Y["time"])
        total = (model.cum_baseline_hazard_.y[place] * np.exp(risk)).sum()
        assert_allclose(total, Y["event"].sum())

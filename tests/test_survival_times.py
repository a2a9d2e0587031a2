"""Quantiles and restricted means of survival, and survival of survivors."""

from itertools import pairwise as pairs

import numpy as np
import pytest
from discovery import SURVIVAL, class_name
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq
from survival_cohorts import planted_cohort, without_network

from skgex import FineTunedCoxPH
from skgex._survival import _times

X, Y = planted_cohort(80, 5, n_times=30)
NEW = planted_cohort(15, 5, seed=1)[0]
LAST = Y["time"].max()
AFTER = np.linspace(0, 12, 15)


@pytest.fixture(scope="module", params=SURVIVAL, ids=class_name)
def fitted(request):
    return without_network(request.param).fit(X, Y)  # not to be fitted again


def curve(model, i, after=0.0):
    """Return survival of a sample as a function, from what is there without times."""

    def survival(t):
        found = model.predict_survival_function(NEW[i : i + 1], times=[t, after])[0]
        return found[0] / found[1] if t > after else 1.0

    return survival


def slow_quantile(model, survival, q):
    if isinstance(model, FineTunedCoxPH):
        reached = [t for t in model.unique_times_ if survival(t) <= 1 - q]
        return reached[0] if reached else np.inf
    last = model.cuts_[-1]
    if survival(last) > 1 - q:
        return np.inf
    return brentq(lambda t: survival(t) - (1 - q), 0, last, xtol=1e-12)


@pytest.mark.parametrize("after", [None, 4.0, AFTER], ids=["all", "time", "times"])
def test_quantiles_are_where_curves_fall_to(fitted, after):
    lived = np.broadcast_to(0.0 if after is None else after, 15)
    shares = [0.1, 0.5, 0.9]
    found = fitted.predict_quantile(NEW, shares, conditional_after=after)
    assert found.shape == (15, 3)
    for i in range(0, 15, 7):
        survival = curve(fitted, i, lived[i])
        expected = [slow_quantile(fitted, survival, q) for q in shares]
        assert_allclose(found[i], expected, rtol=1e-9)
    median = fitted.predict_quantile(NEW, conditional_after=after)
    assert_array_equal(median, found[:, 1])
    assert (found >= lived[:, None]).all()
    assert np.isinf(found).any()
    assert np.isfinite(found).any()


@pytest.mark.parametrize("after", [None, 4.0, AFTER], ids=["all", "time", "times"])
def test_restricted_means_are_areas(fitted, after):
    lived = np.broadcast_to(0.0 if after is None else after, 15)
    for t in (12.5, LAST):
        found = fitted.predict_restricted_mean(NEW, t, conditional_after=after)
        assert found.shape == (15,)
        assert (found <= t).all()
        # From the middles of many short pieces, none of which has a knot inside.
        inner = [k for k in fitted.unique_times_ if k < t]
        knots = np.unique([*inner, *lived[lived < t], 0, t])
        edges = np.unique(
            np.concatenate([np.linspace(a, b, 40) for a, b in pairs(knots)])
        )
        middles = (edges[1:] + edges[:-1]) / 2
        survival = fitted.predict_survival_function(
            NEW, times=middles, conditional_after=after
        )
        assert_allclose(found, survival @ np.diff(edges), rtol=1e-5)


def test_survival_of_survivors(fitted):
    times = np.array([2.0, 4.0, 9.0, 20.0])
    survival = fitted.predict_survival_function(NEW, times=times)
    given = fitted.predict_survival_function(NEW, times=times, conditional_after=4.0)
    assert_array_equal(given[:, :2], 1)
    assert_allclose(given[:, 2:], survival[:, 2:] / survival[:, [1]])
    each = fitted.predict_survival_function(NEW, times=times, conditional_after=AFTER)
    at = [curve(fitted, i)(AFTER[i]) for i in range(15)]
    expected = np.minimum(survival / np.array(at)[:, None], 1)
    assert_allclose(each, expected)
    function = fitted.predict_survival_function(NEW[:1], conditional_after=4.0)[0]
    assert_array_equal(function(4.0), 1)
    zero = fitted.predict_survival_function(NEW, times=times, conditional_after=0)
    assert_array_equal(zero, survival)


def test_strata():
    strata = np.array(["a", "b"])[np.arange(80) % 2]
    model = without_network().fit(X, Y, strata=strata)
    own = strata[:15]
    median = model.predict_quantile(NEW, 0.3, strata=own, conditional_after=AFTER)
    mean = model.predict_restricted_mean(NEW, 9.0, strata=own)
    for i in range(15):
        one = {"strata": own[i : i + 1]}
        time = model.predict_quantile(
            NEW[i : i + 1], 0.3, conditional_after=AFTER[i], **one
        )
        assert_array_equal(time[0], median[i])
        found = model.predict_restricted_mean(NEW[i : i + 1], 9.0, **one)
        assert_allclose(found[0], mean[i], rtol=1e-12)
    with pytest.raises(ValueError, match="fitted with strata"):
        model.predict_quantile(NEW)


def test_few_samples_at_a_time(fitted, monkeypatch):
    options = {"conditional_after": AFTER}
    median = fitted.predict_quantile(NEW, **options)
    mean = fitted.predict_restricted_mean(NEW, 20, **options)
    monkeypatch.setattr(_times, "_CHUNK_VALUES", 100)
    assert_allclose(fitted.predict_quantile(NEW.tolist(), **options), median)
    assert_allclose(fitted.predict_restricted_mean(NEW, 20, **options), mean)


@pytest.mark.parametrize("q", [0, 1, -0.5, [0.5, 1.5], [[0.5]], np.nan])
def test_bad_quantiles(fitted, q):
    with pytest.raises(ValueError, match=r"q must be between 0 and 1|q contains NaN"):
        fitted.predict_quantile(NEW, q)


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (-1, "conditional_after must be between 0 and 31, .* from -1 to -1"),
        (99, "conditional_after must be between 0 and 31"),
        ([1, 2], r"one for each of the 15 samples, but it has shape \(2,\)"),
        (np.nan, "conditional_after contains NaN"),
    ],
)
def test_bad_times(fitted, after, message):
    for predict in (fitted.predict_quantile, fitted.predict_survival_function):
        with pytest.raises(ValueError, match=message):
            predict(NEW, conditional_after=after)
    with pytest.raises(ValueError, match="later than t=3"):
        fitted.predict_restricted_mean(NEW, 3.0, conditional_after=4.0)
    for t in (0, 99, "late", np.nan):
        with pytest.raises(ValueError, match="t must be a time above 0 and at most 31"):
            fitted.predict_restricted_mean(NEW, t)


def test_coefficients_as_a_table(fitted):
    table = fitted.coef_table_
    assert list(table.index) == ["x0", "x1", "x2", "x3", "x4"]
    assert (table["kind"] == "gene").all()
    assert_array_equal(table["coef"], fitted.coef_)
    assert_allclose(table["hazard_ratio"], np.exp(fitted.coef_))
    assert (
        table[["standard_error", "lower", "upper", "z", "pvalue"]].isna().all(axis=None)
    )
    both = without_network(type(fitted), covariates=[3]).fit(X, Y)
    table = both.coef_table_
    assert list(table["kind"]) == ["gene"] * 3 + ["covariate", "gene"]
    assert_array_equal(table["coef"].to_numpy()[[0, 1, 2, 4]], both.coef_)
    effects = both.coef_covariates_
    assert_array_equal(table.loc[["x3"], effects.columns].astype(float), effects)

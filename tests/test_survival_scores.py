"""Harrell's concordance, strata, and the scorers and searches of others."""

import warnings

import numpy as np
import pytest
from discovery import SURVIVAL, class_name
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sksurv.metrics import (
    as_concordance_index_ipcw_scorer,
    as_cumulative_dynamic_auc_scorer,
    as_integrated_brier_score_scorer,
    concordance_index_censored,
)
from survival_cohorts import as_surv, planted_cohort, without_network

from skgex import EventStratifiedKFold, FineTunedCoxPH

BOTH = pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
X, Y = planted_cohort(120, 6, n_times=40)
STRATA = np.array(["LUAD", "BRCA", "KIRP"])[
    np.random.default_rng(0).integers(0, 3, 120)
]
FOLDS = EventStratifiedKFold(3, random_state=0)


def slow_concordance(risk, y, strata, weight=None):
    """Count the pairs of a stratum one by one."""
    right, pairs = 0.0, 0.0
    weight = np.ones(len(y)) if weight is None else weight
    for i in np.flatnonzero(y["event"]):
        for j in range(len(y)):
            longer = y["time"][j] > y["time"][i]
            longer |= (y["time"][j] == y["time"][i]) & ~y["event"][j]
            if longer and strata[i] == strata[j]:
                pair = weight[i] * weight[j]
                pairs += pair
                right += pair * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    return right / pairs


# The score


@BOTH
def test_score_is_that_of_harrell(Estimator):
    model = without_network(Estimator).fit(X[:80], Y[:80])
    new, y = X[80:], Y[80:]
    expected = concordance_index_censored(y["event"], y["time"], model.predict(new))
    assert model.score(new, y) == pytest.approx(expected[0], abs=1e-12)
    assert model.score(new, y) > 0.7
    assert isinstance(model.score(new, y), float)


@BOTH
def test_score_within_strata(Estimator):
    model = without_network(Estimator).fit(X, Y)
    expected = slow_concordance(model.predict(X), Y, STRATA)
    assert model.score(X, Y, strata=STRATA) == pytest.approx(expected)
    assert model.score(X, Y, strata=STRATA) != model.score(X, Y)
    # A stratum without a pair does not count.
    alone = np.append(STRATA[:-2], ["x", "y"])
    expected = slow_concordance(model.predict(X), Y, alone)
    assert model.score(X, Y, strata=alone) == pytest.approx(expected)


@BOTH
def test_score_with_weights(Estimator):
    model = without_network(Estimator).fit(X[:60], Y[:60])
    some = np.r_[X[:60], X[:20]]  # with equal risks
    y, strata = np.r_[Y[:60], Y[20:40]], np.r_[STRATA[:60], STRATA[:20]]
    weight = np.random.default_rng(0).choice([0.0, 0.4, 3.0], 80)
    for labels, given in [(np.zeros(80), None), (strata, strata)]:
        expected = slow_concordance(model.predict(some), y, labels, weight)
        score = model.score(some, y, strata=given, sample_weight=weight)
        assert score == pytest.approx(expected)
        same = model.score(some, y, strata=given, sample_weight=np.full(80, 2.0))
        assert same == pytest.approx(model.score(some, y, strata=given))


def test_score_of_a_constant_risk():
    model = without_network(alpha=1e12).fit(X, Y)
    same = np.tile(X[0], (120, 1))
    assert model.score(same, Y) == 0.5


@BOTH
def test_nothing_to_score(Estimator):
    model = without_network(Estimator).fit(X, Y)
    message = "No two samples of y can be compared.* EventStratifiedKFold"
    last = as_surv([True, False], [2.0, 1.0])
    with pytest.raises(ValueError, match=message):
        model.score(X[:2], last)
    with pytest.raises(ValueError, match=message):
        model.score(X, Y, strata=np.arange(120))
    with pytest.raises(ValueError, match="All 2 samples of y are censored"):
        model.score(X[:2], as_surv([False, False], [2.0, 1.0]))


# Strata


def test_strata_have_their_own_baseline():
    time = Y["time"] * np.where(STRATA == "LUAD", 10, 1)
    y = as_surv(Y["event"], time)
    cox = without_network().fit(X, y, strata=STRATA)
    assert sorted(cox.cum_baseline_hazard_) == ["BRCA", "KIRP", "LUAD"]
    curves = cox.predict_survival_function(X, strata=STRATA, times=[20.0])[:, 0]
    assert curves[STRATA == "LUAD"].mean() > curves[STRATA != "LUAD"].mean() + 0.3
    # Events are expected where they happened.
    for name in np.unique(STRATA):
        here = STRATA == name
        at = cox.cum_baseline_hazard_[name](y["time"][here])
        expected = (at * np.exp(cox.predict(X[here]))).sum()
        assert_allclose(expected, y["event"][here].sum(), rtol=0.15)


def test_one_stratum_is_none():
    plain = without_network().fit(X, Y)
    one = without_network().fit(X, Y, strata=np.full(120, "x"))
    assert_array_equal(one.coef_, plain.coef_)
    assert_allclose(
        one.predict_survival_function(X, True, strata=np.full(120, "x")),
        plain.predict_survival_function(X, True),
    )


@pytest.mark.parametrize(
    "labels",
    [
        [5, 1, 3],
        [2.5, 1e9, -1.0],
        np.array([2, 10, 100], object),  # in the order of numbers, not of texts
        np.array(["b", 10, 2], object),
        [True, False, True],
    ],
    ids=["integers", "floats", "objects", "mixed", "two"],
)
def test_names_of_strata_play_no_role(labels):
    code = np.unique(STRATA, return_inverse=True)[1]
    names = np.asarray(labels)[code]
    number = np.unique(names.astype(str), return_inverse=True)[1]
    y = as_surv(Y["event"], Y["time"] * (1.0 + number))
    expected = without_network().fit(X, y, strata=number)
    renamed = without_network().fit(X, y, strata=names)
    assert_allclose(renamed.coef_, expected.coef_, atol=1e-6)
    for given in (names, names.tolist()):
        assert_allclose(
            renamed.predict_survival_function(X, True, strata=given),
            expected.predict_survival_function(X, True, strata=number),
            atol=1e-5,
        )


def test_strata_in_another_order_of_samples():
    order = np.random.default_rng(1).permutation(120)
    expected = without_network().fit(X, Y, strata=STRATA)
    shuffled = without_network().fit(X[order], Y[order], strata=STRATA[order])
    assert_allclose(shuffled.coef_, expected.coef_, atol=1e-6)
    assert_allclose(
        shuffled.predict_survival_function(X, True, strata=STRATA),
        expected.predict_survival_function(X, True, strata=STRATA),
        atol=1e-5,
    )


def test_a_stratum_of_one_sample_says_nothing():
    strata = np.append(["alone"], STRATA[1:])
    cox = without_network().fit(X, Y, strata=strata)
    others = without_network().fit(X[1:], Y[1:], strata=STRATA[1:])
    assert_allclose(cox.coef_, others.coef_, atol=1e-2)
    curve = cox.predict_survival_function(X[:1], True, strata=["alone"])
    assert np.isfinite(curve).all()


@BOTH
def test_strata_that_do_not_fit(Estimator):
    plain = without_network(Estimator).fit(X, Y)
    with pytest.raises(ValueError, match=r"strata were passed, but .* fitted without"):
        plain.predict_survival_function(X, strata=STRATA)
    if Estimator is not FineTunedCoxPH:
        return
    cox = without_network().fit(X, Y, strata=STRATA)
    cox.predict(X)
    for method in ("predict_survival_function", "predict_cumulative_hazard_function"):
        predict = getattr(cox, method)
        with pytest.raises(ValueError, match=r"fitted with strata.*BRCA, KIRP, LUAD"):
            predict(X)
        with pytest.raises(ValueError, match="Stratum 'GBM' was not seen in fit"):
            predict(X[:2], strata=["LUAD", "GBM"])
        with pytest.raises(ValueError, match="Stratum 'AAA' was not seen in fit"):
            predict(X[:1], strata=["AAA"])
        with pytest.raises(ValueError, match="strata has 119 labels for 120"):
            predict(X, strata=STRATA[1:])
    for missing in ([None, *STRATA[1:]], np.append(np.nan, np.ones(119))):
        with pytest.raises(ValueError, match="no label for 1 of 120 samples"):
            without_network().fit(X, Y, strata=np.array(missing))
    with pytest.raises(ValueError, match="No two samples of y can be compared"):
        without_network().fit(X, Y, strata=np.arange(120))


def test_strata_are_routed_through_a_pipeline():
    expected = without_network().fit(MinMaxScaler().fit_transform(X), Y, strata=STRATA)
    with config_context(enable_metadata_routing=True):
        cox = without_network().set_fit_request(strata=True)
        cox.set_score_request(strata=True)
        cox.set_score_request(sample_weight=True)
        pipeline = make_pipeline(MinMaxScaler(), cox).fit(X, Y, strata=STRATA)
        score = pipeline.score(X, Y, strata=STRATA)
        scores = cross_val_score(cox, X, Y, cv=FOLDS, params={"strata": STRATA})
    assert_array_equal(pipeline[-1].coef_, expected.coef_)
    assert score == pytest.approx(slow_concordance(pipeline.predict(X), Y, STRATA))
    assert np.mean(scores) > 0.7


# Scorers and searches


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: as_concordance_index_ipcw_scorer(model, tau=20),
        lambda model: as_integrated_brier_score_scorer(model, times=[5, 10, 20]),
        lambda model: as_cumulative_dynamic_auc_scorer(model, times=[5, 10, 20]),
    ],
    ids=["concordance", "ipcw", "brier", "auc"],
)
@BOTH
def test_scorers_of_scikit_survival_choose_a_penalty(Estimator, wrap):
    # The end of a study: somebody was still under observation at the last event.
    y = as_surv(Y["event"] & (Y["time"] < 26), np.minimum(Y["time"], 26))
    wrapped = wrap(without_network(Estimator))
    name = "alpha" if "alpha" in wrapped.get_params() else "estimator__alpha"
    search = GridSearchCV(wrapped, {name: [1.0, 1e6]}, cv=FOLDS, error_score="raise")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.fit(X, y)
    assert search.best_params_ == {name: 1.0}
    scores = cross_val_score(wrapped, X, y, cv=FOLDS, error_score="raise")
    assert_allclose(scores.mean(), search.best_score_)

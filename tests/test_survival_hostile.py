"""Odd input of survival models: what is meant is understood, the rest refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from discovery import SURVIVAL, class_name
from numpy.testing import assert_allclose
from survival_cohorts import as_surv, planted_cohort, without_network

from skgex._survival._baseline import breslow_hazard
from skgex.evaluation import auc_interval, brier_interval

X, Y = planted_cohort(60, 6)
WORDS = np.where(Y["event"], "dead", "alive")
BOTH = pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)


@pytest.mark.parametrize("dtype", [object, "U5", "S5"])
@pytest.mark.parametrize("table", [True, False])
def test_events_in_words_are_refused_with_what_to_write(dtype, table):
    event = WORDS.astype(dtype)
    y = pd.DataFrame({"status": event, "days": Y["time"]})
    if not table:
        y = np.rec.fromarrays([event, Y["time"]], names="status,days")
    match = r"The event.* is in words such as .*(dead|alive).*y\['status'\] == "
    with pytest.raises(ValueError, match=match):
        without_network().fit(X, y)


@pytest.mark.parametrize(
    ("strata", "message"),
    [
        ("age", "strata must be labels, one for each sample.* is 'age'"),
        (3, "strata must be labels, one for each sample.* is 3"),
        (np.zeros((60, 2)), r"strata must be labels.* an array of shape \(60, 2\)"),
        (np.zeros(59), "strata has 59 labels for 60 samples"),
    ],
)
def test_what_are_no_strata_is_named(strata, message):
    with pytest.raises(ValueError, match=message):
        without_network().fit(X, Y, strata=strata)
    model = without_network().fit(X, Y, strata=np.arange(60) % 2)
    with pytest.raises(ValueError, match=message):
        model.predict_survival_function(X, strata=strata)
    with pytest.raises(ValueError, match=message):
        model.score(X, Y, strata=strata)


@BOTH
@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([], "cv has no splits"),
        (
            [(np.arange(60), np.array([], int))],
            "Split 0 of cv holds out 0 sample",
        ),
        (
            [(np.arange(60), np.arange(9)), (~Y["event"], Y["event"])],
            r"Split 1 of cv holds out .* and has 0 event\(s\) to train on",
        ),
    ],
)
def test_splits_that_teach_nothing_are_refused(Estimator, cv, message):
    cv = [tuple(np.arange(60)[part] for part in split) for split in cv]
    with pytest.raises(ValueError, match=message):
        without_network(Estimator, cv=cv, alpha="cv").fit(X, Y)


@BOTH
def test_parameters_that_are_no_numbers_are_named(Estimator):
    model = without_network(Estimator).fit(X, Y)
    with pytest.raises(ValueError, match="times must be numbers, but has 'a'"):
        model.predict_survival_function(X, times=["a"])
    with pytest.raises(ValueError, match="q must be numbers, but has 'half'"):
        model.predict_quantile(X, "half")
    with pytest.raises(ValueError, match="conditional_after must be numbers"):
        model.predict_quantile(X, conditional_after=[{}] * 60)
    assert_allclose(
        model.predict_quantile(X, np.array(["0.5"], object))[:, 0],
        model.predict_quantile(X),
    )


@pytest.mark.parametrize("measure", [auc_interval, brier_interval])
def test_times_of_measures_are_numbers(measure):
    with pytest.raises(ValueError, match=r"times must be numbers, but is \['a'\]"):
        measure(Y, np.full(60, 0.5), ["a"])
    with pytest.raises(ValueError, match="times must be a number, or numbers"):
        measure(Y, np.full(60, 0.5), np.nan)


def test_baseline_of_risks_that_are_far_apart():
    risk, time = np.array([800.0, 0.0, -800.0]), np.array([1.0, 2.0, 3.0])
    weight, event = np.ones(3), np.ones(3, bool)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = breslow_hazard(risk, event, time, weight, np.arange(4.0))
    # exp(-800) is zero, exp(800) more than there are numbers for.
    assert_allclose(found[:3], [0, 0, 1])
    assert 1e200 < found[3] < np.inf
    assert_allclose(
        breslow_hazard(risk / 8, event, time, weight, time),
        np.cumsum(np.exp([-100.0, 0.0, 100.0])),
    )


@BOTH
@pytest.mark.filterwarnings("error")
def test_events_in_the_very_order_of_a_gene(Estimator):
    y = as_surv(np.ones(60, bool), np.exp(-3 * X[:, 0]))
    model = without_network(Estimator, alpha=1e-8, cv=3).fit(X, y)
    curves = model.predict_survival_function(X, return_array=True)
    assert np.isfinite(curves).all()
    assert (np.diff(curves, axis=1) <= 0).all()


@pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
def test_a_score_of_too_few_outcomes(Estimator):
    model = without_network(Estimator).fit(X, Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, Y[:10])

"""Log risks without bound, as of covariates that order the times, give no NaN."""

import warnings

import numpy as np
import pytest
from discovery import SURVIVAL, class_name, make_follow_up, tiny
from numpy.testing import assert_allclose

from skgex import FineTunedCoxPH, UnivariateCoxSelector
from skgex._survival._baseline import breslow_hazard
from skgex._survival._network import choose_weights

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 10)).astype(np.float32)
VALUES = X[:, 0] + 0.3 * rng.standard_normal(60)
Y = make_follow_up(VALUES)
# The last column is the time, so that its coefficient has no bound.
ORDERED = np.c_[X, VALUES].astype(np.float32)


def assert_curves(estimator, X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        survival = estimator.predict_survival_function(X, return_array=True)
        hazard = estimator.predict_cumulative_hazard_function(X, return_array=True)
        mean = estimator.predict_restricted_mean(X, float(estimator.unique_times_[-1]))
    assert np.isfinite(estimator.predict(X)).all()
    assert np.isfinite(hazard).all()
    assert np.isfinite(mean).all()
    assert ((survival >= 0) & (survival <= 1)).all()
    assert (np.diff(survival, axis=1) <= 0).all()


@pytest.mark.parametrize("cv", [2, None])
@pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
def test_a_covariate_that_orders_the_times(Estimator, cv):
    options = {"cv": cv, "alpha": 2.0, "max_epochs": 2, "covariates": [10]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        estimator = tiny(Estimator, **options).fit(ORDERED, Y)
    assert_curves(estimator, ORDERED)
    far = ORDERED.copy()
    far[:, -1] *= 1e4
    assert_curves(estimator, far)
    assert estimator.score(ORDERED, Y) > 0.97


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_encoder_that_diverged():
    options = {"cv": None, "alpha": 2.0, "encoder_lr": 1e9, "max_epochs": 3}
    try:
        estimator = tiny(FineTunedCoxPH, **options).fit(X, Y)
    except ValueError as error:
        assert "encoder_lr" in str(error)  # noqa: PT017
    else:
        assert_curves(estimator, X)


@pytest.mark.parametrize("spread", [1.0, 200.0])
def test_the_baseline_is_that_of_a_loop(spread):
    risk = spread * np.linspace(-1, 1, 60)
    event, time = Y["event"], Y["time"]
    times, weight = np.unique(time), np.ones(60)
    expected = [
        sum(
            1 / np.exp(risk[time >= t]).sum()
            for t, happened in zip(time, event, strict=True)
            if happened and t <= end
        )
        for end in times
    ]
    found = breslow_hazard(risk, event, time, weight, times)
    assert_allclose(found, expected, rtol=1e-10)


def test_infinite_losses_leave_the_genes_alone():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights = choose_weights(lambda linear, network: np.inf)
    assert weights.tolist() == [1.0, 0.0]


def test_a_selector_adjusted_for_the_time():
    selector = UnivariateCoxSelector(k=2, adjust=[10])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            selector.fit(ORDERED, Y)
        except ValueError as error:
            assert "`adjust` may order the times" in str(error)  # noqa: PT017
        else:
            assert np.isfinite(selector.scores_).all()

"""Baselines beside risks that models of other folds predicted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from sksurv.linear_model import CoxPHSurvivalAnalysis
from survival_cohorts import as_surv, planted_cohort, without_network

from skgex import SCARF, EventStratifiedKFold, FineTunedCoxPH, FineTunedDiscreteHazard
from skgex._survival._held_out import held_out_risk

X, Y = planted_cohort(60, 90, n_times=25)
FOLDS = list(EventStratifiedKFold(3, random_state=0).split(X, Y))


def held_out(folds, weight, alpha):
    """Return risks by scikit-survival's models of the other folds; else of all."""
    G = ((X - X.mean(axis=0)) / X.std(axis=0)).clip(-6, 6)
    G = G - G.mean(axis=0)
    again = np.repeat(np.arange(60), weight)

    def coef(rows):
        model = CoxPHSurvivalAnalysis(alpha=alpha, ties="breslow", tol=1e-10)
        return model.fit(G[rows], Y[rows]).coef_

    risk = G @ coef(again)
    for train, test in folds:
        rows = again[np.isin(again, train)]
        risk[test] = G[test] @ coef(rows)
    return risk


def nelson(risk, weight, stratum, times):
    """Return Breslow's estimate of each stratum, one time after the other."""
    hazards = []
    for s in np.unique(stratum):
        here, total, hazard = stratum == s, 0.0, []
        for t in times:
            dead = here & Y["event"] & (Y["time"] == t)
            at_risk = here & (Y["time"] >= t)
            if dead.any():
                total += weight[dead].sum() / (weight * np.exp(risk))[at_risk].sum()
            hazard.append(total)
        hazards.append(hazard)
    return np.array(hazards)


@pytest.mark.parametrize("folds", [FOLDS, FOLDS[:2], []], ids=["all", "some", "none"])
def test_baseline_is_breslows_beside_risks_held_out(folds):
    weight = np.random.default_rng(0).integers(1, 3, 60)
    model = without_network(cv=folds or None, alpha=30.0, ties="breslow")
    model.fit(X, Y, sample_weight=weight)
    risk = held_out(folds, weight, 30.0)
    times = np.unique(Y["time"])
    expected = nelson(risk, weight, np.zeros(60), times)[0]
    # In folds, solutions are rough.
    assert_allclose(model.cum_baseline_hazard_(times), expected, rtol=2e-3)


def test_intercepts_expect_as_many_events_as_there_were_beside_risks_held_out():
    weight = np.ones(60, int)
    model = without_network(FineTunedDiscreteHazard, cv=FOLDS, alpha=30.0).fit(X, Y)
    cox = without_network(cv=FOLDS, alpha=30.0).fit(X, Y)
    found = model.head_.bias.detach().numpy() + model.intercepts_
    # Breslow's and Efron's likelihood differ little here.
    risk, start = held_out(FOLDS, weight, 30.0), 0.0
    for k, end in enumerate(model.cuts_):
        dead = Y["event"] & (Y["time"] > start) & (Y["time"] <= end)
        lived = np.clip((Y["time"] - start) / (end - start), 0, 1)
        lived[dead] = 1
        lived[Y["event"] & (Y["time"] <= start)] = 0
        assert_allclose(
            (lived * expit(risk + found[k]))[Y["time"] > start].sum(),
            dead.sum(),
            rtol=0.02,
        )
        start = end
    assert_allclose(model.coef_, cox.coef_)


@pytest.mark.parametrize("Estimator", [FineTunedCoxPH, FineTunedDiscreteHazard])
def test_survival_is_right_on_average_however_much_was_fitted(Estimator):
    risk = lambda X: X[:, :50] @ np.full(50, 0.2)  # noqa: E731
    X, y = planted_cohort(1300, 200, risk=risk, seed=3)
    new, late = X[300:], np.quantile(y["time"][:300][y["event"][:300]], 0.8)
    seen = np.exp(risk(new))
    # Exponential times: the truth is known.
    truth = np.exp(-late * seen).mean()
    bias = {}
    for cv, alpha in {3: "cv", None: 230.0}.items():
        model = without_network(Estimator, cv=cv, alpha=alpha).fit(X[:300], y[:300])
        found = model.predict_survival_function(new, times=[late]).mean()
        bias[cv] = found - truth
    assert bias[None] < -0.06
    assert abs(bias[3]) < 0.03


def test_a_network_is_held_out_as_well():
    rng = np.random.default_rng(0)
    fitted = rng.normal(size=4), rng.normal(size=(4, 2))
    genes, known, added = (
        rng.normal(size=4),
        rng.normal(size=4),
        rng.normal(size=(4, 2)),
    )
    folds = [(np.array([2, 3]), np.array([0])), (np.array([0]), np.array([2, 3]))]
    linear, own = held_out_risk(fitted, folds, genes, known, added)
    tested = np.array([True, False, True, True])
    assert_allclose(linear, np.where(tested, genes + known, fitted[0]))
    assert_allclose(own, np.where(tested[:, None], added, fitted[1]))
    linear, own = held_out_risk(fitted, folds, genes, known, None)
    assert_allclose(own, fitted[1])
    assert held_out_risk(fitted, [], None, known, None) is fitted


def test_strata_have_baselines_beside_risks_held_out():
    strata = np.arange(60) % 2
    parameters = {"cv": FOLDS, "alpha": 1e12}
    model = without_network(**parameters).fit(X, Y, strata=strata)
    times = np.unique(Y["time"])
    expected = nelson(np.zeros(60), np.ones(60), strata, times)
    for s in (0, 1):
        assert_allclose(model.cum_baseline_hazard_[s](times), expected[s], rtol=1e-6)


def test_a_rare_category_leaves_the_baseline_where_it_is():
    # All who have it, and the event, are in one fold: others say nothing of it.
    rare = np.zeros(60)
    rare[FOLDS[0][1][:4]] = 1
    table = np.c_[rare, X]
    y = as_surv(Y["event"], Y["time"])
    y["event"][rare == 1] = [True, False, True, False]
    embedder = SCARF(hidden_dims=(8,), max_epochs=0, device="cpu")
    options = {"covariates": [0], "alpha": 1e12, "max_epochs": 0, "random_state": 0}
    with_folds = FineTunedCoxPH(embedder, cv=FOLDS, **options).fit(table, y)
    without = FineTunedCoxPH(embedder, cv=None, **options).fit(table, y)
    times = np.unique(y["time"])
    found, expected = (m.cum_baseline_hazard_(times) for m in (with_folds, without))
    assert_allclose(found, expected, rtol=1e-6)

"""Covariates of survival models: Cox regression, beside genes under a penalty."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import SURVIVAL, class_name, tiny
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sksurv.datasets import load_veterans_lung_cancer
from sksurv.linear_model import CoxPHSurvivalAnalysis
from survival_cohorts import as_data, as_surv, planted_cohort, without_network
from survival_oracles import slow_cox_fit, slow_cox_information, slow_cox_loss

import skgex
from skgex import SCARF, FineTunedCoxPH
from skgex._survival._linear import _ElasticNet, _judge, _Ridge, fit_linear_risk
from skgex._survival._split import EventStratifiedKFold

BOTH = pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
TIES = pytest.mark.parametrize("ties", ["efron", "breslow"])
# So strong that the genes say nothing.
NO_GENES = 1e12
CLINIC = ["age", "stage"]


def clinical_cohort(n=120, n_genes=8, seed=0, n_times=None):
    """Return a table with covariates between its genes, and follow-up."""
    rng = np.random.default_rng(seed)
    age, stage = rng.normal(60, 10, n), rng.integers(1, 5, n)
    genes, _ = planted_cohort(n, n_genes, seed=seed)
    risk = genes[:, 0] + 0.05 * (age - 60) + 0.7 * (stage - 2)
    _, y = planted_cohort(n, 1, risk=lambda _: risk, seed=seed + 1, n_times=n_times)
    names = [f"G{i}" for i in range(n_genes)]
    table = pd.DataFrame(genes.astype(np.float32), columns=names)
    table.insert(2, "age", age)
    table["stage"] = stage
    return table, y


X, Y = clinical_cohort()
GENES = [name for name in X if name.startswith("G")]


def lung_cohort():
    """Return the veterans' lung cancers as R's `survival` codes them."""
    data, y = load_veterans_lung_cancer()
    cell = data["Celltype"].to_numpy(dtype=str)
    clinic = {
        "trt": (data["Treatment"].to_numpy(dtype=str) == "test"),
        "smallcell": cell == "smallcell",
        "adeno": cell == "adeno",
        "large": cell == "large",
        "karno": data["Karnofsky_score"],
        "diagtime": data["Months_from_Diagnosis"],
        "age": data["Age_in_years"],
        "prior": 10 * (data["Prior_therapy"].to_numpy(dtype=str) == "yes"),
    }
    y = as_surv(y["Status"], y["Survival_in_days"])
    return pd.DataFrame(clinic).astype(float), y


def with_noise(clinic, n_genes=5, seed=0):
    noise = np.random.default_rng(seed).normal(size=(len(clinic), n_genes))
    names = [f"noise{i}" for i in range(n_genes)]
    return clinic.join(pd.DataFrame(noise, clinic.index, names))


# Without genes it is Cox regression


@BOTH
def test_figures_of_r(Estimator):
    # summary(coxph(Surv(time, status) ~ trt + celltype + karno + diagtime + age +
    #               prior, data = veteran)), as R prints it.
    printed = {
        "trt": (2.946e-01, 1.343e00, 2.075e-01),
        "smallcell": (8.616e-01, 2.367e00, 2.753e-01),
        "adeno": (1.196e00, 3.307e00, 3.009e-01),
        "large": (4.013e-01, 1.494e00, 2.827e-01),
        "karno": (-3.282e-02, 9.677e-01, 5.508e-03),
        "diagtime": (8.132e-05, 1.000e00, 9.136e-03),
        "age": (-8.706e-03, 9.913e-01, 9.300e-03),
        "prior": (7.159e-03, 1.007e00, 2.323e-02),
    }
    clinic, y = lung_cohort()
    model = without_network(Estimator, alpha=NO_GENES, covariates=[*clinic])
    table = model.fit(with_noise(clinic), y).coef_covariates_
    assert list(table.index) == list(printed)
    for name, figures in printed.items():
        found = table.loc[name, ["coef", "hazard_ratio", "standard_error"]]
        assert_allclose(found, figures, rtol=5e-4)
    assert_allclose(table.loc["karno", ["z", "pvalue"]], [-5.958, 2.55e-9], rtol=2e-3)


@TIES
@BOTH
def test_coefficients_of_scikit_survival(Estimator, ties):
    clinic, y = lung_cohort()
    options = {"ties": ties} if Estimator is FineTunedCoxPH else {}
    if not options and ties == "breslow":
        return
    model = without_network(Estimator, alpha=NO_GENES, covariates=slice(8), **options)
    model.fit(with_noise(clinic), y)
    expected = CoxPHSurvivalAnalysis(ties=ties, tol=1e-14, n_iter=100).fit(clinic, y)
    assert_allclose(model.coef_covariates_["coef"], expected.coef_, rtol=1e-6)
    risk = model.predict(with_noise(clinic))
    if Estimator is FineTunedCoxPH:
        other = expected.predict(clinic)
        assert_allclose(risk, other - other.mean(), atol=1e-6)


@TIES
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_standard_errors_with_strata_and_weights(ties, l1_ratio):
    table, y = clinical_cohort(n_times=20)
    rng = np.random.default_rng(0)
    strata, weight = rng.integers(0, 3, 120), rng.uniform(0.5, 2, 120)
    model = without_network(
        alpha=NO_GENES, covariates=CLINIC, ties=ties, l1_ratio=l1_ratio
    ).fit(table, y, strata=strata, sample_weight=weight)
    coef, covariance = slow_cox_fit(
        table[CLINIC].to_numpy(float), y["event"], y["time"], strata, weight, ties
    )
    found = model.coef_covariates_
    error = np.sqrt(np.diag(covariance))
    assert_allclose(found["coef"], coef, rtol=1e-6)
    assert_allclose(found["standard_error"], error, rtol=1e-6)
    assert_allclose(found["hazard_ratio"], np.exp(coef), rtol=1e-6)
    limits = np.exp(
        [coef - 1.959963984540054 * error, coef + 1.959963984540054 * error]
    )
    assert_allclose(found[["lower", "upper"]].T, limits, rtol=1e-6)
    assert_allclose(found["z"], coef / error, rtol=1e-6)
    assert_allclose(found["pvalue"], 2 * norm.sf(abs(coef / error)), rtol=1e-5)


def test_300_genes_of_noise_at_a_huge_penalty():
    clinic, y = lung_cohort()
    table = with_noise(clinic, 300)
    alone = CoxPHSurvivalAnalysis(ties="efron").fit(clinic, y).predict(clinic)
    for alpha, least in [(NO_GENES, 1 - 1e-9), (1e6, 0.9999)]:
        model = FineTunedCoxPH(
            SCARF(max_epochs=0), alpha=alpha, max_epochs=0, covariates=[*clinic]
        ).fit(table, y)
        assert np.corrcoef(model.predict(table), alone)[0, 1] > least


# With genes


@TIES
@pytest.mark.parametrize("n_genes", [6, 120], ids=["p < n", "p > n"])
def test_genes_have_a_penalty_and_covariates_none(ties, n_genes):
    table, y = clinical_cohort(90, n_genes, n_times=30)
    rng = np.random.default_rng(0)
    strata, weight = rng.integers(0, 2, 90), rng.uniform(0.5, 2, 90)
    C, G = table[CLINIC].to_numpy(float), table.drop(columns=CLINIC).to_numpy(float)
    G = G.copy()
    for s in range(2):
        here = strata == s
        G[here] = (G[here] - G[here].mean(axis=0)) / G[here].std(axis=0)
    both = np.c_[C - C.mean(axis=0), G]
    penalty = np.r_[0, 0, np.full(n_genes, 8.0)]
    coef, covariance = slow_cox_fit(
        both, y["event"], y["time"], strata, weight, ties, penalty
    )
    model = without_network(alpha=8.0, covariates=CLINIC, ties=ties)
    model.fit(table, y, strata=strata, sample_weight=weight)
    found = model.coef_covariates_
    assert_allclose(found["coef"], coef[:2], rtol=1e-5)
    assert_allclose(model.coef_, coef[2:], atol=1e-5)
    assert_allclose(
        found["standard_error"], np.sqrt(np.diag(covariance)[:2]), rtol=1e-5
    )


def test_elastic_net_has_a_penalty_for_genes_alone():
    table, y = clinical_cohort(90, 20, n_times=30)
    C = table[CLINIC].to_numpy(float)
    G = table.drop(columns=CLINIC).to_numpy(float, copy=True)
    C = (C - C.mean(axis=0)) / C.std(axis=0)
    options = {"ties": "efron", "l1_ratio": 0.7, "folds": [], "C": C}
    risk = fit_linear_risk(G, as_data(y), alpha=6.0, **options)
    kept = risk.coef != 0
    assert 0 < kept.sum() < 15
    G = G - G.mean(axis=0)
    total = C @ risk.covariates + G @ risk.coef
    score, information = slow_cox_information(
        np.c_[C, G], np.r_[risk.covariates, risk.coef], y["event"], y["time"]
    )
    assert_allclose(score[:2], 0, atol=1e-5)
    slope = score[2:] - 6 * 0.3 * risk.coef
    assert_allclose(slope[kept], 6 * 0.7 * np.sign(risk.coef[kept]), atol=1e-5)
    assert abs(slope[~kept]).max() < 6 * 0.7 + 1e-6
    # Standard errors take the genes that were selected as given.
    kept = np.r_[True, True, kept]
    inside = information[np.ix_(kept, kept)]
    inside += np.diag(np.r_[0, 0, np.full(kept.sum() - 2, 6 * 0.3)])
    covariance = np.linalg.inv(inside)[:2, :2]
    assert_allclose(np.linalg.inv(risk.information), covariance, rtol=1e-6)
    assert np.isfinite(total).all()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_gains_are_over_covariates_alone(l1_ratio):
    table, y = clinical_cohort(150, 20)
    C = table[CLINIC].to_numpy(float)
    C = (C - C.mean(axis=0)) / C.std(axis=0)
    G = table.drop(columns=CLINIC).to_numpy(float, copy=True)
    folds = list(EventStratifiedKFold(3, random_state=0).split(G, y))
    options = {"ties": "efron", "l1_ratio": l1_ratio}
    risk = fit_linear_risk(G, as_data(y), alpha="cv", folds=folds, C=C, **options)
    gain = np.zeros(12)
    for train, test in folds:
        alone, _ = slow_cox_fit(C[train], y["event"][train], y["time"][train])
        event, time = y["event"][test], y["time"][test]
        nothing = slow_cox_loss(C[test] @ alone, event, time)
        for i, alpha in enumerate(risk.alphas):
            part = fit_linear_risk(
                G[train],
                as_data(y[train]),
                alpha=alpha,
                folds=[],
                C=C[train],
                **options,
            )
            told = G[test] @ part.coef + C[test] @ part.covariates
            gain[i] += nothing - slow_cox_loss(told, event, time)
    assert_allclose(risk.gains, gain, atol=0.03)
    assert risk.gains.max() > 5
    model = without_network(alpha="cv", cv=3, covariates=CLINIC, l1_ratio=l1_ratio)
    assert model.fit(table, y).gains_.max() > 5


def test_genes_that_say_what_covariates_say_gain_nothing():
    table, _ = clinical_cohort(200, 30)
    table["G0"] = table["stage"] + 0.01 * table["G1"]
    y_of_clinic = planted_cohort(200, 1, risk=lambda _: table["stage"] - 2)[1]
    alone = without_network(alpha="cv", cv=3).fit(table[GENES], y_of_clinic)
    both = without_network(alpha="cv", cv=3, covariates=CLINIC).fit(table, y_of_clinic)
    assert alone.gains_.max() > 10
    assert both.gains_.max() < 2


@BOTH
def test_a_believed_network_does_not_weigh_covariates(Estimator):
    rng = np.random.default_rng(0)
    genes, _ = planted_cohort(400, 5)
    stage = rng.integers(1, 5, 400)
    _, y = planted_cohort(400, 1, risk=lambda _: 3 * np.abs(genes[:, 0]) + stage)
    table = np.c_[genes, stage]
    embedder = SCARF(hidden_dims=(32,), max_epochs=3, random_state=0)
    options = {"lr": 0.02, "encoder_lr": 0.01, "max_epochs": 60, "random_state": 0}
    model = Estimator(embedder, covariates=-1, **options).fit(table[:300], y[:300])
    assert model.n_iter_ == 60
    assert model.encoder_.embedding_dim == 32
    assert model.score(table[300:], y[300:]) > 0.75
    # One step of stage is one coefficient, whatever the genes.
    higher = table + np.r_[np.zeros(5), 1]
    if Estimator is FineTunedCoxPH:
        step = model.predict(higher) - model.predict(table)
        assert_allclose(step, model.coef_covariates_["coef"].iloc[0])


# Which columns


@BOTH
@pytest.mark.parametrize(
    "covariates",
    [
        [2, 9],
        np.array([2, -1]),
        [i in (2, 9) for i in range(10)],
        make_column_selector(pattern="age|stage"),
        make_column_selector(dtype_exclude=np.float32),
        lambda table: [2, 9],
    ],
    ids=["positions", "negative", "mask", "pattern", "dtype", "function"],
)
def test_columns_by_any_means(Estimator, covariates):
    expected = without_network(Estimator, covariates=CLINIC).fit(X, Y)
    model = without_network(Estimator, covariates=covariates).fit(X, Y)
    assert_array_equal(model.covariates_, [2, 9])
    assert_array_equal(model.predict(X), expected.predict(X))
    assert list(model.coef_covariates_.index) == CLINIC
    assert_array_equal(model.coef_covariates_, expected.coef_covariates_)
    assert len(model.coef_) == 8
    assert model.n_features_in_ == 10


def test_columns_of_an_array_and_in_another_order():
    named = without_network(covariates=CLINIC).fit(X, Y)
    model = without_network(covariates=[2, 9]).fit(X.to_numpy(), Y)
    assert list(model.coef_covariates_.index) == ["x2", "x9"]
    assert_allclose(model.predict(X.to_numpy()), named.predict(X), atol=1e-6)
    turned = without_network(covariates=["stage", "age"]).fit(X, Y)
    assert list(turned.coef_covariates_.index) == ["stage", "age"]
    assert_allclose(turned.predict(X), named.predict(X), atol=1e-9)
    one = without_network(covariates="age").fit(X, Y)
    assert list(one.coef_covariates_.index) == ["age"]
    assert len(one.coef_) == 9


@BOTH
def test_no_covariates_is_an_empty_table(Estimator):
    model = without_network(Estimator).fit(X[GENES], Y)
    none = without_network(Estimator, covariates=[]).fit(X[GENES], Y)
    assert model.coef_covariates_.shape == none.coef_covariates_.shape == (0, 7)
    assert_array_equal(model.predict(X[GENES]), none.predict(X[GENES]))
    assert not len(model.covariates_)


@BOTH
def test_the_encoder_sees_genes_only(Estimator):
    model = tiny(Estimator, covariates=CLINIC).fit(X, Y)
    other = X.assign(age=0.0, stage=1000)
    assert_array_equal(model.transform(X), model.transform(other))
    embedder = tiny(SCARF).fit(X[GENES])
    frozen = tiny(Estimator, embedder=FrozenEstimator(embedder), covariates=CLINIC)
    frozen.set_params(max_epochs=0).fit(X, Y)
    assert_allclose(frozen.transform(X), embedder.transform(X[GENES]), atol=1e-6)
    message = r"on 10 genes, but X has 8 beside 2 covariate\(s\)"
    frozen.set_params(embedder=FrozenEstimator(tiny(SCARF).fit(X)))
    with pytest.raises(ValueError, match=message):
        frozen.fit(X, Y)


def test_covariates_are_neither_ranked_nor_clipped():
    table = X.copy()
    table.loc[3, "age"] = 1e4
    for scaling in ("rank", "standard"):
        model = without_network(covariates=CLINIC, scaling=scaling, alpha=NO_GENES).fit(
            table, Y
        )
        C = table[CLINIC].to_numpy(float)
        expected = CoxPHSurvivalAnalysis(ties="efron", tol=1e-12).fit(C, Y).coef_
        assert_allclose(model.coef_covariates_["coef"], expected, rtol=1e-5)


@TIES
@pytest.mark.parametrize("weight", [0.6, 1.0])
def test_beside_an_earlier_model_it_is_cox_regression_with_its_risk_as_offset(
    ties, weight
):
    earlier = without_network(alpha=5.0).fit(X[GENES], Y)
    new, y = clinical_cohort(100, 8, seed=9, n_times=20)
    options = {"covariates": CLINIC, "alpha": NO_GENES, "ties": ties}
    start = FrozenEstimator(earlier)
    model = without_network(**options, prior_weight=weight, cv=3)
    model.set_params(embedder=start).fit(new, y)
    # Scaled as in this cohort.
    values = new[GENES].to_numpy(dtype=float)
    genes = ((values - values.mean(axis=0)) / values.std(axis=0)).clip(-6, 6)
    offset = weight * genes @ earlier.coef_
    C = new[CLINIC].to_numpy(dtype=float)
    center, scale = C.mean(axis=0), C.std(axis=0)

    def loss(beta):
        risk = offset + (C - center) / scale @ beta
        return slow_cox_loss(risk, y["event"], y["time"], ties=ties)

    best = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-7})
    found = model.coef_covariates_
    assert_allclose(found["coef"], best.x / scale, rtol=1e-5)
    # The offset is a column whose coefficient a penalty holds at one.
    table = np.c_[C - center, offset]
    score, information = slow_cox_information(
        table, np.append(best.x / scale, 1.0), y["event"], y["time"], ties=ties
    )
    assert_allclose(score[:2], 0, atol=1e-3)
    error = np.sqrt(np.diag(np.linalg.inv(information[:2, :2])))
    assert_allclose(found["standard_error"], error, rtol=1e-5)
    assert_allclose(
        model.predict(new), offset + (C - center) @ (best.x / scale), atol=1e-4
    )
    # They are not those of a cohort that knows nothing of the earlier model.
    alone = without_network(**options).fit(new, y)
    assert np.abs(alone.coef_covariates_["coef"] / found["coef"] - 1).max() > 0.02


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_folds_choose_by_covariates_fitted_beside_the_earlier_model(l1_ratio):
    genes, y = planted_cohort(50, 6, n_times=20)
    rng = np.random.default_rng(0)
    C = (genes[:, :1] + rng.normal(size=(50, 1))) / 2
    prior, added = np.array([0.8, 0.8, -0.8, 0, 0, 0]), rng.normal(size=50) / 5
    folds = list(EventStratifiedKFold(3, random_state=0).split(genes, y))
    options = {"l1_ratio": l1_ratio, "ties": "efron"}
    alphas = np.array([50.0, 5.0, 0.5])
    gains, weights = np.zeros((3, 3)), [0.0, 0.5, 1.0]
    G = genes - genes.mean(axis=0)
    time, event = y["time"], y["event"]
    for train, test in folds:
        null = slow_cox_fit(C[train], event[train], time[train])[0]
        for a, alpha in enumerate(alphas):
            coef = fit_linear_risk(
                G[train],
                as_data(y[train]),
                alpha=alpha,
                folds=[],
                C=C[train],
                **options,
            ).coef
            for w, weight in enumerate(weights):
                risk = G @ (coef + weight * prior) + weight * added

                def loss(beta, rows=train, risk=risk):
                    own = risk[rows] + C[rows] @ beta
                    return slow_cox_loss(own, event[rows], time[rows])

                beta = minimize(loss, [0.0], method="BFGS").x
                nothing = slow_cox_loss(C[test] @ null, event[test], time[test])
                gains[w, a] += nothing - loss(beta, test)
    kind, more = (_ElasticNet, [0.5]) if l1_ratio else (_Ridge, [])
    known = np.multiply.outer(weights, G @ prior + added)
    model = kind(G, C, as_data(y), "efron", *more)
    found = _judge(model, alphas, folds, torch.from_numpy(known))[0]
    # In folds, solutions are rough.
    assert_allclose(found, gains, atol=5e-3)


@BOTH
def test_an_earlier_model_is_matched_by_genes(Estimator):
    earlier = without_network(covariates=CLINIC).fit(*clinical_cohort(300, 8, seed=5))
    start = FrozenEstimator(earlier)
    for table, covariates in [(X[GENES], None), (X[[*GENES[::-1], "age"]], "age")]:
        model = without_network(
            Estimator, covariates=covariates, prior_weight=0.5, alpha=3.0
        )
        own = clone(model).fit(table, Y)
        model.set_params(embedder=start).fit(table, Y)
        prior = 0.5 * earlier.coef_[:: 1 if covariates is None else -1]
        assert_allclose(model.coef_, own.coef_ + prior, atol=1e-6)
        # Covariates are fitted beside the earlier model.
        same = np.allclose(model.coef_covariates_, own.coef_covariates_)
        assert same == (covariates is None)


# What is refused


def refuse(message, table=X, y=Y, **parameters):
    with pytest.raises(ValueError, match=message):
        without_network(**parameters).fit(table, y)


def test_missing_values_are_refused_with_the_remedy():
    table = X.copy()
    table.loc[[4, 7], "age"] = np.nan
    message = r"'age' is missing \(NaN\) for 2 of 120 .* sample 4\. .*SimpleImputer"
    refuse(message, table, covariates=CLINIC)
    refuse("Covariate 2 is missing", table.to_numpy(), covariates=[2])
    model = without_network(covariates=CLINIC).fit(X, Y)
    for method in (model.predict, model.predict_survival_function):
        with pytest.raises(ValueError, match=message):
            method(table)
    # Genes may lack.
    assert np.isfinite(model.predict(X.assign(G0=np.nan))).all()
    refuse("'age' has infinite", X.assign(age=np.inf), covariates=CLINIC)
    # The remedy works.
    imputer = ColumnTransformer(
        [("clinic", SimpleImputer(), ["age"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    pipe = make_pipeline(imputer, without_network(covariates=CLINIC)).fit(table, Y)
    assert np.isfinite(pipe.predict(table)).all()


@pytest.mark.parametrize(
    ("covariates", "message"),
    [
        ("Age", r"names 'Age', which is no column of X; the last ones are .*'stage'"),
        (["age", 2], "has column 'age' twice"),
        ([12], "has position 12, but X has 10 columns"),
        ([True, False], "has 2 values of bool, but X 10 columns"),
        ([1.5], r"has 1\.5: give names or positions"),
        (slice("age", "stage"), "slice of names: list the names"),
        (slice(None), "All 10 columns of X are covariates, and no gene is left"),
    ],
    ids=["name", "twice", "position", "mask", "number", "slice", "all"],
)
def test_columns_that_are_not_there(covariates, message):
    refuse(message, covariates=covariates)


def test_names_without_names():
    message = r"names column 'age', but X has no names.*set_output\(transform"
    refuse(message, X.to_numpy(), covariates="age")


def test_text_is_to_be_coded():
    text = X.assign(stage=np.where(X["stage"] > 2, "III", "I"))
    refuse(
        r"'stage' has 'I.*which is no number: code it by Ord", text, covariates="stage"
    )
    # Numbers as objects, and missing values of pandas, are what they are.
    odd = X.assign(
        stage=X["stage"].astype(object), age=X["age"].round().astype("Int64")
    )
    without_network(covariates=CLINIC).fit(odd, Y)
    odd.loc[0, "age"] = pd.NA
    refuse("'age' is missing", odd, covariates=CLINIC)


def test_coefficients_that_are_not_defined():
    refuse(r"'age' has the same value, 3,", X.assign(age=3.0), covariates=CLINIC)
    double = X.assign(half=X["stage"] / 2 + X["age"])
    message = "'half' is a linear combination of 'age', 'stage': .*drop='first'"
    refuse(message, double, covariates=[*CLINIC, "half"])
    dead = X.assign(died=Y["event"].astype(float))
    with pytest.warns(UserWarning, match="next to nothing of covariate 'died'"):
        without_network(covariates=["age", "died"]).fit(dead, Y)
    with pytest.warns(
        UserWarning, match=r"'stage' \(column 9\): it is constant within"
    ):
        without_network(covariates=CLINIC).fit(X, Y, strata=X["stage"])


# As every estimator


@BOTH
def test_pickles_files_clones_and_searches(Estimator, tmp_path):
    for covariates in (CLINIC, make_column_selector(pattern="age|stage"), slice(2, 3)):
        model = without_network(Estimator, covariates=covariates).fit(X, Y)
        again = pickle.loads(pickle.dumps(model))
        model.save(tmp_path / "model.safetensors")
        loaded = skgex.load(tmp_path / "model.safetensors")
        for other in (again, loaded, clone(loaded).fit(X, Y)):
            assert_array_equal(other.predict(X), model.predict(X))
            pd.testing.assert_frame_equal(
                other.coef_covariates_, model.coef_covariates_
            )
    search = GridSearchCV(
        make_pipeline("passthrough", without_network(Estimator)),
        {f"{Estimator.__name__.lower()}__covariates": [["age"], CLINIC]},
        cv=EventStratifiedKFold(3, random_state=0),
        error_score="raise",
    ).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    embedding = model.set_output(transform="pandas").transform(X)
    assert list(embedding.index) == list(X.index)


@BOTH
def test_rows_do_not_depend_on_each_other(Estimator):
    model = without_network(Estimator, covariates=CLINIC).fit(X, Y)
    risk = model.predict(X)
    assert_array_equal([model.predict(X[i : i + 1])[0] for i in range(120)], risk)


def test_going_on_needs_the_same_covariates():
    model = without_network(covariates=CLINIC, warm_start=True).fit(X, Y)
    model.fit(X, Y)
    message = r"other covariates, of columns \[2, 9\], now \[2\]"
    with pytest.raises(ValueError, match=message):
        model.set_params(covariates="age").fit(X, Y)


def test_a_weight_of_zero_leaves_a_sample_out():
    weight = np.where(np.arange(120) % 4 == 0, 0.0, 1.0)
    kept = weight > 0
    options = {
        "covariates": CLINIC,
        "embedder": FrozenEstimator(tiny(SCARF).fit(X[GENES])),
    }
    model = without_network().set_params(**options).fit(X, Y, sample_weight=weight)
    fewer = without_network().set_params(**options).fit(X[kept], Y[kept])
    assert_allclose(model.predict(X), fewer.predict(X), rtol=1e-9)
    assert_allclose(model.coef_covariates_, fewer.coef_covariates_, rtol=1e-9)


def test_penalised_likelihood_by_a_general_optimiser():
    table, y = clinical_cohort(60, 4, n_times=12)
    C = table[CLINIC].to_numpy(float)
    C = (C - C.mean(axis=0)) / C.std(axis=0)
    G = table.drop(columns=CLINIC).to_numpy(float, copy=True)
    both = np.c_[C, G - G.mean(axis=0)]

    def objective(coef):
        loss = slow_cox_loss(both @ coef, y["event"], y["time"])
        return loss + coef[2:] @ coef[2:] / 2 * 3.0

    expected = minimize(objective, np.zeros(6), method="BFGS", options={"gtol": 1e-6})
    options = {"l1_ratio": 0, "ties": "efron", "folds": [], "C": C}
    risk = fit_linear_risk(G, as_data(y), alpha=3.0, **options)
    assert_allclose(np.r_[risk.covariates, risk.coef], expected.x, atol=1e-4)

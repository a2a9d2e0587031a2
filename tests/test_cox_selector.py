"""UnivariateCoxSelector: which genes are kept, and what it works with."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import norm
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from sksurv.linear_model import CoxnetSurvivalAnalysis

from skgex import SCARF, FineTunedCoxPH, GeneRestorer, GexBERT
from skgex._follow_up import as_surv
from skgex._survival._score_test import cox_score_test
from skgex._survival._selector import UnivariateCoxSelector
from skgex._survival._split import EventStratifiedKFold
from skgex.datasets import load_breast_nki

N, GENES = 300, 40
PROGNOSTIC = [3, 17, 29]


def make_cohort(effect=0.7, seed=0):
    """Expression, survival that three of the genes have to do with, and strata."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, GENES))
    risk = effect * X[:, PROGNOSTIC] @ [1, -1, 1]
    strata = rng.integers(0, 2, N)
    time = rng.exponential(np.exp(-risk)) * (1 + 9 * strata)
    censored = rng.exponential(2.0 * (1 + 9 * strata))
    return X, as_surv(time <= censored, np.minimum(time, censored)), strata


X, Y, STRATA = make_cohort()
TABLE = pd.DataFrame(X, columns=[f"G{i}" for i in range(GENES)])


# What is kept


def test_finds_the_prognostic_genes():
    selector = UnivariateCoxSelector(k=3).fit(TABLE, Y)
    assert_array_equal(selector.get_support(indices=True), PROGNOSTIC)
    assert_array_equal(selector.get_feature_names_out(), ["G3", "G17", "G29"])
    assert_array_equal(np.sign(selector.scores_[PROGNOSTIC]), [1, -1, 1])
    assert_array_equal(selector.transform(TABLE), X[:, PROGNOSTIC])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_attributes(ties):
    y = as_surv(Y["event"], np.ceil(5 * Y["time"]))
    weight = np.random.default_rng(0).uniform(size=N)
    selector = UnivariateCoxSelector(ties=ties, k=5)
    selector.fit(X, y, strata=STRATA, sample_weight=weight)
    z = cox_score_test(
        X, y["event"], y["time"], strata=STRATA, sample_weight=weight, ties=ties
    )
    assert_array_equal(selector.scores_, z)
    assert_allclose(selector.pvalues_, norm.cdf(-abs(z)) + norm.sf(abs(z)))
    # Benjamini and Hochberg: the least of p * n / rank over equal or larger p.
    p = np.sort(selector.pvalues_)
    rank = np.arange(1, GENES + 1)
    adjusted = [min(1, (p * GENES / rank)[i:].min()) for i in range(GENES)]
    assert_allclose(np.sort(selector.pvalues_adjusted_), adjusted)


@pytest.mark.parametrize("k", [1, 7, 40])
def test_k_genes_with_the_largest_score(k):
    selector = UnivariateCoxSelector(k=k).fit(X, Y)
    support, score = selector.get_support(), np.abs(selector.scores_)
    assert support.sum() == k
    if k < GENES:
        assert score[support].min() > score[~support].max()


def test_false_discovery_rate():
    for alpha in (0.0, 1e-6, 0.05, 0.5, 1.0):
        selector = UnivariateCoxSelector(k="all", alpha=alpha).fit(X, Y)
        p = np.sort(selector.pvalues_)
        passing = np.flatnonzero(p <= alpha * np.arange(1, GENES + 1) / GENES)
        n_kept = passing.max(initial=-1) + 1
        assert selector.get_support().sum() == n_kept
    fewer = UnivariateCoxSelector(k=2, alpha=0.05).fit(X, Y)
    assert fewer.get_support().sum() == 2
    assert UnivariateCoxSelector(k="all", alpha=0.05).fit(X, Y).get_support().sum() >= 3


def test_false_discoveries_are_rare():
    noise = np.random.default_rng(0).normal(size=(N, 20_000))
    for seed in range(3):
        _, y, _ = make_cohort(seed=seed)
        selector = UnivariateCoxSelector(k="all", alpha=0.05).fit(noise, y)
        assert selector.get_support().sum() <= 1
        assert 0.045 < (selector.pvalues_ < 0.05).mean() < 0.055


def test_no_gene_passes():
    _, y, _ = make_cohort(effect=0)
    selector = UnivariateCoxSelector(alpha=1e-9, k=5).fit(TABLE, y)
    assert not selector.get_support().any()
    with pytest.warns(UserWarning, match="No features were selected"):
        assert selector.transform(TABLE).shape == (N, 0)


def test_more_genes_asked_for_than_there_are():
    with pytest.warns(UserWarning, match="k=41 is more than the 40 genes in X"):
        selector = UnivariateCoxSelector(k=41).fit(X, Y)
    assert selector.get_support().all()
    assert UnivariateCoxSelector(k="all").fit(X, Y).get_support().all()


def test_first_of_equal_genes_is_kept():
    doubled = np.repeat(X, 2, axis=1)
    kept = UnivariateCoxSelector(k=5).fit(doubled, Y).get_support(indices=True)
    single = UnivariateCoxSelector(k=3).fit(X, Y)
    best = np.argsort(-np.abs(single.scores_))[:3]
    assert_array_equal(kept, sorted([*2 * best, *2 * best[:2] + 1]))


def test_constant_genes_come_last():
    data = X.copy()
    data[:, :5] = 0.1
    selector = UnivariateCoxSelector(k=35).fit(data, Y)
    assert_array_equal(selector.get_support(indices=True), np.arange(5, GENES))
    assert_array_equal(selector.scores_[:5], 0)
    assert_array_equal(selector.pvalues_[:5], 1)


def test_strata_take_out_what_cohorts_differ_in():
    cohort_gene = X.copy()
    cohort_gene[:, 0] += 3 * STRATA
    blind = UnivariateCoxSelector(k=3).fit(cohort_gene, Y)
    assert abs(blind.scores_[0]) > 5
    names = np.array(["LUAD", "BRCA"])[STRATA]
    selector = UnivariateCoxSelector(k=3).fit(cohort_gene, Y, strata=names)
    assert abs(selector.scores_[0]) < 3
    assert_array_equal(selector.get_support(indices=True), PROGNOSTIC)


# Input


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_missing_values_are_kept(dtype):
    data = X.astype(dtype)
    data[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    kept = UnivariateCoxSelector(k=3).fit(data, Y).transform(data)
    assert kept.dtype == dtype
    assert_array_equal(kept, data[:, PROGNOSTIC])


def test_tables_of_survival_and_plain_times():
    expected = UnivariateCoxSelector(k=3).fit(X, Y).scores_
    table = pd.DataFrame(Y)[["time", "event"]]
    assert_array_equal(UnivariateCoxSelector(k=3).fit(X, table).scores_, expected)
    plain = UnivariateCoxSelector(k=3).fit(X, Y["time"])
    everyone = as_surv(np.ones(N, bool), Y["time"])
    assert_array_equal(
        plain.scores_, UnivariateCoxSelector().set_params(k=3).fit(X, everyone).scores_
    )


def test_pandas_output():
    selector = UnivariateCoxSelector(k=3).set_output(transform="pandas")
    kept = selector.fit(TABLE, Y).transform(TABLE)
    pd.testing.assert_frame_equal(kept, TABLE[["G3", "G17", "G29"]])


def test_gene_that_was_never_measured():
    data = X.copy()
    data[:, 3] = np.nan
    selector = UnivariateCoxSelector(k=2).fit(data, Y)
    assert_array_equal(selector.get_support(indices=True), [17, 29])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (TABLE.replace(X[4, 2], np.inf), "infinity: sample 4, gene 'G2'"),
        (TABLE.drop(index=7).reindex(range(N)), "NaN in every gene of sample 7"),
        (sparse.csr_array(X), r"X is sparse.*toarray\(\)"),
        (X[0], "Expected 2D array"),
    ],
    ids=["infinity", "empty", "sparse", "vector"],
)
def test_bad_expression(data, message):
    fitted = UnivariateCoxSelector(k=3)
    fitted.fit(TABLE if isinstance(data, pd.DataFrame) else X, Y)
    with pytest.raises(ValueError, match=message):
        fitted.transform(data)
    with pytest.raises(ValueError, match=message):
        UnivariateCoxSelector(k=3).fit(data, Y)


def test_a_refused_fit_leaves_an_unfitted_selector():
    selector = UnivariateCoxSelector(k=3)
    with pytest.raises(ValueError, match="infinity"):
        selector.fit(TABLE.replace(X[4, 2], np.inf), Y)
    with pytest.raises(NotFittedError):
        selector.transform(TABLE)
    with pytest.raises(NotFittedError):
        selector.get_support()


def test_nothing_to_compare():
    with pytest.raises(ValueError, match=r"constant \(zero variance\).*how X was made"):
        UnivariateCoxSelector(k=3).fit(
            np.where(np.arange(GENES) == 1, np.nan, 1.5)[None].repeat(N, 0), Y
        )
    message = "nothing to compare in y.*Check the order of times in y, and the strata"
    last = as_surv(np.arange(N) == N - 1, np.arange(1, N + 1))
    with pytest.raises(ValueError, match=message):
        UnivariateCoxSelector(k=3).fit(X, last)
    with pytest.raises(ValueError, match=message):
        UnivariateCoxSelector(k=3).fit(X, Y, strata=np.arange(N))


def test_bad_targets_and_weights():
    selector = UnivariateCoxSelector(k=3)
    for y, message in [
        (None, "UnivariateCoxSelector requires y to be passed"),
        (as_surv(np.zeros(N, bool), Y["time"]), "All 300 samples of y are censored"),
        (Y[1:], "inconsistent numbers of samples"),
        # As of the survival models that come after it.
        (
            as_surv(Y["event"], Y["time"] - Y["time"].min()),
            "zero or negative: 1 of 300",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            selector.fit(X, y)
    for weight, message in [
        (np.zeros(N), "weights must contain at least one non-zero"),
        (-np.ones(N), "(?i)negative"),
        (np.ones(N - 1), "sample_weight"),
        (~Y["event"] * 1.0, "Every event in y has a sample_weight of zero"),
    ]:
        with pytest.raises(ValueError, match=message):
            selector.fit(X, Y, sample_weight=weight)
    with pytest.raises(ValueError, match="strata has 299 labels for 300 samples"):
        selector.fit(X, Y, strata=STRATA[1:])


@pytest.mark.parametrize(
    "parameters", [{"k": 0}, {"k": "some"}, {"alpha": 1.5}, {"ties": "exact"}]
)
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=f"The {next(iter(parameters))!r} parameter"):
        UnivariateCoxSelector(**parameters).fit(X, Y)


# Machinery of scikit-learn and scikit-survival


def test_selection_is_learnt_from_the_training_fold_alone():
    # Many genes of noise: selected on all samples, they seem to predict survival.
    noise = np.random.default_rng(0).normal(size=(N, 3000))
    _, y, _ = make_cohort(effect=0)
    model = CoxnetSurvivalAnalysis(alphas=[0.05], l1_ratio=0.1)
    cv = EventStratifiedKFold(3, random_state=0)
    inside = make_pipeline(UnivariateCoxSelector(k=20), model)
    outside = UnivariateCoxSelector(k=20).fit(noise, y).transform(noise)
    honest = cross_validate(inside, noise, y, cv=cv)["test_score"].mean()
    leaky = cross_validate(model, outside, y, cv=cv)["test_score"].mean()
    assert 0.4 < honest < 0.6
    assert leaky > 0.65


def test_search_over_the_number_of_genes():
    pipe = make_pipeline(UnivariateCoxSelector(), CoxnetSurvivalAnalysis())
    grid = {"univariatecoxselector__k": [1, 3], "univariatecoxselector__alpha": [0.05]}
    search = GridSearchCV(pipe, grid, cv=EventStratifiedKFold(3), error_score="raise")
    search.fit(TABLE, Y)
    assert search.best_params_["univariatecoxselector__k"] == 3
    assert search.best_score_ > 0.7


def test_strata_and_weights_travel_by_routing():
    def score(pipe, X, y):
        return pipe[-1].score(pipe[:-1].transform(X), y)

    weight = np.random.default_rng(0).uniform(size=N)
    expected = UnivariateCoxSelector(k=3).fit(X, Y, STRATA, weight).scores_
    with sklearn.config_context(enable_metadata_routing=True):
        selector = UnivariateCoxSelector(k=3)
        selector.set_fit_request(strata=True, sample_weight=True)
        model = CoxnetSurvivalAnalysis(alphas=[0.1])
        pipe = make_pipeline(selector, model)
        pipe.fit(X, Y, strata=STRATA, sample_weight=weight)
        assert_array_equal(pipe[0].scores_, expected)
        params = {"strata": STRATA, "sample_weight": weight}
        folds = EventStratifiedKFold(3, random_state=0)
        result = cross_validate(
            pipe, X, Y, params=params, cv=folds, scoring=score, return_estimator=True
        )
    assert result["test_score"].min() > 0.6
    train, _ = next(folds.split(X, Y))
    inner = UnivariateCoxSelector(k=3)
    inner.fit(X[train], Y[train], STRATA[train], weight[train])
    assert_array_equal(result["estimator"][0][0].scores_, inner.scores_)


def test_anchor_genes_of_a_restored_panel():
    data, y = load_breast_nki(return_X_y=True, as_frame=True)
    followed_up = y["time"].notna()
    data, y = data.loc[followed_up].iloc[:, :40], y[followed_up]
    gexbert = tiny(GexBERT, max_epochs=1).fit(data)
    pipe = make_pipeline(
        GeneRestorer(FrozenEstimator(gexbert)),
        UnivariateCoxSelector(k=5),
        CoxnetSurvivalAnalysis(),
    )
    pipe.fit(data.iloc[:, :20], as_surv(y["event"], y["time"]))
    assert pipe[1].n_features_in_ == 40
    assert np.isfinite(pipe.predict(data.iloc[:, :20])).all()


@parametrize_with_checks(
    [
        UnivariateCoxSelector(k=k, ties=ties)
        for k in (1, "all")  # the checks have few genes
        for ties in ("efron", "breslow")
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# Given covariates


def test_genes_are_tested_beside_covariates():
    # What gene 3 says is said by stage; what gene 17 says is not.
    table = pd.DataFrame(X, columns=[f"G{i}" for i in range(GENES)])
    stage = X[:, 3] + 0.1 * np.random.default_rng(1).normal(size=N)
    table.insert(0, "stage", stage)
    table["age"] = np.random.default_rng(2).normal(60, 10, N)
    options = {"strata": STRATA}
    alone = UnivariateCoxSelector(k=3).fit(X, Y, **options)
    assert_array_equal(np.flatnonzero(alone.get_support()), PROGNOSTIC)
    given = UnivariateCoxSelector(k=2, adjust=["stage", "age"]).fit(table, Y, **options)
    assert list(given.get_feature_names_out()) == ["stage", "G17", "G29", "age"]
    assert_array_equal(given.covariates_, [0, 41])
    for values in (given.scores_, given.pvalues_, given.pvalues_adjusted_):
        assert_array_equal(np.flatnonzero(np.isnan(values)), [0, 41])
    assert abs(given.scores_[4]) < 3 < abs(alone.scores_[3])
    expected = 2 * norm.sf(abs(given.scores_[1:-1]))
    assert_allclose(given.pvalues_[1:-1], expected)
    # Kept whatever the genes are, for the model that follows.
    strict = UnivariateCoxSelector(k=5, alpha=0.0, adjust=[0, 41]).fit(table, Y)
    assert_array_equal(strict.get_support(indices=True), [0, 41])
    table.loc[2, "age"] = np.nan
    with pytest.raises(ValueError, match=r"'age' is missing \(NaN\) for 1 of 300"):
        given.fit(table, Y)


def test_selection_and_model_share_the_covariates():
    table = pd.DataFrame(X, columns=[f"G{i}" for i in range(GENES)])
    table["age"] = np.random.default_rng(2).normal(60, 10, N)
    pipe = make_pipeline(
        UnivariateCoxSelector(k=5, adjust="age").set_output(transform="pandas"),
        FineTunedCoxPH(
            SCARF(hidden_dims=(8,), max_epochs=0),
            alpha=10.0,
            max_epochs=0,
            covariates="age",
        ),
    ).fit(table, Y)
    assert list(pipe[-1].coef_covariates_.index) == ["age"]
    assert len(pipe[-1].coef_) == 5
    assert pipe.score(table, Y) > 0.6

"""cohort_size_curve with a target, and what it says of what goes wrong."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import scale
from survival_cohorts import planted_cohort, without_network

from skgex.datasets import make_cohort
from skgex.evaluation import cohort_size_curve
from skgex.evaluation._pool import split_pool

SIZES = [6, 30]


@pytest.fixture(scope="module")
def cohort():
    cohort = make_cohort(n_samples=90, n_genes=8, n_classes=3, random_state=0)
    cohort.data = scale(cohort.data.astype(float))
    return cohort


def slow_scores(model, X, y, groups, strata, score, n_draws=2):
    """Return the scores of a model, by draw and size."""
    scores = []
    for seed in range(n_draws):
        rng = np.random.default_rng(seed)
        pool, test = split_pool(groups, strata, 0.3, rng)
        for n in SIZES:
            rows = sorted(pool[:n])
            fitted = clone(model).fit(X[rows], y[rows])
            scores.append(score(fitted, X[test], y[test]))
    return scores


@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_classes_are_predicted_by_samples_of_all(cohort, scoring):
    X, groups = cohort.data, cohort.groups
    y = np.array(["rare", "b", "c"])[cohort.target]
    model = make_pipeline(PCA(4, random_state=0), LogisticRegression())
    table = cohort_size_curve(
        {"lr": model}, X, y, groups=groups, sizes=SIZES, n_draws=2, scoring=scoring
    )
    assert list(table)[:4] == ["estimator", "draw", "n_samples", "score"]
    score = get_scorer(scoring or "accuracy")
    assert_allclose(table["score"], slow_scores(model, X, y, groups, y, score))


def test_each_class_has_a_sample(cohort):
    class Classes(LogisticRegression):
        seen = []

        def fit(self, X, y):
            self.seen.append(y)
            return super().fit(X, y)

    y = np.where(np.arange(90) < 4, 2, np.arange(90) % 2)
    cohort_size_curve({"a": Classes()}, cohort.data, y, sizes=[3, 40], n_draws=10)
    for small, large in zip(Classes.seen[::2], Classes.seen[1::2], strict=True):
        assert sorted(small) == [0, 1, 2]
        assert np.bincount(large)[2] in (1, 2, 3)


def test_values_are_predicted_without_regard_to_strata(cohort):
    X = cohort.data
    y = np.round(X[:, 0] * 2).astype(int)
    table = cohort_size_curve(
        {"r": Ridge(), "f": RandomForestRegressor(5)}, X.tolist(), y, sizes=SIZES
    )
    expected = slow_scores(Ridge(), X, y, np.arange(90), None, get_scorer("r2"), 5)
    assert_allclose(table["score"][:10], expected)
    again = cohort_size_curve({"f": RandomForestRegressor(5)}, X, y, sizes=SIZES)
    assert_array_equal(again["score"], table["score"][10:])


@pytest.mark.parametrize("frozen", [False, True])
def test_survival_is_predicted_by_samples_with_and_without_events(frozen):
    X, y = planted_cohort(120, 5, censoring=0.3)
    model = without_network()
    if frozen:
        model = FrozenEstimator(model.fit(*planted_cohort(50, 5, seed=1)))
    table = cohort_size_curve({"cox": model}, X, y, sizes=SIZES, n_draws=2)
    expected = slow_scores(
        model, X, y, np.arange(120), y["event"], lambda m, X, y: m.score(X, y)
    )
    assert_allclose(table["score"], expected)
    for seed in range(5):
        pool, _ = split_pool(
            np.arange(120), y["event"], 0.3, np.random.default_rng(seed)
        )
        share = y["event"][pool].mean()
        assert y["event"][pool[:20]].sum() == pytest.approx(20 * share, abs=2)
        assert y["event"][pool[:2]].sum() == 1


def test_a_frozen_predictor_is_shown_its_own_genes(cohort):
    X = pd.DataFrame(cohort.data, columns=[f"g{i}" for i in range(8)])
    few = ["g6", "g2", "absent"]
    model = make_pipeline(SimpleImputer(keep_empty_features=True), LogisticRegression())
    model.fit(X.reindex(columns=few), cohort.target)
    models = {"frozen": FrozenEstimator(model)}
    table = cohort_size_curve(models, X, cohort.target, sizes=SIZES, n_draws=1)
    _, test = split_pool(np.arange(90), cohort.target, 0.3, np.random.default_rng(0))
    expected = model.score(X.reindex(columns=few).iloc[test], cohort.target[test])
    assert table["score"].tolist() == [expected] * 2


class NeedsMany(SimpleImputer):
    def fit(self, X, y=None):
        if len(X) < 10:
            raise RuntimeError("too few for me")
        return super().fit(X)


class NeedsManyToPredict(LogisticRegression):
    fit = NeedsMany.fit


def test_a_failure_is_recorded_and_told(cohort):
    others = {"ok": SimpleImputer()}
    alone = cohort_size_curve(others, cohort.data, sizes=SIZES, n_draws=2)
    with pytest.warns(FitFailedWarning) as caught:
        table = cohort_size_curve(
            {"picky": NeedsMany(), **others}, cohort.data, sizes=SIZES, n_draws=2
        )
    assert [str(w.message) for w in caught] == [
        f"Estimator 'picky' failed in draw {draw} with 6 samples, and is recorded as "
        "NaN: RuntimeError: too few for me"
        for draw in range(2)
    ]
    assert caught[0].filename == __file__
    errors = table["error"].to_numpy()
    assert_array_equal(np.isnan(errors), [1, 0, 1, 0, 0, 0, 0, 0])
    assert_array_equal(errors[[1, 3]], errors[[5, 7]])
    assert_array_equal(errors[4:], alone["error"])


def test_a_failed_prediction_is_recorded_and_told(cohort):
    class NeedsMany(LogisticRegression):
        def predict(self, X):
            raise RuntimeError("not today")

    models = {"picky": NeedsMany(), "ok": LogisticRegression()}
    with pytest.warns(FitFailedWarning, match=r"'picky' .* 30 samples, .*: not today"):
        table = cohort_size_curve(
            models, cohort.data, cohort.target, sizes=[30], n_draws=1
        )
    assert table["score"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (PCA(2), "no hidden value was restored: the output needs the genes of X"),
        (FrozenEstimator(SimpleImputer()), "NotFittedError"),
    ],
)
def test_what_does_not_restore_has_no_error(cohort, model, message):
    X = np.nan_to_num(cohort.data)
    model = make_pipeline(SimpleImputer(), model)
    with pytest.warns(FitFailedWarning, match=message):
        table = cohort_size_curve({"a": model}, X, sizes=[20], n_draws=1)
    assert table[["error", "r"]].isna().all(axis=None)


def test_unknown_genes_and_too_few_columns_are_told(cohort):
    class Short(BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return np.zeros((len(X), 2))

    X = pd.DataFrame(cohort.data, columns=list("abcdefgh"))
    model = FrozenEstimator(SimpleImputer().fit(X.add_prefix("other")))
    models = {"frozen": model, "short": Short()}
    with pytest.warns(FitFailedWarning) as caught:
        cohort_size_curve(models, X, sizes=[20], n_draws=1)
    frozen, short = (str(w.message) for w in caught)
    assert "X has none of the 8 genes" in frozen
    assert "such as 'othera'" in frozen
    assert "2 columns were returned for 8 genes" in short


def test_no_gene_that_all_restore(cohort):
    X = pd.DataFrame(cohort.data, columns=list("abcdefgh"))
    models = {
        genes: FrozenEstimator(SimpleImputer().fit(X[list(genes)]))
        for genes in ("abcd", "efgh")
    }
    with pytest.warns(UserWarning, match=r"'abcd' \(up to 4 genes\), 'efgh' \(up to 4"):
        table = cohort_size_curve(models, X, sizes=[20], n_draws=1)
    assert table["error"].isna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": []}, r"sizes=\[\] must be positive whole numbers"),
        ({"sizes": 10}, "sizes=10 must be positive whole numbers"),
        ({"sizes": [5, 0]}, r"sizes=\[5, 0\] must be positive"),
        ({"sizes": [5.0]}, r"sizes=\[5.0\] must be positive"),
        (
            {"sizes": [10, 64]},
            "sizes has 64, but only 63 of the 90 .* in draw 0: lower",
        ),
        ({"n_draws": 0}, r"n_draws=\[0\] must be positive"),
        ({"rate": 1.0}, r"rate=1.0 must lie in \(0, 1\)"),
        ({"rate": "panel"}, r"rate='panel' must lie"),
        ({"test_size": 0}, r"test_size=0 must lie"),
        ({"scoring": "r2"}, "scoring='r2' is for predictions, which need y"),
        (
            {"estimators": {"lr": LogisticRegression()}},
            "'lr' has neither `restore` nor",
        ),
        ({"groups": np.arange(89)}, "groups has 89 values for 90 samples"),
    ],
)
def test_bad_parameters_are_named(cohort, options, message):
    arguments = {"estimators": {"a": SimpleImputer()}, "sizes": [10], **options}
    with pytest.raises(ValueError, match=message):
        cohort_size_curve(X=cohort.data, **arguments)


def test_bad_data_are_named(cohort):
    X, imputers = cohort.data, {"mean": SimpleImputer()}
    twice = pd.DataFrame(X, columns=list("abcdefga"))
    with pytest.raises(ValueError, match=r"X has 2 columns of the gene 'a'"):
        cohort_size_curve(imputers, twice)
    with pytest.raises(ValueError, match=r"Input X contains infinity: sample .* gene"):
        cohort_size_curve(imputers, np.where(X > 1, np.inf, 0))
    models = {"lr": LogisticRegression()}
    with pytest.raises(ValueError, match="sizes has 2, but there are 3 classes"):
        cohort_size_curve(models, X, cohort.target, sizes=[2, 10])
    with pytest.raises(ValueError, match=r"scoring=\['r2'\] must be one score"):
        cohort_size_curve(models, X, cohort.target, scoring=["r2"])
    surv = np.array([(i > 5, 1.0) for i in range(90)], dtype="?,f8")
    with pytest.raises(ValueError, match="sizes has 1, but there are 2 kinds"):
        cohort_size_curve(models, X, surv, sizes=[1])

"""cohort_size_curve against plain loops over the tables that estimators were given."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgex import GexBERT, GexImputer
from skgex.datasets import make_expression
from skgex.evaluation import cohort_size_curve

GENES = [f"g{i}" for i in range(12)]
SIZES = [8, 20]
OPTIONS = {"sizes": SIZES, "n_draws": 2}


class Recorder(BaseEstimator):
    """Remembers what it was given, and what it made of it."""

    log = []

    def __init__(self, imputer=None, random_state=None):
        self.imputer = imputer
        self.random_state = random_state

    def fit(self, X, y=None, groups=None):
        self.imputer_ = clone(self.imputer).fit(X)
        self.fitted_ = {"fit": X, "groups": groups, "seed": self.random_state}
        return self

    def transform(self, X):
        filled = self.imputer_.transform(X)
        self.log.append({**self.fitted_, "shown": X, "filled": filled})
        return filled


@pytest.fixture(autouse=True)
def log():
    Recorder.log.clear()
    return Recorder.log


@pytest.fixture(scope="module")
def X():
    """A table with holes, a gene that does not vary, and an extreme value."""
    X = make_expression(60, len(GENES), missing_rate=0.1, random_state=0)
    X[:, 3] = np.where(np.isnan(X[:, 3]), np.nan, 7.5)
    X[5, 4] = 1e6
    index = [f"S{i}" for i in range(60)]
    return pd.DataFrame(X, index, GENES).astype(float)


def slow_scores(X, shown, filled, genes=GENES):
    """Return error and r of one cell, value by value."""
    squares, correlations = [], []
    for gene in genes:
        known = X[gene].dropna().to_numpy()
        mean, std = np.mean(known), np.std(known)
        if len(set(known)) == 1:
            continue
        true, restored = [], []
        for i, sample in enumerate(shown.index):
            if np.isnan(shown.loc[sample, gene]) and not np.isnan(X.loc[sample, gene]):
                true.append(min(max((X.loc[sample, gene] - mean) / std, -10), 10))
                value = filled[i, X.columns.get_loc(gene)]
                restored.append(min(max((value - mean) / std, -10), 10))
        squares += [(a - b) ** 2 for a, b in zip(true, restored, strict=True)]
        if len(true) >= 5:
            same = np.ptp(restored) < 1e-9
            correlations.append(0 if same else np.corrcoef(true, restored)[0, 1])
    return np.sqrt(np.mean(squares)), np.median(correlations)


@pytest.mark.parametrize("imputer", [SimpleImputer(), KNNImputer(n_neighbors=3)])
def test_scores_equal_those_of_a_plain_loop(X, log, imputer):
    table = cohort_size_curve({"a": Recorder(imputer)}, X, **OPTIONS)
    assert list(table)[:5] == ["estimator", "draw", "n_samples", "error", "r"]
    assert table["n_samples"].tolist() == SIZES * 2
    assert table["draw"].tolist() == [0, 0, 1, 1]
    expected = [slow_scores(X, cell["shown"], cell["filled"]) for cell in log]
    assert_allclose(table[["error", "r"]], expected, atol=1e-12)


def test_all_are_given_the_same_samples_and_holes(X, log):
    groups = np.arange(60) // 3
    models = {"a": Recorder(SimpleImputer()), "b": Recorder(KNNImputer())}
    cohort_size_curve(models, X, groups=groups, rate=0.3, **OPTIONS)
    for a, b in zip(log[:4], log[4:], strict=True):
        for part in ("fit", "shown"):
            assert_frame_equal(a[part], b[part])
    for small, large in (log[:2], log[2:4]):
        assert [len(small["fit"]), len(large["fit"])] == SIZES
        assert set(small["fit"].index) < set(large["fit"].index)
        assert_frame_equal(small["shown"], large["shown"])
        fitted, shown = large["fit"], large["shown"]
        assert_frame_equal(fitted, X.loc[fitted.index])
        patient = pd.Series(groups, X.index)
        assert not set(patient[fitted.index]) & set(patient[shown.index])
        # Six whole patients of three samples, and two samples of another.
        assert sorted(patient[fitted.index].value_counts()) == [2] + [3] * 6
        assert_array_equal(large["groups"], patient[fitted.index])
        n_measured = X.loc[shown.index].notna().sum(axis=1)
        hidden = n_measured - shown.notna().sum(axis=1)
        assert_array_equal(hidden, np.round(0.3 * n_measured))
        same = shown.notna()
        assert_array_equal(shown.where(same), X.loc[shown.index].where(same))
    assert not log[0]["shown"].index.equals(log[2]["shown"].index)


def test_one_value_is_hidden_at_least_and_not_all(X, log):
    few = X.iloc[:, :4].copy()
    few.iloc[::2, 1:] = np.nan  # at most one measured value
    for rate in (0.01, 0.99):
        cohort_size_curve({"a": Recorder(SimpleImputer())}, few, rate=rate, **OPTIONS)
        shown = log[-1]["shown"]
        n_measured = few.loc[shown.index].notna().sum(axis=1)
        left = shown.notna().sum(axis=1)
        assert n_measured.min() >= 2
        assert_array_equal(left, n_measured - 1 if rate < 0.5 else 1)


def test_seeds_are_those_of_the_draws_unless_given(X, log):
    models = {"a": Recorder(SimpleImputer()), "b": Recorder(SimpleImputer(), 3)}
    one = cohort_size_curve(models, X, random_state=7, **OPTIONS)
    assert [cell["seed"] for cell in log] == [7, 7, 8, 8, 3, 3, 3, 3]
    other = cohort_size_curve(models, X, random_state=8, **OPTIONS)
    first, last = other[other["draw"] == 0], one[one["draw"] == 1]
    assert_array_equal(first["error"], last["error"])


@pytest.mark.parametrize("Model", [SimpleImputer, GexBERT])
def test_what_is_frozen_sees_its_own_genes_once_in_a_draw(X, log, Model):
    elsewhere = make_expression(50, 10, random_state=1)
    genes = [*GENES[10:2:-1], "other", "another"]
    elsewhere = pd.DataFrame(elsewhere, columns=genes)
    model = Model() if Model is SimpleImputer else Model(max_epochs=0, random_state=0)
    model.fit(elsewhere)
    models = {"own": Recorder(SimpleImputer()), "frozen": FrozenEstimator(model)}
    with pytest.warns(UserWarning, match=r"Not all .* by 'frozen' \(up to 4 genes\)"):
        table = cohort_size_curve(models, X, **OPTIONS)
    scores = table.set_index(["estimator", "draw", "n_samples"])[["error", "r"]]
    for i, cell in enumerate(log):
        draw, n = divmod(i, 2)
        scored = GENES[3:11]
        expected = slow_scores(X, cell["shown"], cell["filled"], scored)
        assert_allclose(scores.loc["own", draw, SIZES[n]], expected, atol=1e-12)
        fill = model.restore if hasattr(model, "restore") else model.transform
        own = cell["shown"].reindex(columns=genes)
        filled = pd.DataFrame(np.asarray(fill(own)), columns=genes).reindex(
            columns=GENES
        )
        expected = slow_scores(X, cell["shown"], filled.to_numpy(), scored)
        assert_allclose(scores.loc["frozen", draw, SIZES[n]], expected, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Skipping features")
def test_genes_that_an_imputer_drops_are_not_scored(X):
    holed = X.copy()
    holed.loc[holed.index[::2], "g0"] = np.nan
    holed.loc[:, "g1"] = np.nan
    models = {
        "drops": SimpleImputer(add_indicator=True),
        "keeps": SimpleImputer(keep_empty_features=True),
        "frames": SimpleImputer().set_output(transform="pandas"),
    }
    for table in (holed, holed.to_numpy()):
        with pytest.warns(UserWarning, match="Genes are scored") as caught:
            scores = cohort_size_curve(models, table, sizes=[2, 30], n_draws=4)
        told = [str(w.message) for w in caught if "all estimators" in str(w.message)]
        assert len(told) == 1
        assert "'drops' (up to" in told[0]
        assert "'keeps'" not in told[0]
        errors = scores.pivot(
            index=["draw", "n_samples"], columns="estimator", values="error"
        )
        assert_allclose(errors["drops"], errors["keeps"])
        assert_allclose(errors["frames"], errors["keeps"])


def test_parallel_runs_agree(X):
    models = {"mean": SimpleImputer(), "neighbours": KNNImputer()}
    one = cohort_size_curve(models, X, **OPTIONS)
    assert_frame_equal(cohort_size_curve(models, X, **OPTIONS, n_jobs=2), one)


def test_tables_and_arrays_agree(X):
    complete = X.drop(columns="g3").fillna(X.mean())
    start = GexBERT(max_epochs=0, random_state=0).fit(complete)
    adapted = GexBERT(max_epochs=0, start=FrozenEstimator(start), start_weight=9)
    models = {
        "pipeline": make_pipeline(FunctionTransformer(), KNNImputer()),
        "gexbert": GexBERT(max_epochs=0),
        "imputer": GexImputer(GexBERT(max_epochs=0)),
        "adapted": adapted,
    }
    options = {"sizes": [20], "n_draws": 1}
    one = cohort_size_curve(models, complete, **options)
    assert one.notna().all(axis=None)
    errors = one.set_index("estimator")["error"]
    assert_allclose(errors["gexbert"], errors["imputer"], rtol=1e-5)
    del models["adapted"]  # needs names
    for other in (complete.to_numpy(), pl.from_pandas(complete)):
        assert_frame_equal(cohort_size_curve(models, other, **options), one[:3])

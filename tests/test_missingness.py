"""missingness_curve against a plain loop."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection import GroupKFold, KFold

from skgex import GexBERT, GexImputer
from skgex.datasets import make_expression
from skgex.evaluation import ampute, missingness_curve

OPTIONS = {"rates": [0.2, 0.5], "mechanisms": ["mar", "block"], "cv": 3}
SCORES = ["error", "r", "bias", "coverage"]


@pytest.fixture(scope="module")
def X():
    """A table with a few holes, and a gene that does not vary."""
    X = make_expression(60, 15, missing_rate=0.05, random_state=0).astype(float)
    X[:, 3] = np.where(np.isnan(X[:, 3]), np.nan, 7.5)
    return pd.DataFrame(X, [f"S{i}" for i in range(60)], [f"g{i}" for i in range(15)])


def slow_scores(X, holed, filled, std=None):
    """Return the scores of some samples, value by value."""
    errors, r, inside = [], [], []
    for gene in X:
        mean, scale = X[gene].mean(), X[gene].std(ddof=0)
        if X[gene].nunique() == 1:
            continue
        pairs = []
        for sample in holed.index:
            true = X.loc[sample, gene]
            if np.isnan(holed.loc[sample, gene]) and not np.isnan(true):
                value = filled.loc[sample, gene]
                pairs.append(((true - mean) / scale, (value - mean) / scale))
                if std is not None:
                    inside.append(abs(value - true) <= 1.6449 * std.loc[sample, gene])
        errors += [b - a for a, b in pairs]
        if len(pairs) >= 5:
            a, b = np.transpose(pairs)
            r.append(0 if np.ptp(b) < 1e-9 else np.corrcoef(a, b)[0, 1])
    coverage = np.mean(inside) if inside else np.nan
    return [
        np.sqrt(np.mean(np.square(errors))),
        np.median(r),
        np.mean(errors),
        coverage,
    ]


def expected_rows(model, X, folds, random_state=0):
    rows = []
    for mechanism in OPTIONS["mechanisms"]:
        for rate in OPTIONS["rates"]:
            for split, (train, test) in enumerate(folds):
                seed = random_state + split
                holed = ampute(X, rate, mechanism, random_state=seed)
                fitted = model.fit(holed.iloc[train])
                for part in (holed.iloc[train], holed.iloc[test]):
                    filled, std = fitted.transform(part), None
                    if isinstance(model, GexImputer):
                        genes = fitted.embedder_.feature_names_in_
                        std = fitted.embedder_.restore(part[genes], return_std=True)[1]
                        std = std.reindex(columns=X.columns)
                    filled = pd.DataFrame(filled, part.index, X.columns)
                    rows.append(slow_scores(X, part, filled, std))
    return rows


@pytest.fixture(scope="module")
def frozen(X):
    """Pretrained on other samples of the same genes."""
    other = X[::-1].fillna(X.mean()) + 0.1
    return FrozenEstimator(GexBERT(max_epochs=0, random_state=0).fit(other))


@pytest.fixture(params=["mean", "gexbert"])
def model(request, frozen):
    return SimpleImputer() if request.param == "mean" else GexImputer(frozen)


@pytest.mark.filterwarnings("ignore:.*constant in X")
def test_scores_equal_those_of_a_plain_loop(X, model):
    table = missingness_curve({"a": model}, X, **OPTIONS)
    folds = KFold(3, shuffle=True, random_state=0).split(X)
    assert_allclose(table[SCORES], expected_rows(model, X, list(folds)), atol=1e-6)
    assert list(table)[:5] == ["estimator", "mechanism", "rate", "split", "rows"]
    assert table["mechanism"].tolist() == ["mar"] * 12 + ["block"] * 12
    assert table["rate"].tolist() == ([0.2] * 6 + [0.5] * 6) * 2
    assert table["split"].tolist() == [0, 0, 1, 1, 2, 2] * 4
    assert table["rows"].tolist() == ["in the fit", "held out"] * 12
    assert set(table["n_train"]) == {40}
    assert set(table["n_test"]) == {20}
    assert (table["error_message"] == "").all()


def test_groups_are_kept_together_and_any_splitter_serves(X):
    groups = np.arange(60) // 4
    models = {"a": SimpleImputer()}
    table = missingness_curve(models, X, groups=groups, random_state=5, **OPTIONS)
    splitter = GroupKFold(3, shuffle=True, random_state=5)
    folds = list(splitter.split(X, groups=groups))
    expected = expected_rows(SimpleImputer(), X, folds, random_state=5)
    assert_allclose(table[SCORES], expected, atol=1e-6)
    options = {**OPTIONS, "cv": splitter, "groups": groups}
    again = missingness_curve(models, X, random_state=5, **options)
    assert_allclose(again[SCORES], expected, atol=1e-6)
    with pytest.raises(ValueError, match="has group 0 in training and in test of spl"):
        missingness_curve(models, X, **{**options, "cv": KFold(2, shuffle=True)})


def test_arrays_and_parallel_runs_agree(X):
    models = {"neighbours": KNNImputer(), "mean": SimpleImputer()}
    one = missingness_curve(models, X, **OPTIONS).drop(columns="fit_seconds")
    with parallel_config(backend="threading"):
        two = missingness_curve(models, X.to_numpy(), n_jobs=2, **OPTIONS)
    assert_frame_equal(one, two.drop(columns="fit_seconds"))
    polars = missingness_curve(models, pl.from_pandas(X), **OPTIONS)
    assert_frame_equal(one, polars.drop(columns="fit_seconds"))
    assert one["coverage"].isna().all()


@pytest.mark.filterwarnings("ignore:.*constant in X")
def test_intervals_of_an_imputer_are_those_of_its_embedder(X, frozen):
    unnamed = X.fillna(X.mean()).to_numpy()
    unnamed = FrozenEstimator(GexBERT(max_epochs=0, random_state=0).fit(unnamed))
    options = {"rates": [0.3], "mechanisms": ["mnar"], "cv": 2}
    for model, table in ((frozen, X), (unnamed, X.to_numpy())):
        models = {
            "gexbert": model,
            "imputer": GexImputer(model),
            "censored": GexImputer(model, censored="left"),
        }
        found = missingness_curve(models, table, **options).set_index("estimator")
        for score in SCORES:
            gexbert, imputer = found[score]["gexbert"], found[score]["imputer"]
            assert_allclose(gexbert, imputer, atol=1e-6)
        assert gexbert.between(0.6, 1).all()
        assert found["coverage"]["censored"].isna().all()
        assert found["error"].notna().all()


@pytest.mark.filterwarnings("ignore:.*constant in X")
def test_what_is_frozen_is_scored_on_its_genes(X):
    known = X.columns[5:]
    model = GexBERT(max_epochs=0, random_state=0).fit(X[known].fillna(X.mean()))
    models = {"gexbert": FrozenEstimator(model), "mean": SimpleImputer()}
    options = {"rates": [0.2], "cv": 2}
    with pytest.warns(UserWarning, match=r"'gexbert' \(up to 4 genes\)") as caught:
        table = missingness_curve(models, X, **options)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert table["coverage"][:4].between(0.5, 1).all()
    for split, (_, test) in enumerate(KFold(2, shuffle=True, random_state=0).split(X)):
        holed = ampute(X, 0.2, random_state=split).iloc[test]
        mean = SimpleImputer().fit(ampute(X, 0.2, random_state=split).drop(holed.index))
        filled = pd.DataFrame(mean.transform(holed), holed.index, X.columns)
        expected = slow_scores(X[known], holed, filled)[:3]
        assert_allclose(table.loc[5 + 2 * split, SCORES[:3]].astype(float), expected)


class Fails(SimpleImputer):
    def fit(self, X, y=None):
        if np.isnan(X).to_numpy().mean() > 0.4:
            raise RuntimeError("too many holes")
        return super().fit(X)


def test_a_failure_is_recorded_and_told(X):
    models = {"picky": Fails(), "ok": SimpleImputer()}
    with pytest.warns(FitFailedWarning) as caught:
        table = missingness_curve(models, X, rates=[0.2, 0.6], cv=2)
    assert [str(w.message) for w in caught] == [
        f"Estimator 'picky' failed in mcar, rate 0.6, split {split}, and is recorded "
        "as NaN: RuntimeError: too many holes"
        for split in range(2)
    ]
    assert caught[0].filename == __file__
    failed = (table["estimator"] == "picky") & (table["rate"] == 0.6)
    assert (table["error"].isna() == failed).all()
    assert (table["fit_seconds"].isna() == failed).all()
    told = table["error_message"] == "RuntimeError: too many holes"
    assert (told == failed).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rates": []}, r"rates=\[\] must be a sequence"),
        ({"rates": [0.5, 1.0]}, r"rate=1.0 must lie in \(0, 1\)"),
        ({"mechanisms": "mcar"}, "mechanisms='mcar' must be a sequence"),
        ({"mechanisms": ["rare"]}, "mechanisms has 'rare', which is not one of"),
        (
            {"imputers": {"a": DummyClassifier()}},
            "'a' has neither `restore` nor `transform`",
        ),
        ({"cv": "five"}, "cv='five' must be a number of folds or a splitter"),
        ({"groups": [1, 2]}, "groups has 2 values for 60 samples"),
        ({"groups": [None] + [1] * 59}, "groups has no value for sample 0: give"),
    ],
)
def test_bad_parameters_are_named(X, options, message):
    with pytest.raises(ValueError, match=message):
        missingness_curve(**{"imputers": {"a": SimpleImputer()}, "X": X, **options})

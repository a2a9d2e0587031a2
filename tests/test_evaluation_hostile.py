"""What is given to experiments and measures by mistake, and what they say of it."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from scipy.sparse import csr_matrix
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression

from skgex import SCARF, FineTunedCoxPH
from skgex.evaluation import (
    ampute,
    auc_interval,
    cohort_size_curve,
    concordance_interval,
    label_efficiency_curve,
    labels_saved,
    missingness_curve,
    paired_difference,
    panel_size_curve,
    transfer_matrix,
)
from skgex.io import open_memmap, to_memmap

N = 40
X = np.random.default_rng(0).normal(size=(N, 8))
Y = np.arange(N) % 2
TIMES = np.array([(i % 3 > 0, i + 1.0) for i in range(N)], dtype="?,f8")
RISK = np.random.default_rng(1).normal(size=N)


def missingness(X=X, y=None, estimators=None, groups=None, **options):
    models = {"m": SimpleImputer()} if estimators is None else estimators
    return missingness_curve(
        models, X, **{"rates": [0.3], "cv": 2, "groups": groups} | options
    )


def panels(X=X, y=Y, estimators=None, groups=None, **options):
    models = {"m": LogisticRegression()} if estimators is None else estimators
    few = {"sizes": [4], "n_draws": 1, "cv": 2, "groups": groups}
    return panel_size_curve(models, X, y, **few | options)


def sizes(X=X, y=Y, estimators=None, groups=None, **options):
    models = {"m": LogisticRegression()} if estimators is None else estimators
    few = {"sizes": [10], "n_draws": 1, "groups": groups}
    return cohort_size_curve(models, X, y, **few | options)


def labels(X=X, y=Y, estimators=None, groups=None, **options):
    models = {"m": LogisticRegression()} if estimators is None else estimators
    few = {"fractions": [0.5], "n_splits": 1, "groups": groups}
    return label_efficiency_curve(models, X, y, **few | options)


def transfer(X=X, y=Y, estimators=None, groups=None, **options):
    models = {"m": LogisticRegression()} if estimators is None else estimators
    return transfer_matrix(models, {"a": (X, y, groups)}, **{"cv": 2} | options)


ALL = pytest.mark.parametrize("curve", [missingness, panels, sizes, labels, transfer])
PREDICT = pytest.mark.parametrize("curve", [panels, sizes, labels, transfer])


@ALL
@pytest.mark.parametrize(
    ("estimators", "message"),
    [
        ({}, "a dictionary of estimators by name, with one at least"),
        ([SimpleImputer()], "a dictionary of estimators by name"),
        (LogisticRegression(), "a dictionary of estimators by name"),
        ({None: SimpleImputer()}, "the name None, which must be text"),
        ({"m": SimpleImputer}, "Estimator 'm' is .*, a class: make one of it"),
        ({"m": "ridge"}, "Estimator 'm' is 'ridge', no estimator with `fit`"),
    ],
    ids=["none", "list", "alone", "name", "class", "text"],
)
def test_what_is_no_dictionary_of_estimators(curve, estimators, message):
    with pytest.raises(ValueError, match=message):
        curve(estimators=estimators)


@ALL
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"random_state": None}, "random_state=None must be a whole number"),
        ({"random_state": -1}, "random_state=-1 must be a whole number"),
        ({"random_state": 2**32 - 1}, "must be a whole number from 0 to"),
        ({"random_state": np.random.RandomState(0)}, "must be a whole number"),
        ({"n_jobs": 0}, "n_jobs=0 must be None or a whole number"),
        ({"n_jobs": np.inf}, "n_jobs=inf must be None or a whole number"),
        ({"n_jobs": "2"}, "n_jobs='2' must be None or a whole number"),
        ({"cache_dir": True}, "cache_dir=True must be a path or None"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_seeds_jobs_and_folders(curve, options, message):
    with pytest.raises(ValueError, match=message):
        curve(**options)


@ALL
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.ma.array(np.arange(N), mask=np.arange(N) == 2), "groups is a masked array"),
        (np.zeros(N), "groups has the one value 0.0 for all samples"),
        (np.array([1, "a"] * (N // 2), object), "groups has values of several types"),
        (np.arange(5), "groups has 5 values for 40 samples"),
        (7, r"groups must be one value of each sample, not of shape \(\)"),
    ],
    ids=["masked", "one", "mixed", "short", "number"],
)
def test_groups_that_are_none(curve, groups, message):
    with pytest.raises(ValueError, match=message):
        curve(groups=groups)


def with_value(value, dtype=object):
    y = Y.astype(dtype)
    y[3] = value
    return y


@PREDICT
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ma.array(Y, mask=np.arange(N) == 2), "masked array"),
        (with_value(None), "is missing for sample 3: drop it"),
        (with_value(np.nan, float), "is missing for sample 3: drop it"),
        (with_value(np.inf, float), "is infinite for sample 3: drop it"),
        (with_value("a"), "has values of several types, int, str"),
        (RISK, "has values such as .*, but estimator 'm' is a classifier"),
        (Y[:5], "has 5 values for 40 samples"),
        (csr_matrix(Y[:, None]), "is sparse: call"),
        ([[0]] + [[0, 1]] * (N - 1), "cannot be made an array"),
        (Y + 1j, "is complex"),
        ("ab", "must have a value of each sample"),
    ],
    ids=[
        *("masked", "none", "nan", "inf", "mixed", "continuous", "short", "sparse"),
        *("ragged", "complex", "text"),
    ],
)
def test_targets_that_are_none(curve, y, message):
    with pytest.raises(ValueError, match=message):
        curve(y=y)


@PREDICT
@pytest.mark.parametrize(
    "y", [Y[:, None], pd.DataFrame({"y": Y}), pl.Series(Y), Y.tolist()], ids=type
)
def test_a_target_in_other_containers_is_the_same(curve, y):
    columns = ["score", "n_train", "n_test"]
    assert_frame_equal(curve(y=y)[columns], curve()[columns])


def test_a_table_of_follow_up_is_a_target():
    table = pd.DataFrame({"time": TIMES["f1"], "dead": TIMES["f0"]})
    models = {"cox": FineTunedCoxPH(SCARF(max_epochs=1), max_epochs=1)}
    one, two = (panels(X, y, models) for y in (TIMES, table))
    assert_frame_equal(one, two)
    assert one["score"].notna().all()


@PREDICT
def test_masked_values_of_X_are_missing(curve):
    mask = X > 1
    masked, holed = np.ma.array(X, mask=mask), np.where(mask, np.nan, X)
    model = {"m": LogisticRegressionOfNaN()}
    assert_frame_equal(
        curve(masked, estimators=model)[["score"]],
        curve(holed, estimators=model)[["score"]],
    )


class LogisticRegressionOfNaN(LogisticRegression):
    def fit(self, X, y):
        return super().fit(np.nan_to_num(X), y)

    def predict(self, X):
        return super().predict(np.nan_to_num(X) + 10 * np.isnan(X))


@PREDICT
@pytest.mark.parametrize("bad", [None, 3, X[0], X[None]], ids=["none", "3", "1d", "3d"])
def test_what_is_no_table(curve, bad):
    with pytest.raises(ValueError, match=r"must have a value of each|2D|dim 3|a table"):
        curve(X=bad)


def test_lists_are_tables():
    assert_frame_equal(labels(X.tolist()), labels())


@pytest.mark.parametrize("curve", [panels, sizes], ids=["panels", "sizes"])
@pytest.mark.parametrize("kind", [np.array, tuple, list, pd.Series])
def test_sizes_in_any_order_and_container(curve, kind):
    assert_frame_equal(curve(sizes=kind([6, 4, 6])), curve(sizes=[6, 4]))


def test_endless_draws_are_refused():
    with pytest.raises(ValueError, match=r"n_draws=.* at most 1,000,000"):
        sizes(n_draws=10**30)


@pytest.mark.parametrize("cv", [-1, 0, 1, 41, 10**30])
@pytest.mark.parametrize("curve", [missingness, panels, transfer])
def test_numbers_of_folds(curve, cv):
    with pytest.raises(
        ValueError, match=f"cv={cv} must be a number of folds from 2 to"
    ):
        curve(cv=cv)


@pytest.mark.parametrize("fractions", [[np.nan], 0.5, [[0.5]]], ids=["nan", "0d", "2d"])
def test_shares_of_labels(fractions):
    with pytest.raises(ValueError, match=r"fractions=.* must lie in \(0, 1\]"):
        labels(fractions=fractions)


def test_genes_with_infinite_values_are_named():
    table = pd.DataFrame(X, columns=list("abcdefgh"))
    table.iloc[5, 2] = np.inf
    with pytest.raises(ValueError, match="infinity: sample 5, gene 'c'"):
        ampute(table, 0.3)


def test_tables_in_another_byte_order():
    table = pd.DataFrame(X, columns=list("abcdefgh"))
    assert_frame_equal(panels(table.astype(">f8")), panels(table))


def test_a_table_on_disk_is_hidden_from(tmp_path):
    genes = [f"G{i}" for i in range(8)]
    table = pd.DataFrame(X, [f"s{i}" for i in range(N)], genes)
    table.to_csv(tmp_path / "x.csv")
    to_memmap(tmp_path / "x.csv", tmp_path / "x.npy")
    holed = ampute(open_memmap(tmp_path / "x.npy", lazy=True), 0.3, random_state=0)
    whole = ampute(open_memmap(tmp_path / "x.npy"), 0.3, random_state=0)
    assert_frame_equal(holed, whole)
    assert_array_equal(holed.isna(), np.isnan(ampute(X, 0.3, random_state=0)))


@pytest.mark.parametrize("slope", [1e308, np.inf, "2", None])
def test_slopes(slope):
    with pytest.raises(ValueError, match=r"slope=.* must be a number of at most"):
        ampute(X, 0.3, "mnar", slope=slope)


MASKED = np.ma.array(RISK, mask=np.arange(N) == 3)
NO_NUMBERS = {
    "masked": (MASKED, "is a masked array"),
    "dates": (pd.date_range("2020", periods=N), "must be numbers"),
    "days": (pd.to_timedelta(np.arange(N), "D"), "must be numbers"),
    "complex": (RISK + 1j, "must be numbers"),
    "text": (["a"] * N, "must be numbers"),
}


@pytest.mark.parametrize(
    ("risk", "message"), NO_NUMBERS.values(), ids=NO_NUMBERS.keys()
)
def test_risks_that_are_no_numbers(risk, message):
    for given in ({"risk": risk}, {"risk": RISK, "reference": risk}):
        with pytest.raises(ValueError, match=message):
            concordance_interval(TIMES, **given)
        with pytest.raises(ValueError, match=message):
            auc_interval(TIMES, times=[5, 20], **given)
    with pytest.raises(ValueError, match=f"times {message}"):
        auc_interval(TIMES, RISK, risk)


def test_masks_of_follow_up():
    mask = np.zeros(N, dtype="?,?")
    shown = concordance_interval(np.ma.array(TIMES, mask=mask), RISK)
    assert_frame_equal(shown, concordance_interval(TIMES, RISK))
    mask[3] = False, True
    with pytest.raises(ValueError, match="y is a masked array"):
        concordance_interval(np.ma.array(TIMES, mask=mask), RISK)


def test_no_interval_over_a_single_patient():
    with pytest.raises(ValueError, match="groups has the one value 'p' for all"):
        concordance_interval(TIMES, RISK, groups=["p"] * N)


def results(**columns):
    table = pd.DataFrame(
        {
            "estimator": ["a", "b"] * 6,
            "split": np.repeat(range(3), 4),
            "fraction": np.tile([0.1, 0.1, 0.5, 0.5], 3),
            "score": np.arange(12) / 12,
            "n_train": 70,
            "n_test": 30,
        }
    )
    return table.assign(**columns)


TABLES = {
    "no table": (results().to_dict("list"), "must be a DataFrame of pandas, not dict"),
    "polars": (pl.from_pandas(results()), r"pandas, as by .*\.to_pandas\(\)"),
    "twice": (pd.concat([results(), results()[["score"]]], axis=1), "'score' twice"),
    "words": (results(score="high"), "must have numbers in .*'score'"),
    "two experiments": (
        pd.concat([results(), results(fraction=np.nan, rate=0.5)], ignore_index=True),
        "no value of 'rate' in row 0: give tables of several experiments one by one",
    ),
    "no split": (results(split=np.nan), "no value of 'split' in row 0"),
    "no name": (results(estimator=[None, "b"] * 6), "no value of 'estimator' in row 0"),
    "nobody": (results(n_train=0), "n_train and n_test must be positive"),
}


@pytest.mark.parametrize("function", [paired_difference, labels_saved])
@pytest.mark.parametrize(("table", "message"), TABLES.values(), ids=TABLES.keys())
def test_tables_that_are_none(function, table, message):
    with pytest.raises(ValueError, match=message):
        function(table, "a")


def test_shares_of_a_curve():
    with pytest.raises(ValueError, match=r"curve has a 'fraction' that is not in"):
        labels_saved(results(fraction=np.tile([0, 0, 0.5, 0.5], 3)), "a")
    with pytest.raises(ValueError, match=r"fractions=0\.5 must be a sequence"):
        labels_saved(results(), "a", fractions=0.5)


@pytest.mark.parametrize("by", [["estimator"], ["score"], ["fraction"] * 2])
def test_what_is_no_place(by):
    with pytest.raises(ValueError, match=r"by=.* must be a list of names of columns"):
        paired_difference(results(), "a", by=by)


def test_scores_that_are_true_or_false_are_numbers():
    truth = results()["score"] > 0.4
    assert_frame_equal(
        paired_difference(results(score=truth), "a"),
        paired_difference(results(score=truth.astype(float)), "a"),
    )

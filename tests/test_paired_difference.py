"""paired_difference by hand, and how often its intervals cover."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import t
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB

from skgex.datasets import make_cohort
from skgex.evaluation import (
    cohort_size_curve,
    label_efficiency_curve,
    missingness_curve,
    paired_difference,
    panel_size_curve,
    transfer_matrix,
)


def long(scores, **columns):
    """Return a table of scores of shape (estimator, split)."""
    return (
        pd.concat(
            pd.DataFrame({"estimator": name, "split": range(len(row)), "score": row})
            for name, row in zip("abc", scores, strict=False)
        )
        .assign(**{"n_train": 80, "n_test": 20, **columns})
        .reset_index(drop=True)
    )


SCORES = np.random.default_rng(0).normal(size=(3, 5))


def by_hand(d, ratio, level=0.95):
    error = np.sqrt((1 / len(d) + ratio) * np.var(d, ddof=1))
    half = t.ppf((1 + level) / 2, len(d) - 1) * error
    p_value = 2 * t.sf(abs(np.mean(d)) / error, len(d) - 1)
    return [np.mean(d), error, np.mean(d) - half, np.mean(d) + half, p_value]


COLUMNS = ["difference", "std_error", "low", "high", "p_value"]


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_folds_by_hand(level):
    table = paired_difference(long(SCORES), "b", confidence_level=level)
    assert table["estimator"].tolist() == ["a", "c"]
    assert table["n_splits"].tolist() == [5, 5]
    for i, row in ((0, 0), (2, 1)):
        expected = by_hand(SCORES[i] - SCORES[1], 0.25, level)
        assert_allclose(table.loc[row, COLUMNS].astype(float), expected)
    other = paired_difference(long(SCORES), "b", test_ratio=0.5)
    expected = by_hand(SCORES[0] - SCORES[1], 0.5)
    assert_allclose(other.loc[0, COLUMNS].astype(float), expected)


def test_draws_of_a_split_are_one_difference():
    rng = np.random.default_rng(1)
    parts = [long(rng.normal(size=(2, 4)), draw=draw) for draw in range(3)]
    table = pd.concat(parts, ignore_index=True).sample(frac=1, random_state=0)
    means = table.groupby(["estimator", "split"])["score"].mean().unstack()
    expected = by_hand((means.loc["b"] - means.loc["a"]).to_numpy(), 0.25)
    found = paired_difference(table, "a")
    assert_allclose(found.loc[0, COLUMNS].astype(float), expected)
    alone = parts[0].drop(columns="draw").rename(columns={"split": "draw"})
    found = paired_difference(alone, "a")
    scores = parts[0].pivot(index="split", columns="estimator", values="score")
    expected = by_hand((scores["b"] - scores["a"]).to_numpy(), 0.25)
    assert_allclose(found.loc[0, COLUMNS].astype(float), expected)


def test_places_are_compared_one_by_one():
    rng = np.random.default_rng(2)
    parts, expected = [], []
    for rate in (0.5, 0.1):
        for rows in ("in the fit", "held out"):
            errors = rng.normal(size=(2, 5))
            parts.append(long(errors, rate=rate, rows=rows))
            ratio = 4 if rows == "in the fit" else 0.25
            expected.append(by_hand(errors[1] - errors[0], ratio))
    table = pd.concat(parts, ignore_index=True).rename(columns={"score": "error"})
    found = paired_difference(table, "a")
    assert_allclose(found[COLUMNS], expected)
    assert found["rate"].tolist() == [0.5, 0.5, 0.1, 0.1]
    assert found["rows"].tolist() == ["in the fit", "held out"] * 2
    held_out = table[table["rows"] == "held out"]
    one = paired_difference(held_out, "a", by=[])
    means = held_out.groupby(["estimator", "split"])["error"].mean().unstack()
    expected = by_hand((means.loc["b"] - means.loc["a"]).to_numpy(), 0.25)
    assert_allclose(one.loc[0, COLUMNS].astype(float), expected)
    named = paired_difference(held_out, "a", by=["rate"], metric="error")
    assert_allclose(named[COLUMNS], found[COLUMNS][1::2])


def test_what_failed_is_left_out():
    scores = SCORES.copy()
    scores[0, 2] = scores[2, 1:] = np.nan
    table = paired_difference(long(scores), "b")
    kept = [0, 1, 3, 4]
    expected = by_hand(SCORES[0, kept] - SCORES[1, kept], 0.25)
    assert_allclose(table.loc[0, COLUMNS].astype(float), expected)
    assert table["n_splits"].tolist() == [4, 1]
    assert table["difference"][1] == scores[2, 0] - scores[1, 0]
    assert table.loc[1, COLUMNS[1:]].isna().all()
    scores[0] = np.nan
    table = paired_difference(long(scores), "b")
    assert table["n_splits"].tolist() == [0, 1]
    assert table.loc[0, COLUMNS].isna().all()


def test_tables_of_all_protocols_are_understood():
    cohort = make_cohort(n_samples=60, n_genes=6, n_classes=2, random_state=0)
    X, y, groups = cohort.data, cohort.target, cohort.groups
    models = {"a": GaussianNB(), "b": DummyClassifier()}
    imputers = {"a": SimpleImputer(), "b": SimpleImputer(strategy="median")}
    both = {"one": (X, y, groups), "other": (X[::-1], y[::-1])}
    curves = {
        ("fraction",): label_efficiency_curve(
            models, X, y, fractions=[0.5, 1], n_splits=3, n_draws=2
        ),
        ("n_samples",): cohort_size_curve(models, X, y, sizes=[9, 20], n_draws=3),
        ("n_genes",): panel_size_curve(models, X, y, sizes=[2, 4], n_draws=2, cv=3),
        ("n_genes", "source", "target"): transfer_matrix(models, both, cv=3),
        ("mechanism", "rate", "rows"): missingness_curve(imputers, X, cv=3),
    }
    for by, results in curves.items():
        table = paired_difference(results, "b")
        assert list(table)[: len(by)] == list(by)
        assert table["n_splits"].tolist() == [3] * len(results[list(by)].value_counts())
        means = (
            results.groupby([*by, "estimator"], sort=False)[
                "error" if "error" in results else "score"
            ]
            .mean()
            .unstack(sort=False)
        )
        assert_allclose(table["difference"], means["a"] - means["b"], atol=1e-12)


def test_equal_scores_differ_by_nothing():
    scores = np.vstack([SCORES[:1], SCORES[:1], SCORES[:1] + 1])
    table = paired_difference(long(scores), "a")
    assert_allclose(table["difference"], [0, 1])
    assert_allclose(table["std_error"], 0, atol=1e-12)
    assert table["p_value"][0] == 1


def test_intervals_cover_where_differences_correlate_as_assumed():
    """The interval is exact then: d and s are those of a normal distribution."""
    ratio, n_splits, n = 0.4, 6, 400
    correlation = ratio / (1 + ratio)
    rng = np.random.default_rng(3)
    shared = np.sqrt(correlation) * rng.normal(size=(n, 1))
    d = 0.3 + shared + np.sqrt(1 - correlation) * rng.normal(size=(n, n_splits))
    parts = [long([0 * row, row], n_genes=i) for i, row in enumerate(d)]
    table = paired_difference(pd.concat(parts), "a", test_ratio=ratio)
    assert len(table) == n
    inside = table["low"].lt(0.3) & table["high"].gt(0.3)
    assert inside.mean() == pytest.approx(0.95, abs=0.035)


def test_intervals_cover_with_random_splits():
    """The difference is a mean over test samples, which splits share in part."""
    rng = np.random.default_rng(4)
    parts = []
    for i in range(250):
        sample = rng.normal(1, 2, size=100)
        d = np.array([rng.permutation(sample)[:30].mean() for _ in range(15)])
        parts.append(long([0 * d, d], n_train=70, n_test=30, n_genes=i))
    inside = {}
    for ratio in (None, 0):
        table = paired_difference(pd.concat(parts), "a", test_ratio=ratio)
        inside[ratio] = (table["low"].lt(1) & table["high"].gt(1)).mean()
    assert inside[None] == pytest.approx(0.95, abs=0.045)
    assert inside[0] < 0.75


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda table: table, {"reference": "z"}, "reference='z' is not among the"),
        (lambda table: table.drop(columns="split"), {}, "a column 'split' or 'draw'"),
        (lambda table: table.drop(columns="score"), {}, "no column 'error'"),
        (lambda table: table.drop(columns="n_train"), {}, "'n_train'; give test_ratio"),
        (lambda table: table, {"by": ["size"]}, "no column 'size'"),
        (lambda table: table, {"confidence_level": 1}, r"level=1 must lie in \(0, 1\)"),
        (lambda table: table, {"metric": ["score"]}, r"metric=\['score'\] must be the"),
        (lambda table: table, {"by": [["rate"]]}, "by=.* must be a list of names"),
        (lambda table: table, {"test_ratio": [0.1, 0.2]}, "test_ratio=.* a number"),
        (lambda table: pd.concat([table, table]), {}, "two rows of estimator 'a' with"),
    ],
)
def test_bad_tables_are_named(change, options, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(change(long(SCORES)), **{"reference": "b", **options})

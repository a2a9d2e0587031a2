"""Searches with unlabelled rows: the splitter, and scores of labelled rows only."""

import warnings

import numpy as np
import pandas as pd
import pytest
from discovery import FINE_TUNED, class_name, make_target, tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import FineTunedClassifier, FineTunedRegressor, LabeledKFold
from skgex.datasets import make_cohort

COHORT = make_cohort(n_samples=80, n_genes=20, replicate_rate=0.5, random_state=0)
X, GROUPS, CLASSES = COHORT.data, COHORT.groups, COHORT.target
HIDDEN = np.arange(80) % 4 > 0
NAMES = np.array(["a", "b", "c", "d", "e", "f"], dtype=object)[CLASSES]
# Of each kind that targets come in: labels, and what marks samples without.
MARKED = {
    "text": (np.where(HIDDEN, "?", NAMES), "?"),
    "minus one": (np.where(HIDDEN, -1, CLASSES), -1),
    "float nan": (np.where(HIDDEN, np.nan, CLASSES), np.nan),
    "object none": (np.where(HIDDEN, None, NAMES), np.nan),
    "object nan": (np.where(HIDDEN, np.nan, NAMES), np.nan),
    "Int64": (pd.Series(CLASSES, dtype="Int64").mask(HIDDEN), np.nan),
    "string": (pd.Series(NAMES, dtype="string").mask(HIDDEN), pd.NA),
    "category": (pd.Series(NAMES, dtype="category").mask(HIDDEN), np.nan),
    "series none": (pd.Series(np.where(HIDDEN, None, NAMES)), None),
}
EVERY_KIND = pytest.mark.parametrize(
    ("y", "mark"), [pytest.param(*pair, id=kind) for kind, pair in MARKED.items()]
)


def by_hand(y, mark_of, splits, groups=None):
    """Return the splits of labelled rows with the others put into each training."""
    rows = [i for i in range(len(y)) if not mark_of[i]]
    for train, test in splits:
        test = [rows[i] for i in test]
        held_out = set() if groups is None else {groups[i] for i in test}
        join = [
            i
            for i in range(len(y))
            if mark_of[i] and (groups is None or groups[i] not in held_out)
        ]
        yield sorted([rows[i] for i in train] + join), test


def assert_same_splits(found, expected):
    found, expected = list(found), list(expected)
    assert len(found) == len(expected)
    for pair, other in zip(found, expected, strict=True):
        for rows, others in zip(pair, other, strict=True):
            assert_array_equal(rows, others)


@EVERY_KIND
def test_folds_are_those_of_the_labelled_rows(y, mark):
    cv = LabeledKFold(StratifiedKFold(3, shuffle=True, random_state=1), unlabeled=mark)
    splits = cv.cv.split(np.zeros((~HIDDEN).sum()), CLASSES[~HIDDEN])
    assert_same_splits(cv.split(X, y), by_hand(y, HIDDEN, splits))
    assert cv.get_n_splits(X, y) == 3


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(12, 40), st.integers(2, 4))
def test_groups_are_on_one_side(seed, n, n_splits):
    rng = np.random.default_rng(seed)
    hidden = rng.random(n) < 0.4
    hidden[:8] = False
    groups = np.concatenate([np.arange(8), rng.integers(0, 12, n - 8)])
    y = np.where(hidden, -1, rng.integers(0, 2, n))
    cv = LabeledKFold(GroupKFold(n_splits), unlabeled=-1)
    splits = list(cv.split(y, y, groups))
    expected = cv.cv.split(y[~hidden], groups=groups[~hidden])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a draw without unlabelled rows
        assert_same_splits(splits, by_hand(y, hidden, expected, groups))
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
        assert (y[test] >= 0).all()
    assert_array_equal(
        np.sort(np.concatenate([test for _, test in splits])), np.flatnonzero(~hidden)
    )


@pytest.mark.parametrize(
    ("y", "groups", "expected"),
    [
        (NAMES, None, StratifiedKFold(3)),
        (CLASSES, GROUPS, StratifiedGroupKFold(3)),
        (X[:, 0], None, KFold(3)),
        (X[:, :2], GROUPS, GroupKFold(3)),
    ],
    ids=["classes", "classes of patients", "values", "two values of patients"],
)
def test_a_number_stands_for_the_splitter_of_the_targets(y, groups, expected):
    marked = y.astype(object if y.dtype == object else float)
    marked[HIDDEN] = None if y.dtype == object else np.nan
    known = None if groups is None else groups[~HIDDEN]
    splits = expected.split(X[~HIDDEN], y[~HIDDEN], known)
    found = LabeledKFold(3).split(X, marked, groups)
    assert_same_splits(found, by_hand(y, HIDDEN, splits, groups))


def test_the_number_of_splits_is_that_of_the_labelled_rows():
    y = MARKED["text"][0]
    cv = LabeledKFold(LeaveOneGroupOut(), unlabeled="?")
    assert cv.get_n_splits(X, y, GROUPS) == len(set(GROUPS[~HIDDEN]))
    assert LabeledKFold(4).get_n_splits() == 4
    assert LabeledKFold(ShuffleSplit(7)).get_n_splits() == 7
    fold = np.arange((~HIDDEN).sum()) % 2
    assert LabeledKFold(PredefinedSplit(fold)).get_n_splits() == 2


def test_numbers_as_objects_are_refused():
    with pytest.raises(ValueError, match=r"numbers in an array of objects.*Int64"):
        next(LabeledKFold(2).split(X, np.where(HIDDEN, None, CLASSES)))
    numbers = np.where(HIDDEN, None, CLASSES)
    splits = LabeledKFold(2).split(X, numbers.astype(float))
    assert_same_splits(LabeledKFold(2).split(X, list(numbers)), splits)


def test_it_is_written_and_copied_like_other_splitters():
    cv = LabeledKFold(StratifiedKFold(3), unlabeled="?")
    assert "StratifiedKFold(n_splits=3" in repr(cv)
    assert "unlabeled='?'" in repr(cv)
    y = MARKED["text"][0]
    assert_same_splits(clone(cv, safe=False).split(X, y), cv.split(X, y))


def test_what_cannot_be_split():
    with pytest.raises(ValueError, match="LabeledKFold needs y"):
        next(LabeledKFold().split(X, None))
    with pytest.raises(ValueError, match=r"unlabeled='\?': none is left"):
        next(LabeledKFold(unlabeled="?").split(X, np.full(80, "?")))
    with pytest.raises(ValueError, match="cv='3' is not a number of folds"):
        next(LabeledKFold("3", unlabeled="?").split(X, MARKED["text"][0]))
    with pytest.warns(UserWarning, match="unlabeled='unlabelled' does not occur"):
        next(LabeledKFold(2, unlabeled="unlabelled").split(X, NAMES))


# Scores


@pytest.fixture(params=FINE_TUNED, ids=class_name)
def Estimator(request):
    return request.param


def marked_target(Estimator):
    y = make_target(Estimator, CLASSES, COHORT.factors[:, 0])
    return y, np.where(HIDDEN, -7, y)


def test_score_leaves_unlabelled_rows_out(Estimator):
    y, marked = marked_target(Estimator)
    metric = accuracy_score if Estimator is FineTunedClassifier else r2_score
    model = tiny(Estimator, unlabeled=-7).fit(X, marked)
    weight, known = 1.0 + np.arange(80) % 3, ~HIDDEN
    truth, predicted = y[known], model.predict(X)[known]
    assert model.score(X, marked) == metric(truth, predicted)
    expected = metric(truth, predicted, sample_weight=weight[known])
    assert model.score(X, marked, weight) == expected
    assert model.score(X[known], truth) == metric(truth, predicted)
    with pytest.raises(ValueError, match=r"unlabeled=-7.*LabeledKFold"):
        model.score(X[HIDDEN], marked[HIDDEN])


@EVERY_KIND
def test_every_kind_of_mark_is_fitted_and_scored(y, mark):
    mark = np.nan if mark is None else mark
    model = tiny(FineTunedClassifier, unlabeled=mark, max_epochs=30).fit(X, y)
    assert len(model.classes_) == len(set(CLASSES[~HIDDEN]))
    known = np.asarray(y)[~HIDDEN].astype(str)
    hits = model.predict(X[~HIDDEN]).astype(str) == known
    assert model.score(X, y) == hits.mean() > 0.5


@EVERY_KIND
def test_every_kind_of_mark_is_scored_in_cross_validation(y, mark):
    fitted = np.nan if mark is None else mark
    model = tiny(FineTunedClassifier, unlabeled=fitted, max_epochs=1, freeze=True)
    cv = LabeledKFold(StratifiedKFold(2), unlabeled=mark)
    scoring = ["balanced_accuracy", "roc_auc_ovr"]
    found = cross_validate(
        model, X, y, cv=cv, scoring=scoring, error_score="raise", return_estimator=True
    )
    for (_, test), fitted, score in zip(
        cv.split(X, y), found["estimator"], found["test_balanced_accuracy"], strict=True
    ):
        known = np.asarray(y)[test].astype(str)
        predicted = fitted.predict(X[test]).astype(str)
        assert score == pytest.approx(balanced_accuracy_score(known, predicted))
    assert np.isfinite(found["test_roc_auc_ovr"]).all()


def test_whole_numbers_beside_none():
    y = np.where(HIDDEN, None, CLASSES)
    model = tiny(FineTunedClassifier, unlabeled=np.nan).fit(X, y)
    assert_array_equal(model.classes_, np.unique(CLASSES[~HIDDEN]))
    assert model.classes_.dtype.kind == "i"
    other = tiny(FineTunedClassifier, unlabeled=-1)
    other.fit(X, np.where(HIDDEN, -1, CLASSES))
    assert_array_equal(model.predict_proba(X), other.predict_proba(X))
    assert model.score(X, y) == other.score(X, np.where(HIDDEN, -1, CLASSES))


def test_a_search_finds_the_score_of_a_loop_over_labelled_rows(Estimator):
    y, marked = marked_target(Estimator)
    metric = balanced_accuracy_score if Estimator is FineTunedClassifier else r2_score
    scoring = "balanced_accuracy" if Estimator is FineTunedClassifier else "r2"
    model = tiny(Estimator, unlabeled=-7)
    splitter = GroupKFold(2)
    cv = LabeledKFold(splitter, unlabeled=-7)
    search = GridSearchCV(model, {"max_epochs": [1, 3]}, cv=cv, scoring=scoring)
    search.fit(X, marked, groups=GROUPS)
    means = []
    for epochs in (1, 3):
        scores = []
        splits = splitter.split(X[~HIDDEN], groups=GROUPS[~HIDDEN])
        for train, test in by_hand(y, HIDDEN, splits, GROUPS):
            fitted = clone(model).set_params(max_epochs=epochs)
            fitted.fit(X[train], marked[train])
            scores.append(metric(y[test], fitted.predict(X[test])))
        means.append(np.mean(scores))
    assert search.best_score_ == pytest.approx(max(means), abs=1e-12)


def test_scores_of_probabilities_in_a_nested_search():
    y, mark = MARKED["series none"]
    pipe = make_pipeline(
        StandardScaler(), tiny(FineTunedClassifier, unlabeled=np.nan, max_epochs=2)
    )
    search = GridSearchCV(
        pipe,
        {"finetunedclassifier__embedder__max_epochs": [0, 1]},
        cv=LabeledKFold(2),
        scoring="neg_log_loss",
        error_score="raise",
    )
    cv = LabeledKFold(2, unlabeled=mark)
    scoring = ["neg_log_loss", "roc_auc_ovr"]
    found = cross_validate(
        search, X, y, cv=cv, scoring=scoring, error_score="raise", return_estimator=True
    )
    assert np.isfinite(found["test_roc_auc_ovr"]).all()
    for (_, test), best, score in zip(
        cv.split(X, y), found["estimator"], found["test_neg_log_loss"], strict=True
    ):
        expected = log_loss(NAMES[test], best.predict_proba(X[test]))
        assert -score == pytest.approx(expected)


def test_groups_are_routed_to_the_splitter():
    y, mark = MARKED["minus one"]
    cv = LabeledKFold(StratifiedGroupKFold(2), unlabeled=mark)
    model = tiny(FineTunedClassifier, unlabeled=mark, max_epochs=1)
    plain = cross_val_score(model, X, y, cv=cv, groups=GROUPS)
    with config_context(enable_metadata_routing=True):
        routed = clone(model).set_fit_request(groups=False)
        found = cross_val_score(routed, X, y, cv=cv, params={"groups": GROUPS})
        by_fit = clone(model).set_fit_request(groups=True)
        search = GridSearchCV(by_fit, {"lr": [1e-2]}, cv=cv, error_score="raise")
        search.fit(X, y, groups=GROUPS)
    assert_array_equal(found, plain)
    assert search.best_score_ == pytest.approx(plain.mean())


# Marks that do not occur, and missing targets that are not marked


@pytest.mark.parametrize(
    ("mark", "y", "message"),
    [
        ("unlabeled", ["a", "b", "unlabelled"], "which has 'unlabelled'. Each"),
        ("NA", ["a", "b", "na "], "which has 'na '. Each"),
        ("?", ["a", "b", "c"], "which has 'a', 'b', 'c'. Each"),
        (np.nan, ["a", "b", "nan"], "np.nan does not occur in y, which has 'nan'"),
        (-1, list(range(9)), "which has 0, 1, 2, 3, 4, 5 and 3 more values"),
    ],
    ids=["spelling", "case", "other", "nan as text", "numbers"],
)
def test_a_mark_that_does_not_occur_is_told(mark, y, message):
    target = np.resize(np.array(y), 80)
    with pytest.warns(UserWarning, match="does not occur in y") as caught:
        tiny(FineTunedClassifier, unlabeled=mark).fit(X, target)
    assert len(caught) == 1
    assert message in str(caught[0].message)


def test_a_value_that_does_not_occur_is_told():
    model = tiny(FineTunedRegressor, unlabeled=-99)
    with pytest.warns(UserWarning, match="whose values are between 0 and 79"):
        model.fit(X, np.arange(80.0))


def test_missing_targets_get_the_hint(Estimator):
    y = np.arange(80.0) % 5
    y[[3, 9]] = np.nan
    message = "contains NaN for 2 samples, sample 3 the first.*unlabeled=np.nan"
    with pytest.raises(ValueError, match=message):
        tiny(Estimator).fit(X, y)
    y[0] = -1
    with pytest.raises(ValueError, match=message):
        tiny(Estimator, unlabeled=-1).fit(X, y)
    tiny(Estimator, unlabeled=np.nan).fit(X, y)

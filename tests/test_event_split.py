"""EventStratifiedKFold: who comes to which fold."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sksurv.linear_model import CoxPHSurvivalAnalysis

from skgex._follow_up import as_surv
from skgex._survival._split import EventStratifiedKFold


def make_survival(n=150, event_rate=0.3, n_times=60, seed=0):
    rng = np.random.default_rng(seed)
    time = np.ceil(rng.exponential(n_times / 3, n))
    return as_surv(rng.random(n) < event_rate, time)


def folds(cv, y, groups=None):
    """Return the test samples of each fold."""
    return [test for _, test in cv.split(np.zeros(len(y)), y, groups)]


def spread(numbers):
    return max(numbers) - min(numbers)


Y = make_survival()
X = np.random.default_rng(1).normal(size=(150, 4)) - 0.5 * np.log(Y["time"])[:, None]
GROUPS = np.random.default_rng(2).integers(0, 60, 150)


# Without groups


@given(
    st.integers(2, 8),
    st.integers(0, 60),
    st.integers(0, 60),
    st.booleans(),
    st.integers(1, 50),
    st.integers(0, 2**31),
)
def test_property_balance(n_splits, n_more, n_censored, shuffle, n_times, seed):
    rng = np.random.default_rng(seed)
    n_events = n_splits + n_more
    event = rng.permutation(np.arange(n_events + n_censored) < n_events)
    y = as_surv(event, rng.integers(1, n_times + 1, len(event)))
    cv = EventStratifiedKFold(n_splits, shuffle=shuffle)
    tests = folds(cv, y)
    assert len(tests) == n_splits
    assert_array_equal(np.sort(np.concatenate(tests)), np.arange(len(y)))
    for count in (
        [len(test) for test in tests],
        [event[test].sum() for test in tests],
        [(~event[test]).sum() for test in tests],
    ):
        assert spread(count) <= 1


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("value", [True, False], ids=["events", "censored"])
def test_successive_times_go_to_different_folds(shuffle, value):
    time = np.random.default_rng(0).permutation(150) + 1.0
    y = as_surv(Y["event"], time)
    fold = np.empty(150, int)
    for i, test in enumerate(folds(EventStratifiedKFold(5, shuffle=shuffle), y)):
        fold[test] = i
    dealt = fold[np.lexsort((time, y["event"] != value))][: (y["event"] == value).sum()]
    for start in range(0, len(dealt), 5):
        block = dealt[start : start + 5]
        assert len(set(block)) == len(block)


def test_times_of_events_are_more_alike_than_by_chance():
    def variation(cv, label):
        rounds = [
            [np.median(y["time"][test][y["event"][test]]) for test in folds_]
            for y in (make_survival(seed=seed) for seed in range(30))
            for folds_ in [[t for _, t in cv.split(y, y[label] if label else y)]]
        ]
        return np.std(rounds, axis=1).mean()

    ours = variation(EventStratifiedKFold(5, random_state=0), None)
    plain = variation(StratifiedKFold(5, shuffle=True, random_state=0), "event")
    assert ours < 0.7 * plain


def test_every_fold_can_be_scored_where_events_are_few():
    y = as_surv(np.arange(80) < 6, np.arange(80) % 40 + 1)
    for seed in range(20):
        tests = folds(EventStratifiedKFold(6, random_state=seed), y)
        assert [y["event"][test].sum() for test in tests] == [1] * 6


# Chance


def test_random_state():
    def split(**parameters):
        return folds(EventStratifiedKFold(5, **parameters), Y)

    first = split(random_state=0)
    for again in (split(random_state=0), split(random_state=np.random.RandomState(0))):
        for a, b in zip(first, again, strict=True):
            assert_array_equal(a, b)
    other = split(random_state=1)
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    for a, b in zip(split(shuffle=False), split(shuffle=False), strict=True):
        assert_array_equal(a, b)


def test_without_shuffling_no_fold_has_the_early_events():
    y = as_surv(np.ones(100, bool), np.arange(1, 101))
    means = [
        y["time"][test].mean() for test in folds(EventStratifiedKFold(shuffle=False), y)
    ]
    assert spread(means) < 1
    assert_array_equal(
        folds(EventStratifiedKFold(shuffle=False), y)[0][:4], [0, 9, 10, 19]
    )


def test_any_fold_may_be_the_larger_one():
    y = make_survival(31, 1.0)
    larger = {
        int(np.argmax([len(t) for t in folds(EventStratifiedKFold(random_state=s), y)]))
        for s in range(40)
    }
    assert larger == set(range(5))


# Groups


@given(st.integers(2, 5), st.integers(10, 80), st.booleans(), st.integers(0, 2**31))
def test_property_groups_stay_together(n_splits, n_groups, shuffle, seed):
    y = make_survival(seed=seed)
    groups = np.random.default_rng(seed).integers(0, n_groups, 150)
    tests = folds(EventStratifiedKFold(n_splits, shuffle=shuffle), y, groups)
    assert_array_equal(np.sort(np.concatenate(tests)), np.arange(150))
    seen = [set(groups[test]) for test in tests]
    assert sum(map(len, seen)) == len(set(groups))
    assert all(y["event"][test].any() for test in tests)


@pytest.mark.parametrize("n_groups", [20, 40, 100])
def test_groups_are_shared_better_than_by_classes(n_groups):
    ours, theirs = [], []
    for seed in range(20):
        y = make_survival(300, seed=seed)
        groups = np.random.default_rng(seed).integers(0, n_groups, 300)
        for result, cv, label in [
            (ours, EventStratifiedKFold(random_state=seed), y),
            (theirs, StratifiedGroupKFold(shuffle=True, random_state=seed), y["event"]),
        ]:
            tests = [test for _, test in cv.split(y, label, groups)]
            n_events = [y["event"][test].sum() for test in tests]
            result.append([spread(n_events), spread(list(map(len, tests)))])
    assert (np.mean(ours, axis=0) <= np.mean(theirs, axis=0)).all()


def test_a_group_with_most_events_does_not_take_all():
    y = as_surv(np.arange(60) % 3 == 0, np.arange(1, 61))
    groups = np.where(np.arange(60) < 36, -1, np.arange(60))  # 12 of the 20 events
    tests = folds(EventStratifiedKFold(4), y, groups)
    assert sorted(y["event"][test].sum() for test in tests) == [2, 3, 3, 12]


@pytest.mark.parametrize(
    "names", [lambda g: g.astype(str), lambda g: pd.Series(g), lambda g: [*map(int, g)]]
)
def test_labels_of_groups_of_any_kind(names):
    cv = EventStratifiedKFold(5, shuffle=False)
    groups = GROUPS + 100  # the same order as text
    expected = folds(cv, Y, groups)
    for a, b in zip(folds(cv, Y, names(groups)), expected, strict=True):
        assert_array_equal(a, b)


def test_groups_of_one_are_no_groups():
    for shuffle in (True, False):
        cv = EventStratifiedKFold(
            5, shuffle=shuffle, random_state=0 if shuffle else None
        )
        for a, b in zip(folds(cv, Y), folds(cv, Y, np.arange(150)), strict=True):
            assert_array_equal(a, b)


# Errors


def test_bad_parameters():
    for n_splits in (1, 0, -3):
        with pytest.raises(ValueError, match="n_splits=2 or more"):
            EventStratifiedKFold(n_splits)
    with pytest.raises(ValueError, match="must be of Integral type"):
        EventStratifiedKFold(2.5)
    with pytest.raises(TypeError, match="shuffle must be True or False"):
        EventStratifiedKFold(shuffle="yes")
    with pytest.raises(ValueError, match="has no effect since shuffle is False"):
        EventStratifiedKFold(shuffle=False, random_state=0)


def test_fewer_events_than_folds():
    for n_events in (0, 4):
        y = as_surv(np.arange(150) < n_events, Y["time"])
        message = rf"n_splits=5 is more than the {n_events} event\(s\) in y"
        with pytest.raises(ValueError, match=message):
            folds(EventStratifiedKFold(5), y)
    groups = np.arange(150) // 10
    with pytest.raises(ValueError, match="n_splits=5 is more than the 3 of 15 groups"):
        folds(EventStratifiedKFold(5), as_surv(groups < 3, Y["time"]), groups)


def test_bad_targets_and_groups():
    cv = EventStratifiedKFold(5)
    with pytest.raises(
        ValueError, match="EventStratifiedKFold requires y to be passed"
    ):
        next(cv.split(X, None))
    with pytest.raises(ValueError, match="swapped"):
        next(cv.split(X, Y[["time", "event"]]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(cv.split(X, Y[1:]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(cv.split(X, Y, GROUPS[1:]))
    with pytest.raises(ValueError, match="groups contains NaN"):
        next(cv.split(X, Y, np.where(GROUPS == 3, np.nan, GROUPS)))
    with pytest.raises(ValueError, match="number of splits n_splits=5 greater than"):
        next(cv.split(X[:3], Y[:3]))


# Machinery of scikit-learn


def test_parameters_and_text():
    cv = EventStratifiedKFold(4, random_state=3)
    text = "EventStratifiedKFold(n_splits=4, random_state=3, shuffle=True)"
    assert repr(cv) == text
    assert cv.get_n_splits() == cv.get_n_splits(X, Y, GROUPS) == 4
    assert EventStratifiedKFold().get_n_splits() == 5
    assert repr(clone(cv, safe=False)) == text


def test_structured_target_that_stratified_folds_take_for_classes():
    model = CoxPHSurvivalAnalysis(alpha=1.0)
    y = as_surv(Y["event"], Y["time"] + np.arange(150) / 150)
    with pytest.raises(ValueError, match="number of members in each class"):
        cross_val_score(model, X, y, cv=StratifiedKFold(5), error_score="raise")
    cv = EventStratifiedKFold(5, random_state=0)
    scores = cross_val_score(model, X, y, cv=cv, error_score="raise")
    assert scores.shape == (5,)
    assert scores.min() > 0.5


def test_search_by_groups_and_tables():
    search = GridSearchCV(
        CoxPHSurvivalAnalysis(),
        {"alpha": [0.1, 10.0]},
        cv=EventStratifiedKFold(3, random_state=0),
        error_score="raise",
    )
    search.fit(pd.DataFrame(X), Y, groups=GROUPS)
    assert search.best_score_ > 0.6
    train, test = next(search.cv.split(X, pd.DataFrame(Y), GROUPS))
    assert not {*GROUPS[train]} & {*GROUPS[test]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        risk = cross_val_predict(search.best_estimator_, X, Y, cv=search.cv)
    assert risk.shape == (150,)


def test_groups_travel_by_routing():
    seen = []

    def score(model, X, y):
        seen.append(len(y))
        return 0.0

    model = CoxPHSurvivalAnalysis(alpha=1.0)
    cv = EventStratifiedKFold(3, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        cross_val_score(model, X, Y, cv=cv, scoring=score, params={"groups": GROUPS})
    assert seen == [len(test) for test in folds(cv, Y, GROUPS)]


def test_folds_without_an_event_that_it_avoids():
    # Issue 117 of scikit-survival: where a fold has no event, nothing can be scored.
    y = np.sort(as_surv(np.arange(60) % 12 == 0, np.arange(1, 61)))
    plain = [y["event"][test].sum() for _, test in KFold(5).split(y)]
    assert plain == [0, 0, 0, 0, 5]
    ours = [y["event"][test].sum() for test in folds(EventStratifiedKFold(5), y)]
    assert ours == [1] * 5

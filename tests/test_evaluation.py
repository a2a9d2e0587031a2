"""label_efficiency_curve against a plain loop, and what it promises of its draws."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import SCARF, FineTunedClassifier
from skgex.datasets import make_cohort
from skgex.evaluation import label_efficiency_curve
from skgex.evaluation._label_efficiency import _draw

FRACTIONS = [0.1, 0.5, 1.0]


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(n_samples=150, n_genes=30, n_classes=3, random_state=0)


class CountingScaler(TransformerMixin, BaseEstimator):
    """Remembers, across clones, the number of rows of each fit."""

    def __init__(self, seen):
        self.seen = seen

    def __sklearn_clone__(self):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        assert y is None, "a step before the last was shown labels"
        self.seen.append(len(X))
        return self

    def transform(self, X):
        return X


class Recorder(GaussianNB):
    """Remembers the rows it was fitted on."""

    seen = []

    def fit(self, X, y):
        type(self).seen.append(X[:, 0].tolist())
        return super().fit(X, y)


def test_scores_equal_those_of_a_plain_loop(cohort):
    X, y, groups = cohort.data, cohort.target, cohort.groups
    model = make_pipeline(StandardScaler(), LogisticRegression())
    table = label_efficiency_curve(
        {"lr": model}, X, y, groups=groups, fractions=FRACTIONS, n_splits=2
    )
    expected = []
    for seed in range(2):
        splitter = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
        train, test = next(splitter.split(X, y, groups))
        scaler = StandardScaler().fit(X[train])
        for rows in _draw(y[train], FRACTIONS, [seed, 0]):
            fitted = LogisticRegression().fit(
                scaler.transform(X[train][rows]), y[train][rows]
            )
            predicted = fitted.predict(scaler.transform(X[test]))
            expected.append((predicted == y[test]).mean())
    np.testing.assert_allclose(table["score"], expected)
    assert table["fraction"].tolist() == FRACTIONS * 2


def test_unsupervised_steps_see_all_training_rows_once_in_a_split(cohort):
    seen = []
    label_efficiency_curve(
        {"model": make_pipeline(CountingScaler(seen), GaussianNB())},
        cohort.data,
        cohort.target,
        fractions=FRACTIONS,
        n_splits=2,
        n_draws=3,
    )
    assert seen == [105, 105]


def test_embedder_is_pretrained_once_and_the_network_fine_tuned(cohort, monkeypatch):
    rows = []
    fit = SCARF.fit
    monkeypatch.setattr(
        SCARF, "fit", lambda self, X, *a, **k: (rows.append(len(X)), fit(self, X))[1]
    )
    table = label_efficiency_curve(
        {
            "scarf": FineTunedClassifier(
                SCARF(max_epochs=2, hidden_dims=(16,)), max_epochs=3
            )
        },
        cohort.data,
        cohort.target,
        fractions=FRACTIONS,
        n_splits=1,
    )
    assert rows == [105]
    assert table["n_labeled"].is_monotonic_increasing
    assert table["n_labeled"].iloc[-1] == 105


def test_a_failure_is_recorded_and_told(cohort):
    class NeedsMany(GaussianNB):
        def fit(self, X, y):
            if len(X) < 50:
                raise RuntimeError("too few")
            return super().fit(X, y)

    class Never(StandardScaler):
        def fit(self, X, y=None):
            raise RuntimeError("never")

    models = {
        "many": NeedsMany(),
        "never": make_pipeline(Never(), GaussianNB()),
        "ok": GaussianNB(),
    }
    with pytest.warns(FitFailedWarning) as caught:
        table = label_efficiency_curve(
            models, cohort.data, cohort.target, fractions=FRACTIONS, n_splits=1
        )
    told = "failed in split 0, draw 0 with 11 labels, and is recorded as NaN"
    assert [str(w.message) for w in caught][:2] == [
        f"Estimator 'many' {told}: RuntimeError: too few",
        f"Estimator 'never' {told}: RuntimeError: never",
    ]
    assert caught[0].filename == __file__
    assert table["score"].isna().tolist() == [True, False, False] + [True] * 3 + (
        [False] * 3
    )
    assert table["error_message"][0] == "RuntimeError: too few"
    assert table["error_message"][1] == ""
    assert set(table["n_train"]) == {105}
    assert set(table["n_test"]) == {45}


def test_estimators_see_the_same_labels(cohort):
    Recorder.seen.clear()
    label_efficiency_curve(
        {"a": Recorder(), "b": Recorder(var_smoothing=1e-3)},
        cohort.data,
        cohort.target,
        fractions=FRACTIONS,
        n_splits=1,
        n_draws=2,
    )
    half = len(Recorder.seen) // 2
    assert Recorder.seen[:half] == Recorder.seen[half:]


@pytest.mark.parametrize("seed", range(5))
def test_draws_are_nested_and_have_every_class(seed):
    y = np.repeat(["a", "b", "c"], [3, 40, 400])
    small, middle, whole = _draw(y, [0.02, 0.3, 1.0], seed)
    assert set(small) <= set(middle) <= set(whole)
    assert whole.tolist() == list(range(len(y)))
    # one for each class at least, else the rounded share of it
    assert pd.Series(y[small]).value_counts().to_dict() == {"a": 1, "b": 1, "c": 8}
    assert pd.Series(y[middle]).value_counts().to_dict() == {"a": 1, "b": 12, "c": 120}


def test_frames_and_parallel_runs_give_the_same_table(cohort):
    models = {
        "scarf": FineTunedClassifier(
            SCARF(max_epochs=2, hidden_dims=(16,)), max_epochs=3
        )
    }
    frame = pd.DataFrame(cohort.data, columns=[f"g{i}" for i in range(30)])
    arguments = {"fractions": [0.2, 1.0], "n_splits": 2}
    one = label_efficiency_curve(models, frame, cohort.target, **arguments)
    two = label_efficiency_curve(
        models, cohort.data, cohort.target, **arguments, n_jobs=2
    )
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("fractions", [[], [0.0], [0.5, 1.5]])
def test_shares_outside_their_range_are_refused(cohort, fractions):
    with pytest.raises(ValueError, match=r"fractions=.* must lie in \(0, 1\]"):
        label_efficiency_curve({}, cohort.data, cohort.target, fractions=fractions)


def test_a_class_absent_from_training_is_named():
    y = np.array(["common"] * 20 + ["rare"] * 4)
    groups = np.r_[np.arange(20), [100] * 4]  # of one patient only
    with pytest.warns(UserWarning, match=r"'rare'.*drop classes of few groups"):
        label_efficiency_curve(
            {"common": DummyClassifier()},
            np.zeros((24, 2)),
            y,
            groups=groups,
            n_splits=5,
            test_size=0.5,
        )


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_unlabelled_samples_are_shown_to_those_who_take_them(in_pipeline):
    seen = []

    class Spy(LogisticRegression):
        def __init__(self, unlabeled=None):
            super().__init__()
            self.unlabeled = unlabeled

        def fit(self, X, y):
            known = np.array([value is not None for value in y])
            seen.append((len(y), known.sum(), self.unlabeled))
            return super().fit(X[known], y[known].astype(int))

    rng = np.random.default_rng(0)
    y = np.tile([3, 4], 50)
    X = rng.normal(size=(100, 4)) + y[:, None]
    spy = make_pipeline(StandardScaler(), Spy()) if in_pipeline else Spy()
    table = label_efficiency_curve({"spy": spy}, X, y, fractions=[0.1, 1], n_splits=1)
    assert [(n, k) for n, k, _ in seen] == [(70, table.n_labeled[0]), (70, 70)]
    assert np.isnan(seen[0][2])
    assert seen[1][2] is None
    assert table.score.min() > 0.5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"y": np.array(["a", None] * 20, object)}, "y is missing for sample 1"),
        ({"y": np.zeros((40, 2))}, "y should be a 1d array"),
        ({"groups": np.zeros((40, 2))}, r"groups must be one value .*\(40, 2\)"),
        ({"groups": np.full(40, None)}, "groups has no value for sample 0"),
        ({"n_splits": 0}, r"n_splits=\[0\] must be positive whole numbers"),
        ({"n_draws": 10**30}, "n_draws=.* must be .* at most 1,000,000"),
    ],
    ids=str,
)
def test_what_cannot_be_a_protocol_is_refused(wrong, message):
    y = np.arange(40) % 2
    table = np.random.default_rng(0).standard_normal((40, 3))
    arguments = {"X": table, "y": y, "fractions": [1.0], **wrong}
    with pytest.raises(ValueError, match=message):
        label_efficiency_curve({"lr": LogisticRegression()}, **arguments)


def test_groups_in_a_series_are_of_the_rows_whatever_its_index():
    rng = np.random.default_rng(0)
    table, groups = rng.standard_normal((40, 3)), np.arange(40) // 4
    series = pd.Series(groups, index=rng.permutation(40))
    found, expected = (
        label_efficiency_curve(
            {"lr": LogisticRegression()}, table, np.arange(40) % 2, groups=g, n_splits=2
        )
        for g in (series, groups)
    )
    pd.testing.assert_frame_equal(found, expected)

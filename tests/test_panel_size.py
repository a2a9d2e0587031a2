"""panel_size_curve against plain loops, and what estimators are shown."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import RFE, SelectKBest, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    KFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from survival_cohorts import planted_cohort, without_network

from skgex import SCARF, FineTunedClassifier, UnivariateCoxSelector
from skgex.datasets import make_cohort
from skgex.evaluation import panel_size_curve

SIZES = [3, 8]


@pytest.fixture(scope="module")
def cohort():
    cohort = make_cohort(n_samples=90, n_genes=12, n_classes=3, random_state=0)
    genes = [f"g{i}" for i in range(12)]
    cohort.frame = pd.DataFrame(cohort.data.astype(float), columns=genes)
    return cohort


class Recorder(GaussianNB):
    """Remembers what it was shown."""

    seen = []

    def fit(self, X, y):
        self.seen.append(X)
        return super().fit(np.nan_to_num(X), y)

    def score(self, X, y):
        self.seen.append(X)
        return super().score(np.nan_to_num(X), y)


@pytest.fixture(autouse=True)
def seen():
    Recorder.seen.clear()
    return Recorder.seen


def test_scores_equal_those_of_a_plain_loop(cohort, seen):
    X, y, groups = cohort.frame, cohort.target, cohort.groups
    model = make_pipeline(StandardScaler(), LogisticRegression())
    options = {"groups": groups, "sizes": SIZES, "n_draws": 2, "cv": 3}
    models = {"recorder": Recorder(), "lr": model}
    table = panel_size_curve(models, X, y, **options)
    assert list(table)[:5] == ["estimator", "n_genes", "draw", "split", "score"]
    mine = table[table["estimator"] == "lr"]
    assert mine["n_genes"].tolist() == [3] * 6 + [8] * 6
    assert mine["draw"].tolist() == ([0] * 3 + [1] * 3) * 2
    assert mine["split"].tolist() == [0, 1, 2] * 4
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    folds = list(splitter.split(X, y, groups))
    shown = iter(seen)
    panels, expected = {}, {}
    for split, (train, test) in enumerate(folds):
        for size in SIZES:
            for draw in range(2):
                fitted_to, scored_with = next(shown), next(shown)
                genes = list(fitted_to)
                panels[size, draw, split] = genes
                pd.testing.assert_frame_equal(fitted_to, X.iloc[train][genes])
                pd.testing.assert_frame_equal(scored_with, X.iloc[test][genes])
                fitted = model.fit(X.iloc[train][genes], y[train])
                score = fitted.score(X.iloc[test][genes], y[test])
                expected[size, draw, split] = score
    found = mine.set_index(["n_genes", "draw", "split"])["score"]
    assert_allclose(found.loc[list(expected)], list(expected.values()))
    for draw in range(2):
        small, large = (panels[size, draw, 0] for size in SIZES)
        assert set(small) < set(large)
        assert [len(small), len(large)] == SIZES
        assert panels[3, draw, 0] == panels[3, draw, 2]
    assert panels[8, 0, 0] != panels[8, 1, 0]
    assert_array_equal(mine["n_train"][:3], [len(train) for train, _ in folds])
    assert_array_equal(mine["n_test"][:3], [len(test) for _, test in folds])
    # One draw alone is the same draw.
    one = panel_size_curve({"lr": model}, X, y, **{**options, "n_draws": 1})
    both = mine[mine["draw"] == 0]
    assert_array_equal(one["score"], both["score"])


@pytest.mark.parametrize("array", [False, True])
def test_pretrained_steps_see_all_genes_of_training_once_in_a_split(
    cohort, seen, array
):
    X = cohort.data.astype(float) if array else cohort.frame
    fits = []

    class Imputer(SimpleImputer):
        def fit(self, X, y=None):
            assert y is None
            fits.append(X)
            return super().fit(X)

        def transform(self, X):
            return X

    model = make_pipeline(Imputer(), Recorder())
    cv = ShuffleSplit(2, random_state=0)
    table = panel_size_curve(
        {"a": model}, X, cohort.target, sizes=SIZES, pretrained=["a"], cv=cv
    )
    assert len(table) == 2 * 3 * 2
    splits = list(cv.split(X))
    assert_array_equal(np.stack(fits), [np.asarray(X)[train] for train, _ in splits])
    for i, shown in enumerate(seen):
        split, cell = divmod(i // 2, 6)
        rows = splits[split][i % 2]
        values = np.asarray(shown)
        measured = ~np.isnan(values)
        assert_array_equal(measured.sum(axis=0) > 0, measured.all(axis=0))
        assert measured[0].sum() == SIZES[cell // 3]
        expected = np.where(measured[0], np.asarray(X)[rows], np.nan)
        assert_array_equal(values, expected)


def test_embedders_of_fine_tuned_estimators_are_pretrained(cohort, monkeypatch):
    shapes = []
    fit = SCARF.fit
    monkeypatch.setattr(
        SCARF, "fit", lambda self, X, *a, **k: (shapes.append(X.shape), fit(self, X))[1]
    )
    scarf = FineTunedClassifier(SCARF(max_epochs=1, hidden_dims=(8,)), max_epochs=1)
    options = {"sizes": [6], "n_draws": 2, "cv": 2}
    complete = cohort.frame
    panel_size_curve({"own": scarf}, complete, cohort.target, **options)
    assert shapes == [(45, 6)] * 4
    shapes.clear()
    panel_size_curve(
        {"whole": scarf}, complete, cohort.target, pretrained=["whole"], **options
    )
    assert shapes == [(45, 12)] * 2


def test_a_selector_chooses_in_training(cohort):
    X, y = cohort.data, cohort.data[:, 0] * 2 + cohort.data[:, 3]
    folds = list(KFold(3, shuffle=True, random_state=4).split(X))
    for selector, name in (
        (SelectKBest(f_regression), "k"),
        (RFE(Ridge()), "n_features_to_select"),
    ):
        table = panel_size_curve(
            {"ridge": Ridge()},
            X,
            y,
            sizes=SIZES,
            selector=selector,
            cv=3,
            random_state=4,
        )
        expected = []
        for size in SIZES:
            for train, test in folds:
                chooses = clone(selector).set_params(**{name: size})
                model = make_pipeline(chooses, Ridge()).fit(X[train], y[train])
                expected.append(model.score(X[test], y[test]))
        assert_allclose(table["score"], expected)
        assert set(table["draw"]) == {0}


def test_survival_has_its_share_of_events_in_each_fold():
    X, y = planted_cohort(80, 12, censoring=0.3)
    options = {"sizes": [4], "selector": UnivariateCoxSelector(), "cv": 2}
    table = panel_size_curve({"cox": without_network()}, X, y, **options)
    splitter = StratifiedKFold(2, shuffle=True, random_state=0)
    expected = []
    for train, test in splitter.split(X, y["event"]):
        genes = UnivariateCoxSelector(4).fit(X[train], y[train]).get_support()
        model = without_network().fit(X[train][:, genes], y[train])
        expected.append(model.score(X[test][:, genes], y[test]))
    assert_allclose(table["score"], expected)


@pytest.mark.parametrize("pretrained", [[], ["frozen"]])
def test_what_is_frozen_is_shown_its_genes(cohort, pretrained):
    X, y = cohort.frame, cohort.target
    model = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=1000))
    model.fit(X[["g2", "g5", "g1"]], y)
    models = {"frozen": FrozenEstimator(model), "recorder": Recorder()}
    options = {"sizes": [9], "n_draws": 1, "cv": 2}
    table = panel_size_curve(models, X, y, pretrained=pretrained, **options)
    expected = []
    for shown in Recorder.seen[1::2]:
        known = shown.reindex(columns=["g2", "g5", "g1"])
        expected.append(model.score(known, y[shown.index]))
    assert_allclose(table["score"][:2], expected)


def test_a_failure_is_recorded_and_told(cohort):
    class NeedsGenes(GaussianNB):
        def fit(self, X, y):
            if X.shape[1] < 5:
                raise RuntimeError("too few genes")
            return super().fit(X, y)

    with pytest.warns(FitFailedWarning, match="3 genes, draw 0, split ., .*too few"):
        table = panel_size_curve(
            {"a": NeedsGenes()}, cohort.data, cohort.target, sizes=SIZES, n_draws=1
        )
    failed = table["n_genes"] == 3
    assert (table["score"].isna() == failed).all()
    assert ((table["error_message"] == "RuntimeError: too few genes") == failed).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": [0]}, r"sizes=\[0\] must be positive whole numbers"),
        ({"sizes": [3, 13]}, "sizes has 13, but X has 12 genes"),
        ({"n_draws": 1.5}, r"n_draws=\[1.5\] must be positive"),
        ({"pretrained": "lr"}, "pretrained='lr' must be a sequence"),
        ({"pretrained": ["svm"]}, "pretrained has 'svm', which is not in estimators"),
        ({"selector": StandardScaler()}, "must have `get_support` and a number of fe"),
        ({"selector": SelectKBest(k="most")}, "The selector failed with 3 genes"),
        ({"scoring": ["r2"]}, r"scoring=\['r2'\] must be one score"),
    ],
)
def test_bad_parameters_are_named(cohort, options, message):
    arguments = {"estimators": {"lr": GaussianNB()}, "sizes": [3], **options}
    X = cohort.data.copy()
    if "selector" in options:
        X[0, 0] = np.nan
    with pytest.raises(ValueError, match=message):
        panel_size_curve(X=X, y=cohort.target, **arguments)

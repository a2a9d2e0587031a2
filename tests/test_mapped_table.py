"""Selections from a table on disk: read late, and the same as from memory."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline

from skgex import (
    BYOL,
    SCARF,
    VIME,
    FineTunedClassifier,
    FineTunedCoxPH,
    FineTunedRegressor,
    GexBERT,
    GexImputer,
    TopVarianceGenes,
)
from skgex.evaluation import label_efficiency_curve
from skgex.io import MappedTable, check_expression, open_memmap, to_memmap

EMBEDDERS = [
    SCARF(max_epochs=2, hidden_dims=(8,), random_state=0),
    VIME(max_epochs=2, hidden_dims=(8,), random_state=0),
    BYOL(max_epochs=2, hidden_dims=(8,), random_state=0),
    GexBERT(max_epochs=1, random_state=0),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rng = np.random.default_rng(0)
    values = rng.normal(5, 1, (60, 30)).astype(np.float32)
    values[rng.random(values.shape) < 0.05] = np.nan
    genes = [f"G{i}" for i in range(30)]
    samples = [f"S{i}" for i in range(60)]
    path = tmp_path_factory.mktemp("table") / "table.npy"
    to_memmap(pd.DataFrame(values, samples, genes), path, unit="log2")
    return path


@pytest.fixture
def lazy(path):
    return open_memmap(path, lazy=True)


@pytest.fixture(scope="module")
def frame(path):
    return open_memmap(path)


@pytest.fixture(scope="module")
def y(frame):
    return np.where(np.arange(len(frame)) % 3 > 0, "tumour", "normal")


ROWS = np.random.default_rng(1).permutation(60)[:41]


@pytest.fixture
def unreadable(monkeypatch):
    """Fail where a selection is read as a whole."""

    def read(self, *args, **kwargs):
        # A look at some twenty samples tells the unit.
        raise AssertionError("the selection was read as a whole")

    monkeypatch.setattr(MappedTable, "__array__", read)
    monkeypatch.setattr("skgex.pretext._base.warn_of_table", lambda *args: None)
    monkeypatch.setattr("skgex._finetune._columns.warn_of_table", lambda *args: None)


@pytest.mark.parametrize(
    "key",
    [
        slice(3, 40, 5),
        slice(None, None, -1),
        ROWS,
        ROWS.tolist(),
        np.arange(60) % 2 == 0,
        (ROWS, ...),
        (ROWS, slice(None)),
        np.empty(0, int),
    ],
)
def test_selections_are_those_of_numpy(lazy, frame, key):
    values = frame.to_numpy()
    found = lazy[key]
    assert isinstance(found, MappedTable)
    expected = values[key]
    assert (found.shape, found.size) == (expected.shape, expected.size)
    np.testing.assert_array_equal(np.asarray(found), expected)
    # Of what is selected, selections again.
    np.testing.assert_array_equal(np.asarray(found[::2]), expected[::2])


@pytest.mark.parametrize(
    "key",
    [
        5,
        (5, 3),
        (5, [1, 2]),
        (slice(None), 3),
        (ROWS, [4, 1]),
        (slice(2, 9), np.arange(30) > 20),
        (ROWS, slice(3, 8)),
    ],
)
def test_genes_and_single_samples_are_read(lazy, frame, key):
    values = frame.to_numpy()
    rows, genes = key if isinstance(key, tuple) else (key, slice(None))
    expected = values[rows][..., genes]
    np.testing.assert_array_equal(lazy[key], expected)


def test_names_and_unit_go_with_the_samples(lazy, frame):
    found = lazy[ROWS].to_frame()
    pd.testing.assert_frame_equal(found, frame.iloc[ROWS])
    assert found.attrs == frame.attrs == {"unit": "log2"}
    assert repr(lazy[ROWS]) == "MappedTable of 41 samples x 30 genes, float32"


def test_values_stay_on_disk_when_it_is_pickled(lazy):
    kept = pickle.dumps(lazy[ROWS])
    assert len(kept) < 1000 + 8 * len(ROWS)
    np.testing.assert_array_equal(pickle.loads(kept), lazy[ROWS])


def test_an_array_without_a_copy_is_refused(lazy):
    with pytest.raises(ValueError, match="without a copy"):
        np.array(lazy, copy=False)


@pytest.mark.parametrize("embedder", EMBEDDERS, ids=lambda e: type(e).__name__)
def test_embedders_read_folds_batch_by_batch(lazy, frame, embedder, unreadable):
    groups = ROWS % 20
    expected = embedder.fit(frame.iloc[ROWS], groups=groups)
    expected = expected.transform(frame.iloc[::3])
    found = embedder.fit(lazy[ROWS], groups=groups)
    assert list(found.feature_names_in_) == list(frame.columns)
    np.testing.assert_array_equal(found.transform(lazy[::3]), expected)


@pytest.mark.parametrize("freeze", [False, True])
def test_a_classifier_reads_folds_batch_by_batch(lazy, frame, y, freeze, unreadable):
    model = FineTunedClassifier(EMBEDDERS[1], freeze=freeze, max_epochs=2)
    model.set_params(random_state=0, unlabeled="unknown")
    marked = np.where(ROWS % 4 == 0, "unknown", y[ROWS])
    expected = model.fit(frame.iloc[ROWS], marked).predict_proba(frame)
    np.testing.assert_array_equal(
        model.fit(lazy[ROWS], marked).predict_proba(lazy), expected
    )
    start = FrozenEstimator(EMBEDDERS[1].fit(lazy[::2]))
    model.set_params(embedder=start).fit(lazy[ROWS], marked).transform(lazy)


@pytest.mark.parametrize(
    "covariates", [["G3", "G7"], [3, 7], lambda X: list(X.columns[[3, 7]])]
)
def test_covariates_may_be_among_its_columns(tmp_path, frame, covariates):
    complete = to_memmap(frame.fillna(5.0), tmp_path / "complete.npy")
    lazy = open_memmap(tmp_path / "complete.npy", lazy=True)
    model = FineTunedRegressor(EMBEDDERS[0], covariates=covariates, max_epochs=1)
    model.set_params(random_state=0)
    age = np.arange(60.0)
    expected = model.fit(complete, age).predict(complete)
    np.testing.assert_array_equal(model.fit(lazy, age).predict(lazy), expected)


def test_warm_start_takes_other_genes(lazy, frame):
    embedder = VIME(max_epochs=1, hidden_dims=(8,), warm_start=True)
    embedder.fit(frame.iloc[:, :20]).fit(lazy)
    assert embedder.n_features_in_ == 30


def test_other_genes_are_refused(lazy, frame):
    embedder = EMBEDDERS[0].fit(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="feature names"):
        embedder.transform(lazy)


def test_a_search_in_processes_hands_the_numbers_on(lazy, frame, y):
    model = FineTunedClassifier(EMBEDDERS[1], max_epochs=1, random_state=0)
    search = GridSearchCV(model, {"freeze": [False, True]}, cv=2, n_jobs=2)
    found = search.fit(lazy, y)
    expected = search.set_params(n_jobs=1).fit(frame, y).cv_results_
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(found.cv_results_[name], expected[name])


def test_pipelines_and_splits_take_it(lazy, frame, y):
    pipeline = make_pipeline(
        TopVarianceGenes(10),
        GexImputer(GexBERT(max_epochs=0), random_state=0),
        SelectKBest(k=5),
        LogisticRegression(max_iter=2000),
    )
    train, test, y_train, _ = train_test_split(lazy, y, random_state=0)
    found = pipeline.fit(train, y_train).predict(test)
    expected = pipeline.fit(train.to_frame(), y_train).predict(test.to_frame())
    np.testing.assert_array_equal(found, expected)
    model = FineTunedClassifier(EMBEDDERS[0], max_epochs=1, random_state=0)
    found = cross_val_predict(model, lazy, y, cv=2, method="predict_proba")
    expected = cross_val_predict(model, frame, y, cv=2, method="predict_proba")
    np.testing.assert_array_equal(found, expected)


def test_protocols_take_it(lazy, frame, y):
    models = {
        "logistic": make_pipeline(
            GexImputer(GexBERT(max_epochs=0), random_state=0),
            LogisticRegression(max_iter=2000),
        )
    }
    options = {"fractions": [0.5, 1.0], "n_splits": 2, "n_draws": 1}
    found = label_efficiency_curve(models, lazy, y, **options)
    expected = label_efficiency_curve(models, frame, y, **options)
    pd.testing.assert_frame_equal(found, expected)


def test_survival_and_the_report_read_all_of_it(lazy, frame):
    pytest.importorskip("sksurv")
    rng = np.random.default_rng(0)
    y = np.array(
        list(zip(rng.random(60) < 0.6, rng.exponential(9, 60), strict=True)),
        dtype=[("event", bool), ("time", float)],
    )
    model = FineTunedCoxPH(max_epochs=0, random_state=0)
    expected = model.fit(frame, y).predict(frame)
    np.testing.assert_array_equal(model.fit(lazy, y).predict(lazy), expected)
    assert str(check_expression(lazy.to_frame())) == str(check_expression(frame))

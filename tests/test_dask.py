"""Searches and protocols on a cluster of Dask, in processes with threads."""

import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from dask.distributed import Client, LocalCluster
from discovery import tiny
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgex import SCARF, FineTunedClassifier
from skgex.datasets import make_expression
from skgex.evaluation import cohort_size_curve, label_efficiency_curve
from skgex.io import open_memmap, to_memmap

X = make_expression(n_samples=60, n_genes=30, random_state=0).astype(np.float32)
Y = (X[:, 0] > np.median(X[:, 0])).astype(int)
TUNED = tiny(FineTunedClassifier)
MODELS = {"tuned": TUNED, "embedded": make_pipeline(tiny(SCARF), LogisticRegression())}


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes with two threads each, and what is sent to them."""
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
        ) as workers,
        Client(workers) as client,
    ):
        yield client


def everywhere(function):
    """Return what a function returns here, and on the cluster."""
    alone = function()
    with joblib.parallel_config("dask"):
        return alone, function()


def test_a_search_finds_the_same(cluster):
    def search():
        grid = {"embedder__corruption_rate": [0.1, 0.5]}
        found = GridSearchCV(TUNED, grid, cv=2, error_score="raise").fit(X, Y)
        return found.cv_results_["mean_test_score"], found.predict_proba(X)

    for ours, theirs in zip(*everywhere(search), strict=True):
        assert_array_equal(ours, theirs)


def test_cross_validation_finds_the_same(cluster):
    def validate():
        found = cross_validate(TUNED, X, Y, cv=3, return_estimator=True)
        return [tuned.transform(X) for tuned in found["estimator"]]

    for ours, theirs in zip(*everywhere(validate), strict=True):
        assert_array_equal(ours, theirs)


def test_protocols_find_the_same(cluster):
    for curve, options in (
        (label_efficiency_curve, {"fractions": [0.2, 1.0], "n_splits": 1}),
        (cohort_size_curve, {"sizes": [10, 20], "n_draws": 1}),
    ):
        ours, theirs = everywhere(
            lambda curve=curve, options=options: curve(MODELS, X, Y, **options)
        )
        assert_frame_equal(ours, theirs)


def test_what_a_notebook_defines_is_kept_in_a_folder(cluster, tmp_path, monkeypatch):
    def score(model, X, y):
        return model.score(X, y)

    score.__module__, score.__qualname__ = "__main__", "score"
    monkeypatch.setattr(sys.modules["__main__"], "score", score, raising=False)
    models = {"linear": make_pipeline(StandardScaler(), LogisticRegression())}
    options = {"fractions": [1.0], "n_splits": 2, "scoring": score}
    with joblib.parallel_config("dask"):
        theirs = label_efficiency_curve(models, X, Y, cache_dir=tmp_path, **options)
    assert len(list(tmp_path.iterdir())) == 2
    assert_frame_equal(theirs, label_efficiency_curve(models, X, Y, **options))


def test_the_table_is_sent_once(cluster, monkeypatch):
    sent, scatter = [], cluster.scatter

    def spy(data, **options):
        sent.append(data is X)
        return scatter(data, **options)

    monkeypatch.setattr(cluster, "scatter", spy)
    with joblib.parallel_config("dask"):
        cross_validate(TUNED, X, Y, cv=3)
    assert sum(sent) == 1


def test_a_map_is_opened_in_the_workers(cluster, tmp_path):
    """What is sent are the numbers of rows, as the guide has it."""
    path = str(tmp_path / "X.npy")
    to_memmap(pd.DataFrame(X).add_prefix("gene"), path)

    def read_rows(rows):
        return open_memmap(path).to_numpy()[rows[:, 0]]

    model = make_pipeline(FunctionTransformer(read_rows), TUNED)
    rows = np.arange(len(X))[:, None]
    with joblib.parallel_config("dask"):
        theirs = cross_validate(model, rows, Y, cv=2)["test_score"]
    assert_array_equal(theirs, cross_validate(TUNED, X, Y, cv=2)["test_score"])

"""Embedders as estimators of scikit-learn: arrays, copies, groups, searches."""

import pickle
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import pytest
from discovery import class_name
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skgex.datasets import make_expression

X = make_expression(n_samples=90, n_genes=30, random_state=0)
Y = (X[:, 0] > np.median(X[:, 0])).astype(int)


# Arrays


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_are_neither_copied_nor_changed(embedder, seen, dtype):
    values = X.astype(dtype)
    Z = embedder.fit(values).transform(values)
    assert Z.dtype == np.float32
    assert len(seen["arrays"]) == 2
    assert all(np.shares_memory(array, values) for array in seen["arrays"])
    assert_array_equal(values, X)


def test_memory_map_gives_the_result_of_an_array(embedder, seen, tmp_path):
    np.memmap(tmp_path / "X", np.float32, "w+", shape=X.shape)[:] = X
    on_disk = np.memmap(tmp_path / "X", np.float32, "r", shape=X.shape)
    Z = clone(embedder).fit_transform(X)
    assert_array_equal(embedder.fit(on_disk).transform(on_disk), Z)
    assert all(np.shares_memory(array, on_disk) for array in seen["arrays"][-2:])


def test_groups_are_not_split(embedder, seen):
    groups = np.repeat(np.arange(15), 6)
    embedder.set_params(n_iter_no_change=5, validation_fraction=0.2)
    embedder.fit(X, groups=groups)
    rows, valid_rows = seen["parts"]
    assert_array_equal(np.sort(np.r_[rows, valid_rows]), np.arange(90))
    assert len(set(groups[valid_rows])) == 3
    assert not set(groups[rows]) & set(groups[valid_rows])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clone(embedder).fit(X, groups=groups[1:])


def test_groups_are_routed(embedder, seen):
    with config_context(enable_metadata_routing=True):
        embedder.set_params(n_iter_no_change=5).set_fit_request(groups=True)
        groups = np.repeat(np.arange(15), 6)
        make_pipeline(embedder, LogisticRegression()).fit(X, Y, groups=groups)
    rows, valid_rows = seen["parts"]
    assert not set(groups[rows]) & set(groups[valid_rows])


def test_without_early_stopping_all_samples_train(embedder, seen):
    embedder.fit(X, groups=np.arange(90))
    rows, valid_rows = seen["parts"]
    assert_array_equal(rows, np.arange(90))
    assert valid_rows is None


# scikit-learn's machinery


@pytest.mark.parametrize("copy", ["pickle", "joblib", "deepcopy"])
def test_copies_embed_alike(embedder, copy, tmp_path):
    Z = embedder.fit_transform(X)
    if copy == "joblib":
        joblib.dump(embedder, tmp_path / "embedder")
        again = joblib.load(tmp_path / "embedder")
    else:
        again = deepcopy(embedder) if copy == "deepcopy" else pickled(embedder)
    assert_array_equal(again.transform(X), Z)
    again.set_params(warm_start=True).fit(X)
    assert_array_equal(embedder.transform(X), Z)


def pickled(estimator):
    return pickle.loads(pickle.dumps(estimator))


def test_clones_forget(embedder):
    embedder.fit(X)
    with pytest.raises(NotFittedError):
        clone(embedder).transform(X)


def test_pickles_do_not_carry_the_training_data(embedder):
    many = make_expression(n_samples=900, n_genes=30, random_state=0)
    embedder.set_params(max_epochs=1)
    small, large = (overhead(clone(embedder).fit(x)) for x in (X, many))
    assert abs(large - small) < 100
    assert small < 30_000  # code names, parameters, history


def overhead(embedder):
    """Return the size of a pickle beyond that of the weights."""
    weights = sum(v.nbytes for v in embedder.objective_.state_dict().values())
    return len(pickle.dumps(embedder)) - weights


def test_fitted_embedders_hold_tensors_on_the_cpu_in_evaluation_mode(embedder):
    embedder.fit(X)
    assert not any(part.training for part in embedder.objective_.modules())
    for module in (embedder.standardizer_, embedder.objective_):
        assert all(v.device.type == "cpu" for v in module.state_dict().values())
    assert embedder.objective_.encoder is embedder.encoder_


def test_set_output_names_columns_and_keeps_the_index(embedder):
    table = pd.DataFrame(X, index=[f"patient{i}" for i in range(90)])
    table.columns = [f"G{i}" for i in range(30)]
    Z = embedder.fit_transform(table)
    frame = embedder.set_output(transform="pandas").transform(table)
    assert_array_equal(frame, Z)
    assert list(frame.index) == list(table.index)
    name = class_name(type(embedder)).lower()
    assert list(frame.columns) == [
        f"{name}{i}" for i in range(embedder.encoder_.embedding_dim)
    ]


def test_grid_search_reaches_the_embedder(embedder):
    pipeline = make_pipeline(embedder, LogisticRegression())
    sizes = {"hidden_dims": [(2,), (9, 5)], "embedding_dim": [4, 8]}
    size = next(name for name in sizes if hasattr(embedder, name))
    grid = {f"{pipeline.steps[0][0]}__{size}": sizes[size]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(X, Y)
    best = {size: search.best_params_[next(iter(grid))]}
    alone = clone(pipeline).set_params(**search.best_params_)
    assert_allclose(search.best_score_, cross_val_score(alone, X, Y, cv=2).mean())
    assert_array_equal(
        search.best_estimator_[0].transform(X),
        clone(embedder).set_params(**best).fit_transform(X),
    )

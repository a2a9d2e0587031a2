"""Labels of batches: their kinds, how they reach BatchScaler, and what is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from batch_effects import N_GENES, SPREAD, batches, profiles
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from skgex import BatchScaler


@pytest.mark.parametrize(
    "labels",
    [
        np.repeat([3, 1], 10),
        np.repeat([2.0, 0.5], 10),
        np.repeat(["x", "é"], 10).tolist(),
        pd.Series(np.repeat(["x", "y"], 10), dtype="category"),
        pd.Series(np.repeat(["x", "y"], 10), index=range(5, 25)),
        pl.Series(np.repeat(["x", "y"], 10)),
        np.repeat(np.array(["x", "y"], dtype=object), 10),
        np.repeat([True, False], 10),
    ],
)
def test_kinds_of_labels(labels):
    X, _, batch = batches(10, 10)
    expected = BatchScaler().fit_transform(X, batch=batch)
    scaler = BatchScaler()
    assert_allclose(scaler.fit_transform(X, batch=labels), expected, rtol=1e-10)
    assert len(scaler.batches_) == 2
    assert scaler.mean_.shape == scaler.scale_.shape == (2, N_GENES)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (["A"] * 19, "batch has 19 labels, but X has 20 samples"),
        ("A", r"one label for each sample, .* shape \(\)"),
        ([["A"]] * 20, r"one label for each sample, .* shape \(20, 1\)"),
        ([1.0] * 19 + [np.nan], r"no label for sample 19 \(1 are missing\)"),
        (["A", None] * 10, r"no label for sample 1 \(10 are missing\): give such"),
        (pd.Series(["A", pd.NA] * 10), r"no label for sample 1"),
        (pd.Series(["A", np.nan] * 10), r"no label for sample 1"),
        (np.array(["A", 1] * 10, dtype=object), "mixes labels of types int, str"),
    ],
)
def test_labels_that_are_refused(batch, message):
    X = profiles(20)
    with pytest.raises(ValueError, match=message):
        BatchScaler().fit(X, batch=batch)
    scaler = BatchScaler().fit(X, batch=["A"] * 20)
    with pytest.raises(ValueError, match=message):
        scaler.transform(X, batch=batch)


def test_labels_of_fit_and_transform_have_to_be_of_a_kind():
    X, _, batch = batches(10, 10)
    scaler = BatchScaler().fit(X, batch=batch)
    message = r"(?s)fit was given batch, and transform was not.*set_transform_request"
    with pytest.raises(ValueError, match=message):
        scaler.transform(X)
    with pytest.raises(ValueError, match="labels such as 1, where fit had 'b0'"):
        scaler.transform(X, batch=[1] * 20)
    with pytest.raises(ValueError, match="labels such as '1', where fit had 1"):
        BatchScaler().fit(X, batch=[1, 2] * 10).transform(X, batch=["1", "2"] * 10)


def test_every_sample_a_batch():
    scaler = BatchScaler()
    with pytest.raises(ValueError, match="Every batch has a single sample"):
        scaler.fit(profiles(5), batch=range(5))
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        scaler.fit(profiles(1))
    with pytest.raises(NotFittedError):
        check_is_fitted(scaler)


# In a pipeline


@pytest.fixture
def routed():
    with config_context(enable_metadata_routing=True):
        scaler = BatchScaler().set_fit_request(batch=True)
        yield scaler.set_transform_request(batch=True)


def test_routing_through_a_pipeline(routed):
    X, _, batch = batches(30, 30)
    y = np.arange(60) % 2
    pipe = make_pipeline(routed, LogisticRegression()).fit(X, y, batch=batch)
    assert_array_equal(pipe[0].batches_, ["b0", "b1"])
    scaled = BatchScaler().fit_transform(X, batch=batch)
    model = LogisticRegression().fit(scaled, y)
    assert_array_equal(pipe.predict_proba(X, batch=batch), model.predict_proba(scaled))
    assert pipe.score(X, y, batch=batch) == model.score(scaled, y)


def test_routing_through_cross_validation(routed):
    """Classes of which each batch has its share, under effects that are larger."""
    X, _, batch = batches(40, 40, tau=3.0)
    y = np.tile([0, 1], 40)
    X = X + np.outer(y, 0.15 * SPREAD)
    scores = {}
    for name, params in [("batch", {"batch": batch}), ("none", {})]:
        pipe = make_pipeline(routed, StandardScaler(), LogisticRegression())
        result = cross_validate(pipe, X, y, params=params, error_score="raise")
        scores[name] = result["test_score"].mean()
    assert scores["batch"] > scores["none"] + 0.05


def test_without_routing_the_error_says_what_to_do():
    X, _, batch = batches(10, 10)
    pipe = make_pipeline(BatchScaler(), StandardScaler())
    pipe.fit(X, batchscaler__batch=batch)
    with pytest.raises(ValueError, match="In a Pipeline enable metadata routing"):
        pipe.transform(X)


def test_tables():
    X, _, batch = batches(10, 10)
    table = pd.DataFrame(X, columns=[f"G{j}" for j in range(N_GENES)])
    table["batch"] = batch
    scaler = BatchScaler().set_output(transform="pandas")
    found = scaler.fit_transform(table.drop(columns="batch"), batch=table["batch"])
    assert_array_equal(found.columns, scaler.get_feature_names_out())
    assert_array_equal(found, BatchScaler().fit_transform(X, batch=batch))

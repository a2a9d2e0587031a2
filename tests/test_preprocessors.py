"""What holds for everything that prepares a table, found by discovery."""

import mmap
import pickle
from unittest import mock

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from discovery import PREPROCESSORS, class_name, tiny
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from skgex import (
    SCARF,
    GeneAligner,
    LogCPM,
    QuantileNormalizer,
    TopVarianceGenes,
)
from skgex.preprocessing import _rows

GENES = [f"G{i}" for i in range(60)]
COUNTS = np.random.default_rng(0).negative_binomial(2, 0.02, (40, 60)) + 1.0
HOLES = np.where(np.random.default_rng(1).random(COUNTS.shape) < 0.1, np.nan, COUNTS)
TABLE = pd.DataFrame(HOLES, [f"S{i}" for i in range(40)], GENES)


@pytest.fixture(params=PREPROCESSORS, ids=class_name)
def preprocessor(request):
    return tiny(request.param)


def changed(value, rows, genes):
    table = TABLE.copy()
    table.iloc[rows, genes] = value
    return table


def refuses(preprocessor, X, message):
    """Check that neither `fit` nor `transform` takes X."""
    fitted = clone(preprocessor).fit(TABLE if hasattr(X, "columns") else HOLES)
    with pytest.raises(ValueError, match=message):
        fitted.transform(X)
    with pytest.raises(ValueError, match=message):
        preprocessor.fit(X)
    with pytest.raises(NotFittedError):
        check_is_fitted(preprocessor)
    with pytest.raises(NotFittedError):
        preprocessor.transform(TABLE)


# Input


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity(preprocessor, value):
    message = r"infinity: sample 33, gene 'G7'\. Mark .* NaN.* logarithms of x \+ 1"
    bad = changed(value, 33, 7)
    refuses(preprocessor, bad, message)
    refuses(clone(preprocessor), pl.from_pandas(bad), message)
    refuses(clone(preprocessor), bad.to_numpy(), r"sample 33, gene 7\. Mark")


def test_sample_without_a_measured_gene(preprocessor):
    bad = changed(np.nan, 17, slice(None))
    if isinstance(preprocessor, GeneAligner):  # others say what becomes of it
        assert np.isnan(preprocessor.fit_transform(bad)[17]).all()
        return
    refuses(preprocessor, bad, "NaN in every gene of sample 17; drop samples")


def test_sparse(preprocessor):
    message = r"X is sparse, but dense data is required: call X\.toarray\(\)"
    refuses(preprocessor, sparse.csr_array(COUNTS), message)


def test_strings_and_shapes(preprocessor):
    words = TABLE.astype(object)
    words.iloc[3, 2] = "high"
    refuses(preprocessor, words, "could not convert string to float: 'high'")
    refuses(clone(preprocessor), COUNTS[0], "Expected 2D array")
    refuses(clone(preprocessor), COUNTS[:, :, None], "dim 3")
    refuses(clone(preprocessor), COUNTS + 1j, "Complex data not supported")
    refuses(clone(preprocessor), TABLE[:0], r"Found array with 0 sample\(s\)")


def test_other_genes(preprocessor):
    if isinstance(preprocessor, GeneAligner):  # it is there to take other genes
        return
    fitted = preprocessor.fit(TABLE)
    with pytest.raises(ValueError, match=r"(?s)same order.*X\.reindex\(columns="):
        fitted.transform(TABLE[GENES[::-1]])
    with pytest.raises(ValueError, match=r"(?s)now missing.*G5.*X\.reindex\(columns="):
        fitted.transform(TABLE.drop(columns="G5"))


def test_wrong_number_of_genes(preprocessor):
    with pytest.raises(ValueError, match=r"X has 59 features, but .* is expecting 60"):
        preprocessor.fit(HOLES).transform(HOLES[:, 1:])


# Output


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_input_is_left_alone(preprocessor, dtype):
    X = HOLES.astype(dtype)
    before = X.copy()
    output = preprocessor.fit(X).transform(X)
    assert output.dtype == dtype
    assert (output is X) or not np.shares_memory(output, X)
    assert (output is X) == isinstance(preprocessor, GeneAligner)
    assert_array_equal(X, before)


def test_integers_become_single_precision(preprocessor):
    expected = clone(preprocessor).fit_transform(COUNTS.astype(np.float32))
    output = preprocessor.fit_transform(COUNTS.astype(np.int32))
    assert output.dtype == np.float32
    assert_array_equal(output, expected)


def test_kinds_of_input_agree(preprocessor):
    X = HOLES.astype(np.float32)
    expected = clone(preprocessor).fit(X).transform(X)
    table = TABLE.astype(np.float32)
    kinds = [X.tolist(), torch.from_numpy(X), np.asfortranarray(X), table]
    for kind in [*kinds, pl.from_pandas(table), table.astype("Float32")]:
        output = clone(preprocessor).fit(kind).transform(kind)
        assert_array_equal(output, expected)
    wide = np.repeat(X, 2, axis=1)
    for view in (wide[:, ::2], np.flip(np.flip(X).copy())):
        assert_array_equal(clone(preprocessor).fit(view).transform(view), expected)


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_memory_maps_are_read_in_chunks(preprocessor, mode, tmp_path, monkeypatch):
    X = HOLES.astype(np.float32)
    np.memmap(tmp_path / "X", np.float32, "w+", shape=X.shape)[:] = X
    mapped = np.memmap(tmp_path / "X", np.float32, mode, shape=X.shape)
    expected = clone(preprocessor).fit(X).transform(X)
    monkeypatch.setattr(_rows, "_RELEASE_BYTES", 500)
    for module in ("_rows", "_gene_moments", "_quantile_normalizer"):
        name = f"skgex.preprocessing.{module}._CHUNK_BYTES"
        monkeypatch.setattr(name, 3 * X[0].nbytes)
    output = preprocessor.fit(mapped).transform(mapped)
    # Where there is nothing to align, nothing need be read into memory.
    passed = isinstance(preprocessor, GeneAligner)
    assert np.shares_memory(output, mapped) == passed
    np.testing.assert_allclose(output, expected, rtol=1e-6)
    assert_array_equal(mapped, X)


def test_samples_do_not_depend_on_each_other(preprocessor):
    together = preprocessor.fit(TABLE).transform(TABLE)
    for rows in (slice(0, 1), slice(5, 8), slice(None, None, -1)):
        assert_array_equal(preprocessor.transform(TABLE[rows]), together[rows])


def test_fitted_ones_pickle_and_clone(preprocessor):
    expected = preprocessor.fit(TABLE).transform(TABLE)
    loaded = pickle.loads(pickle.dumps(preprocessor))
    assert_array_equal(loaded.transform(TABLE), expected)
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(preprocessor))
    assert_array_equal(clone(preprocessor).fit_transform(TABLE), expected)


def test_tables_out(preprocessor):
    values = clone(preprocessor).fit_transform(TABLE)
    output = preprocessor.set_output(transform="pandas").fit_transform(TABLE)
    assert_array_equal(output.index, TABLE.index)
    assert_array_equal(output.columns, preprocessor.get_feature_names_out())
    assert_array_equal(output, values)
    output = preprocessor.set_output(transform="polars").fit_transform(TABLE)
    assert output.columns == list(preprocessor.get_feature_names_out())
    assert_array_equal(output.to_numpy(), values)


def test_in_a_pipeline_with_an_embedder():
    """The order of the user guide, searched over."""
    y = np.arange(40) % 2
    pipe = make_pipeline(
        GeneAligner(GENES[:50]),
        LogCPM(),
        QuantileNormalizer(),
        TopVarianceGenes(30),
        tiny(SCARF, max_epochs=1),
        LogisticRegression(),
    )
    grid = {"topvariancegenes__k": [10, 20], "genealigner__on_duplicate": ["sum"]}
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(TABLE, y)
    fitted = search.best_estimator_
    assert fitted[4].n_features_in_ == search.best_params_["topvariancegenes__k"]
    fewer = TABLE.drop(columns=GENES[3:9])
    assert np.isfinite(search.predict_proba(fewer)).all()


def test_pages_of_a_memory_map_are_given_back(tmp_path):
    np.memmap(tmp_path / "X", np.float32, "w+", shape=(12, 4))[:] = 1
    X = np.memmap(tmp_path / "X", np.float32, "r", shape=(12, 4))
    pages = mock.Mock()
    with (
        mock.patch.object(_rows, "memory_map", return_value=pages) as find,
        mock.patch.object(_rows, "_RELEASE_BYTES", 4 * X[0].nbytes),
    ):
        chunks = list(_rows.checked_rows(np.asarray(X), chunk_bytes=2 * X[0].nbytes))
    assert [rows for rows, _ in chunks] == [slice(i, i + 2) for i in range(0, 12, 2)]
    assert pages.madvise.call_count == 3  # every four rows
    find.assert_called_once()
    assert isinstance(_rows.memory_map(np.asarray(X)[2:]), mmap.mmap)
    # Changes of a private map are in its pages alone.
    private = np.memmap(tmp_path / "X", np.float32, "c", shape=(12, 4))
    assert _rows.memory_map(np.asarray(private)) is None
    assert _rows.memory_map(np.ones((2, 2))) is None

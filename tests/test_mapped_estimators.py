"""Folds of a table on disk: the imputer and the tuned estimators copy none of them."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from skgex import (
    SCARF,
    FineTunedClassifier,
    FineTunedCoxPH,
    FineTunedDiscreteHazard,
    GeneRestorer,
    GexBERT,
    GexImputer,
    UnivariateCoxSelector,
)
from skgex import _mapped_table as mapped_table
from skgex._training import RowReader, apply_by_batches, apply_in_place
from skgex.io import MappedTable, open_memmap, to_memmap

ROWS = np.random.default_rng(1).permutation(60)[:45]
HALF = ROWS[:20]
EMBEDDER = SCARF(max_epochs=1, hidden_dims=(8,), random_state=0)


def table(dtype=np.float32, odd=False):
    """Return samples with holes; one may be empty, and genes constant or empty."""
    rng = np.random.default_rng(0)
    values = rng.normal(5, 1, (60, 30))
    values[rng.random(values.shape) < 0.05] = np.nan
    values[:, 7] = np.arange(60)
    if odd:
        values[:, 4], values[:, 9] = 3.0, np.nan
        values[ROWS[3]] = np.nan
    names = [f"G{i}" for i in range(30)]
    return pd.DataFrame(values.astype(dtype), [f"S{i}" for i in range(60)], names)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(mapped_table, "_BLOCK_BYTES", 1000)


@pytest.fixture
def unreadable(monkeypatch):
    """Fail where a selection is read as a whole."""

    def read(self, *args, **kwargs):
        raise AssertionError("the selection was read as a whole")

    monkeypatch.setattr(MappedTable, "__array__", read)


def on_disk(tmp_path, frame):
    to_memmap(frame, tmp_path / "table.npy", dtype=frame.dtypes.iloc[0].name)
    return open_memmap(tmp_path / "table.npy", lazy=True)


def same(found, expected):
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"add_indicator": True},
        {"keep_empty_features": True, "add_indicator": True},
        {"sample_posterior": True},
    ],
    ids=["plain", "indicator", "kept", "drawn"],
)
def test_the_imputer_reads_folds_block_by_block(tmp_path, dtype, options, unreadable):
    frame = table(dtype, odd=True)
    lazy, fold = on_disk(tmp_path, frame), frame.iloc[ROWS]
    imputer = GexImputer(GexBERT(max_epochs=1), random_state=0, **options)
    expected = imputer.fit(fold).transform(frame.iloc[HALF])
    own, names = imputer.statistics_, imputer.get_feature_names_out()
    # Measured values are those of the table, and nothing else.
    kept = fold.columns.isin(names)
    measured = frame.iloc[HALF].to_numpy()[:, kept]
    filled = expected[:, : kept.sum()]
    assert np.isfinite(filled).all()
    known = ~np.isnan(measured)
    np.testing.assert_array_equal(filled[known], measured[known])
    same(imputer.fit(lazy[ROWS]).transform(lazy[HALF]), expected)
    np.testing.assert_array_equal(imputer.statistics_, own)
    np.testing.assert_array_equal(imputer.get_feature_names_out(), names)


def test_the_indicator_is_that_of_scikit_learn(tmp_path):
    frame = table(odd=True)
    imputer = GexImputer(GexBERT(max_epochs=0), add_indicator=True, random_state=0)
    found = imputer.fit(on_disk(tmp_path, frame)[ROWS]).transform(frame)
    holes = frame.iloc[ROWS].isna().any()
    np.testing.assert_array_equal(found[:, -holes.sum() :], frame.loc[:, holes].isna())


@pytest.mark.parametrize(
    "options", [{"censored": "left"}, {"missing_values": -1}], ids=["low", "mark"]
)
def test_other_imputers_read_all_of_it(tmp_path, options):
    frame = table(odd=True)
    frame = frame.fillna(-1) if "missing_values" in options else frame
    lazy = on_disk(tmp_path, frame)
    imputer = GexImputer(GexBERT(max_epochs=0), random_state=0, **options)
    expected = imputer.fit(frame.iloc[ROWS]).transform(frame)
    same(imputer.fit(lazy[ROWS]).transform(lazy), expected)


def test_samples_are_scored_as_in_memory(tmp_path, unreadable):
    frame = table()
    lazy = on_disk(tmp_path, frame)
    imputer = GexImputer(GexBERT(max_epochs=0), random_state=0).fit(lazy)
    scores = imputer.score_samples(lazy[ROWS], return_z=True)
    expected = imputer.score_samples(frame.iloc[ROWS], return_z=True)
    for found, other in zip(scores, expected, strict=True):
        same(found, other)


def test_a_restorer_is_fitted_to_folds_on_disk(tmp_path, unreadable):
    frame = table()
    lazy = on_disk(tmp_path, frame)
    restorer = GeneRestorer(GexBERT(max_epochs=0), random_state=0)
    panel = frame.iloc[HALF]
    expected = restorer.fit(frame.iloc[ROWS]).transform(panel)
    same(restorer.fit(lazy[ROWS]).transform(panel), expected)


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("covariates", [["G7"], [0, -1]], ids=["amid", "ends"])
def test_genes_beside_covariates_stay_on_disk(tmp_path, covariates, freeze, unreadable):
    frame = table().fillna({"G0": 5.0, "G29": 5.0})
    lazy, y = on_disk(tmp_path, frame), np.arange(60) % 2
    model = FineTunedClassifier(EMBEDDER, covariates=covariates, freeze=freeze)
    model.set_params(max_epochs=2, random_state=0, linear_weight=0.5)
    expected = model.fit(frame.iloc[ROWS], y[ROWS]).predict_proba(frame)
    embedding = model.transform(frame)
    same(model.fit(lazy[ROWS], y[ROWS]).predict_proba(lazy), expected)
    same(model.transform(lazy), embedding)


def follow_up():
    rng = np.random.default_rng(0)
    pairs = list(zip(rng.random(60) < 0.6, rng.exponential(9, 60) + 0.1, strict=True))
    return np.array(pairs, dtype=[("event", bool), ("time", float)])


@pytest.mark.parametrize("Model", [FineTunedCoxPH, FineTunedDiscreteHazard])
@pytest.mark.parametrize("covariates", [None, ["G7"]], ids=["alone", "beside"])
@pytest.mark.parametrize("freeze", [False, True])
def test_survival_reads_no_fold_twice(tmp_path, monkeypatch, Model, covariates, freeze):
    frame, read = table(), []
    monkeypatch.setattr(
        MappedTable,
        "__array__",
        lambda self, dtype=None, copy=None: read.append(1) or self._read(dtype=dtype),
    )
    lazy, y = on_disk(tmp_path, frame), follow_up()[ROWS]
    # A trained network is in the model where it has a weight.
    model = Model(EMBEDDER, covariates=covariates, freeze=freeze, cv=None, alpha=10.0)
    model.set_params(max_epochs=2, random_state=0)
    for scaling, n_read in [("rank", 1), ("standard", 0)]:
        model.set_params(scaling=scaling)
        expected = model.fit(frame.iloc[ROWS], y).predict(frame)
        read.clear()
        same(model.fit(lazy[ROWS], y).predict(lazy), expected)
        assert len(read) == n_read


@pytest.mark.parametrize("scaling", ["rank", "standard"])
def test_strata_weights_and_folds_of_survival(tmp_path, scaling):
    frame, strata = table(), np.arange(45) % 2
    lazy, y = on_disk(tmp_path, frame), follow_up()[ROWS]
    model = FineTunedCoxPH(EMBEDDER, scaling=scaling, max_epochs=1, random_state=0)
    options = {"strata": strata, "sample_weight": np.arange(45) % 9 * 0.3}
    expected = model.fit(frame.iloc[ROWS], y, **options).predict(frame)
    same(model.fit(lazy[ROWS], y, **options).predict(lazy), expected)


def test_a_selector_takes_it(tmp_path):
    frame, y = table(), follow_up()
    selector = UnivariateCoxSelector(k=5, adjust=["G7"])
    expected = selector.fit(frame.iloc[ROWS], y[ROWS]).scores_
    same(selector.fit(on_disk(tmp_path, frame)[ROWS], y[ROWS]).scores_, expected)


GENES = np.array([7, 2, 29])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_genes_and_columns_beside_them(tmp_path, dtype):
    frame, beside = table(dtype), np.random.default_rng(2).normal(size=(45, 2))
    lazy = on_disk(tmp_path, frame)[ROWS]
    expected = np.c_[frame.to_numpy()[ROWS][:, GENES], beside.astype(dtype)]
    chosen = lazy._of_genes(GENES)
    assert list(chosen.columns) == ["G7", "G2", "G29"]
    assert list(chosen._of_genes([2, 0]).columns) == ["G29", "G7"]
    same(np.asarray(chosen._of_genes([2, 0])), expected[:, [2, 0]])
    joined = chosen._beside(beside)
    assert joined.shape == (45, 5)
    for other in (joined, pickle.loads(pickle.dumps(joined))):
        same(np.asarray(other), expected)
        same(np.asarray(other[10:3:-2]), expected[10:3:-2])
        same(other[[4, 1], 1:4], expected[[4, 1], 1:4])
        same(other[:, 3], expected[:, 3])
        same(other[5], expected[5])
    reader, rows = RowReader(joined[::2]), torch.tensor([3, 0, 3])
    same(reader.read(rows).numpy(), expected[::2][rows])
    same(reader.take(rows).numpy(), expected[::2][rows].astype(np.float32))
    same(torch.cat(list(reader.chunks(7))).numpy(), expected[::2])
    reader._move()  # as to a device with memory for all of it
    same(reader.take(rows).numpy(), expected[::2][rows].astype(np.float32))
    # Values are read in the precision that is asked for.
    same(np.asarray(joined, np.float32), expected.astype(np.float32))
    same(np.array(joined, np.float64), expected.astype(np.float64))


def test_rows_are_changed_in_their_place():
    X = np.random.default_rng(0).normal(size=(150, 40)).astype(np.float32)
    module = nn.Sequential(nn.Linear(40, 40), nn.BatchNorm1d(40))
    expected = apply_by_batches(module, X, torch.device("cpu"))
    apply_in_place(module, X)
    same(X, expected)

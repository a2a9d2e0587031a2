"""Parts that read a table on disk by blocks: as from memory, bit for bit."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from discovery import PREPROCESSORS, class_name, tiny
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skgex import (
    SCARF,
    BatchScaler,
    FineTunedClassifier,
    FineTunedCoxPH,
    GeneAligner,
    GeneRestorer,
    GexBERT,
    GexImputer,
    LogCPM,
    UnivariateCoxSelector,
)
from skgex import _mapped_table as mapped_table
from skgex import _restore as restoring
from skgex._inputs import on_disk
from skgex._survival import _gene_chunks
from skgex.io import MappedTable, open_memmap, to_memmap
from skgex.preprocessing import _gene_moments, _quantile_normalizer, _rows

N, GENES = 60, [f"G{i}" for i in range(70)]
ROWS = np.random.default_rng(1).permutation(N)[:45]
# As few as may be a block, and a row more than that in the last.
BLOCKS = {
    mapped_table: "_BLOCK_BYTES",
    **dict.fromkeys((_rows, _gene_moments, _quantile_normalizer), "_CHUNK_BYTES"),
}


def counts(dtype=np.float32):
    """Return counts with holes, as a table."""
    rng = np.random.default_rng(0)
    values = rng.negative_binomial(2, 0.02, (N, len(GENES))) + 1.0
    values[rng.random(values.shape) < 0.05] = np.nan
    values[:, 7] = np.arange(N)
    return pd.DataFrame(values.astype(dtype), [f"S{i}" for i in range(N)], GENES)


def on_a_disk(tmp_path, frame):
    to_memmap(frame, tmp_path / "table.npy", dtype=frame.dtypes.iloc[0].name)
    return open_memmap(tmp_path / "table.npy", lazy=True)


def follow_up(n=N):
    rng = np.random.default_rng(0)
    pairs = zip(rng.random(n) < 0.6, rng.exponential(9, n).round() + 1, strict=True)
    return np.array(list(pairs), dtype=[("event", bool), ("time", float)])


def same(found, expected):
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    # Sums of what follows depend on it.
    assert found.flags.c_contiguous == expected.flags.c_contiguous


def peak_of(call):
    """Return what numpy held at once, in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    for module, name in BLOCKS.items():
        monkeypatch.setattr(module, name, 2000)
    monkeypatch.setattr(restoring, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(_gene_chunks, "_CHUNK_VALUES", 1)  # 16 genes then
    monkeypatch.setattr(_gene_chunks, "_BAND_BYTES", 8000)


@pytest.fixture
def unreadable(monkeypatch):
    """Fail where a selection is read as a whole."""

    def read(self, *args, **kwargs):
        raise AssertionError("the selection was read as a whole")

    monkeypatch.setattr(MappedTable, "__array__", read)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("Preprocessor", PREPROCESSORS, ids=class_name)
def test_a_preprocessor_reads_blocks(tmp_path, Preprocessor, dtype, unreadable):
    frame = counts(dtype)
    lazy, values = on_a_disk(tmp_path, frame), frame.to_numpy()[ROWS]
    # As from a table in row order.
    fold = pd.DataFrame(values, columns=GENES, copy=False)
    preprocessor = tiny(Preprocessor)
    expected = clone(preprocessor).fit(fold).transform(fold)
    fitted = clone(preprocessor).fit(lazy[ROWS])
    same(fitted.transform(lazy[ROWS]), expected)
    same(preprocessor.fit_transform(lazy[ROWS]), expected)
    assert list(fitted.feature_names_in_) == GENES
    for bad, message in [(np.inf, "infinity: sample 33"), (-np.inf, "infinity")]:
        table = open_memmap(tmp_path / "table.npy", lazy=True)
        np.load(tmp_path / "table.npy", mmap_mode="r+")[33, 5] = bad
        with pytest.raises(ValueError, match=message):
            fitted.transform(table)
        with pytest.raises(ValueError, match=message):
            clone(preprocessor).fit(table)


def test_batches_on_disk(tmp_path, unreadable):
    frame, batch = counts(), np.arange(45) % 3
    lazy, fold = on_a_disk(tmp_path, frame)[ROWS], frame.to_numpy()[ROWS]
    expected = BatchScaler().fit(fold, batch=batch)
    scaler = BatchScaler().fit(lazy, batch=batch)
    for name in ("mean_", "scale_", "pooled_mean_", "pooled_scale_"):
        same(getattr(scaler, name), getattr(expected, name))
    for other in (batch, batch + 1, batch + 9):  # some are new, then all
        found = scaler.transform(lazy, batch=other)
        same(found, expected.transform(lazy._read(), batch=other))


def test_scaled_counts_come_back(tmp_path):
    frame = counts()
    lazy = on_a_disk(tmp_path, np.log2(frame + 1))[ROWS]
    cpm = LogCPM().fit(frame)
    expected = np.exp2(lazy._read()) - np.float32(1)
    same(cpm.inverse_transform(lazy), expected)
    same(cpm.inverse_transform(lazy.to_frame()), expected)


ORDERS = {
    "reversed": GENES[::-1],
    "few": ["G3", "new", "G1"],
    "twice": [*GENES[:40], "new"],
}


@pytest.mark.parametrize("kind", ["lazy", "map"])
@pytest.mark.parametrize("genes", ORDERS.values(), ids=ORDERS)
def test_genes_are_aligned_without_a_copy(tmp_path, kind, genes, unreadable):
    frame = counts()
    frame.columns = [f"G{i % 65}" for i in range(70)]
    np.save(tmp_path / "X.npy", frame.to_numpy())
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    table = pd.DataFrame(mapped, frame.index, frame.columns, copy=False)
    if kind == "lazy":
        table = MappedTable(mapped, frame.index, frame.columns, None)[ROWS]
        frame = frame.iloc[ROWS]
    aligner = GeneAligner(genes, mapping={"G64": "G3"}, min_coverage=0.1)
    expected = clone(aligner).fit(frame)
    same(aligner.fit(table).transform(table), expected.transform(frame))
    np.testing.assert_array_equal(aligner.matches_, expected.matches_)
    if kind == "lazy":
        with pytest.raises(ValueError, match="0 sample"):
            aligner.transform(table[:0])


def test_a_lazy_table_without_names_is_passed_through(tmp_path):
    frame = counts()
    np.save(tmp_path / "X.npy", frame.to_numpy())
    lazy = on_disk(np.load(tmp_path / "X.npy", mmap_mode="r"))[ROWS]
    expected = frame.to_numpy()[ROWS]
    same(GeneAligner().fit(lazy).transform(lazy), expected)


@pytest.mark.parametrize("kind", ["lazy", "map"])
@pytest.mark.parametrize("adjust", [None, ["G7"], [7, -1]], ids=["alone", "7", "two"])
def test_genes_are_tested_in_bands(tmp_path, kind, adjust, unreadable):
    frame = counts().fillna({f"G{i}": 5.0 for i in range(20, 70)})
    frame["G11"] = np.float32(3)  # constant
    lazy, fold = on_a_disk(tmp_path, frame)[ROWS], frame.iloc[ROWS]
    if kind == "map":
        lazy, fold = open_memmap(tmp_path / "table.npy"), frame
    y, weight = follow_up(len(fold)), np.arange(len(fold)) % 5 * 0.5
    options = {"strata": np.arange(len(fold)) % 2, "sample_weight": weight}
    selector = UnivariateCoxSelector(k=5, adjust=adjust)
    expected = clone(selector).fit(fold, y, **options)
    selector.fit(lazy, y, **options)
    same(selector.scores_, expected.scores_)
    same(selector.pvalues_adjusted_, expected.pvalues_adjusted_)
    same(selector.transform(lazy), expected.transform(fold))
    selector.set_params(alpha=0.0, adjust=None).fit(lazy, y)
    with pytest.warns(UserWarning, match="No features were selected"):
        assert selector.transform(lazy).shape == (len(fold), 0)


def test_nothing_to_select_on_disk(tmp_path, unreadable):
    frame = counts() * 0 + 4.0
    with pytest.raises(ValueError, match="constant"):
        UnivariateCoxSelector().set_params(k=2).fit(
            on_a_disk(tmp_path, frame), follow_up()
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_panels_on_disk_are_restored_by_blocks(tmp_path, dtype, unreadable):
    frame = np.log2(counts(dtype) + 1)
    embedder = GexBERT(max_epochs=0, random_state=0).fit(frame.iloc[:, :50])
    panel = frame.iloc[ROWS, 20:]
    panel.iloc[3, :30] = np.nan  # nothing that the embedder knows
    lazy = on_a_disk(tmp_path, panel)
    restorer = GeneRestorer(FrozenEstimator(embedder)).fit(panel)
    found = restorer.transform(lazy)
    # Restored in one piece, and each put in its place.
    profiles = panel.reindex(columns=GENES[:50]).to_numpy(np.float32)
    restored = embedder._restore(profiles)
    own = panel.to_numpy().copy()
    holes = np.isnan(own[:, :30])
    own[:, :30][holes] = restored[:, 20:][holes]
    same(found, np.c_[own, restored[:, :20].astype(dtype)])
    assert list(restorer.genes_) == GENES[:20]
    same(restorer.transform(panel), found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_measured_values_are_kept(tmp_path, dtype, unreadable):
    frame = np.log2(counts(dtype) + 1)
    embedder = GexBERT(max_epochs=0, random_state=0).fit(frame)
    genes, X = GENES[40:10:-1], frame.iloc[ROWS]
    lazy = on_a_disk(tmp_path, frame)[ROWS]
    mean, std = embedder.restore(X, genes, return_std=True, keep_measured=False)
    holes = X[genes].isna().to_numpy()
    for table in (X, lazy):
        found = embedder.restore(table, genes, return_std=True)
        same(np.asarray(found[0]), np.where(holes, mean, X[genes]))
        same(np.asarray(found[1]), np.where(holes, std, 0).astype(np.float32))


EMBEDDER = SCARF(max_epochs=1, hidden_dims=(8,), random_state=0)


@pytest.mark.parametrize("as_frame", [True, False], ids=["table", "array"])
@pytest.mark.parametrize("covariates", [[7], [0, -1]], ids=["amid", "ends"])
@pytest.mark.parametrize("Model", [FineTunedClassifier, FineTunedCoxPH])
def test_genes_of_a_map_are_not_copied(tmp_path, Model, covariates, as_frame):
    frame = np.log2(counts() + 1).fillna({"G0": 5.0, "G69": 5.0})
    on_a_disk(tmp_path, frame)
    mapped = open_memmap(tmp_path / "table.npy")
    if not as_frame:
        frame, mapped = frame.to_numpy(), mapped.to_numpy()
    y = follow_up() if Model is FineTunedCoxPH else np.arange(N) % 2
    model = Model(EMBEDDER, covariates=covariates, max_epochs=1, random_state=0)
    if Model is FineTunedCoxPH:
        model.set_params(cv=None, alpha=10.0)
    expected = clone(model).fit(frame, y)
    model.fit(mapped, y)
    assert list(vars(model)) == list(vars(expected))
    for method in ("predict", "transform"):
        same(getattr(model, method)(mapped), getattr(expected, method)(frame))


def test_a_map_is_a_table_on_disk(tmp_path):
    np.save(tmp_path / "X.npy", np.arange(12.0).reshape(3, 4))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    table = on_disk(X[1:], np.array(list("abcd")))
    assert on_disk(table) is table
    assert on_disk(expected := np.ones((2, 2))) is expected
    for other in (table, pickle.loads(pickle.dumps(table[[1, 0]]))[::-1]):
        assert isinstance(other, MappedTable)
        np.testing.assert_array_equal(other._of_genes([3, 1]), X[1:, [3, 1]])
        assert list(other.columns) == list("abcd")


@pytest.mark.parametrize("part", ["fit", "transform"])
@pytest.mark.parametrize("Preprocessor", PREPROCESSORS, ids=class_name)
def test_memory_stays_bounded(tmp_path, Preprocessor, part):
    values = np.random.default_rng(0).integers(1, 900, (3000, 70)).astype(np.float32)
    lazy = on_a_disk(tmp_path, pd.DataFrame(values, columns=GENES))
    rows = np.random.default_rng(0).permutation(3000)
    lazy, preprocessor = lazy[rows], tiny(Preprocessor)
    if part == "fit":
        assert peak_of(lambda: preprocessor.fit(lazy)) < 0.5 * values.nbytes
        return
    preprocessor.fit(lazy[:50])
    # The output, and no copy of the input beside it.
    assert peak_of(lambda: preprocessor.transform(lazy)) < 1.5 * values.nbytes


def test_memory_of_selection_stays_bounded(tmp_path):
    values = np.random.default_rng(0).normal(size=(400, 200)).astype(np.float32)
    frame = pd.DataFrame(values, columns=[f"G{i}" for i in range(200)])
    lazy, y = on_a_disk(tmp_path, frame)[::-1], follow_up(400)
    for adjust in (None, ["G7"]):
        selector = UnivariateCoxSelector(k=5, adjust=adjust)
        # Some arrays of the size of one chunk of 16 genes, in double precision.
        assert peak_of(lambda s=selector: s.fit(lazy, y)) < 12 * 16 * 400 * 8
        assert peak_of(lambda s=selector: s.transform(lazy)) < 0.5 * values.nbytes


def test_a_map_is_aligned_in_bounded_memory(tmp_path):
    values = np.random.default_rng(0).normal(size=(3000, 70)).astype(np.float32)
    on_a_disk(tmp_path, pd.DataFrame(values, columns=GENES))
    mapped = open_memmap(tmp_path / "table.npy")
    aligner = GeneAligner([*GENES[40:], *GENES[:30:2]])
    assert peak_of(lambda: aligner.fit(mapped)) < 0.3 * values.nbytes
    found = []
    peak = peak_of(lambda: found.append(aligner.transform(mapped)))
    assert peak < found[0].nbytes + 0.3 * values.nbytes


def test_an_imputer_copies_no_genes_of_a_map(tmp_path):
    frame = np.log2(counts() + 1)
    frame["G3"], frame.iloc[5] = np.float32(2), np.nan
    on_a_disk(tmp_path, frame)
    mapped = open_memmap(tmp_path / "table.npy")
    imputer = GexImputer(GexBERT(max_epochs=0), random_state=0)
    # G3 is constant, and sample 5 empty.
    expected = clone(imputer).fit(frame).transform(frame)
    same(imputer.fit(mapped).transform(mapped), expected)
    given, _ = imputer._table(mapped.to_numpy())
    assert isinstance(given, MappedTable)
    assert given.shape == (N - 1, 69)

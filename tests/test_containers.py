"""What X may come in: masks mean missing values, other containers are refused."""

import types

import anndata
import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from discovery import ESTIMATORS, LEARNERS, class_name, make_target, tiny
from numpy.testing import assert_array_equal

import skgex
from skgex._containers import refuse_containers, without_mask
from skgex.datasets import make_cohort
from skgex.evaluation import cohort_size_curve

COHORT = make_cohort(n_samples=40, n_genes=12, random_state=0)
X = np.abs(COHORT.data)
GENES = [f"G{i}" for i in range(12)]
TABLE = pd.DataFrame(X, columns=GENES)
HOLES = np.arange(X.size).reshape(X.shape) % 7 == 0
WITH_NAN = np.where(HOLES, np.nan, X).astype(np.float32)
METHODS = ("predict", "transform", "restore", "score_samples", "embed_genes")

EVERY = pytest.mark.parametrize("Estimator", ESTIMATORS, ids=class_name)


def fit(Estimator, X):
    y = make_target(Estimator, COHORT.target, COHORT.factors[:, 0])
    parameters = {"max_epochs": 1} if hasattr(Estimator(), "max_epochs") else {}
    return tiny(Estimator, **parameters).fit(X, y)


def stranger(module, name, **attributes):
    """Return an object of a package that is not here, known by the name of its type."""
    kind = types.new_class(name, exec_body=lambda body: body.update(attributes))
    kind.__module__ = module
    return kind()


def anndata_of(X):
    names = [pd.Index(n, dtype=object) for n in ([f"S{i}" for i in range(40)], GENES)]
    return anndata.AnnData(X, *(pd.DataFrame(index=n) for n in names))


REFUSED = {
    "anndata": (lambda: anndata_of(X), r"anndata\.AnnData.*adata\.to_df\(layer="),
    "raw": (lambda: stranger("anndata._core.raw", "Raw"), r"raw\.to_adata\(\)"),
    "backed": (
        lambda: stranger("anndata._core.sparse_dataset", "_CSRDataset"),
        r"adata\.to_memory\(\)",
    ),
    "mudata": (lambda: stranger("mudata._core.mudata", "MuData"), r"mdata\['rna'\]"),
    "experiment": (
        lambda: stranger("summarizedexperiment.se", "RangedSE", assays={}),
        r"genes x samples: pass pandas\.DataFrame\(X\.assay",
    ),
    "xarray": (lambda: stranger("xarray.core.dataarray", "DataArray"), "to_pandas"),
    "dask": (lambda: stranger("dask.array.core", "Array"), r"X\.compute\(\)"),
    "cupy": (lambda: stranger("cupy", "ndarray"), r"X\.get\(\)"),
    "lazy": (lambda: pl.from_pandas(TABLE).lazy(), r"X\.collect\(\) first"),
    "pyarrow": (lambda: pa.Table.from_pandas(TABLE), r"pyarrow\.Table.*to_pandas"),
    "device": (lambda: torch.tensor(X, device="meta"), r"on meta: pass X\.detach"),
    "gradient": (lambda: torch.tensor(X, requires_grad=True), r"pass X\.detach\(\)"),
    "bfloat16": (lambda: torch.tensor(X).bfloat16(), r"\.float\(\)"),
    "dict": (lambda: TABLE.to_dict("list"), r"Pass pandas\.DataFrame\(X\)"),
    "structured": (lambda: TABLE.to_records(), r"Pass pandas\.DataFrame\(X\)"),
    "path": (lambda: "cohort.tsv", r"type str.*skgex\.io\.read_expression\(path\)"),
    "sparse": (
        lambda: TABLE.astype(pd.SparseDtype("f4", 0.0)),
        r"X\.sparse\.to_dense\(\)",
    ),
    "objects": (
        lambda: TABLE.astype(object).where(~HOLES, pd.NA),
        r"pandas\.NA in a column of type object: pass X\.convert_dtypes\(\)",
    ),
}


@EVERY
@pytest.mark.parametrize("name", REFUSED)
def test_containers_that_cannot_be_used_are_refused_with_what_to_do(Estimator, name):
    make, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        fit(Estimator, make())


@pytest.fixture(scope="module")
def fitted():
    return {e: fit(e, TABLE) for e in ESTIMATORS}


@EVERY
@pytest.mark.parametrize("name", ["anndata", "lazy", "pyarrow", "path"])
def test_they_are_refused_after_fit_too(Estimator, name, fitted):
    make, message = REFUSED[name]
    for method in METHODS:
        if hasattr(fitted[Estimator], method):
            with pytest.raises(ValueError, match=message):
                getattr(fitted[Estimator], method)(make())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@EVERY
def test_masked_values_are_missing_values(Estimator, dtype):
    data, holes = X.astype(dtype), WITH_NAN.astype(dtype)
    outputs = []
    for given in (np.ma.masked_array(data, HOLES), holes):
        estimator = fit(Estimator, given)
        outputs.append(
            [
                np.asarray(getattr(estimator, method)(given))
                for method in METHODS
                if hasattr(estimator, method)
            ]
        )
    for masked, expected in zip(*outputs, strict=True):
        assert masked.dtype == expected.dtype
        assert_array_equal(masked, expected)


def test_the_imputer_fills_in_what_is_masked():
    masked = np.ma.masked_array(X, HOLES)
    imputer = skgex.GexImputer(skgex.GexBERT(max_epochs=0), random_state=0)
    filled = imputer.fit_transform(masked)
    assert_array_equal(filled[~HOLES], X[~HOLES])
    assert (filled[HOLES] != X[HOLES]).all()
    assert masked.mask.sum() == HOLES.sum()  # what was given stays as it is


@pytest.mark.parametrize("dtype", ["i8", "u1", ">i4", "?"])
def test_masked_integers_become_floats(dtype):
    counts = (X * 20).astype(dtype)
    masked = np.ma.masked_array(counts, HOLES)
    aligner = skgex.GeneAligner()
    result = aligner.fit_transform(masked)
    assert result.dtype == aligner.fit_transform(counts).dtype == np.float32
    assert_array_equal(result, np.where(HOLES, np.nan, counts).astype(np.float32))


def test_an_array_without_a_masked_value_is_not_copied(tmp_path):
    np.save(tmp_path / "x.npy", X)
    for values in (X, np.load(tmp_path / "x.npy", mmap_mode="r")):
        for mask in (np.ma.nomask, np.zeros(X.shape, bool)):
            result = without_mask(np.ma.masked_array(values, mask))
            assert np.shares_memory(result, values)
        assert without_mask(values) is values


TAKEN = {
    "nullable": TABLE.astype("Float64").mask(HOLES),
    "nullable single": TABLE.astype("Float32").mask(HOLES),
    "arrow": TABLE.astype("float64[pyarrow]").mask(HOLES),
    "polars": pl.from_pandas(TABLE.mask(HOLES)),
    "none": TABLE.astype(object).where(~HOLES, None),
    "one column": TABLE.mask(HOLES).assign(
        G0=TABLE["G0"].astype("Float64").mask(HOLES[:, 0])
    ),
    "converted": TABLE.astype(object).where(~HOLES, pd.NA).convert_dtypes(),
    "lists": WITH_NAN.tolist(),
    "tensor": torch.tensor(WITH_NAN),
}


@pytest.mark.parametrize("name", TAKEN)
def test_missing_values_of_other_containers_are_nan(name):
    for Estimator in (skgex.GeneAligner, skgex.QuantileNormalizer):
        result = Estimator().fit(WITH_NAN).transform(np.array(WITH_NAN))
        other = Estimator().fit_transform(TAKEN[name])
        np.testing.assert_allclose(np.asarray(other), result, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "boolean"])
def test_missing_integers_are_nan(dtype):
    table = (TABLE * 10).round().astype(int)
    table = (table > 5 if dtype == "boolean" else table).astype(dtype).mask(HOLES)
    expected = table.astype(object).where(table.notna(), np.nan).astype(np.float32)
    assert_array_equal(skgex.GeneAligner().fit_transform(table), expected)


def test_a_dataset_of_h5py_is_read(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        result = skgex.LogCPM().fit_transform(file.create_dataset("x", data=X))
    assert_array_equal(result, skgex.LogCPM().fit_transform(X))


def test_views_of_anndata_are_arrays_and_tables():
    part = anndata_of(X)[:30]
    refuse_containers(part.X)
    refuse_containers(part.to_df())
    refuse_containers(part.obs)


def test_the_evaluation_takes_a_mask_for_missing_values():
    def curve(X):
        estimators = {"imputer": tiny(skgex.GexImputer)}
        options = {"sizes": [10], "n_draws": 1, "random_state": 0}
        return cohort_size_curve(estimators, X, **options)

    holes = HOLES & (np.arange(40) % 2 == 0)[:, None]
    masked = np.ma.masked_array(X, holes)
    pd.testing.assert_frame_equal(curve(masked), curve(np.where(holes, np.nan, X)))
    with pytest.raises(ValueError, match=r"adata\.to_df"):
        curve(anndata_of(X))


@pytest.mark.parametrize("kind", ["dates", "zones", "durations", "polars", "array"])
def test_dates_are_refused(kind):
    when = pd.Timestamp("2026-11-27", tz="UTC" if kind == "zones" else None)
    value = pd.Timedelta("1D") if kind == "durations" else when
    table = TABLE.assign(**{TABLE.columns[1]: value})
    if kind == "polars":
        table = pl.from_pandas(table)
    if kind == "array":
        table = np.abs(X * 100).astype("datetime64[D]")
    where = "values" if kind == "array" else repr(str(TABLE.columns[1]))
    for Estimator in (skgex.SCARF, skgex.LogCPM, skgex.BatchScaler):
        with pytest.raises(ValueError, match=f"X has {where} of type .*no numbers"):
            Estimator().fit(table)


def test_objects_that_are_no_numbers_are_refused():
    for value in (pd.Period("2026"), [1, 2]):
        table = TABLE.assign(odd=[value] * len(TABLE))
        with pytest.raises(
            (TypeError, ValueError), match=r"gene 'odd', row 0, which is no number"
        ):
            skgex.SCARF().fit(table)


def test_dates_beside_the_genes_are_left_to_the_aligner():
    genes = list(TABLE.columns[:3])
    table = TABLE.assign(sampled=pd.Timestamp("2026-11-27"))
    found = skgex.GeneAligner(genes).fit_transform(table)
    assert_array_equal(found, TABLE[genes].to_numpy())


@pytest.mark.parametrize("Estimator", [skgex.SCARF, skgex.GexBERT, skgex.GeneAligner])
def test_tables_of_another_byte_order(Estimator):
    swapped = pd.DataFrame(X.astype(X.dtype.newbyteorder()), columns=TABLE.columns)
    fitted = (
        tiny(Estimator).fit(TABLE) if Estimator in LEARNERS else Estimator().fit(TABLE)
    )
    found, expected = (np.asarray(fitted.transform(t)) for t in (swapped, TABLE))
    assert found.dtype.isnative
    assert_array_equal(found, expected)

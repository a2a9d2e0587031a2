"""AnnData files of all versions, and of all types of names and values."""

import h5py
import numpy as np
import pytest
from h5ad_files import (
    ENSEMBL,
    SAMPLES,
    STRING,
    SYMBOLS,
    values,
    write_file,
    write_matrix,
    write_table,
)
from numpy.testing import assert_array_equal

from skgex.io import read_archs4, read_h5ad

KINDS = pytest.mark.parametrize("kind", [None, "csr", "csc"])


def write_before_0_7(path, kind=None, as_bytes=True):
    """Write obs and var as structures, categories in uns, raw beside them."""
    name = "S20" if as_bytes else STRING
    var = np.zeros(6, [("index", name), ("symbol", "i1"), ("length", "f8")])
    var["index"], var["symbol"] = ENSEMBL, [5, 4, 3, 2, 1, 0]
    obs = np.zeros(4, [("index", name), ("batch", "i1")])
    obs["index"] = SAMPLES
    with h5py.File(path, "w") as file:
        write_matrix(file, "X", values(), kind, legacy=True)
        write_matrix(file, "raw.X", 2 * values(), kind, legacy=True)
        file["obs"], file["var"], file["raw.var"] = obs, var, var
        reverse = np.array(SYMBOLS[::-1], "S10")
        file["uns/symbol_categories"] = file["raw.cat/symbol_categories"] = reverse
        file["uns/batch_categories"] = b"one"
    return path


@KINDS
@pytest.mark.parametrize("as_bytes", [True, False])
def test_files_from_before_version_0_7(kind, as_bytes, tmp_path):
    path = write_before_0_7(tmp_path / "x.h5ad", kind, as_bytes)
    X = read_h5ad(path)
    assert (list(X.index), list(X)) == (SAMPLES, ENSEMBL)
    assert_array_equal(X, values())
    X = read_h5ad(path, layer="raw", gene_column="symbol", genes=["MYC", "RB1"])
    assert_array_equal(X, 2 * values()[:, [1, 5]])


@pytest.mark.parametrize("shape", [(4, 1), (1, 6)])
def test_a_matrix_that_lost_a_dimension(shape, tmp_path):
    X = values(*shape)
    names = {"samples": SAMPLES[: shape[0]], "genes": SYMBOLS[: shape[1]]}
    path = write_file(tmp_path / "x.h5ad", X.ravel(), **names)
    assert_array_equal(read_h5ad(path), X)
    assert_array_equal(read_h5ad(path, genes=SYMBOLS[:1]), X[:, :1])


def test_categories_of_version_0_7(tmp_path):
    path = write_file(tmp_path / "x.h5ad", genes=ENSEMBL)
    with h5py.File(path, "r+") as file:
        var = file["var"]
        var.create_dataset("__categories/symbol", data=SYMBOLS[::-1], dtype=STRING)
        var["symbol"] = np.array([5, 4, 3, 2, 1, -1], "i1")
        var["symbol"].attrs["categories"] = var["__categories/symbol"].ref
    with pytest.warns(UserWarning, match="1 gene has no name in column 'symbol'"):
        X = read_h5ad(path, gene_column="symbol")
    assert list(X) == SYMBOLS[:5]
    assert_array_equal(X, values()[:, :5])
    with pytest.raises(
        ValueError, match=r"no gene_column 'x'.*only '_index', 'symbol'"
    ):
        read_h5ad(path, gene_column="x")


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (np.array([7157, 4609, 1956, 3845, 5728, 5925.0]), "7157 4609 1956 3845"),
        (np.array([7157, 4609, 1956, 3845, np.nan, np.nan]), "7157 4609 1956 3845"),
        (np.array([7157, 4609, 1956, 3845, 5728, 5925], ">i4"), "7157 4609 1956 3845"),
        (
            {"values": np.array([7157, 4609, 1956, 3845, 1, 1]), "mask": [False] * 4}
            | {"mask": np.array([False] * 4 + [True] * 2)},
            "7157 4609 1956 3845",
        ),
        (
            {"codes": np.array([1, 0, 3, 2, -1, -1]), "categories": list("BACD")},
            "A B D C",
        ),
        (
            {
                "codes": np.array([1, 0, 2, 3, 4, 4]),
                "categories": np.array([2.0, 1, 3, 4, np.nan]),
            },
            "1 2 3 4",
        ),
        (["A", " B ", "\ufeffC", '"D"', "---", ""], "A B C D"),
        (np.array(["A", "B", "C", "D", "NA", "nan"], "S5"), "A B C D"),
    ],
    ids=["float", "gap", "int", "nullable", "category", "numbers", "text", "bytes"],
)
@KINDS
def test_names_in_columns_of_any_type(column, names, kind, tmp_path):
    path = write_file(tmp_path / "x.h5ad", kind=kind, id=column)
    names = names.split()
    X = read_h5ad(path, gene_column="id", genes=names[::-1])  # says nothing of others
    assert_array_equal(X, values()[:, 3::-1])
    complete = isinstance(column, np.ndarray) and not (column != column).any()
    if complete and column.dtype.kind != "S":
        assert len(read_h5ad(path, gene_column="id").columns) == 6
        return
    message = "2 genes have no name in column 'id'. They are left out"
    with pytest.warns(UserWarning, match=message):
        assert list(read_h5ad(path, gene_column="id")) == names


def test_no_gene_with_a_name(tmp_path):
    path = write_file(tmp_path / "x.h5ad", id=np.full(6, np.nan))
    with pytest.raises(ValueError, match=r"no gene has a name.*'_index', 'id'"):
        read_h5ad(path, gene_column="id")


@KINDS
@pytest.mark.parametrize(
    "dtype", ["f2", ">f4", "f8", ">f8", "?", "i1", "u1", ">i2", "i8", "u8"]
)
def test_types_of_values(dtype, kind, tmp_path):
    X = values(dtype=dtype)
    path = write_file(tmp_path / "x.h5ad", X, kind)
    if dtype == "?":
        X = X.astype(int)
    result = read_h5ad(path, dtype="float64")
    assert_array_equal(result, X.astype(np.float64))
    assert (result.dtypes == np.float64).all()


@KINDS
def test_large_integers_do_not_overflow(kind, tmp_path):
    X = values(dtype="u8")
    X[0, 0] = 2**64 - 2**40
    assert read_h5ad(write_file(tmp_path / "x.h5ad", X, kind)).iloc[0, 0] == X[0, 0]
    X = values(dtype="i1")
    X[1, :3] = 127
    path = write_file(tmp_path / "x.h5ad", X, kind, genes=["A", "A", "A", *"BCD"])
    assert read_h5ad(path, on_duplicate="sum").loc["GSM2", "A"] == 3 * 127


@KINDS
def test_missing_values_stay_and_infinite_ones_are_refused_by_name(kind, tmp_path):
    X = values()
    X[1, 2] = np.nan
    path = write_file(tmp_path / "x.h5ad", X, kind)
    assert_array_equal(read_h5ad(path), X)
    X[2, 4] = -np.inf
    path = write_file(tmp_path / "x.h5ad", X, kind)
    message = r"x\.h5ad: 1 value is infinite.*gene 'PTEN' in sample 'GSM3'"
    for options in ({}, {"genes": ["PTEN", "MYC"]}, {"samples": ["GSM4", "GSM3"]}):
        with pytest.raises(ValueError, match=message):
            read_h5ad(path, **options)
    assert_array_equal(read_h5ad(path, genes=["EGFR"]), X[:, [2]])
    X = values(dtype=float)
    X[2, 4] = 1e300
    path = write_file(tmp_path / "x.h5ad", X, kind)
    with pytest.raises(ValueError, match=r"'PTEN' in sample 'GSM3'.*beyond 3.4e\+38"):
        read_h5ad(path)
    assert_array_equal(read_h5ad(path, dtype="float64"), X)


def test_raw_where_there_is_no_matrix(tmp_path):
    path = tmp_path / "x.h5ad"
    with h5py.File(path, "w") as file:
        file["X"] = h5py.Empty("f4")
        write_table(file, "obs", SAMPLES)
        write_table(file, "var", SYMBOLS[:2])
        file["layers/counts"] = values(4, 2)
        file["raw/X"] = values()
        write_table(file, "raw/var", ENSEMBL, feature_name=SYMBOLS)
    with pytest.raises(ValueError, match=r"no X\. .*layer=, one of 'counts', 'raw'"):
        read_h5ad(path)
    assert list(read_h5ad(path, layer="counts")) == SYMBOLS[:2]
    assert_array_equal(read_h5ad(path, layer="raw"), values())
    with pytest.raises(ValueError, match="pass gene_column='feature_name'"):
        read_h5ad(path, layer="raw", genes=["MYC"])
    write_file(path)
    with pytest.raises(ValueError, match="has no raw"):
        read_h5ad(path, layer="raw")


def test_symbols_where_names_are_of_ensembl(tmp_path):
    path = write_file(
        tmp_path / "x.h5ad", genes=ENSEMBL, feature_name=SYMBOLS, n=values()
    )
    message = r"begin with 'ENSG.*'feature_name' has 2 of the 3: pass gene_column='f"
    with pytest.raises(ValueError, match=message):
        read_h5ad(path, genes=["MYC", "TP53", "NOTHING"])


@pytest.mark.parametrize("encoding", ["dataframe", "bsr_matrix", None])
def test_matrices_that_are_not_read(encoding, tmp_path):
    path = write_file(tmp_path / "x.h5ad")
    with h5py.File(path, "r+") as file:
        del file["X"]
        group = file.create_group("X")
        if encoding:
            group.attrs["encoding-type"] = encoding
    with pytest.raises(
        ValueError, match=f"'{encoding}', but only" if encoding else "no X"
    ):
        read_h5ad(path)


def test_text_for_a_matrix(tmp_path):
    path = write_file(tmp_path / "x.h5ad", values().astype("S3"))
    with pytest.raises(ValueError, match=r"X holds values of type \|S3, not numbers"):
        read_h5ad(path)


@pytest.mark.parametrize("read", [read_h5ad, read_archs4])
@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (["matrix/barcodes", "matrix/indptr"], "10x file of single cells"),
        (["GRCh38/barcodes", "GRCh38/indptr"], "10x file of single cells"),
        (["0/DATA/0/matrix", "0/META/ROW/id"], "GCTX file.*gctx2gct.*read_gct"),
        (["matrix", "row_attrs/Gene", "col_attrs/CellID"], "loom file"),
        (["assays/RNA", "cell.names"], "file of Seurat"),
        (["mod/rna/X", "obs/i", "var/i"], "MuData"),
    ],
)
def test_other_hdf5_files_are_named(read, parts, message, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for part in parts:
            file[part] = [0]
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "x.h5")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\x1f\x8b\x08", "gunzip"),
        (b"PK\x03\x04", "zip archive"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"\n<!DOCTYPE html>", "web page"),
    ],
)
def test_what_is_no_hdf5_is_named(start, message, tmp_path):
    (tmp_path / "x.h5ad").write_bytes(start + b"\n" * 600)
    with pytest.raises(ValueError, match=message):
        read_h5ad(tmp_path / "x.h5ad")

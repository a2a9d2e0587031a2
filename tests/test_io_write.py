"""Tables written to files: what is read back is what was written."""

import gzip
import os
import threading
from unittest import mock

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from skgex.io import open_memmap, read_expression, write_expression
from skgex.io._write import _text_table, copy_h5ad, round_like
from skgex.io._write._number_lines import number_lines, shortest

ENDINGS = ["tsv", "csv", "txt", "gct", "tsv.gz", "csv.bz2", "txt.xz", "tsv.zip"]
ENDINGS += ["parquet", "feather", "h5ad", "xlsx", "npy"]
FINITE = {"allow_nan": True, "allow_infinity": False}


def table(dtype="float64", n_samples=4, n_genes=12):
    """Return values with few and with many digits, and some missing."""
    rng = np.random.default_rng(0)
    X = rng.normal(5, 3, (n_samples, n_genes)).astype(dtype)
    X[:, 0], X[1, 1], X[2, 2] = [0, 7, 0.1, 12345678], np.nan, -1e-7
    samples = [f"TCGA-A1-A0S{i}-01" for i in range(n_samples)]
    genes = ["TP53", "MYC", "HLA-A", "ERBB2", "EGFR", "KRAS", "BRAF", "PTEN"]
    genes = [*genes, "ACTB", "GAPDH", "BRCA1", "BRCA2"][:n_genes]
    return pd.DataFrame(X, samples, genes)


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_read_back_is_what_was_written(tmp_path, ending, dtype):
    X = table(dtype)
    write_expression(X, tmp_path / f"x.{ending}")
    read = open_memmap if ending == "npy" else read_expression
    options = {} if ending == "npy" else {"dtype": dtype}
    found = read(tmp_path / f"x.{ending}", **options)
    # Spreadsheets have 16 digits.
    exact = {"rtol": 1e-15, "atol": 0} if ending == "xlsx" else {"check_exact": True}
    pd.testing.assert_frame_equal(found, X, check_names=False, **exact)
    assert len(list(tmp_path.iterdir())) == 1 + (ending == "npy")


@given(nps.arrays(np.float32, (3, 2), elements=st.floats(width=32, **FINITE)))
def test_single_precision_has_the_digits_of_numpy(values):
    # numpy's own shortest text is an independent implementation.
    texts = [str(v) for v in values.ravel()]
    expected = np.array(texts, dtype=np.float64)
    found = shortest(values).ravel()
    np.testing.assert_array_equal(found.astype(np.float32), values.ravel())
    lengths = [len(repr(v)) for v in found.tolist()]
    # Powers of ten beyond the 22nd are not exact: such values may be longer.
    usual = (np.abs(found) > 1e-12) & (np.abs(found) < 1e20) | ~(np.abs(found) > 0)
    others = [len(repr(v)) for v in expected.tolist()]
    assert all(np.array(lengths)[usual] <= np.array(others)[usual])


@given(
    nps.arrays(np.float64, (2, 3), elements=st.floats(**FINITE)),
    st.sampled_from(["\t", ",", ";", " "]),
    st.none() | st.integers(0, 6),
)
def test_each_value_is_read_back_equal(values, delimiter, decimals):
    text = list(number_lines(values, delimiter, decimals=decimals))
    found = [[float(v.replace("NA", "nan")) for v in t.split(delimiter)] for t in text]
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(5.5, 2, "5.50"), (5.0, 2, "5.00"), (0.125, 2, "0.125"), (-0.0, 1, "0.0")],
)
def test_decimals_are_kept_where_they_hold_the_value(value, decimals, text):
    assert list(number_lines(np.array([[value]]), ",", decimals=decimals)) == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.125, "0.12"), (-0.001, "0.00"), (2, "2.00"), (9.999, "10.00")],
)
def test_decimals_that_are_told_round(tmp_path, value, text):
    X = pd.DataFrame({"TP53": [value, 1.0]}, ["a", "b"])
    write_expression(X, tmp_path / "x.tsv", decimals=2)
    assert lines(tmp_path / "x.tsv")[1].split("\t")[1] == text


def test_integers_of_any_size_are_written_as_they_are(tmp_path):
    X = pd.DataFrame({"TP53": [2**60 + 1, 3], "MYC": [True, False]}, ["a", "b"])
    write_expression(X[["TP53"]], tmp_path / "x.tsv", like={"decimals": 0})
    assert lines(tmp_path / "x.tsv")[1] == f"TP53\t{2**60 + 1}\t3"
    write_expression(X[["MYC"]], tmp_path / "y.tsv")
    assert lines(tmp_path / "y.tsv")[1] == "MYC\t1\t0"


def test_nullable_columns_are_written_with_na(tmp_path):
    X = pd.DataFrame({"TP53": [1.5, None]}, ["a", "b"]).astype("Float64")
    write_expression(X, tmp_path / "x.tsv")
    assert lines(tmp_path / "x.tsv")[1] == "TP53\t1.5\tNA"


@pytest.mark.parametrize("n_genes", [12, 3])
@pytest.mark.parametrize("orient", ["genes_in_rows", "samples_in_rows"])
def test_blocks_make_the_same_file(tmp_path, monkeypatch, orient, n_genes):
    X = table(n_genes=n_genes)
    write_expression(X, tmp_path / "a.tsv", orient=orient)
    monkeypatch.setattr(_text_table, "_BLOCK_BYTES", 100)
    write_expression(X, tmp_path / "b.tsv", orient=orient)
    assert lines(tmp_path / "a.tsv") == lines(tmp_path / "b.tsv")


@pytest.mark.parametrize(
    "text",
    [
        "patient;TP53;MYC\nTCGA-A1-A0S1-01;5,50;NA\nTCGA-A1-A0S2-01;1,25;3,75\n",
        "Hugo\tTCGA-A1-A0S1-01\tTCGA-A1-A0S2-01\nTP53\t5.5\t1\nMYC\t0.001\tNA\n",
        '"",TCGA-A1-A0S1-01,TCGA-A1-A0S2-01\nTP53,5.5,1\nMYC,2,3\n'.replace('""', ""),
        "\tTP53\tMYC\nTCGA-A1-A0S1-01\t5.125\t2.000\nTCGA-A1-A0S2-01\t1.500\t4.250\n",
    ],
)
def test_a_file_is_laid_out_like_the_one_that_was_read(tmp_path, text):
    ending = "csv" if "\t" not in text else "tsv"
    (tmp_path / f"a.{ending}").write_text(text)
    X = read_expression(tmp_path / f"a.{ending}", dtype="float64")
    write_expression(X, tmp_path / f"b.{ending}", like=X.attrs["source"])
    assert (tmp_path / f"b.{ending}").read_text() == text


def test_the_name_overrules_a_delimiter_that_does_not_go_with_it(tmp_path):
    like = {"delimiter": ";", "decimal": ",", "orient": "samples_in_rows"}
    X = pd.DataFrame({"TP53": [1.5]}, ["a"])
    write_expression(X, tmp_path / "x.tsv", like=like)
    assert lines(tmp_path / "x.tsv") == ["sample\tTP53", "a\t1,5"]
    write_expression(X, tmp_path / "y.csv", like=like, delimiter=",")
    assert lines(tmp_path / "y.csv") == ["sample,TP53", "a,1.5"]


def test_what_was_read_is_not_a_style_unless_told(tmp_path):
    X = pd.DataFrame({"TP53": [1.5]}, ["a"])
    X.attrs["source"] = {"orient": "samples_in_rows", "delimiter": ";"}
    write_expression(X, tmp_path / "x.csv")
    assert lines(tmp_path / "x.csv") == ["gene,a", "TP53,1.5"]


def test_names_with_delimiters_and_quotes_come_back(tmp_path):
    names = ['he said "x"', "a,b", " c ", "d\te"]
    X = pd.DataFrame([[1.0, 2, 3, 4]], ["a"], names)
    write_expression(X, tmp_path / "x.csv")
    found = pd.read_csv(tmp_path / "x.csv", index_col=0)
    assert list(found.index) == names


def test_the_same_table_is_the_same_compressed_file(tmp_path):
    for name in ("a.tsv.gz", "b.tsv.gz"):
        write_expression(table(), tmp_path / name)
    assert (tmp_path / "a.tsv.gz").read_bytes() == (tmp_path / "b.tsv.gz").read_bytes()
    text = gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()).decode()
    assert text.startswith("gene\tTCGA")


def test_anndata_reads_what_is_written(tmp_path):
    X = table("float32")
    write_expression(X, tmp_path / "x.h5ad")
    found = anndata.read_h5ad(tmp_path / "x.h5ad")
    np.testing.assert_array_equal(found.X, X)
    assert [*found.obs_names] == [*X.index]
    assert [*found.var_names] == [*X.columns]


def test_pandas_finds_the_index_of_parquet(tmp_path):
    write_expression(table(), tmp_path / "x.parquet")
    found = pd.read_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(found, table(), check_names=False)
    assert found.index.name == "sample"


def test_a_copy_of_anndata_keeps_what_is_not_replaced(tmp_path):
    X = table("float32")
    write_expression(X, tmp_path / "x.h5ad")
    obsm = {"X_pca": np.ones((4, 2))}
    copy_h5ad(tmp_path / "x.h5ad", tmp_path / "y.h5ad", obsm=obsm)
    with pytest.raises(ValueError, match=r"y.h5ad exists already"):
        copy_h5ad(tmp_path / "x.h5ad", tmp_path / "y.h5ad", X=X + 1)
    copy_h5ad(tmp_path / "y.h5ad", tmp_path / "y.h5ad", X=X + 1, overwrite=True)
    found = anndata.read_h5ad(tmp_path / "y.h5ad")
    np.testing.assert_array_equal(found.X, X + 1)
    np.testing.assert_array_equal(found.obsm["X_pca"], obsm["X_pca"])
    assert [*found.var_names] == [*X.columns]


def test_computed_values_have_six_digits_or_the_decimals_of_others():
    values = np.array([1234567.0, 1.23456789, 0.000123456789, np.nan, 0])
    expected = [1234570.0, 1.23457, 0.000123457, np.nan, 0]
    np.testing.assert_array_equal(round_like(values, None), expected)
    np.testing.assert_array_equal(round_like(values[:2], 2), [1234567, 1.23])


def test_a_file_that_is_there_is_replaced_only_when_told(tmp_path):
    (tmp_path / "x.tsv").write_text("mine")
    with pytest.raises(ValueError, match=r"x.tsv exists already.*overwrite=True"):
        write_expression(table(), tmp_path / "x.tsv")
    assert (tmp_path / "x.tsv").read_text() == "mine"
    write_expression(table(), tmp_path / "x.tsv", overwrite=True)
    assert len(lines(tmp_path / "x.tsv")) == 13


@pytest.mark.parametrize("ending", ["tsv", "h5ad", "xlsx", "parquet", "npy"])
def test_what_fails_leaves_nothing(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    path.write_text("mine")
    failing = mock.patch("os.replace", side_effect=KeyboardInterrupt)
    with failing, pytest.raises(KeyboardInterrupt):
        write_expression(table(), path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "mine"


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    found = []
    reader = threading.Thread(target=lambda: found.extend(lines(tmp_path / "pipe")))
    reader.start()
    write_expression(table(), tmp_path / "pipe", format="txt")
    reader.join(10)
    assert len(found) == 13


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("x.foo", {}, r"x.foo: the name does not say.*'.tsv'"),
        ("x.gz", {}, r"the name does not say"),
        ("x.parquet.gz", {}, r"parquet is not compressed by .gz"),
        ("x.gct", {"orient": "samples_in_rows"}, r"gct always has genes_in_rows"),
        ("x.h5ad", {"orient": "genes_in_rows"}, r"h5ad always has samples_in_rows"),
        ("no/x.tsv", {}, r"there is no folder .*no: make it first"),
        ("x.tsv", {"delimiter": "|"}, r"delimiter"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message):
        write_expression(table(), tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_not_written_over(tmp_path):
    (tmp_path / "x.tsv").mkdir()
    with pytest.raises(ValueError, match="is a folder: name a file in it"):
        write_expression(table(), tmp_path / "x.tsv", overwrite=True)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"TP53": ["high"]}), r"gene 'TP53' is of type .*not numeric"),
        (pd.DataFrame(index=["a"]), r"1 samples and 0 genes: there is nothing"),
        (np.ones((2, 2)), r"'X' parameter .* must be an instance of .*DataFrame"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, X, message):
    with pytest.raises(ValueError, match=message):
        write_expression(X, tmp_path / "x.tsv")


@pytest.mark.parametrize("ending", ["tsv", "csv.gz", "gct", "parquet", "h5ad", "npy"])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"index": ["a", "a"]}, "several samples named 'a'"),
        ({"columns": ["TP53", "TP53"]}, "several genes named 'TP53'"),
        ({"index": ["a", None]}, "Sample 1 of X has no name"),
        ({"columns": ["", "MYC"]}, "Gene 0 of X has no name"),
        (
            {"columns": pd.MultiIndex.from_tuples([("a", "TP53"), ("a", "MYC")])},
            "X.columns has 2 levels, but each gene needs one name",
        ),
        ({"data": [[1.0, np.inf], [2, 3]]}, "infinite for gene 'MYC' in sample 'a'"),
    ],
    ids=["samples", "genes", "no sample", "no gene", "levels", "infinite"],
)
def test_what_could_not_be_read_again(tmp_path, ending, changed, message):
    plain = {"data": [[1.0, 2], [3, 4]], "index": ["a", "b"]}
    X = pd.DataFrame(**{**plain, "columns": ["TP53", "MYC"], **changed})
    with pytest.raises(ValueError, match=message):
        write_expression(X, tmp_path / f"x.{ending}")
    assert not list(tmp_path.iterdir())


def test_formats_without_room_for_a_table_say_so(tmp_path):
    named = pd.DataFrame([[1.0, 2]], ["a"], ["TP53", "sample"])
    with pytest.raises(ValueError, match=r"two columns would have the name 'sample'"):
        write_expression(named, tmp_path / "x.parquet")
    wide = pd.DataFrame(np.ones((1, 16384)))
    with pytest.raises(ValueError, match=r"room for 1,048,575 lines of 16,383 values"):
        write_expression(wide, tmp_path / "x.xlsx", orient="samples_in_rows")
    assert not list(tmp_path.iterdir())

"""What each format has of its own."""

import h5py
import numpy as np
import pandas as pd
import pytest
from io_files import expression, write_archs4, write_gct, write_h5ad, write_text
from numpy.testing import assert_array_equal

from skgex.io import read_archs4, read_gct, read_h5ad, read_xena

# Xena


def test_xena_reads_what_programs_write(tmp_path):
    lines = ['"S1"\t"S2"\r', '"TP53"\t1.5e2\t\r', "", "MYC\tNA\t-0.25\r"]  # as R does
    X = read_xena(write_text(tmp_path / "x", lines))
    assert_array_equal(X, [[150, np.nan], [np.nan, -0.25]])
    assert list(X) == ["TP53", "MYC"]
    assert list(X.index) == ["S1", "S2"]


@pytest.mark.parametrize("value", ["1,500", "high", "0x1F", "1 2", "1;5", "1.5.2"])
def test_a_value_that_is_no_number_is_named(value, tmp_path):
    lines = ["id\tS1\tS2\tS3", "TP53\tNA\t\t1", f"MYC\t1\t{value}\t3"]
    message = rf"x: the value of gene 'MYC' in sample 'S2' is '{value}'"
    if value == "1,500":
        message = "x: '1,500' may be 1500 or 1.500"
    with pytest.raises(ValueError, match=message):
        read_xena(write_text(tmp_path / "x", lines))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["id\tS1\tS2", "TP53\t1\t2", "MYC\t1"], "line 3 has 2 fields, but 3 were"),
        (["id\tS1", "TP53\t1\t2\t3"], "line 2 has 4 fields, but 2 were"),
        (["id^S1^S2", "TP53^1^2"], "is no table: its first line must"),
        (["id\tS1"], "no line with a gene"),
    ],
)
def test_xena_of_another_shape(lines, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_xena(write_text(tmp_path / "x", lines))


# GCT

GCT_1_3 = [
    "#1.3",
    "3\t2\t2\t1\t\t",
    "id\tsymbol\tchr\tS1\tS2",
    "tissue\tna\tna\tliver\tlung",
    "ENSG3\tMYC\t8\t1\t2",
    "ENSG1\tTP53\t17\t3\t4",
    "ENSG2\tMYC\t8\t10\t20",
]


def test_gct_1_3_with_metadata(tmp_path):
    path = write_text(tmp_path / "x.gct", GCT_1_3)
    assert_array_equal(read_gct(path).loc["S2", ["ENSG1", "ENSG2"]], [4, 20])
    X, samples, genes = read_gct(
        path,
        samples=["S2", "S1"],
        gene_column="symbol",
        on_duplicate="sum",
        return_metadata=True,
    )
    expected = pd.DataFrame({"MYC": [22.0, 11], "TP53": [4.0, 3]}, ["S2", "S1"])
    assert_array_equal(X, expected)
    assert list(X) == list(expected)
    assert samples.to_dict("index") == {
        "S2": {"tissue": "lung"},
        "S1": {"tissue": "liver"},
    }
    assert genes.to_dict("index") == {
        "MYC": {"id": "ENSG3", "chr": "8"},
        "TP53": {"id": "ENSG1", "chr": "17"},
    }


def test_gct_1_2_metadata(tmp_path):
    X, samples, genes = read_gct(
        write_gct(tmp_path / "x.gct", expression()), return_metadata=True
    )
    assert samples.shape == (7, 0)
    assert list(samples.index) == list(X.index)
    assert genes["Description"].to_dict() == {g: f"{g} described" for g in X}


@pytest.mark.parametrize(
    ("number", "line", "message"),
    [
        (0, "#1.4", "first line must be #1.2 or #1.3"),
        (0, "id\tS1", "first line must be #1.2 or #1.3"),
        (1, "3\t2", "must hold the 4 numbers"),
        (1, "3\tx\t2\t1", "must hold the 4 numbers"),
        (1, "4\t2\t2\t1", "states 4 genes, but has 3"),
        (1, "2\t2\t2\t1", "states 2 genes, but has 3"),
        (1, "3\t5\t2\t1", "states 5 samples, but the line of 'id' has 2"),
        (
            3,
            "tissue\tna\tna\tliver",
            "states 2 samples, but the line of 'tissue' has 1",
        ),
        (5, "ENSG1\tTP53\t17\t3", "line 6 has 4 fields, but 5 were"),
    ],
)
def test_gct_that_contradicts_itself(number, line, message, tmp_path):
    lines = [*GCT_1_3]
    lines[number] = line
    with pytest.raises(ValueError, match=rf"x\.gct.*{message}"):
        read_gct(write_text(tmp_path / "x.gct", lines))


def test_gct_without_the_column(tmp_path):
    path = write_text(tmp_path / "x.gct", GCT_1_3)
    with pytest.raises(ValueError, match=r"no gene_column 'S1'.*'id', 'symbol', 'chr'"):
        read_gct(path, gene_column="S1")


# AnnData


@pytest.mark.parametrize("kind", [None, "csr", "csc"])
def test_h5ad_layers_and_gene_columns(kind, tmp_path):
    X = expression(missing=False)
    symbols = ["A", "B", "C", "A", "D"]
    path = write_h5ad(tmp_path / "x.h5ad", X, kind, symbol=symbols)
    assert_array_equal(read_h5ad(path, layer="double"), 2 * X)
    named = read_h5ad(path, gene_column="symbol", on_duplicate="mean")
    assert list(named) == ["A", "B", "C", "D"]
    assert_array_equal(named["A"], X[["g0", "g3"]].mean(axis=1))
    with pytest.raises(ValueError, match="no layer 'counts', only 'double'"):
        read_h5ad(path, layer="counts")
    with pytest.raises(ValueError, match=r"no gene_column 'name'.*'symbol'"):
        read_h5ad(path, gene_column="name")


def test_h5ad_with_names_of_another_number(tmp_path):
    path = write_h5ad(tmp_path / "x.h5ad", expression())
    with h5py.File(path, "r+") as file:
        del file["X"]
        file["X"] = np.ones((7, 3))
    with pytest.raises(ValueError, match=r"X is of shape \(7, 3\).*7 and 5 names"):
        read_h5ad(path)


def test_files_of_one_kind_given_to_the_reader_of_the_other(tmp_path):
    archs4 = write_archs4(tmp_path / "x.h5", expression(missing=False))
    with pytest.raises(ValueError, match=r"read by read_archs4"):
        read_h5ad(archs4)
    with pytest.raises(ValueError, match=r"read by read_h5ad"):
        read_archs4(write_h5ad(tmp_path / "x.h5ad", expression()))

"""read_expression: kinds of tables that real files of other packages showed."""

import gzip

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skgex.io import read_expression
from skgex.io._text import _open


def test_lines_that_unfold_without_end_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "table.gz"
    path.write_bytes(gzip.compress(b"gene\tP1\nTP53\t" + b"1" * 2000 + b"\n"))
    monkeypatch.setattr(_open, "_LONGEST_LINE", 1000)
    with pytest.raises(ValueError, match="unfolds to more than a table may have"):
        read_expression(path)
    path.write_bytes(gzip.compress(b"gene\tP1\n" + b"TP53\t1\n" * 60))
    monkeypatch.setattr(_open, "_MOST_LINES", 50)
    with pytest.raises(ValueError, match="50 lines"):
        read_expression(path)


def test_names_of_genes_that_hold_the_word_for_an_id(tmp_path):
    names = [f"gene-{g}|{g}" for g in ("TP53", "MYC", "EGFR", "IDE", "ide", "IDUA")]
    X = pd.DataFrame(np.arange(12.0).reshape(2, 6), ["GSM1234", "GSM1235"], names)
    for frame in (X, X.T):
        frame.to_csv(tmp_path / "t.csv")
        assert_array_equal(read_expression(tmp_path / "t.csv"), X)


def test_a_line_for_each_gene_and_sample_is_refused(tmp_path):
    path = tmp_path / "long.tsv"
    path.write_text("gene\tcell\tcount\nTP53\tA\t1\nMYC\tB\t2\n")
    with pytest.raises(
        ValueError, match=r"a line for each gene and each 'cell'.*pivot"
    ):
        read_expression(path)


def test_numbers_of_samples_in_front_of_genes_are_said(tmp_path):
    genes = ["TP53", "MYC", "EGFR", "KRAS", "BRCA1", "PTEN"]
    X = pd.DataFrame(np.arange(14.0).reshape(2, 7), ["a", "b"], ["TumorPurity", *genes])
    X.to_csv(tmp_path / "t.csv", index_label="sample_id")
    with pytest.warns(UserWarning, match="taken for genes too, 'TumorPurity'"):
        read_expression(tmp_path / "t.csv")


def test_a_share_of_bases_beside_tissues_is_said(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("gene\tGC\tliver\tlung\nTP53\t0.5\t7\t8\nMYC\t0.6\t6\t5\n")
    with pytest.warns(UserWarning, match=r"'GC' beside 'liver', 'lung' is taken for"):
        X = read_expression(path)
    assert X.index.to_list() == ["GC", "liver", "lung"]
    # As a gene it is one among others.
    path.write_text("sample\tGC\tTP53\nGSM1\t0.5\t7\nGSM2\t0.6\t6\n")
    assert read_expression(path).columns.to_list() == ["GC", "TP53"]


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_names_of_several_levels(tmp_path, ending):
    levels = pd.MultiIndex.from_tuples([("p53", "TP53"), ("myc", "MYC")])
    X = pd.DataFrame(np.ones((2, 2)), ["s1", "s2"], levels)
    path = tmp_path / f"x.{ending}"
    X.to_parquet(path) if ending == "parquet" else X.reset_index().to_feather(path)
    with pytest.raises(ValueError, match=r"columns have 2 levels of names, such as"):
        read_expression(path)

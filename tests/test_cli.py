"""The command line: tables keep what they look like."""

import anndata
import numpy as np
import pandas as pd
import pytest
from cli_files import (
    cohort,
    skgex,
    write_anndata,
    write_genes,
    write_semicolons,
)
from numpy.testing import assert_allclose, assert_array_equal

from skgex import GexBERT, GexImputer
from skgex.io import open_memmap


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(path, **options):
    return pd.read_csv(path, index_col=0, **options)


def test_impute_keeps_layout_names_and_measured_values(tmp_path):
    X = cohort()
    write_semicolons(tmp_path / "in.csv", X.rename_axis("patient"))
    run = skgex("impute", "in.csv", "out.csv")
    assert run.exit_code == 0, run.stderr
    assert run.stdout == ""
    before, after = (
        (tmp_path / n).read_text().split("\n") for n in ("in.csv", "out.csv")
    )
    assert before[0] == after[0]
    for old, new in zip(before[1:], after[1:], strict=True):
        for was, text in zip(old.split(";"), new.split(";"), strict=True):
            assert text == was or was == "NA"
            assert was != "NA" or len(text.split(",")[1]) == 2
    expected = GexImputer(GexBERT(max_epochs=0, random_state=0), random_state=0)
    found = read("out.csv", sep=";", decimal=",")
    assert_allclose(found, expected.fit_transform(X), atol=0.0051)
    assert f"{int(X.isna().sum().sum())} values were filled in" in run.stderr


def test_impute_with_a_start_and_standard_deviations(models, tmp_path):
    X = cohort(n_samples=20)
    write_genes(tmp_path / "in.tsv", X)
    options = ["--start", models["gexbert"], "--uncertainty", "std.tsv"]
    run = skgex("impute", "in.tsv", "-o", "out.tsv", *options)
    assert run.exit_code == 0, run.stderr
    assert "30 of the 30 genes" in run.stderr
    std, found = read("std.tsv", sep="\t"), read("out.tsv", sep="\t")
    assert found.notna().all(axis=None)
    assert_array_equal(std.index, found.index)
    missing = X.isna().T.to_numpy()
    assert (std.to_numpy()[~missing] == 0).all()
    assert (std.to_numpy()[missing] > 0).all()
    # About two thirds of what is hidden lie within one standard deviation.
    truth = cohort(n_samples=20, missing=0.0).T
    error = np.abs(found - truth).to_numpy()[missing] / std.to_numpy()[missing]
    assert 0.4 < (error < 1).mean() < 0.95


def test_impute_leaves_genes_that_nobody_measured(tmp_path):
    X = cohort()
    X.iloc[:, 3] = np.nan
    write_genes(tmp_path / "in.tsv", X)
    run = skgex("impute", "in.tsv", "out.tsv", "--censored", "left")
    assert run.exit_code == 0, run.stderr
    found = read("out.tsv", sep="\t")
    assert list(found.index) == list(X.columns)
    assert found.iloc[3].isna().all()
    assert found.drop(index=X.columns[3]).notna().all(axis=None)
    assert f"1 genes without any value stay NA, such as '{X.columns[3]}'" in run.stderr
    # Below the lowest measured value, but for rounding.
    low = X.min().to_numpy()[:, None] + 0.0051
    holes = X.isna().T.to_numpy() & found.notna().to_numpy()
    assert (found.to_numpy() <= low)[holes].all()


def test_impute_keeps_all_else_of_anndata(tmp_path):
    X = cohort()
    write_anndata(tmp_path / "in.h5ad", X)
    assert skgex("impute", "in.h5ad", "out.h5ad").exit_code == 0
    found = anndata.read_h5ad("out.h5ad")
    measured = X.notna().to_numpy()
    assert_array_equal(found.X[measured], X.to_numpy(np.float32)[measured])
    assert np.isfinite(found.X).all()
    assert found.uns["note"] == "kept"
    assert list(found.obs["age"]) == [*range(40)]


@pytest.mark.parametrize("ending", ["csv", "gct", "parquet", "h5ad", "npy", "tsv.gz"])
def test_convert_there_and_back_is_the_same_file(tmp_path, ending):
    text = write_genes(tmp_path / "in.tsv", cohort(), name="sample").read_text()
    assert skgex("convert", "in.tsv", f"x.{ending}").exit_code == 0
    options = ["--out-orient", "genes_in_rows", "--decimals", 2]
    run = skgex("convert", f"x.{ending}", "back.tsv", *options)
    assert run.exit_code == 0, run.stderr
    back = (tmp_path / "back.tsv").read_text()
    assert back.split("\n")[1:] == text.split("\n")[1:]
    assert back.split("\n")[0].split("\t")[1:] == text.split("\n")[0].split("\t")[1:]


def test_convert_writes_memory_maps_and_selects_genes(tmp_path):
    X = cohort()
    write_genes(tmp_path / "in.tsv", X)
    chosen = list(X.columns[[7, 2]])
    run = skgex("convert", "in.tsv", "x.npy", "--genes", "-", stdin="\n".join(chosen))
    assert run.exit_code == 0, run.stderr
    pd.testing.assert_frame_equal(
        open_memmap("x.npy"), X[chosen].astype(np.float32), check_names=False
    )
    run = skgex("convert", "in.tsv", "x.tsv", "--genes", "-", stdin="NOSUCH\n")
    assert run.exit_code == 3
    assert "has no gene 'NOSUCH'" in run.stderr


def test_convert_leaves_out_columns_that_are_no_samples(tmp_path):
    X = cohort().T.reset_index(names="Hugo_Symbol")
    X.insert(1, "Entrez_Gene_Id", range(1000, 1000 + len(X)))
    X.to_csv("in.txt", sep="\t", index=False)
    run = skgex("convert", "in.txt", "out.tsv")
    assert run.exit_code == 0, run.stderr
    assert "Entrez_Gene_Id" in run.stderr
    assert_array_equal(read("out.tsv", sep="\t"), cohort().T)


@pytest.mark.parametrize("options", [["--orient", "samples_in_rows"], []])
def test_an_orientation_that_is_told_is_taken(tmp_path, options):
    names = "alpha beta gamma delta".split()
    values = pd.DataFrame(np.eye(4), names, [f"{name}ish" for name in names])
    values.to_csv("in.csv")
    run = skgex("convert", "in.csv", "out.csv", *options)
    assert run.exit_code == (0 if options else 3)
    if options:
        assert (tmp_path / "out.csv").read_text().startswith(",alphaish,betaish")

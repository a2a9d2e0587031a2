"""The command line: models are used as in Python."""

import gzip
import sys

import anndata
import numpy as np
import pandas as pd
import pytest
from cli_files import (
    cohort,
    skgex,
    write_anndata,
    write_genes,
)
from numpy.testing import assert_allclose, assert_array_equal

import skgex as package
from skgex import SCARF, FineTunedRegressor, GexBERT
from skgex.datasets import load_pretrained
from skgex.io import read_expression


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(path, **options):
    return pd.read_csv(path, index_col=0, **options)


def test_embed_is_what_the_model_says(models, tmp_path):
    X = cohort()
    write_genes(tmp_path / "in.tsv", X)
    run = skgex("embed", models["scarf"], "in.tsv", "out.tsv")
    assert run.exit_code == 0, run.stderr
    assert "30 of the 30 genes" in run.stderr
    assert "expects log2(RSEM + 1)" in run.stderr
    expected = package.load(models["scarf"]).transform(X.astype(np.float32))
    found = read("out.tsv", sep="\t")  # dimensions stand where genes stood
    assert list(found.columns) == list(X.index)
    assert list(found.index[:2]) == ["scarf0", "scarf1"]
    assert_allclose(found.T, expected, rtol=1e-6)


def test_tables_with_other_genes_are_brought_to_those_of_the_model(models, tmp_path):
    X = cohort(missing=0.0)
    other = X.iloc[:, ::-1].iloc[:, 5:].rename(columns=lambda gene: f" {gene}")
    other.insert(3, "NOSUCH", 1.0)
    write_genes(tmp_path / "in.tsv", other)
    options = ["--out-orient", "samples_in_rows", "-q"]
    run = skgex("embed", models["gexbert"], "in.tsv", "-", *options)
    assert run.exit_code == 0, run.stderr
    assert run.stderr == ""
    (tmp_path / "out.tsv").write_text(run.stdout)
    lacking = X.astype(np.float32)
    lacking.iloc[:, -5:] = np.nan
    expected = package.load(models["gexbert"]).transform(lacking)
    assert_allclose(read("out.tsv", sep="\t"), expected, rtol=1e-5, atol=1e-6)


def test_a_table_with_few_of_the_genes_is_refused_unless_allowed(models, tmp_path):
    write_genes(tmp_path / "in.tsv", cohort().iloc[:, :10])
    command = ["embed", models["gexbert"], "in.tsv", "-"]
    run = skgex(*command)
    assert run.exit_code == 3
    assert "has 10 of the 30 genes" in run.stderr
    run = skgex(*command, "--min-coverage", 0.3)
    assert run.exit_code == 0
    assert "10 of the 30 genes" in run.stderr
    assert "(33 %), the others count as not measured" in run.stderr


def test_ids_are_translated_by_a_file(models, tmp_path):
    X = cohort(missing=0.0)
    ids = [f"ENSG{i:011d}" for i in range(30)]
    pairs = zip(ids, X.columns, strict=True)
    (tmp_path / "ids.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in pairs))
    write_genes(tmp_path / "in.tsv", X)
    write_genes(tmp_path / "ids_in.tsv", X.set_axis(ids, axis=1))
    run = skgex("embed", models["scarf"], "in.tsv", "a.tsv")
    assert run.exit_code == 0, run.stderr
    options = ["--mapping", "ids.tsv"]
    run = skgex("embed", models["scarf"], "ids_in.tsv", "b.tsv", *options)
    assert run.exit_code == 0, run.stderr
    assert (tmp_path / "a.tsv").read_text() == (tmp_path / "b.tsv").read_text()


def test_embedding_of_anndata_goes_beside_what_is_there(models, tmp_path):
    X = cohort()
    write_anndata(tmp_path / "in.h5ad", X)
    run = skgex("embed", models["scarf"], "in.h5ad", "out.h5ad")
    assert run.exit_code == 0, run.stderr
    found, before = anndata.read_h5ad("out.h5ad"), anndata.read_h5ad("in.h5ad")
    expected = package.load(models["scarf"]).transform(X.astype(np.float32))
    assert_array_equal(found.obsm["X_scarf"], expected)
    del found.obsm["X_scarf"]
    assert str(found) == str(before)
    assert_array_equal(found.X, before.X)


def test_embedding_of_text_in_anndata_has_the_table_beside_it(models, tmp_path):
    X = cohort()
    write_genes(tmp_path / "in.tsv", X)
    assert skgex("embed", models["scarf"], "in.tsv", "out.h5ad").exit_code == 0
    found = anndata.read_h5ad("out.h5ad")
    assert_array_equal(found.X, X.astype(np.float32))
    assert found.obsm["X_scarf"].shape[0] == 40


def test_restore_appends_genes_and_keeps_what_was_measured(models, tmp_path):
    X = cohort()
    panel, wanted = X.iloc[:, 5:].assign(OTHER=1.25), list(X.columns[[2, 0]])
    write_genes(tmp_path / "in.tsv", panel)
    (tmp_path / "wanted.txt").write_text("\n".join(wanted) + "\n\n")
    run = skgex(
        "restore", models["gexbert"], "in.tsv", "o.tsv", "--genes", "wanted.txt"
    )
    assert run.exit_code == 0, run.stderr
    found = read("o.tsv", sep="\t").T
    assert list(found.columns) == [*panel.columns, *wanted]
    measured = panel.notna().to_numpy()
    assert_array_equal(
        found[panel.columns].to_numpy()[measured], panel.to_numpy()[measured]
    )
    lacking = X.astype(np.float32)
    lacking.iloc[:, :5] = np.nan
    expected = package.load(models["gexbert"]).restore(lacking)
    assert_allclose(found[wanted], expected[wanted], rtol=1e-5)


def test_predict_classes_with_probabilities(models, tmp_path):
    X = cohort()
    write_genes(tmp_path / "in.tsv", X)
    run = skgex("predict", models["classes"], "in.tsv", "out.csv.gz", "--proba")
    assert run.exit_code == 0, run.stderr
    model, found = package.load(models["classes"]), read("out.csv.gz")
    assert list(found.columns) == ["class", "p(high)", "p(low)"]
    assert found.index.name == "sample"
    assert list(found.index) == list(X.index)
    assert list(found["class"]) == list(model.predict(X.astype(np.float32)))
    expected = model.predict_proba(X.astype(np.float32))
    assert_allclose(found.iloc[:, 1:], expected, rtol=1e-5)
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes())[:7] == b"sample,"


def test_predict_values_and_risks(models, tmp_path):
    X = cohort()
    write_genes(tmp_path / "in.tsv", X)
    run = skgex("predict", models["values"], "in.tsv", "-", "-q")
    assert run.exit_code == 0, run.stderr
    (tmp_path / "out.tsv").write_text(run.stdout)
    expected = package.load(models["values"]).predict(X.astype(np.float32))
    found = read("out.tsv", sep="\t")
    assert list(found.columns) == ["value0", "value1"]
    assert_allclose(found, expected, rtol=1e-5)
    cox = load_pretrained("cox-tcga")
    values = np.random.default_rng(0).normal(size=(5, cox.n_features_in_)).round(3)
    profiles = pd.DataFrame(values, X.index[:5], cox.feature_names_in_)
    write_genes(tmp_path / "cox.tsv", profiles)
    run = skgex("predict", "cox-tcga", "cox.tsv", "risk.tsv")
    assert run.exit_code == 0, run.stderr
    risk = cox.predict(read_expression("cox.tsv"))
    assert_allclose(read("risk.tsv", sep="\t")["risk"], risk, rtol=1e-5)


@pytest.mark.parametrize("method", ["scarf", "vime", "byol", "gexbert"])
def test_pretrain_writes_a_model_that_is_the_same_for_the_same_seed(tmp_path, method):
    X = cohort(missing=0.0)
    write_genes(tmp_path / "in.tsv", X)
    options = ["--method", method, "--max-epochs", 1, "--unit", "log2", "--seed", 3]
    run = skgex("pretrain", "in.tsv", "a.safetensors", *options)
    assert run.exit_code == 0, run.stderr
    assert run.stdout == ""
    found = package.load("a.safetensors")
    kind = {c.__name__.lower(): c for c in (SCARF, GexBERT, package.VIME, package.BYOL)}
    assert type(found) is kind[method]
    assert found.unit_ == "log2"
    expected = type(found)(max_epochs=1, random_state=3).fit(X.astype(np.float32))
    assert_array_equal(found.transform(X), expected.transform(X))


def test_pretraining_starts_from_another_model(models, tmp_path):
    write_genes(tmp_path / "in.tsv", cohort(n_samples=20))
    options = ["--start", models["gexbert"], "--max-epochs", 0]
    run = skgex("pretrain", "in.tsv", "b.safetensors", *options)
    assert run.exit_code == 0, run.stderr
    assert len(package.load("b.safetensors").start_weight_) == 1
    run = skgex("pretrain", "in.tsv", "c.safetensors", *options, "--method", "scarf")
    assert run.exit_code == 3
    assert "--start is a GexBERT" in run.stderr


def test_inspect_tells_kind_genes_unit_and_parameters(models):
    run = skgex("inspect", models["classes"])
    assert run.exit_code == 0, run.stderr
    genes = list(cohort().columns)
    for text in (
        "classifier, FineTunedClassifier",
        f"30: {genes[0]}, {genes[1]}",
        "log2(RSEM + 1)",
        "high, low",
        "max_epochs=1",
        f"skgex {package.__version__}, python {sys.version.split()[0]}",
    ):
        assert text in run.stdout
    assert skgex("inspect", models["gexbert"], "--genes").stdout.split() == genes


@pytest.mark.parametrize("place", [0, 7, 30])
def test_inspect_tells_covariates_from_genes(tmp_path, place):
    X, genes = cohort(missing=0.0), list(cohort().columns)
    X.insert(place, "age", np.arange(len(X)) % 7)
    model = FineTunedRegressor(SCARF(max_epochs=0), covariates=["age"], max_epochs=0)
    model.fit(X, X[genes[0]]).save(tmp_path / "m.safetensors")
    run = skgex("inspect", "m.safetensors")
    assert run.exit_code == 0, run.stderr
    lines = dict(line.split(":", 1) for line in run.stdout.splitlines())
    assert lines["genes"].strip() == f"30: {', '.join(genes[:3])}, ..."
    assert lines["covariates"].strip() == "age"
    listed = skgex("inspect", "m.safetensors", "--genes").stdout.split()
    assert listed == genes
    model.set_params(covariates=[place]).fit(X.to_numpy(), X[genes[0]])
    model.save(tmp_path / "m.safetensors")
    run = skgex("inspect", "m.safetensors")
    lines = dict(line.split(":", 1) for line in run.stdout.splitlines())
    assert lines["genes"].strip() == "30: without names"
    assert lines["covariates"].strip() == f"column {place}"


@pytest.mark.parametrize("name", ["scarf-tcga90", "gexbert-tcga90", "cox-tcga"])
def test_inspect_knows_models_that_ship(name):
    run = skgex("inspect", name)
    assert run.exit_code == 0, run.stderr
    assert "ships with the package" in run.stdout

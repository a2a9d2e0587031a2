"""The command line: what is odd or wrong is told in one line."""

import gzip

import pytest
from cli_files import cohort, skgex, write_genes
from numpy.testing import assert_array_equal

import skgex as package
from skgex.io import read_expression


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def assert_told_in_one_line(run, exit_code, message):
    assert run.exit_code == exit_code, run.output
    assert run.stdout == ""
    last = run.stderr.splitlines()[-1]
    assert last.startswith("skgex: ")
    assert message in last
    assert "Traceback" not in run.stderr


def test_check_prints_a_report_and_its_code_says_whether_there_are_errors(tmp_path):
    X = cohort(n_genes=89, missing=0.0)
    write_genes(tmp_path / "in.tsv", X)
    run = skgex("check", "in.tsv", "--model", "gexbert-tcga90")
    assert run.exit_code == 0, run.stderr
    assert run.stdout.startswith("40 samples x 89 genes. ")
    assert "89 of 90 genes of the model" in run.stdout
    odd = X.copy()
    odd.iloc[3] = 2 ** odd.iloc[3] * 100
    odd.iloc[4] = odd.iloc[5]
    write_genes(tmp_path / "odd.tsv", odd)
    report = package.io.check_expression(read_expression("odd.tsv"))
    run = skgex("check", "odd.tsv", "-q")
    assert run.stdout == f"{report}\n"
    errors = [f for f in report.findings if f.severity == "error"]
    assert run.exit_code == bool(errors)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["convert", "nosuch.tsv", "out.tsv"], "nosuch.tsv: there is no such file."),
        (
            ["convert", "in.tsv", "in.tsv"],
            "in.tsv exists already: --force replaces it.",
        ),
        (["convert", "in.tsv", "."], "is a folder: name a file in it."),
        (["convert", "in.tsv", "no/out.tsv"], "there is no folder no: make it first."),
        (["convert", "in.tsv", "out.foo"], "the name does not say in which format"),
        (["convert", "cut.gz", "out.tsv"], "cut.gz"),
        (["convert", "https://x.org/in.tsv", "out.tsv"], "is a URL: download the file"),
        (["convert", "in.tsv", "out.tsv", "--genes", "cut.gz"], "cut.gz is no text in"),
        (["convert", "in.tsv", "out.tsv", "--genes", "."], ". is a folder: name a"),
        (["embed", "nosuch", "in.tsv", "out.tsv"], "no such model ships"),
        (["embed", "in.tsv", "in.tsv", "out.tsv"], "Cannot load 'in.tsv'"),
        (["embed", "array", "in.tsv", "out.tsv"], "fitted to an array"),
        (["embed", "imputer", "in.tsv", "out.tsv"], "GexImputer, which does not embed"),
        (["restore", "scarf", "in.tsv", "out.tsv"], "SCARF, which does not restore"),
        (["predict", "scarf", "in.tsv", "out.tsv"], "SCARF, which predicts nothing"),
        (["predict", "classes", "in.tsv", "out.h5ad"], "end the name in .tsv or .csv"),
        (["impute", "in.tsv", "out.tsv", "--start", "scarf"], "must be a GexBERT"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(models, tmp_path, command, message):
    write_genes(tmp_path / "in.tsv", cohort())
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"gene\ta\nTP53\t1\n" * 99)[:40])
    before = sorted(path.name for path in tmp_path.iterdir())
    run = skgex(*(models.get(word, word) for word in command))
    assert_told_in_one_line(run, 3, message)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["convert", "in.tsv"], "name one place to write to"),
        (["convert", "in.tsv", "a.tsv", "-o", "b.tsv"], "name one place to write to"),
        (["convert"], "IN"),
        (["convert", "in.tsv", "a.tsv", "--orient", "sideways"], "sideways"),
        (["nosuch"], "nosuch"),
        (["impute", "in.tsv", "a.tsv", "--uncertainty", "a.tsv"], "different ones"),
        (
            [
                *("impute", "in.tsv", "a.tsv", "--uncertainty", "b.tsv"),
                "--censored=left",
            ],
            "leave it out with --censored",
        ),
        (["pretrain", "in.tsv", "-"], "a model is written to a file"),
        (["predict", "values", "in.tsv", "a.tsv", "--proba"], "is for classifiers"),
    ],
)
def test_wrong_usage_is_told_in_one_line(models, tmp_path, command, message):
    write_genes(tmp_path / "in.tsv", cohort())
    run = skgex(*(models.get(word, word) for word in command))
    assert_told_in_one_line(run, 2, message)
    assert "--help" in run.stderr.splitlines()[-1]


def test_files_are_replaced_when_told(tmp_path):
    write_genes(tmp_path / "in.tsv", cohort())
    (tmp_path / "out.tsv").write_text("old")
    assert skgex("convert", "in.tsv", "out.tsv", "--force").exit_code == 0
    found = read_expression("out.tsv", dtype="float64")
    assert_array_equal(found, cohort())


def test_debug_shows_where_an_error_arises():
    run = skgex("convert", "nosuch.tsv", "-", "--debug")
    assert run.exit_code == 3
    assert "Traceback" in run.stderr
    assert run.stderr.splitlines()[-1] == "skgex: nosuch.tsv: there is no such file."


def test_warnings_of_the_package_are_told_in_one_line_unless_quiet(tmp_path):
    X = cohort()
    X.iloc[:, 0] = 1.0
    write_genes(tmp_path / "in.tsv", X)
    command = ["pretrain", "in.tsv", "m.safetensors", "--max-epochs", 0, "-f"]
    run = skgex(*command)
    assert run.exit_code == 0
    told = [line for line in run.stderr.splitlines() if "constant" in line]
    assert len(told) == 1
    assert told[0].startswith("skgex: warning: 1 gene(s) are constant")
    assert skgex(*command, "--quiet").stderr == ""


def test_standard_input_is_called_by_its_name():
    run = skgex("convert", "-", "-", stdin=b"<html><body>Not found</body></html>\n")
    assert run.exit_code == 3
    assert "standard input" in run.stderr
    assert "/tmp" not in run.stderr
    run = skgex("convert", "-", "-", stdin=b"")
    assert run.exit_code == 3
    assert "- is empty" in run.stderr or "standard input is empty" in run.stderr


def test_a_session_does_not_leave_its_settings_behind(tmp_path):
    write_genes(tmp_path / "in.tsv", cohort())
    assert skgex("convert", "in.tsv", "-", "-q").stderr == ""
    assert skgex("convert", "in.tsv", "-").stderr != ""


def test_help_and_version():
    assert skgex("--version").stdout == f"skgex {package.__version__}\n"
    run = skgex("--help")
    assert run.exit_code == 0
    for name in (
        *("check", "convert", "impute", "pretrain", "embed", "restore", "predict"),
        "inspect",
    ):
        assert f"  {name} " in run.stdout
        text = skgex(name, "--help").stdout
        assert f"For example:\n    skgex {name} " in text

"""The command line in a real shell: pipes, signals, and what is loaded."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from cli_files import ROOT, cohort, in_shell, write_anndata, write_genes

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from skgex._cli import app\n"
        "try: app(['impute', '--help'])\n"
        "except SystemExit: print(*sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    modules = run.stdout.splitlines()[-1]
    assert "For example:" in run.stdout
    heavy = {"torch", "pandas", "sklearn", "scipy", "numpy", "h5py", "skorch"}
    assert not heavy & set(modules.split())


def test_pipes_carry_tables_and_nothing_else(tmp_path):
    X = cohort(missing=0.0)
    write_genes(tmp_path / "in.tsv", X)
    run = in_shell(
        "cat in.tsv | skgex convert - - --out-orient samples_in_rows"
        " | skgex embed gexbert-tcga90 - out.tsv --min-coverage 0.3 && ls -A",
        tmp_path,
    )
    assert run.stdout.split() == ["in.tsv", "out.tsv"]
    assert run.stderr.count("skgex: standard input: 40 samples x 30 genes.") == 2
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t", index_col=0)
    assert list(found.index) == list(X.index)  # as in its own input


def test_substituted_processes_and_anndata_on_standard_input(tmp_path):
    X = cohort()
    write_genes(tmp_path / "in.tsv", X)
    write_anndata(tmp_path / "in.h5ad", X)
    run = in_shell(
        "skgex convert <(cat in.tsv) >(gzip > out.tsv.gz) -q; wait;"
        "skgex convert - out2.tsv --out-orient genes_in_rows < in.h5ad; sleep 1",
        tmp_path,
    )
    assert "standard input: 40 samples x 30 genes" in run.stderr
    for name in ("out.tsv.gz", "out2.tsv"):
        found = pd.read_csv(tmp_path / name, sep="\t", index_col=0)
        np.testing.assert_array_equal(found, X.T)


def test_a_reader_that_has_had_enough_is_no_error(tmp_path):
    write_genes(
        tmp_path / "in.tsv",
        pd.concat([cohort()] * 9, axis=1, keys=range(9)).set_axis(
            [f"ENSG{i:011d}" for i in range(270)], axis=1
        ),
    )
    run = in_shell(
        "set -o pipefail; skgex convert in.tsv - -q | true; echo ${PIPESTATUS[0]}",
        tmp_path,
    )
    assert run.stderr == ""
    assert run.stdout.strip() in ("141", "0")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_interrupted_command_leaves_nothing(tmp_path, number, code):
    write_genes(tmp_path / "in.tsv", cohort(n_samples=1000, n_genes=89))
    command = ["impute", "in.tsv", "out.tsv", "--epochs", "500", "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "skgex", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    # The table has been read when this is told; then it trains for minutes.
    assert "1,000 samples x 89 genes" in process.stderr.readline()
    time.sleep(3)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in told
    if code == 130:
        assert told == "skgex: interrupted: no result was written.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["in.tsv"]


def test_an_interrupt_inside_of_an_import_has_the_same_code(tmp_path):
    write_genes(tmp_path / "in.tsv", cohort())
    program = """
import skgex.io, skgex._cli
def read(*args, **kwargs):
    exec("raise KeyboardInterrupt")
skgex.io.read_expression = read
skgex._cli.main()
"""
    (tmp_path / "program.py").write_text(program)
    run = subprocess.run(
        [sys.executable, "-m", "program", "check", "in.tsv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.stderr == "skgex: interrupted: no result was written.\n"
    assert run.returncode == 130


def test_completion_of_the_shell_knows_the_commands(tmp_path):
    environment = {"_SKGEX_COMPLETE": "complete_bash", "COMP_WORDS": "skgex im"}
    environment |= {"COMP_CWORD": "1"}
    run = subprocess.run(
        [sys.executable, "-c", "from skgex._cli import main; main()"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert run.stdout.split() == ["impute"]


def test_streams_that_are_closed_are_named(tmp_path):
    write_genes(tmp_path / "in.tsv", cohort())
    run = in_shell(
        "skgex convert - out.tsv <&-; echo $?; skgex convert in.tsv - -q >&-; echo $?;"
        " skgex convert in.tsv out.tsv -q >&-; echo $?; ls",
        tmp_path,
    )
    assert run.stdout.split() == ["2", "3", "0", "in.tsv", "out.tsv"]
    assert "standard input is closed: name a file." in run.stderr
    assert "standard output is closed: name a file." in run.stderr


def test_lists_of_genes_in_utf_16(tmp_path):
    X = cohort()
    write_genes(tmp_path / "in.tsv", X)
    chosen = list(X.columns[:2])
    (tmp_path / "genes.txt").write_text("\r\n".join(chosen), encoding="utf-16")
    in_shell("skgex convert in.tsv out.tsv --genes genes.txt", tmp_path)
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t", index_col=0)
    assert list(found.index) == chosen

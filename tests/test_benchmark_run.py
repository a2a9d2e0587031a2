"""The command that runs all benchmarks: what it makes of their figures."""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[1] / "examples" / "benchmarks"


@pytest.fixture(scope="module")
def modules():
    """Return the modules `run` and `_report`."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield import_module("run"), import_module("_report")
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("run", "_report", "_records"):
            sys.modules.pop(name, None)


def row(what="fit", values=(1.0,), *, samples=None, genes=None, beside=None):
    found = {"script": "s", "what": what, "values": list(values), "unit": "s"}
    return found | {"samples": samples, "genes": genes, "beside": beside}


@given(st.floats(0.2, 3), st.floats(0.2, 3), st.floats(1e-3, 1e3))
def test_exponents_of_powers(modules, a, b, scale):
    sizes = [(100, 50), (200, 50), (800, 50), (100, 500)]
    rows = [row(samples=n, genes=p, values=[scale * n**a * p**b]) for n, p in sizes]
    by_side = {e["side"]: e for e in modules[1].exponents(rows)}
    assert by_side["samples"]["sizes"] == [100, 200, 800]
    assert by_side["samples"]["exponent"] == pytest.approx(a)
    assert by_side["genes"]["sizes"] == [50, 500]
    assert by_side["genes"]["exponent"] == pytest.approx(b)


def test_one_size_does_not_grow(modules):
    rows = [row(samples=5), row("other", samples=9), row("third", genes=4)]
    assert modules[1].exponents(rows) == []


def test_ratios_are_to_the_row_of_the_same_size(modules):
    rows = [
        row(values=[4, 2, 9], genes=5, beside="plain"),
        row("plain", values=[2, 1, 3], genes=5),
        row("plain", values=[8], genes=6, beside="plain"),
        row(beside="unknown"),
    ]
    assert modules[1].ratios(rows) == [2, None, None, None]


@pytest.mark.parametrize(
    ("new", "old", "verdict"),
    [
        ([2.0, 2.1, 2.2], [1.0, 1.1, 1.2], "worse"),
        ([1.0, 1.1, 1.2], [2.0, 2.1, 2.2], "better"),
        ([1.1, 1.9, 2.2], [1.0, 1.1, 1.2], ""),  # ranges overlap
        ([1.23, 1.24, 1.25], [1.1, 1.1, 1.2], ""),  # by less than 5 %
        ([1.29], [1.0], ""),
        ([1.31], [1.0, 1.0, 1.0], "worse"),
        ([1.0], [1.31], "better"),
    ],
)
def test_what_is_beyond_noise(modules, new, old, verdict):
    run, report = modules
    rows, old = [row(values=new), row("new")], [row(values=old)]
    found = report.compare(rows, old)
    ratio = median(new) / median(old[0]["values"])
    assert found == [(pytest.approx(ratio), verdict), None]
    assert run.regressions(rows, old) == (["s, fit"] if verdict == "worse" else [])


SCRIPT = """
import argparse
from _records import record
parser = argparse.ArgumentParser()
parser.add_argument("--genes", type=int, nargs="+")
for genes in parser.parse_args().genes:
    record("step", [genes, 2 * genes, 3 * genes], genes=genes, beside="plain")
    record("plain", genes, genes=genes)
"""


def test_a_run_and_its_comparison(modules, tmp_path, monkeypatch, capfd):
    run, _ = modules
    (tmp_path / "good.py").write_text(SCRIPT)
    (tmp_path / "bad.py").write_text("raise SystemExit(3)")
    records = (FOLDER / "_records.py").read_text(encoding="utf-8")
    (tmp_path / "_records.py").write_text(records)
    monkeypatch.setattr(run, "HERE", tmp_path)
    jobs = {
        "good": run.Job("good", quick="--genes 10 1000"),
        "bad": run.Job("bad"),
        "data": run.Job("good", "{data}", needs_data=True),
    }
    monkeypatch.setattr(run, "JOBS", jobs)
    out = ["--quick", "--out", str(tmp_path / "skgex-0.2")]
    assert run.main(out) == 1  # a script failed
    result = json.loads((tmp_path / "skgex-0.2.json").read_text(encoding="utf-8"))
    assert result["failed"] == ["bad"]
    assert [r["values"] for r in result["rows"][:2]] == [[10, 20, 30], [10]]
    exponents = [e["exponent"] for e in result["exponents"]]
    assert exponents == pytest.approx([1, 1])
    table = (tmp_path / "skgex-0.2.md").read_text(encoding="utf-8")
    assert "| good | step |  | 1,000 | 2000 s | 1000-3000 | 3 | 2.00 x plain |" in table

    old = tmp_path / "old.json"
    result["rows"][0]["values"] = [1, 2, 3]
    old.write_text(json.dumps(result))
    capfd.readouterr()
    good = [*out, "--only", "good", "--compare", str(old)]
    assert run.main(good) == 1
    assert "worse: good, step\n" in capfd.readouterr().out
    table = (tmp_path / "skgex-0.2.md").read_text(encoding="utf-8")
    assert "| 2.00 x plain | 10.00 | worse |" in table
    old.write_text(json.dumps(result | {"quick": False}))
    with pytest.raises(SystemExit, match="one of the runs is quick"):
        run.main(good)
    with pytest.raises(SystemExit):
        run.main(["--only", "data"])
    assert "data needs --data" in capfd.readouterr().err


def test_scripts_have_the_options_that_they_are_given(modules):
    for name, job in modules[0].JOBS.items():
        text = (FOLDER / f"{job.script}.py").read_text(encoding="utf-8")
        for option in set(re.findall(r"--[a-z-]+", f"{job.full} {job.quick}")):
            assert f'"{option}"' in text, f"{name}: {option}"


def test_a_script_runs_in_quick_mode(tmp_path):
    name = "preprocessing_speed"  # one that needs no torch, which takes seconds
    command = [sys.executable, str(FOLDER / "run.py"), "--quick", "--only", name]
    subprocess.run([*command, "--out", str(tmp_path / "b")], check=True)
    rows = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))["rows"]
    assert {"log-CPM: LogCPM, transform"} <= {row["what"] for row in rows}
    assert {row["script"] for row in rows} == {name}
    assert all(value > 0 for row in rows for value in row["values"])

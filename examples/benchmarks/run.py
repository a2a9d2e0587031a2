"""All benchmarks of speed and memory, in one command.

    python run.py [--data DIR] [--quick] [--compare old.json] [--only saving ...]
        [--folder DIR] [--out benchmarks]

Runs the scripts beside it, one after the other, each on one thread if it does not say
otherwise, and writes ``benchmarks.json`` and ``benchmarks.md``: medians and ranges,
ratios to what each stands beside, and by which power figures grow with samples and with
genes. ``--data`` adds those that need data sets, ``--quick`` takes tiny sizes, to see
that all runs. ``--folder`` is for files of some GB, by default a temporary one.

``--compare`` reads the JSON of an earlier run and prints new to old; less is better. A
figure is called worse if all repeats are over all earlier ones, by 5 % at the least,
and one without repeats if it is over it by 30 %: shared machines vary by as much. The
exit status is 1 if a figure is worse or a script fails.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from _records import FILE, read
from _report import compare, exponents, markdown

HERE = Path(__file__).parent


class Job(NamedTuple):
    """A script, and its options in full and in quick mode."""

    script: str
    full: str = ""
    quick: str = ""
    needs_data: bool = False


TINY = "--samples 60 --genes 200 --repeats 1"
JOBS = {
    "training_speed": Job(
        "training_speed", quick="--quick --repeats 1 --only corruption products"
    ),
    "several_processes": Job(
        "several_processes",
        quick="--samples 300 --genes 50 --repeats 1 --batch-size 64 --method SCARF",
    ),
    "survival_speed": Job("survival_speed", quick="--quick"),
    "score_test_speed": Job("score_test_speed", quick=TINY),
    "preprocessing_speed": Job("preprocessing_speed", quick=TINY),
    "io_speed": Job(
        "io_speed",
        "--folder {folder}",
        "--folder {folder} --genes 1000 --samples 60 --counts 70 --repeats 1",
    ),
    "larger_than_memory": Job(
        "larger_than_memory",
        "--folder {folder}",
        "--folder {folder} --quick --estimators SCARF",
    ),
    "saving": Job("saving", quick="--genes 200 --repeats 1"),
    "rows_alone_cost": Job("rows_alone_cost", quick="--quick --repeats 1"),
    "gexbert_width": Job(
        "gexbert_width", quick="--genes 100 200 --samples 60 --repeats 1"
    ),
    "growth": Job("growth", quick="--samples 60 120 --genes 50 100 --repeats 1"),
    "imputation_cost": Job(
        "imputation_cost", "--data {data}", "--data {data} --quick", True
    ),
    "few_rows_cost": Job(
        "few_rows", "--cost --data {data}", "--cost --data {data} --quick", True
    ),
}


def run_job(name, arguments, folder):
    """Return the rows of a script, and whether it ran to its end."""
    job = JOBS[name]
    options = (job.quick if arguments.quick else job.full).split()
    places = {"folder": arguments.folder or folder, "data": arguments.data}
    options = [option.format(**places) for option in options]
    path = Path(folder) / f"{name}.jsonl"
    threads = {"OMP_NUM_THREADS": "1", **os.environ}
    print(f"\n## {name}", flush=True)
    start = time.perf_counter()
    command = [sys.executable, str(HERE / f"{job.script}.py"), *options]
    done = subprocess.run(command, check=False, env={**threads, FILE: str(path)})
    print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    rows = [{"script": name, **row} for row in read(path)]
    return rows, done.returncode == 0


def machine():
    packages = ("skgex", "torch", "numpy", "scikit-learn")
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def parse(args=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of data sets")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--compare", type=Path, help="JSON of an earlier run")
    parser.add_argument("--only", nargs="+", choices=JOBS)
    parser.add_argument("--folder", type=Path, help="for files of some GB")
    parser.add_argument("--out", type=Path, default=Path("benchmarks"))
    arguments = parser.parse_args(args)
    if arguments.only is None:
        has_data = arguments.data is not None
        arguments.only = [
            n for n, job in JOBS.items() if has_data or not job.needs_data
        ]
    lacking = [name for name in arguments.only if JOBS[name].needs_data]
    if lacking and arguments.data is None:
        parser.error(f"{lacking[0]} needs --data")
    return arguments


def earlier(arguments):
    """Return the earlier run to compare with, if any."""
    if arguments.compare is None:
        return None
    old = json.loads(arguments.compare.read_text(encoding="utf-8"))
    if old["quick"] != arguments.quick:
        raise SystemExit("--compare: one of the runs is quick, and the other is not")
    return old


def regressions(rows, old_rows):
    """Return what takes more than before, beyond noise."""
    pairs = zip(rows, compare(rows, old_rows), strict=True)
    worse = [row for row, found in pairs if found is not None and found[1] == "worse"]
    return [f"{row['script']}, {row['what']}" for row in worse]


def main(args=None):
    arguments = parse(args)
    old = earlier(arguments)
    rows, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only:
            found, ended = run_job(name, arguments, folder)
            rows += found
            failed += [] if ended else [name]
    result = {"date": str(date.today()), "quick": arguments.quick}
    result |= {"machine": machine(), "rows": rows, "exponents": exponents(rows)}
    result |= {"failed": failed}
    table = markdown(result, old)
    print(f"\n{table}")
    # Not with_suffix, which would take the end of "skgex-0.2" for one.
    for ending, text in (("json", json.dumps(result, indent=1)), ("md", table)):
        path = arguments.out.with_name(f"{arguments.out.name}.{ending}")
        path.write_text(text, encoding="utf-8")
    worse = [] if old is None else regressions(rows, old["rows"])
    for what in worse:
        print(f"worse: {what}")
    return int(bool(worse or failed))


if __name__ == "__main__":
    sys.exit(main())

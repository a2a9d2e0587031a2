"""Rows of figures that scripts write beside what they print, for `run.py`.

A script calls :func:`record` for each thing that it measured. Nothing is written unless
`run.py` started the script, which names the file in the environment; processes that a
script starts write to the same file.
"""

import json
import os
from pathlib import Path

import numpy as np

FILE = "SKGEX_BENCHMARK_ROWS"


def record(what, values, unit="s", *, samples=None, genes=None, beside=None):
    """Write down one thing that was measured.

    Parameters
    ----------
    what : str
        What was measured, in the same words whatever the size.
    values : float or sequence of float
        One for each repeat; less is better.
    unit : str, default="s"
        "s", "CPU s", "MB" or "x", a ratio.
    samples, genes : int or None, default=None
        Size of the input, from which run.py tells how a figure grows.
    beside : str or None, default=None
        What it is compared with: `what` of another row of the same script and size.
    """
    path = os.environ.get(FILE)
    if path is None:
        return
    values = [float(value) for value in np.atleast_1d(values)]
    row = {"what": what, "values": values, "unit": unit}
    row |= {"samples": samples, "genes": genes, "beside": beside}
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read(path):
    """Return the rows of a file; none if nothing was written."""
    path = Path(path)
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

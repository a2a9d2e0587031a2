"""Seconds and memory, which all scripts measure in one way."""

import time
from pathlib import Path


def timed(function, *args, **kwargs):
    """Return what a function returns, and the seconds that took."""
    start = time.perf_counter()
    result = function(*args, **kwargs)
    return result, time.perf_counter() - start


def seconds(function, *args, **kwargs):
    """Return the seconds of a call."""
    return timed(function, *args, **kwargs)[1]


def cpu_seconds(function, X, repeats):
    """Return the seconds of processor time of calls with a table, one after another."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function(X)
        times.append(time.process_time() - start)
    return times


def side_by_side(functions, repeats):
    """Return seconds of each function, run in turn so that noise hits all alike."""
    times = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            times[name].append(seconds(function))
    return times


def peak_memory():
    """Return the highest resident memory so far, in GB, where Linux tells.

    Not by getrusage: its peak starts from that of the process that started this one.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 2**20
    raise OSError("no peak memory in /proc/self/status")

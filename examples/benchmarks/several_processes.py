"""How much faster two processes train than one, each with one thread.

    python several_processes.py [--repeats 5] [--batch-size 256] [--method SCARF VIME]
        [--samples 6000] [--genes 2000]

Launches ``torch.distributed.run`` with two processes and starts one process by itself,
in turn, and prints the samples per second of the epochs after the first: medians, and
the range of the ratios. Two idle cores are needed for figures that mean anything: the
load of the machine and the processor time of a process are printed beside them. Where
cores are shared with others, that time is what to read: what a process computes itself
for a sample, waiting left out. The last lines say what limits the ratio: how much two
processes get done that have nothing to do with each other, and what a message takes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from _records import record
from skorch.callbacks import Callback
from torch import distributed

from skgex import SCARF, VIME

N_EPOCHS = 4
METHODS = {"SCARF": SCARF, "VIME": VIME}
MESSAGES, N_MESSAGES = [512, 2**16, 2**20], 200


class Clock(Callback):
    """Wall and processor seconds of each epoch."""

    def on_train_begin(self, net, **kwargs):
        self.seconds_ = []

    def on_epoch_begin(self, net, **kwargs):
        self.start_ = time.perf_counter(), time.process_time()

    def on_epoch_end(self, net, **kwargs):
        wall, cpu = self.start_
        self.seconds_.append((time.perf_counter() - wall, time.process_time() - cpu))


def measure(method, batch_size, n_samples, n_genes):
    """Print seconds of the epochs of one fit, in the first process."""
    torch.set_num_threads(1)
    X = np.random.default_rng(0).standard_normal((n_samples, n_genes), np.float32)
    clock = Clock()
    embedder = METHODS[method](
        max_epochs=N_EPOCHS, batch_size=batch_size, random_state=0, callbacks=[clock]
    )
    embedder.fit(X)
    if os.environ.get("RANK", "0") == "0":
        print(json.dumps(clock.seconds_[1:]))


def measure_messages():
    """Print the number of values, and the milliseconds it takes to add them up."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    found = []
    for n_values in MESSAGES:
        values = torch.zeros(n_values)
        seconds = []
        for _ in range(N_MESSAGES):
            start = time.perf_counter()
            distributed.all_reduce(values)
            seconds.append(time.perf_counter() - start)
        found.append([n_values, 1000 * statistics.median(seconds)])
    if distributed.get_rank() == 0:
        print(json.dumps(found))
    distributed.destroy_process_group()


def launch(n_processes, *arguments):
    """Start this script in so many processes that know of each other."""
    launcher = ["-m", "torch.distributed.run", "--standalone"]
    launcher = [*launcher, f"--nproc-per-node={n_processes}"] if n_processes > 1 else []
    return subprocess.Popen(
        [sys.executable, *launcher, __file__, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def answer(process):
    """Wait for a process, and return what it found."""
    printed, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"A process ended with {process.returncode}; see above.")
    return json.loads(printed.splitlines()[-1])


def medians(epochs):
    """Return median wall and processor seconds of an epoch."""
    return [statistics.median(column) for column in zip(*epochs, strict=True)]


def run(n_processes, *options):
    return medians(answer(launch(n_processes, "--measure", *options)))


def print_limits(repeats, *options):
    """Print what two processes get done apart, and what a message takes."""
    ratios = []
    for _ in range(repeats):
        alone = run(1, *options)[0]
        apart = [launch(1, "--measure", *options) for _ in range(2)]
        ratios.append(sum(alone / medians(answer(p))[0] for p in apart))
    ratios.sort()
    print(
        f"two processes apart, {options[0]}, batch {options[1]}: "
        f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    )
    for n_values, milliseconds in answer(launch(2, "--messages")):
        print(f"adding up {n_values:9,} values: {milliseconds:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch-size", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--method", nargs="+", default=list(METHODS))
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--genes", type=int, default=2000)
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--messages", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.messages:
        return measure_messages()
    if options.measure:
        return measure(options.measure[0], *map(int, options.measure[1:]))
    size = options.samples, options.genes
    print(f"{size[0]:,} x {size[1]:,}, load at the start {os.getloadavg()[0]:.1f}")
    print(
        "method, batch: samples/s of 1 and 2 processes, ratio (range), and of CPU time"
    )
    for method in options.method:
        for batch_size in options.batch_size:
            runs = [
                [run(n, method, batch_size, *size) for n in (1, 2)]
                for _ in range(options.repeats)
            ]
            one, two = (
                [statistics.median(times) for times in zip(*some, strict=True)]
                for some in zip(*runs, strict=True)
            )
            for n, times in zip((1, 2), zip(*runs, strict=True), strict=True):
                name = f"{method} epoch, batch {batch_size}, processes: "
                wall = [seconds for seconds, _ in times]
                shape = {"samples": size[0], "genes": size[1]}
                record(name + str(n), wall, beside=f"{name}1", **shape)
            ratios = sorted(alone[0] / both[0] for alone, both in runs)
            print(
                f"{method:5s} {batch_size:5d}: {size[0] / one[0]:8,.0f} "
                f"{size[0] / two[0]:8,.0f}   {statistics.median(ratios):.2f} "
                f"({ratios[0]:.2f}-{ratios[-1]:.2f})   {one[1] / two[1]:.2f}"
                f"   load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print_limits(options.repeats, options.method[-1], options.batch_size[-1], *size)


if __name__ == "__main__":
    main()

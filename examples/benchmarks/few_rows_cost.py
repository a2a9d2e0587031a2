"""What adapting to few rows costs, for `few_rows.py --cost`.

Rows are drawn from the pretrained covariance, with independent noise for genes that
were not pretrained. Each job runs in a process of its own, so that its peak memory is
its own; "start" is nothing but the imports and the pretrained model.
"""

import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _records import record
from _timing import peak_memory
from few_rows_methods import pretrained, prior_alone
from sklearn.frozen import FrozenEstimator

from skgex import load

N_ROWS = 100
WIDTHS = [1500, 20_000]
JOBS = ["start", "own rows", "adapted"]


def synthetic(start, n_genes):
    """Return rows of a cohort like those of pretraining, with other genes."""
    rng = np.random.default_rng(0)
    model, standardizer = start.encoder_.prior.model, start.standardizer_
    loadings, noise = model.loadings.numpy(), model.noise.numpy()
    factors = rng.standard_normal((N_ROWS, loadings.shape[1]))
    Z = rng.standard_normal((N_ROWS, max(n_genes, len(noise))))
    known = Z[:, : len(noise)]
    known[:] = factors @ loadings.T + np.sqrt(noise) * known
    known[:] = standardizer.mean.numpy() + standardizer.scale.numpy() * known
    names = list(start.feature_names_in_)
    names += [f"new {place}" for place in range(n_genes - len(names))]
    X = pd.DataFrame(Z.astype(np.float32), columns=names)
    return X.iloc[:, :n_genes]


def run(job, n_genes, path, threads):
    torch.set_num_threads(threads)
    start = load(path)
    X = synthetic(start, n_genes)
    settings = {"start": FrozenEstimator(start)} if job == "adapted" else {}
    began, busy = time.perf_counter(), time.process_time()
    if job != "start":
        prior_alone(**settings).fit(X)
    seconds = time.perf_counter() - began, time.process_time() - busy
    return *seconds, peak_memory()


def main(arguments):
    start = pretrained(arguments.data, frozenset(), arguments.quick, arguments.cache)
    jobs = [job for job in JOBS if job == "start" or job in arguments.methods]
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "start.skgex"
        start.model.save(path)
        for n_genes in WIDTHS:
            n_genes //= 10 if arguments.quick else 1
            for job in jobs:
                parts = job, n_genes, path, arguments.threads
                with ProcessPoolExecutor(1, mp_context=context) as pool:
                    seconds, busy, peak = pool.submit(run, *parts).result()
                size = {"samples": N_ROWS, "genes": n_genes}
                record(f"GexBERT, {job}", busy, "CPU s", **size)
                record(f"GexBERT, {job}", 1e3 * peak, "MB", **size)
                print(
                    f"{job}, {N_ROWS} x {n_genes:,}: {seconds:.1f} s, {busy:.1f} s of "
                    f"CPU time, peak memory {peak:.2f} GB",
                    flush=True,
                )

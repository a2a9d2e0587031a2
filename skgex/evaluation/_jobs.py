"""Work on the cells of a table, several at a time, and keep what is done."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.exceptions import FitFailedWarning

from .._warn import warn_caller
from ._store import Store


class Failure(str):
    """The error with which an estimator failed."""


class Cell(NamedTuple):
    """What is measured of an estimator at one place of a table.

    Parameters
    ----------
    key : tuple
        The place: the name of the estimator, then what else there is.
    label : str
        The place in words.
    about : tuple
        What the result depends on, other than the estimator and the data.
    measure : callable
        Given the estimator and `arguments`, returns a dictionary of numbers and arrays.
    arguments : tuple
        Given to `measure`.
    names : tuple of str
        Those in the dictionary.
    """

    key: tuple
    label: str
    about: tuple
    measure: Callable
    arguments: tuple
    names: tuple = ("score",)


class Job(NamedTuple):
    """Cells of an estimator that share what is made of it first.

    `prepare` is given the estimator and `arguments`, and returns what cells are given.
    """

    estimator: Any
    cells: list
    prepare: Callable | None = None
    arguments: tuple = ()


def run_jobs(jobs, data, *, n_jobs, cache_dir, verbose):
    """Work on all cells of all jobs.

    Parameters
    ----------
    jobs : list of Job
    data : tuple
        Tables and arrays that the cells are computed from.
    n_jobs : int or None
        Number of jobs that are worked on at a time.
    cache_dir : path-like or None
        Folder of results. What is there is not computed again; failures are.
    verbose : int
        Whether to print a line for each cell that ends.

    Returns
    -------
    outcomes : dict of tuple to dict or Failure
        By key of the cell, in the order of jobs.
    """
    store = None if cache_dir is None else Store(cache_dir, data)
    if n_jobs is not None:  # more would start processes that have nothing to do
        n_jobs = min(n_jobs, max(1, len(jobs)))
    places = {id(part): _Place(i) for i, part in enumerate(data)}
    found = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_run)(_exchanged(job, places), store, _paths(job, store), *data)
        for job in jobs
    )
    n_cells, outcomes = sum(len(job.cells) for job in jobs), {}
    for job, results in zip(jobs, found, strict=True):
        for cell, (outcome, how) in zip(job.cells, results, strict=True):
            outcomes[cell.key] = outcome
            if verbose:
                place = f"[{len(outcomes)}/{n_cells}]"
                print(f"{place} {cell.key[0]}, {cell.label}: {how}", flush=True)
    return outcomes


def _paths(job, store):
    """Return the files of the cells, or None.

    Not in another process: what is defined in a script or notebook has no name there.
    """
    if store is None:
        return None
    return [store.path(job.estimator, cell.about) for cell in job.cells]


class _Place(int):
    """Which of the data belongs here."""


def _exchanged(job, places):
    """Return a job without the data, which a cluster is given once for all jobs."""
    return _with_arguments(job, lambda argument: places.get(id(argument), argument))


def _with_arguments(job, exchange):
    cells = [
        cell._replace(arguments=tuple(map(exchange, cell.arguments)))
        for cell in job.cells
    ]
    return job._replace(cells=cells, arguments=tuple(map(exchange, job.arguments)))


def _run(job, store, paths, *data):
    job = _with_arguments(job, lambda a: data[a] if isinstance(a, _Place) else a)
    results = {}
    if store is not None:
        for i, cell in enumerate(job.cells):
            kept = store.load(paths[i], cell.names)
            if kept is not None:
                results[i] = kept, "kept"
    todo = [i for i in range(len(job.cells)) if i not in results]
    estimator = job.estimator
    if todo and job.prepare is not None:
        estimator = _attempt(job.prepare, estimator, *job.arguments)
    for i in todo:
        start = time.perf_counter()
        outcome = estimator
        if not isinstance(estimator, Failure):
            cell = job.cells[i]
            outcome = _attempt(cell.measure, estimator, *cell.arguments)
        how = f"{time.perf_counter() - start:.1f} s"
        if isinstance(outcome, Failure):
            how = f"failed, {outcome}"
        elif store is not None:
            store.save(paths[i], outcome)
        results[i] = outcome, how
    return [results[i] for i in range(len(job.cells))]


def _attempt(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")


def score_of(outcome, place=0):
    """Return the score of an estimator, or one of several, NaN if it failed."""
    if isinstance(outcome, Failure):
        return np.nan
    return float(np.atleast_1d(outcome["score"])[place])


def error_message(outcome):
    """Return the error of an estimator that failed, or an empty string."""
    return str(outcome) if isinstance(outcome, Failure) else ""


def warn_of_failures(jobs, outcomes):
    """Warn of each failure."""
    for cell in (cell for job in jobs for cell in job.cells):
        outcome = outcomes[cell.key]
        if isinstance(outcome, Failure):
            warn_caller(
                f"Estimator {cell.key[0]!r} failed in {cell.label}, and is recorded as "
                f"NaN: {outcome}",
                FitFailedWarning,
            )

"""Warn of tables that cannot be meant: raw counts, and genes in rows."""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from ._warn import warn_caller
from .io._check._odd_columns import odd_columns
from .io._check._sample_names import transposition
from .io._check._units import find_unit

# Fits inside of a fit, which has looked already, are of the same samples.
_LOOKED = ContextVar("looked at the table", default=False)
# Fewer genes tell little of a unit.
_MIN_GENES = 50
# Some samples tell it: so many, and more of them where there are few genes.
_MIN_ROWS, _MAX_ROWS, _VALUES = 20, 200, 100_000
_LARGEST_LOG = 30


@contextmanager
def looked_at():
    """Fit inside of the context without another look at the table."""
    token = _LOOKED.set(True)
    try:
        yield
    finally:
        _LOOKED.reset(token)


def warn_of_table(estimator, table, X):
    """Warn if a table has genes in rows, or values that are no logarithms.

    By the rules of :func:`skgex.io.check_expression`, and of what these are sure of
    only: whole numbers, and samples that add up to a million.

    Parameters
    ----------
    estimator : estimator
        What is fitted, for the message.
    table : array-like of shape (n_samples, n_genes)
        Training data, perhaps with names.
    X : ndarray of shape (n_samples, n_genes)
        The same as a checked array, NaN where a value is missing.
    """
    if _LOOKED.get():
        return
    name = type(estimator).__name__
    if _is_transposed(table):
        message = (
            f"The rows of X are named like genes and its columns like samples. {name} "
            "takes a sample in each row: give X.T."
        )
    else:
        message = _about_unit(X, name)
    if message:
        warn_caller(message)


def _is_transposed(table):
    names = (_texts(getattr(table, axis, ())) for axis in ("columns", "index"))
    return transposition(*names) is not None


def _texts(labels):
    # Lists have a method of the name index.
    return [] if callable(labels) else [x for x in labels if isinstance(x, str)]


def _about_unit(X, name):
    """Return what to say of the unit, or None."""
    if X.shape[1] < _MIN_GENES:
        return None
    n_rows = int(np.clip(_VALUES // X.shape[1], _MIN_ROWS, _MAX_ROWS))
    rows = np.array(X[:: max(1, -(-len(X) // n_rows))], dtype=np.float32)
    rows[np.isinf(rows)] = np.nan
    if _are_fine(rows):
        return None
    # Values near the limits of float32 have infinite squares.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        unit = find_unit(rows[:, ~odd_columns(rows)])
    if unit.name == "counts":
        return (
            f"{unit.detail} {name} expects logarithms: put LogCPM before it, as in "
            f"make_pipeline(LogCPM(), {name}(...))."
        )
    if unit.name == "TPM or CPM" and "a million" in unit.detail:
        return f"{unit.detail} {name} expects logarithms: give numpy.log2(X + 1)."
    return None


def _are_fine(rows):
    """Tell quickly that values are z-scores or logarithms, as most are."""
    lowest, highest = np.fmin.reduce(rows, axis=None), np.fmax.reduce(rows, axis=None)
    if np.isnan(highest):
        return True  # nothing was measured
    if 0 <= lowest and highest > _LARGEST_LOG:
        return False
    return bool((np.rint(rows) != rows)[~np.isnan(rows)].any())

"""Expression profiles and targets, as experiments take them."""

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array

from .._containers import (
    check_distinct,
    naming_wrong_values,
    native,
    refuse_containers,
    refuse_other_types,
    refuse_unread,
    without_mask,
)
from .._follow_up import as_surv, check_survival
from .._plain_map import plain_map


def check_profiles(X):
    """Return X as it will be read: an array, or a table of pandas.

    Raises
    ------
    ValueError
        Naming the gene of a value that is infinite or no number.
    """
    refuse_containers(X)
    refuse_other_types(X)
    _refuse_scalar(X, "X")
    check_distinct(X)
    with naming_wrong_values(X):
        values = check_array(
            without_mask(X),
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            input_name="X",
        )
    values, names = native(values), getattr(X, "columns", None)
    for row, gene in np.argwhere(np.isinf(values))[:1]:
        gene = gene if names is None else repr(str(names[gene]))
        raise ValueError(
            f"Input X contains infinity: sample {row}, gene {gene}. Mark values that "
            "were not measured as NaN, and take logarithms of x + 1 rather than of x."
        )
    if names is None:
        return _sendable(values)
    return pd.DataFrame(plain_map(values), getattr(X, "index", None), names)


def as_table(X):
    """Return X for estimators that need no genes: a table, sparse, or an array.

    Columns of a table may be of any type, and none is converted.
    """
    if not issparse(X):
        refuse_containers(X)
        _refuse_scalar(X, "X")
        check_distinct(X)
        X = without_mask(X)
        X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) != 2:
        raise ValueError(
            f"X must be a table of samples and genes, but has shape {tuple(X.shape)}."
        )
    return _sendable(X)


def as_target(y, n_samples, name="y"):
    """Return classes, values, or events and times, as an array.

    Parameters
    ----------
    y : array-like
        As users give it. A table of an event and a time becomes a structured array.
    n_samples : int
        How many samples there are.
    name : str, default="y"
        Named in messages.

    Raises
    ------
    ValueError
        If a sample has no value, or one that could be none.
    """
    _refuse_scalar(y, name)
    if issparse(y):
        raise ValueError(f"{name} is sparse: call {name}.toarray().")
    refuse_unread(y, name)
    y = _follow_up(y) if _is_follow_up(y) else np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y.ravel()
    if y.ndim not in (1, 2):
        raise ValueError(
            f"{name} must be one value of each sample, not of shape {y.shape}."
        )
    if len(y) != n_samples:
        raise ValueError(f"{name} has {len(y)} values for {n_samples} samples.")
    if not y.dtype.names:
        _refuse_wrong(y, name)
    return y


def refuse_mixed(values, name):
    """Refuse values of several types, such as 1 and "1", which have no order."""
    if values.dtype != object:
        return
    try:
        np.unique(values)
    except TypeError:
        kinds = sorted({type(value).__name__ for value in values.ravel()})
        raise ValueError(
            f"{name} has values of several types, {', '.join(kinds)}: give all as "
            f"text, by [str(value) for value in {name}]."
        ) from None


def _sendable(X):
    """Return X as other processes may be given it, without a copy."""
    if isinstance(X, np.ndarray):
        return X if X.flags.c_contiguous else plain_map(X)
    if isinstance(X, pd.DataFrame):
        # A row is a view where all is one array, and that may lie over a map.
        row = X.iloc[:1].to_numpy()
        if plain_map(row) is not row:
            X = pd.DataFrame(plain_map(X.to_numpy()), X.index, X.columns, copy=False)
    return X


def _refuse_scalar(values, name):
    try:
        n_dimensions = np.ndim(values)
    except ValueError as error:  # of lists of lists
        raise ValueError(f"{name} cannot be made an array: {error}") from None
    if n_dimensions == 0:
        raise ValueError(f"{name}={values!r:.60} must have a value of each sample.")


def _is_follow_up(y):
    """Whether `y` is a table of an event and a time."""
    if not hasattr(y, "columns") or len(set(y.columns)) != 2:
        return False
    kinds = [str(y[name].dtype).lower() for name in dict.fromkeys(y.columns)]
    return sum(kind.startswith("bool") for kind in kinds) == 1


def _follow_up(y):
    found = check_survival(
        y, "This experiment", allow_all_censored=True, allow_zero=True
    )
    return as_surv(*found)


def _refuse_wrong(y, name):
    missing = pd.isna(y).reshape(len(y), -1).any(axis=1)
    if missing.any():
        raise ValueError(f"{name} is missing for sample {missing.argmax()}: drop it.")
    if y.dtype.kind == "c":
        raise ValueError(f"{name} is complex: give its real part.")
    if y.dtype.kind == "f" and np.isinf(y).any():
        place = np.isinf(y).reshape(len(y), -1).any(axis=1).argmax()
        raise ValueError(f"{name} is infinite for sample {place}: drop it.")
    refuse_mixed(y, name)

"""Which samples have a mark in place of a label, and what to say where none has."""

import warnings
from difflib import get_close_matches

import numpy as np
from sklearn.utils._missing import is_pandas_na

_MAX_VALUES = 6


def is_marked(y, mark):
    """Return which samples are marked as having no label.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets. With several outputs a sample is marked if any of them is.
    mark : object
        What marks them. NaN stands for all that is missing: also None and pandas.NA.

    Returns
    -------
    marked : ndarray of shape (n_samples,), dtype bool
        Which samples are marked.
    """
    y = np.asarray(y)
    if y.dtype.kind == "f":
        same = np.isnan(y) if _is_missing(mark) else y == mark
        same = np.broadcast_to(same, y.shape)  # a text is compared as a whole
    else:
        same = np.array([_is_same(value, mark) for value in y.ravel()], dtype=bool)
    return same.reshape(len(y), -1).any(axis=1)


def _is_same(value, mark):
    if _is_missing(mark) or _is_missing(value):
        return _is_missing(mark) and _is_missing(value)
    return bool(value == mark)


def _is_missing(value):
    return value is None or is_pandas_na(value) or bool(value != value)


def without_objects(y):
    """Return labels of numbers in an array of objects, as beside None, as numbers."""
    if y.dtype != object:
        return y
    plain = np.array(y.tolist())
    return plain if plain.dtype.kind in "biuf" and plain.shape == y.shape else y


def labeled_samples(y, mark):
    """Return which samples have a label, after a check of those that have none.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    mark : object
        What marks samples without a label; None if nothing does.

    Returns
    -------
    labeled : ndarray of shape (n_samples,), dtype bool
        Which samples have a label.

    Raises
    ------
    ValueError
        If a target is missing that is not marked.

    Warns
    -----
    UserWarning
        If no sample has the mark.
    """
    labeled = np.ones(len(y), dtype=bool)
    if mark is not None:
        labeled = ~is_marked(y, mark)
    _refuse_missing(y, labeled)
    if mark is not None and labeled.all():
        warn_of_absent_mark(y, mark)
    return labeled


def _refuse_missing(y, labeled):
    absent = np.flatnonzero(labeled & is_marked(y, np.nan))
    if not len(absent):
        return
    first = absent[0]
    what = "y is None" if y[first] is None else "Input y contains NaN"
    raise ValueError(
        f"{what} for {len(absent)} samples, sample {first} the first: drop them, or "
        "set unlabeled=np.nan, which marks all whose target is missing as unlabelled."
    )


def refuse_cut_mark(y, mark):
    """Refuse labels among which numpy cut the mark of unlabelled samples.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Targets.
    mark : object
        What marks samples without a label; None if nothing does.

    Raises
    ------
    ValueError
        If the strings of `y` are too short for the mark, and one is its beginning.
    """
    if y.dtype.kind != "U" or not isinstance(mark, str):
        return
    width = y.dtype.itemsize // np.dtype("U1").itemsize
    if len(mark) > width and (y == mark[:width]).any():
        raise ValueError(
            f"unlabeled={mark!r} was cut to {mark[:width]!r} in y, an array of strings "
            f"of at most {width} characters; use y.astype(object), or a shorter marker."
        )


def warn_of_absent_mark(y, mark):
    """Warn that no sample has the mark, so that a misspelt one may be a class."""
    shown = "np.nan" if _is_missing(mark) else repr(mark)
    warnings.warn(
        f"unlabeled={shown} does not occur in y, {_values(np.asarray(y), mark)}. Each "
        "sample is taken for a labelled one.",
        UserWarning,
        stacklevel=2,
    )


def _values(y, mark):
    """Say which values of the target are near the mark, or which there are."""
    values = np.unique(y.ravel().astype(str) if y.dtype == object else y).tolist()
    near = [value for value in values if _is_near(value, mark)]
    if near:
        return f"which has {_listed(near)}"
    if y.dtype.kind == "f" and len(values) > _MAX_VALUES:
        return f"whose values are between {values[0]:g} and {values[-1]:g}"
    return f"which has {_listed(values)}"


def _is_near(value, mark):
    if not isinstance(value, str):
        return False
    known = [value.strip().lower()]
    return bool(get_close_matches(str(mark).strip().lower(), known, cutoff=0.7))


def _listed(values):
    more = len(values) - _MAX_VALUES
    listed = ", ".join(repr(value) for value in values[:_MAX_VALUES])
    return f"{listed} and {more} more values" if more > 0 else listed

"""Which samples have a mark in place of a label, and what to say where none has."""

from difflib import get_close_matches

import numpy as np
from sklearn.utils._missing import is_pandas_na

from .._warn import warn_caller

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
    _check_mark(mark)
    y = np.asarray(y)
    if not len(y):
        return np.zeros(0, dtype=bool)
    if y.dtype.kind == "f":
        same = np.isnan(y) if _is_missing(mark) else y == mark
        same = np.broadcast_to(same, y.shape)  # a text is compared as a whole
    else:
        same = np.array([_is_same(value, mark) for value in y.ravel()], dtype=bool)
    return same.reshape(len(y), -1).any(axis=1)


def _check_mark(mark):
    if callable(mark) or (np.iterable(mark) and not isinstance(mark, str | bytes)):
        raise ValueError(
            f"unlabeled={mark!r} must be one value, the one that samples without a "
            "label have in y, such as -1, 'unknown' or np.nan."
        )


def _is_same(value, mark):
    if _is_missing(mark) or _is_missing(value):
        return _is_missing(mark) and _is_missing(value)
    return bool(value == mark)


def _is_missing(value):
    return value is None or is_pandas_na(value) or bool(value != value)


def as_labels(y):
    """Return labels of which masked ones are None, and text is of a usual type."""
    if isinstance(y, np.ma.MaskedArray):
        mask, y = np.ma.getmaskarray(y), y.data
        y = np.where(mask, None, y.astype(object)) if mask.any() else y
    is_variable_width = getattr(getattr(y, "dtype", None), "kind", "") == "T"
    return y.astype(object) if is_variable_width else y


def refuse_mixed(y):
    """Refuse labels of which some are text and some are not, which have no order."""
    if y.dtype != object:
        return
    kinds = {"str" if isinstance(value, str) else type(value).__name__ for value in y}
    if "str" in kinds and len(kinds) > 1:
        raise ValueError(
            f"y has labels of the types {' and '.join(sorted(kinds))}, which have no "
            "order: make them one type, as by y.astype(str)."
        )


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
    refuse_missing(y, labeled)
    if mark is not None and labeled.all():
        warn_of_absent_mark(y, mark)
    return labeled


def refuse_missing(y, labeled):
    """Refuse targets that are missing among the labelled ones."""
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
    warn_caller(
        f"unlabeled={shown} does not occur in y, {_values(np.asarray(y), mark)}. Each "
        "sample is taken for a labelled one."
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

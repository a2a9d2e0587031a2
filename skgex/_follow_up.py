"""The check of follow-up that survival estimators and figures make."""

import numpy as np

from ._inputs import refuse_unread, warn_of_column

SURVIVAL_DTYPE = np.dtype([("event", bool), ("time", float)])
_EXPECTED = (
    "a structured array with an event (bool) and a time (float), as made by "
    "sksurv.util.Surv.from_arrays(event, time)"
)
_NO_ENTRY = (
    " Times of entry (left truncation) are not known to these models: each sample is "
    "at risk from time zero on. Count time from the entry instead, with what was "
    "before as a covariate: see the user guide on survival."
)
_NO_TIMES = f"y holds events (bool) without their times; use {_EXPECTED}."


def as_surv(event, time):
    """Return the structured array of scikit-survival, with fields "event" and "time".

    Parameters
    ----------
    event : array-like of bool of shape (n_samples,)
        Whether the event was seen.
    time : array-like of shape (n_samples,)
        Time of the event or of censoring.

    Returns
    -------
    y : structured ndarray of shape (n_samples,)
    """
    y = np.empty(len(time), SURVIVAL_DTYPE)
    y["event"] = event
    y["time"] = time
    return y


def check_survival(y, estimator=None, *, allow_all_censored=False, allow_zero=False):
    """Return events and times of a survival target, whatever it comes as.

    Parameters
    ----------
    y : array-like
        One of

        - a structured array with two fields of any name, first the event (bool, or
          numbers that are 0 or 1), then the time, as made by scikit-survival's `Surv`;
        - a table with one bool column, the event, and one numeric column, the time, in
          any order and of any name;
        - a plain array of shape (n_samples,): times that all end with the event.
    estimator : estimator, str or None, default=None
        Named in messages.
    allow_all_censored : bool, default=False
        Whether there may be no event.
    allow_zero : bool, default=False
        Whether times may be zero, where nothing is learnt from them.

    Returns
    -------
    event : ndarray of shape (n_samples,), dtype bool
        Whether the event was seen.
    time : ndarray of shape (n_samples,), dtype float64
        Time of the event or of censoring.

    Raises
    ------
    ValueError
        If `y` is none of these, or has times that are missing, infinite or not
        positive, or no event.
    """
    name = _name(estimator)
    if y is None:
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None. y is "
            f"{_EXPECTED}."
        )
    if hasattr(y, "columns"):
        event, time = _from_table(y)
    else:
        y = _as_vector(y)
        event, time = _from_fields(y) if y.dtype.names else _from_times(y)
    if not len(time):
        raise ValueError("y is empty: found 0 sample(s), while at least 1 is required.")
    _check_time(time, allow_zero)
    if not (allow_all_censored or event.any()):
        raise ValueError(
            f"All {len(event)} samples of y are censored: {name} needs an event, that "
            "is, a sample whose event is True. Follow up longer, or make folds that "
            "share the events, by EventStratifiedKFold."
        )
    return event, time


def is_plain(y):
    """Whether a target is a plain array, as of the checks of scikit-learn."""
    names = getattr(getattr(y, "dtype", None), "names", None)
    return names is None and not hasattr(y, "columns")


def _name(estimator):
    if estimator is None:
        return "This function"
    return estimator if isinstance(estimator, str) else type(estimator).__name__


def _as_vector(y):
    """Return `y` as an array of one dimension."""
    refuse_unread(y, "y")
    try:
        y = np.asarray(y)
    except (TypeError, ValueError) as error:
        message = f"y cannot be made an array ({error}); use {_EXPECTED}."
        raise ValueError(message) from error
    if y.ndim == 2 and y.shape[1] == 1:
        warn_of_column(y)
        y = y.ravel()
    if y.ndim != 1:
        remedy = f"use {_EXPECTED}"
        if y.shape[1:] == (2,):
            remedy = (
                "say which column is which, as by "
                "sksurv.util.Surv.from_arrays(event=y[:, 0] == 1, time=y[:, 1])"
            )
        raise ValueError(
            f"y should be a 1d array, got an array of shape {y.shape}; {remedy}."
        )
    return y


def _from_times(y):
    """Return plain times, all of which end with the event."""
    if y.dtype.kind == "b":
        raise ValueError(_NO_TIMES)
    return np.ones(len(y), bool), _as_numbers(y, "y")


def _from_fields(y):
    """Return events and times of a structured array."""
    names = y.dtype.names
    if len(names) != 2:
        raise ValueError(
            f"y has {len(names)} field(s), {', '.join(map(repr, names))}, but two are "
            "needed: the event (bool), then the time. Choose them by y[[event, time]]; "
            "a DataFrame becomes such an array by to_records(index=False)."
            + (_NO_ENTRY if _has_entry([y[name] for name in names]) else "")
        )
    first, second = names
    if y[first].dtype.kind == y[second].dtype.kind == "b":
        raise ValueError(_NO_TIMES)
    if y[second].dtype.kind != "b":
        _refuse_texts(y[first], f"field {first!r} of y", f"y[{first!r}]")
    event, time = (_as_numbers(y[name], f"field {name!r} of y") for name in names)
    if y[second].dtype.kind == "b" or (_is_binary(time) and not _is_binary(event)):
        raise ValueError(
            f"The fields of y are swapped: {second!r} holds events, but the event must "
            f"come first, then the time. Use Surv.from_arrays(event=y[{second!r}], "
            f"time=y[{first!r}]), or y[[{second!r}, {first!r}]]."
        )
    if not _is_binary(event):
        strange = event[~np.isin(event, (0, 1))]
        hint = _one_cause(f"y[{first!r}]") if _is_code(event) else ""
        raise ValueError(
            f"The event, field {first!r} of y, must be True (1) or False (0, censored),"
            f" but {len(strange)} sample(s) have other values, such as {strange[0]:g}."
            f"{hint}"
        )
    return event == 1, time


def _from_table(y):
    """Return events and times of a pandas or polars table."""
    names = list(y.columns)
    if len(names) == 1:
        return _from_times(_as_vector(y))
    columns = {}
    if len(names) == len(set(names)) <= 3:
        columns = {name: y[name].to_numpy() for name in names}
    events = [name for name in columns if columns[name].dtype.kind == "b"]
    if len(names) != 2 or len(events) != 1:
        if len(columns) == 2 and not events:
            for name, values in columns.items():
                _refuse_texts(values, f"column {name!r} of y", f"y[{name!r}]")
        codes = [name for name in columns if _is_code(columns[name])]
        if len(columns) == 2 and not events and len(codes) == 1:
            raise ValueError(
                f"Column {codes[0]!r} of y has codes of several events."
                f"{_one_cause(f'y[{codes[0]!r}]')}"
            )
        some = ", ".join(repr(name) for name in names[:3])
        dtypes = _dtypes(columns) if len(columns) == 2 else ""
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise ValueError(
            "A table y needs exactly two columns, one bool, the event, and one numeric,"
            f" the time; it has {some or 'none'}{more}{dtypes}. Choose them "
            "by y[[event, time]], and convert the event, which may not be missing, by "
            "astype(bool)." + (_NO_ENTRY if _has_entry([*columns.values()]) else "")
        )
    event = columns.pop(events[0])
    ((name, time),) = columns.items()
    return event, _as_numbers(time, f"column {name!r} of y")


def _has_entry(columns):
    """Whether columns are those of an event, a time of entry and one of the end."""
    if len(columns) != 3 or any(column.dtype.kind not in "biuf" for column in columns):
        return False
    times = [column for column in columns if not _is_binary(column)]
    if len(times) != 2:
        return False
    one, two = times
    return bool((one <= two).all() or (two <= one).all())


def _is_code(values):
    """Whether values are small whole numbers, some of which are above 1."""
    if values.dtype.kind not in "iuf":
        return False
    return bool(np.isin(values, np.arange(10)).all() and values.max(initial=0) > 1)


def _refuse_texts(values, where, code):
    """Refuse events in words, which could mean anything, with what to write."""
    if values.dtype.kind not in "OUST":
        return
    known = [value for value in values.tolist() if isinstance(value, str | bytes)]
    try:
        known and [float(value) for value in known]
    except ValueError:
        raise ValueError(
            f"The event, {where}, is in words such as {known[0]!r}, but must be True "
            f"or False (censored): compare them with the word for the event, as by "
            f"{code} == {known[0]!r}."
        ) from None


def _one_cause(event):
    return (
        " Competing events count as censored, which models the hazard of one cause: "
        f"use {event} == code, with the code of the event of interest; see the user "
        "guide on survival."
    )


def _dtypes(columns):
    dtypes = ", ".join(str(column.dtype) for column in columns.values())
    return f" of dtype {dtypes}" if dtypes else ""


def _as_numbers(values, where):
    """Return `values` as float64."""
    # Times as timedelta or strings would convert to something, but to what unit?
    if values.dtype.kind in "biufO":
        try:
            return values.astype(np.float64)
        except (TypeError, ValueError):
            pass
    raise ValueError(
        f"Expected numbers in {where}, got dtype {values.dtype}. y is {_EXPECTED}; "
        "give times as numbers of one unit, such as days."
    )


def _is_binary(values):
    return bool(np.isin(values, (0, 1)).all())


def _check_time(time, allow_zero):
    """Refuse times that are missing, infinite, negative or zero."""
    remedy = "leave these samples out, of X too, by a mask over the samples"
    for wrong, what in ((np.isnan(time), "NaN"), (np.isinf(time), "infinity (inf)")):
        if wrong.any():
            raise ValueError(
                f"The times in y contain {what}: {_count(wrong)}. Where follow-up is "
                f"not known, {remedy}."
            )
    wrong = time < 0 if allow_zero else time <= 0
    if wrong.any():
        kind = "negative" if allow_zero else "zero or negative"
        raise ValueError(
            f"The times in y must be positive, but some are {kind}: {_count(wrong)}. "
            f"A follow-up of zero is often one that is not known. Either {remedy}, or "
            "add a small follow-up, such as half a day, to times of zero."
        )


def _count(wrong):
    return f"{wrong.sum()} of {len(wrong)}, the first is sample {wrong.argmax()}"

"""Follow-up, risks and probabilities of survival, as measures of them take them."""

import numpy as np

from .._containers import refuse_unread
from .._follow_up import check_survival, is_plain

# Risks closer than this are equal, as in scikit-survival.
TIED = 1e-8


def check_target(y, name="y"):
    """Return events and times, of which a measure needs both."""
    if is_plain(y):
        raise ValueError(
            f"{name} must be a structured array of an event (bool) and a time, as made "
            "by sksurv.util.Surv.from_arrays(event, time)."
        )
    try:
        return check_survival(
            y, "This measure", allow_all_censored=True, allow_zero=True
        )
    except ValueError as error:
        if name == "y":
            raise
        raise ValueError(f"Of {name}: {error}") from error


def check_risk(risk, name, n_samples):
    """Return one risk of each sample."""
    risk = as_numbers(risk, name)
    if risk.shape != (n_samples,):
        raise ValueError(f"{name} has shape {risk.shape} for {n_samples} samples.")
    if not np.isfinite(risk).all():
        raise ValueError(
            f"{name} is not finite for sample {np.argmin(np.isfinite(risk))}."
        )
    return risk


def check_by_time(values, name, n_samples, times):
    """Return a value of each sample at each time, of shape (n_samples, n_times)."""
    values = as_numbers(values, name)
    shapes = {(n_samples,): "one", (n_samples, len(times)): "one for each time"}
    if values.shape not in shapes:
        raise ValueError(
            f"{name} has shape {values.shape} for {n_samples} samples and {len(times)} "
            "times: give one value of each sample, or one for each time."
        )
    bad = ~np.isfinite(values.reshape(n_samples, -1)).all(axis=1)
    if bad.any():
        raise ValueError(f"{name} is not finite for sample {np.argmax(bad)}.")
    if values.ndim == 1:
        values = values[:, None]
    return np.broadcast_to(values, (n_samples, len(times)))


def check_times(times, event, time):
    """Return ascending times, each of which has samples on either side.

    Raises
    ------
    ValueError
        If times don't ascend, if at one nobody had the event, or if nobody is followed
        up any more.
    """
    times = np.atleast_1d(as_numbers(times, "times"))
    ascend = times.ndim == 1 and len(times) and (np.diff(times) > 0).all()
    if not ascend or np.isnan(times).any():
        raise ValueError("times must be a number, or numbers that ascend.")
    for t in times:
        if not (event & (time <= t)).any():
            raise ValueError(
                f"Nobody in y had the event by time {t:g}: give later times."
            )
        if not (time > t).any():
            raise ValueError(
                f"Nobody in y is followed up after time {t:g}: give earlier times, "
                f"before {time.max():g}."
            )
    return times


def as_numbers(values, name):
    """Return an array of float: dates, masks and what is complex are no numbers."""
    refuse_unread(values, name)
    try:
        found = np.asarray(values)
        if found.dtype.kind not in "mMc":
            return found.astype(float)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{name} must be numbers, but is {values!r:.60}.")

"""Tables of measures with their intervals, of one prediction or of two."""

import pandas as pd

from ._influence import half_width, std_error, subtract

QUANTITY, LIMITS = "quantity", ("std_error", "low", "high")


def interval_rows(found, limits, groups, confidence_level):
    """Return a row for each prediction, and for the difference of two.

    Parameters
    ----------
    found : dict of str to tuple
        By name of the prediction, the measure and by how much samples move it.
    limits : callable
        Returns the limits around a measure, given also half of the width that the
        interval would have if it were symmetric.
    groups : ndarray of shape (n_samples,) or None
        Samples of one patient.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    rows : list of tuple
        With the columns `QUANTITY`, the measure and `LIMITS`.
    """
    rows = []
    for name, (value, influences) in found.items():
        error = std_error(influences, groups)
        width = half_width(error, confidence_level)
        rows.append((name, value, error, *limits(value, width)))
    if len(found) == 2:
        (first, by_first), (second, by_second) = found.values()
        error = std_error(subtract(by_first, by_second), groups)
        width, lead = half_width(error, confidence_level), first - second
        rows.append(("difference", lead, error, lead - width, lead + width))
    return rows


def table_by_time(found, name, follow_up, times, *options):
    """Return the table of a measure at several times.

    Parameters
    ----------
    found : dict of str to list of tuple
        By name of the prediction, the measure at each time and by how much samples
        move it.
    name : str
        Of the measure.
    follow_up : tuple of two ndarray of shape (n_samples,)
        Events and times.
    times : ndarray of shape (n_times,)
    *options
        Of `interval_rows`.
    """
    (event, time), rows = follow_up, []
    for place, t in enumerate(times):
        here = {name: measures[place] for name, measures in found.items()}
        counts = int((event & (time <= t)).sum()), int((time > t).sum())
        rows += [(t, *row, *counts) for row in interval_rows(here, *options)]
    columns = ["time", QUANTITY, name, *LIMITS, "n_cases", "n_controls"]
    return pd.DataFrame(rows, columns=columns)

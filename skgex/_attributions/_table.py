"""Tables of the kind that were given."""

import pandas as pd


def like(table, values):
    """Return values as a table with the names of another, or as they are.

    Parameters
    ----------
    table : array-like of shape (n_samples, n_columns)
        A table of pandas or polars, or anything else.
    values : ndarray of shape (n_samples, n_columns)
        Values.

    Returns
    -------
    values : DataFrame or ndarray of shape (n_samples, n_columns)
    """
    if isinstance(table, pd.DataFrame):
        return pd.DataFrame(values, table.index, table.columns)
    if type(table).__module__.partition(".")[0] == "polars":
        return type(table)(values, schema=list(table.columns))
    return values

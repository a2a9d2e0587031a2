"""The tables that experiments return, given back to be summed up."""

import numpy as np
import pandas as pd

# Columns that number the splits into training and test, and what is drawn in them.
SPLITS = ["split", "draw"]
# Columns of the places where estimators are compared, in the tables of protocols.
PLACES = ["mechanism", "rate", "rows", "n_genes", "fraction", "n_samples"]
PLACES += ["source", "target"]


def check_table(results, name, numbers):
    """Return a table with some columns as float, of which rows tell their places.

    Raises
    ------
    ValueError
        If a column of numbers holds something else, or if a row lacks its place, which
        pandas would leave out.
    """
    for column in ["estimator", *PLACES, *SPLITS]:
        missing = column in results and results[column].isna()
        if np.any(missing):
            raise ValueError(
                f"{name} has no value of {column!r} in row {np.argmax(missing)}: give "
                "tables of several experiments one by one, or fill in what is missing."
            )
    try:
        return results.astype(dict.fromkeys(numbers, float))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must have numbers in {', '.join(map(repr, numbers))}: {error}."
        ) from None


def refuse_other_tables(results, name):
    """Refuse what is no table of pandas, or has a column twice."""
    if not isinstance(results, pd.DataFrame):
        remedy = f", as by {name}.to_pandas()" if hasattr(results, "to_pandas") else ""
        kind = type(results).__name__
        raise ValueError(f"{name} must be a DataFrame of pandas{remedy}, not {kind}.")
    if not results.columns.is_unique:
        twice = results.columns[results.columns.duplicated()][0]
        raise ValueError(f"{name} has the column {twice!r} twice: keep one.")

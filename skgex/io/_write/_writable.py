"""Whether a table could be read again, once it is written."""

import numpy as np
import pandas as pd

# Rows that are looked at at a time, to bound the memory that takes.
_ROWS = 256


def check_writable(X):
    """Refuse a table that `read_expression` would refuse, or read as another."""
    for gene, dtype in X.dtypes.items():
        if dtype.kind not in "buif":
            raise ValueError(
                f"X: gene {str(gene)!r} is of type {dtype}, not numeric. Drop columns "
                "that are no expression."
            )
    if 0 in X.shape:
        raise ValueError(
            f"X has {X.shape[0]} samples and {X.shape[1]} genes: there is nothing to "
            "write."
        )
    _check_names(X.index, "sample", "index")
    _check_names(X.columns, "gene", "columns")
    _check_finite(X)


def _check_names(names, what, axis):
    if isinstance(names, pd.MultiIndex):
        raise ValueError(
            f"X.{axis} has {names.nlevels} levels, but each {what} needs one name: "
            f"choose a level, as by X.{axis} = X.{axis}.get_level_values(-1)."
        )
    missing = names.isna() | (names.astype(str) == "")
    if missing.any():
        raise ValueError(
            f"{what.capitalize()} {missing.argmax()} of X has no name: name it, or "
            "leave it out."
        )
    twice = names.astype(str).duplicated()
    if twice.any():
        raise ValueError(
            f"X has several {what}s named {str(names[twice.argmax()])!r}, which could "
            "not be told apart when they are read: merge or rename them first."
        )


def _check_finite(X):
    for start in range(0, len(X), _ROWS):
        block = X.iloc[start : start + _ROWS]
        values = block.to_numpy(dtype=float, na_value=np.nan)
        for row, gene in np.argwhere(np.isinf(values))[:1]:
            raise ValueError(
                f"X is infinite for gene {str(X.columns[gene])!r} in sample "
                f"{str(block.index[row])!r}. Mark values that were not measured as "
                "NaN, and take logarithms of x + 1 rather than of x."
            )

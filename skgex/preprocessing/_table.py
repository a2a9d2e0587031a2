"""Tables whose columns are genes: their names and their values."""

import numpy as np
from sklearn.utils import _safe_indexing, check_array

from .._containers import (
    naming_wrong_values,
    native,
    refuse_containers,
    refuse_other_types,
)
from .._inputs import on_disk
from .._mapped_table import MappedTable, memory_map


def table_names(X):
    """Return the names of the columns of a table, or None for an array.

    A table without names, whose columns count from zero, is taken for an array.

    Raises
    ------
    ValueError
        If `X` is in a container that cannot be used, or columns have labels that are
        not strings.
    """
    refuse_containers(X)
    if not hasattr(X, "columns"):
        return None
    names = np.empty(len(X.columns), dtype=object)
    names[:] = list(X.columns)
    if all(isinstance(name, str) for name in names):
        return names
    if all(name == i for i, name in enumerate(names)):
        return None
    label = next(name for name in names if not isinstance(name, str))
    raise ValueError(
        f"X has the column label {label!r}, which is not a string, so that genes "
        "cannot be told by name. Write X.columns = X.columns.astype(str) first."
    )


def table_values(X, columns):
    """Return some columns of a table, in order, as a float array or on disk."""
    if isinstance(X, MappedTable):
        # Types are those of all samples.
        table_values(X[:1].without_values(), columns)
        return X._of_genes(columns)
    if _is_on_disk(X):
        return on_disk(X.to_numpy())._of_genes(columns)
    names = None
    if hasattr(X, "columns"):
        names = _safe_indexing(list(X.columns), columns)
    if hasattr(X, "set_axis"):
        # Names that occur twice, as those of probes may, are more than pandas tables
        # are taken with elsewhere.
        X = X.set_axis(range(X.shape[1]), axis=1)
    # Other columns need not be numbers.
    X = _safe_indexing(X, columns, axis=1)
    refuse_other_types(X, names)
    with naming_wrong_values(X, names):
        X = check_array(
            X,
            dtype=[np.float32, np.float64],
            ensure_all_finite=False,
            estimator="GeneAligner",
        )
    return native(X)


def _is_on_disk(X):
    """Whether a table of pandas lies over a memory map of floats."""
    if not hasattr(X, "iloc"):
        return False
    # Of a table that is put together from columns a row is a copy.
    row = X.iloc[:1].to_numpy()
    is_float = row.dtype in (np.float32, np.float64) and row.dtype.isnative
    return bool(is_float and len(row) and memory_map(row) is not None)

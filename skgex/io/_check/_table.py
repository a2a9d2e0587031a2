"""A table as the check reads it: names, and values in blocks of rows."""

import mmap

import numpy as np
import pandas as pd

from ..._containers import (
    naming_wrong_values,
    refuse_containers,
    refuse_other_types,
    without_mask,
)
from ..._mapped_table import memory_map

_BLOCK_BYTES = 8 * 2**20


class Table:
    """Names and numbers of a table of samples x genes.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_genes)
        The table. Columns that are no numbers are left out and named in `text`.

    Attributes
    ----------
    genes, samples : list
        Names of the columns with numbers and of the rows; their places where
        there are no names.
    has_genes, has_samples : bool
        Whether these are names.
    text : list
        Names of columns that are not numeric.
    shape : tuple of int
        Number of samples, and of columns with numbers.
    """

    def __init__(self, X):
        if not (isinstance(X, pd.DataFrame) and X.empty):
            refuse_containers(X)
        X = without_mask(X)
        if hasattr(X, "columns") and hasattr(X, "to_pandas"):
            X = X.to_pandas()
        if isinstance(X, pd.DataFrame):
            self._read_frame(X)
        else:
            self._read_array(X)
        self.shape = (len(self.samples), len(self.genes))
        if not self.shape[0]:
            raise ValueError("X has no samples: it is a table without rows.")
        if not self.shape[1] and not self.text:
            raise ValueError("X has no genes: it is a table without columns.")

    def _read_frame(self, X):
        numeric = np.array([_is_numeric(dtype) for dtype in X.dtypes], dtype=bool)
        names = list(X.columns)
        self.text = [names[i] for i in np.flatnonzero(~numeric)]
        if self.text:
            X = X.iloc[:, np.flatnonzero(numeric)]
        self.has_genes = _has_names(names)
        self.genes = [names[i] for i in np.flatnonzero(numeric)]
        self.samples = list(X.index)
        self.has_samples = _has_names(self.samples)
        self._frame, self._values = X, None
        self._nullable = any(not isinstance(d, np.dtype) for d in X.dtypes)

    def _read_array(self, X):
        values = np.asarray(X)
        if values.ndim != 2:
            raise ValueError(
                f"X has to be a table of samples x genes; it has {values.ndim} "
                "dimensions."
            )
        refuse_other_types(values)
        if values.dtype.kind not in "biuf":
            with naming_wrong_values(values):
                values = values.astype(np.float64)
        self._values, self._frame = values, None
        self.samples, self.genes = (list(range(n)) for n in values.shape)
        self.has_genes = self.has_samples = False
        self.text = []

    def take(self, rows):
        """Return the values of some rows, in float32, with infinity as NaN."""
        if isinstance(rows, slice):
            values = self._slice(rows)
        else:
            parts = [self._slice(slice(row, row + 1)) for row in rows]
            values = np.concatenate(parts) if parts else self._slice(slice(0, 0))
        return np.where(np.isinf(values), np.float32(np.nan), values)

    def blocks(self):
        """Yield rows as slices, and their values in float32, not to be changed.

        Pages of a memory map are given back on the way, as they count as memory.
        """
        size = max(1, _BLOCK_BYTES // (4 * max(1, self.shape[1])))
        for start in range(0, self.shape[0], size):
            rows = slice(start, min(start + size, self.shape[0]))
            source = self._part(rows)
            yield rows, self._as_float32(source)
            pages = memory_map(source)
            if pages is not None:
                pages.madvise(mmap.MADV_DONTNEED)

    def _slice(self, rows):
        return self._as_float32(self._part(rows))

    def _part(self, rows):
        if self._values is not None:
            return self._values[rows]
        part = self._frame.iloc[rows]
        if self._nullable:
            return part.to_numpy(np.float32, na_value=np.nan)
        return part.to_numpy()

    def _as_float32(self, part):
        with np.errstate(over="ignore"):
            return np.asarray(part, dtype=np.float32)


def _is_numeric(dtype):
    return pd.api.types.is_numeric_dtype(dtype) and getattr(dtype, "kind", "f") != "c"


def _has_names(labels):
    """Tell names from a count of places."""
    return any(label != i for i, label in enumerate(labels))

"""Samples of a table on disk, which are read when they are needed."""

import mmap

import numpy as np

# So much is read at once where all that is selected is read.
_BLOCK_BYTES = 16 * 2**20


class MappedTable:
    """Samples of a table on disk, of which a selection reads none.

    numpy and pandas copy what is selected by a list, so that each fold of a memory map
    lies in memory. Of this table a selection of rows holds their numbers: splits and
    searches of scikit-learn hand it on, and the estimators of this package read it
    batch by batch. It is pickled as a path and numbers, and opened again where it
    arrives. Other estimators, and numpy, read all that is selected.

    Tables are made by ``skgex.io.open_memmap(path, lazy=True)``. What estimators return
    of one is an array, or with ``set_output`` a table whose rows are numbered: names of
    the samples are in `index`.

    Parameters
    ----------
    values : memmap of shape (n_stored, n_genes)
        All samples of the file.
    index, columns : Index
        Names of all its samples, and of the genes.
    reopen : callable
        Returns the same table in another process.
    attrs : dict, default=None
        What is known of it, such as its unit.

    Attributes
    ----------
    values : memmap of shape (n_stored, n_genes)
        All samples of the file.
    rows : int64 ndarray of shape (n_samples,)
        Which of them are selected.
    shape : tuple of int
        Numbers of selected samples and of genes.
    index, columns : Index
        Names of the selected samples, and of the genes.
    dtype : dtype
        Of the values.
    attrs : dict
        What is known of the table.

    See Also
    --------
    skgex.io.open_memmap : Makes such tables.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn.model_selection import train_test_split
    >>> from skgex.datasets import load_breast_nki
    >>> from skgex.io import open_memmap, to_memmap
    >>> path = pathlib.Path(tempfile.mkdtemp(), "nki.npy")
    >>> _ = to_memmap(load_breast_nki(as_frame=True).data, path)
    >>> train, test = train_test_split(open_memmap(path, lazy=True), random_state=0)
    >>> train
    MappedTable of 112 samples x 862 genes, float32
    >>> test[:2].to_frame().shape
    (2, 862)
    """

    ndim = 2
    # Columns of the file that are genes of this table; None for all, as they are.
    _places = None
    # Columns that are in memory, for each selected sample; None for none.
    _added = None

    def __init__(self, values, index, columns, reopen, attrs=None):
        self.values, self.columns, self.attrs = values, columns, dict(attrs or {})
        self.rows = np.arange(len(values))
        self._index, self._reopen = index, reopen

    @property
    def shape(self):
        """Numbers of selected samples and of genes."""
        n_added = 0 if self._added is None else self._added.shape[1]
        return len(self.rows), len(self.columns) + n_added

    @property
    def size(self):
        """Number of values that are selected."""
        return self.shape[0] * self.shape[1]

    @property
    def dtype(self):
        """Type of the values."""
        return self.values.dtype

    @property
    def index(self):
        """Names of the selected samples."""
        return self._index[self.rows]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, key):
        """Select samples without reading them, or read some of their genes.

        Parameters
        ----------
        key : slice, array-like of int or bool, int, or tuple of two of them
            Numbers of samples, as numpy takes them. With numbers of genes, as in
            ``X[:, genes]``, and for a single sample, values are read.

        Returns
        -------
        selected : MappedTable or ndarray
        """
        rows, genes = key if isinstance(key, tuple) else (key, slice(None))
        chosen = self.rows[rows]
        if np.ndim(chosen) != 1:
            return np.asarray(self[[rows]])[0, genes]
        added = None if self._added is None else self._added[rows]
        taken = self._replaced(rows=chosen, _added=added)
        return taken if _is_all(genes) else taken._read(genes)

    def __array__(self, dtype=None, copy=None):
        """Read all that is selected."""
        if copy is False:
            raise ValueError("What is on disk cannot be an array without a copy.")
        return self._read(dtype=dtype)

    def to_frame(self):
        """Read all that is selected into a table in memory.

        Returns
        -------
        table : DataFrame of shape (n_samples, n_genes)
        """
        table = self._framed(np.asarray(self))
        table.attrs.update(self.attrs)
        return table

    def without_values(self):
        """Return a table of zeros that take no memory, for what asks of names alone.

        Returns
        -------
        table : DataFrame of shape (n_samples, n_genes)
        """
        return self._framed(np.broadcast_to(np.zeros((), self.dtype), self.shape))

    def _of_genes(self, places):
        """Select genes, by their numbers, without reading them."""
        own = np.arange(self.values.shape[1]) if self._places is None else self._places
        columns = self.columns[places]
        if columns.dtype.kind in "iu":  # no names, but places in the table
            columns = np.arange(len(columns))
        return self._replaced(_places=own[places], columns=columns)

    def _beside(self, values):
        """Put columns that are in memory, and have no names, after the genes."""
        return self._replaced(_added=values.astype(self.dtype))

    def _arranged(self, values, samples):
        """Return what the table has of some samples, given their rows of the file.

        Parameters
        ----------
        values : ndarray of shape (n, n_stored_genes)
            All that is stored of them.
        samples : slice or ndarray of shape (n,)
            Which of the selected samples they are.

        Returns
        -------
        values : ndarray of shape (n, n_genes)
        """
        if self._places is not None:
            values = np.take(values, self._places, axis=1)
        if self._added is not None:
            values = np.concatenate([values, self._added[samples]], axis=1)
        return values

    def _read(self, genes=slice(None), dtype=None):
        """Read genes of all that is selected.

        Block by block: beside the copy would else be the pages of the file, and all
        values that are of another type.
        """
        columns = np.asarray(np.arange(self.shape[1])[genes])
        shape, dtype = (len(self), *columns.shape), dtype or self.dtype
        values, n_stored = np.empty(shape, dtype), self.values.shape[1]
        pages = memory_map(self.values)
        size = max(1, _BLOCK_BYTES // max(1, self.dtype.itemsize * n_stored))
        # Where few are wanted, other genes of the file need not be copied first.
        is_few = self._added is None and 2 * columns.size < n_stored
        if is_few and self._places is not None:
            columns = self._places[columns]
        for start in range(0, len(self), size):
            some = slice(start, start + size)
            rows = self.rows[some]
            if is_few:
                rows = rows.reshape(-1, *[1] * columns.ndim)
                values[some] = self.values[rows, columns]
            else:
                part = self._arranged(self.values[rows], some)
                values[some] = part if _is_all(genes) else part[:, columns]
            if pages is not None:
                pages.madvise(mmap.MADV_DONTNEED)
        return values

    def _replaced(self, **attributes):
        taken = object.__new__(type(self))
        vars(taken).update(vars(self), **attributes)
        return taken

    def _framed(self, values):
        # No estimator needs pandas but for such a table.
        from pandas import DataFrame

        return DataFrame(values, self.index, self.columns, copy=False)

    def __reduce__(self):
        # The file is at hand where the table goes, or its values would go with it.
        return _reopened, (self._reopen, self.rows, self._places, self._added)

    def __repr__(self):
        return (
            f"MappedTable of {len(self):,d} samples x {self.shape[1]:,d} genes, "
            f"{self.dtype}"
        )


def _is_all(key):
    return key is Ellipsis or (isinstance(key, slice) and key == slice(None))


def _reopened(reopen, rows, places=None, added=None):
    table = reopen()[rows]
    table = table if places is None else table._of_genes(places)
    return table if added is None else table._beside(added)


def memory_map(X):
    """Return the `mmap` whose pages `X` may give back after reading, or None."""
    while X is not None and not isinstance(X, mmap.mmap):
        X = getattr(X, "base", None)
    # Private pages (mode "c") hold changes that exist nowhere else. Nothing but its
    # text tells of a map that it is one.
    is_private = "ACCESS_COPY" in repr(X)
    return X if hasattr(mmap, "MADV_DONTNEED") and not is_private else None

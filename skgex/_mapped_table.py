"""Samples of a table on disk, which are read when they are needed."""

import numpy as np


class MappedTable:
    """Samples of a table on disk, of which a selection reads none.

    numpy and pandas copy what is selected by a list, so that each fold of a memory map
    lies in memory. Of this table a selection of rows holds their numbers: splits and
    searches of scikit-learn hand it on, and the embedders and fine-tuned classifiers
    and regressors read it batch by batch. It is pickled as a path and numbers, and
    opened again where it arrives. Other estimators, and numpy, read all that is
    selected.

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

    def __init__(self, values, index, columns, reopen, attrs=None):
        self.values, self.columns, self.attrs = values, columns, dict(attrs or {})
        self.rows = np.arange(len(values))
        self._index, self._reopen = index, reopen

    @property
    def shape(self):
        """Numbers of selected samples and of genes."""
        return len(self.rows), self.values.shape[1]

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
            return np.array(self.values[chosen])[genes]
        if not _is_all(genes):
            columns = np.arange(self.shape[1])[genes]
            found = np.array(self.values[np.ix_(chosen, np.atleast_1d(columns))])
            return found if np.ndim(columns) else found[:, 0]
        taken = MappedTable(
            self.values, self._index, self.columns, self._reopen, self.attrs
        )
        taken.rows = chosen
        return taken

    def __array__(self, dtype=None, copy=None):
        """Read all that is selected."""
        if copy is False:
            raise ValueError("What is on disk cannot be an array without a copy.")
        return np.asarray(self.values[self.rows], dtype=dtype)

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

    def _framed(self, values):
        # No estimator needs pandas but for such a table.
        from pandas import DataFrame

        return DataFrame(values, self.index, self.columns, copy=False)

    def __reduce__(self):
        # The file is at hand where the table goes, or its values would go with it.
        return _reopened, (self._reopen, self.rows)

    def __repr__(self):
        return (
            f"MappedTable of {len(self):,d} samples x {self.shape[1]:,d} genes, "
            f"{self.dtype}"
        )


def _is_all(key):
    return key is Ellipsis or (isinstance(key, slice) and key == slice(None))


def _reopened(reopen, rows):
    return reopen()[rows]

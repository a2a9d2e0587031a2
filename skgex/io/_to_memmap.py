"""From files to a table on disk that may be larger than memory."""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ._conversion import Conversion
from ._open import open_memmap
from ._path import local_path
from ._progress import progress_bar
from ._sources import parts


@validate_params(
    {
        "genes": ["array-like", None],
        "samples": ["array-like", None],
        "reader_params": [dict, None],
        "dtype": [StrOptions({"float32", "float64"})],
        "chunk_size": [Interval(Integral, 1, None, closed="left"), None],
        "unit": [str, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def to_memmap(
    source,
    path,
    *,
    genes=None,
    samples=None,
    reader_params=None,
    dtype="float32",
    chunk_size=None,
    unit=None,
    verbose=False,
):
    """Write expression to a table on disk, which may be larger than memory.

    The source is read in blocks, so that some hundred megabytes of memory are enough.
    The table is there when it is complete, and not before: blocks go to
    ``path.partial``. Called again after it was stopped, with the same source and
    parameters, it goes on with the block it was at; a source that has changed is
    converted from the start. A complete table is replaced.

    Parameters
    ----------
    source : path-like, DataFrame, ndarray, or iterable of paths and DataFrames
        What to convert; tables and arrays have samples in rows. Files are read by what
        is in them, as by `read_expression`, of which `reader_params` may name `orient`
        and the like; GCT, ARCHS4 and AnnData with the parameters of `read_gct`,
        `read_archs4` and `read_h5ad`.
        An iterable, such as a generator of cohorts, is put one below the other; one
        part of it is held at a time.
    path : str or path-like
        Where to write, such as ``"tcga.npy"``. Names are written to ``path + ".json"``.
    genes : sequence of str, default=None
        Genes of the table, in this order; those that a source lacks are NaN, others
        are left out. None takes those of the source, which must then be the same in all
        parts. For an ndarray the names of its columns, which are required.
    samples : sequence of str, default=None
        Samples of a single source, in this order. None takes all. For an ndarray the
        names of its rows, by default 0, 1, ...
    reader_params : dict, default=None
        Further parameters of the reader, such as ``{"normalize": "log_cpm"}``.
        ``{"on_duplicate": "mean"}`` works for a DataFrame too.
    dtype : {"float32", "float64"}, default="float32"
        Type of the values.
    chunk_size : int, default=None
        How many genes of a text file, or samples of another source, make a block. None
        makes blocks of some ten megabytes, or of a chunk of an HDF5 file.
    unit : str, default=None
        Note on the unit of the values, kept with the table.
    verbose : bool or int, default=False
        Whether to show a progress bar.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_genes)
        The table, as `open_memmap` opens it.

    Raises
    ------
    RuntimeError
        If another process is writing the same table.
    ValueError
        If the source is damaged or has names twice, or its parts don't fit.

    See Also
    --------
    open_memmap : Opens such tables.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skgex import SCARF
    >>> from skgex.datasets import load_breast_nki
    >>> from skgex.io import to_memmap
    >>> cohort = load_breast_nki(as_frame=True).data
    >>> path = pathlib.Path(tempfile.mkdtemp(), "cohorts.npy")
    >>> X = to_memmap([cohort[:100], cohort[100:]], path, unit="log ratio")
    >>> X.shape, X.attrs
    ((150, 862), {'unit': 'log ratio'})
    >>> SCARF(max_epochs=1).fit_transform(X).shape
    (150, 256)
    """
    path = local_path(path, reads=False)
    options = {"genes": genes, "samples": samples, "dtype": dtype}
    with Conversion(path, chunk_size) as conversion, progress_bar(verbose) as progress:
        for part in parts(source, reader_params=reader_params or {}, **options):
            conversion.add(part, progress)
        conversion.finish(unit)
    return open_memmap(path)

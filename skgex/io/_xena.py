"""The text tables of UCSC Xena."""

from sklearn.utils._param_validation import StrOptions, validate_params

from ._path import local_path
from ._selection import ON_DUPLICATE
from ._text import open_table

READER_PARAMETERS = {
    "genes": ["array-like", None],
    "samples": ["array-like", None],
    "on_duplicate": [StrOptions(set(ON_DUPLICATE))],
    "dtype": [StrOptions({"float32", "float64"})],
}


@validate_params(READER_PARAMETERS, prefer_skip_nested_validation=True)
def read_xena(path, *, genes=None, samples=None, on_duplicate="error", dtype="float32"):
    r"""Read a gene expression table of UCSC Xena [1]_.

    The file has a gene in each line and a sample in each column, with the names of
    samples in the first line and those of genes in the first column; it may be
    compressed. It is read twice, line by line: memory is needed for the result and some
    ten megabytes beside it, and lines of genes that are not selected are passed over.
    What stands in a file is found as by `read_expression`, which also takes tables with
    samples in lines.

    Parameters
    ----------
    path : str or path-like
        The file.
    genes : sequence of str, default=None
        Genes to read, which become the columns in this order. None reads all.
    samples : sequence of str, default=None
        Samples to read, which become the rows in this order. None reads all.
    on_duplicate : {"error", "first", "max", "mean", "sum"}, default="error"
        What becomes of genes with the same name: refuse them, keep the first, or merge
        them in each sample, without missing values. Xena has mostly logarithms, whose
        sum means nothing.
    dtype : {"float32", "float64"}, default="float32"
        Type of the values.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_genes)
        Expression, NaN where the file has NA or nothing.

    Raises
    ------
    ValueError
        If the file is damaged, cut off or not of this form, or lacks a gene or sample.

    See Also
    --------
    read_expression : Reads these and any other tables.
    to_memmap : Convert a table that is larger than memory.
    read_gct : The same for GCT.

    References
    ----------
    .. [1] Goldman M.J. et al. "Visualizing and interpreting cancer genomics data via
       the Xena platform", Nature Biotechnology 38, 675-678, 2020.
       :doi:`10.1038/s41587-020-0546-8`

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skgex.io import read_xena
    >>> path = pathlib.Path(tempfile.mkdtemp(), "HiSeqV2.tsv")
    >>> text = "sample\tTCGA-1\tTCGA-2\nTP53\t5.5\tNA\nMYC\t10\t2.25\n"
    >>> _ = path.write_text(text)
    >>> read_xena(path)
    gene    TP53    MYC
    sample
    TCGA-1   5.5  10.00
    TCGA-2   NaN   2.25
    """
    return open_xena(
        local_path(path),
        genes=genes,
        samples=samples,
        on_duplicate=on_duplicate,
        dtype=dtype,
    ).to_frame()


def open_xena(path, **options):
    """Open such a table for reading block by block."""
    return open_table(path, orient=None, **options)

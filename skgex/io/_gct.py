"""The GCT format of the Broad Institute."""

from typing import Any

from sklearn.utils._param_validation import validate_params

from ._path import local_path
from ._text import frames_about, open_table
from ._xena import READER_PARAMETERS

GCT_PARAMETERS = {
    **READER_PARAMETERS,
    "gene_column": [str, None],
    "return_metadata": ["boolean"],
}


@validate_params(GCT_PARAMETERS, prefer_skip_nested_validation=True)
def read_gct(
    path,
    *,
    genes=None,
    samples=None,
    gene_column=None,
    on_duplicate="error",
    dtype="float32",
    return_metadata=False,
) -> Any:
    r"""Read a table in the GCT format [1]_, version 1.2 or 1.3.

    The numbers of genes and samples that the file states are compared with what is in
    it. It may be compressed by gzip, and is read line by line, as by `read_xena`.

    Parameters
    ----------
    path : str or path-like
        The file.
    genes : sequence of str, default=None
        Genes to read, which become the columns in this order. None reads all.
    samples : sequence of str, default=None
        Samples to read, which become the rows in this order. None reads all.
    gene_column : str, default=None
        Column that names the genes, such as ``"Description"``, where GTEx has symbols.
        None takes the first, which has identifiers.
    on_duplicate : {"error", "first", "max", "mean", "sum"}, default="error"
        What becomes of genes with the same name: refuse them, keep the first, or merge
        them in each sample, without missing values.
    dtype : {"float32", "float64"}, default="float32"
        Type of the values.
    return_metadata : bool, default=False
        Whether to return what else the file says of samples and genes.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_genes)
        Expression, NaN where the file has NA or nothing.
    sample_metadata : DataFrame of shape (n_samples, n_fields)
        Text about the samples, which only version 1.3 has. Only if
        ``return_metadata=True``.
    gene_metadata : DataFrame of shape (n_genes, n_fields)
        Text about the genes, of the first of each name. Only if
        ``return_metadata=True``.

    Raises
    ------
    ValueError
        If the file is damaged, cut off or not of this form, or lacks a gene or sample.

    See Also
    --------
    read_xena : Tables without such a header.

    References
    ----------
    .. [1] Enache O.M. et al. "The GCTx format and cmap{Py, R, M, J} packages: resources
       for optimized storage and integrated traversal of annotated dense matrices",
       Bioinformatics 35(8), 1427-1429, 2019. :doi:`10.1093/bioinformatics/bty784`

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skgex.io import read_gct
    >>> path = pathlib.Path(tempfile.mkdtemp(), "gene_tpm.gct")
    >>> _ = path.write_text(
    ...     "#1.2\n2\t2\nName\tDescription\tGTEX-1\tGTEX-2\n"
    ...     "ENSG00000141510.16\tTP53\t12.5\t8\nENSG00000136997.15\tMYC\t3\t4\n"
    ... )
    >>> read_gct(path, gene_column="Description")
    gene    TP53  MYC
    sample
    GTEX-1  12.5  3.0
    GTEX-2   8.0  4.0
    """
    matrix = open_gct(
        local_path(path),
        genes=genes,
        samples=samples,
        gene_column=gene_column,
        on_duplicate=on_duplicate,
        dtype=dtype,
        metadata=return_metadata,
    )
    X = matrix.to_frame()
    return (X, *frames_about(matrix, X)) if return_metadata else X


def open_gct(path, *, gene_column=None, **options):
    """Open such a table for reading block by block."""
    return open_table(path, orient=None, id_column=gene_column, only="GCT", **options)

"""The files of AnnData."""

from sklearn.utils._param_validation import validate_params

from .._warn import warn_caller
from ._h5ad_by_genes import H5adByGenes
from ._h5ad_by_samples import H5adBySamples
from ._h5ad_layout import check_gene_column, read_layout
from ._hdf5 import open_hdf5
from ._path import local_path
from ._selection import as_names
from ._xena import READER_PARAMETERS

H5AD_PARAMETERS = {
    **READER_PARAMETERS,
    "layer": [str, None],
    "gene_column": [str, None],
}


@validate_params(H5AD_PARAMETERS, prefer_skip_nested_validation=True)
def read_h5ad(
    path,
    *,
    layer=None,
    genes=None,
    samples=None,
    gene_column=None,
    on_duplicate="error",
    dtype="float32",
):
    """Read an expression matrix of AnnData [1]_, dense or sparse.

    The matrix is read in blocks and made dense on the way; what else is in the file is
    not touched. Files of all versions of AnnData are read. Needs h5py,
    ``pip install ".[io]"`` in a checkout.

    Parameters
    ----------
    path : str or path-like
        The ``.h5ad`` file.
    layer : str, default=None
        Which of the ``layers`` to read, or ``"raw"``. None reads ``X``.
    genes : sequence of str, default=None
        Genes to read, which become the columns in this order. None reads all.
    samples : sequence of str, default=None
        Samples to read, which become the rows in this order. None reads all.
    gene_column : str, default=None
        Column of ``var`` that names the genes, such as ``"feature_name"``. None takes
        ``var_names``. Genes without a name are left out, with a warning.
    on_duplicate : {"error", "first", "max", "mean", "sum"}, default="error"
        What becomes of genes with the same name: refuse them, keep the first, or merge
        them in each sample, without missing values.
    dtype : {"float32", "float64"}, default="float32"
        Type of the values.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_genes)
        Expression. What a sparse matrix leaves out is zero.

    Raises
    ------
    ImportError
        If h5py is missing.
    ValueError
        If the file is damaged or not of this form, or lacks the layer, the column, a
        gene or a sample; if it has genes in ``obs``; if a value is infinite; or if it
        refers to other files.

    See Also
    --------
    to_memmap : Convert what is larger than memory.

    References
    ----------
    .. [1] Virshup I. et al. "anndata: Access and store annotated data matrices",
       Journal of Open Source Software 9(101), 4371, 2024. :doi:`10.21105/joss.04371`

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import anndata, h5py, pandas, scipy.sparse
    >>> from skgex.io import read_h5ad
    >>> path = pathlib.Path(tempfile.mkdtemp(), "cohort.h5ad")
    >>> samples, ids, symbols = (
    ...     pandas.Index(names, dtype=object)
    ...     for names in (["S1", "S2"], ["ENSG1", "ENSG2"], ["TP53", "MYC"])
    ... )
    >>> elements = {
    ...     "X": scipy.sparse.csr_matrix([[0, 4.5], [2, 0]]),
    ...     "obs": pandas.DataFrame(index=samples),
    ...     "var": pandas.DataFrame({"symbol": symbols}, ids),
    ... }
    >>> with h5py.File(path, "w") as file:
    ...     for name, element in elements.items():
    ...         anndata.io.write_elem(file, name, element)
    >>> read_h5ad(path, gene_column="symbol")
    gene    TP53  MYC
    sample
    S1       0.0  4.5
    S2       2.0  0.0
    """
    return open_h5ad(
        local_path(path),
        layer=layer,
        genes=genes,
        samples=samples,
        gene_column=gene_column,
        on_duplicate=on_duplicate,
        dtype=dtype,
    ).to_frame()


def open_h5ad(
    path,
    *,
    layer=None,
    genes=None,
    samples=None,
    gene_column=None,
    on_duplicate="error",
    dtype="float32",
    strict=True,
    orient="auto",
):
    """Open such a file for reading block by block.

    `orient` is what rows of the file are, "samples_in_rows" or "genes_in_rows"; "auto"
    takes samples, and refuses a file whose names say that they are genes.
    """
    wanted = None if genes is None else as_names(genes, "genes")
    with open_hdf5(path) as file:
        layout = read_layout(file, layer, gene_column, orient)
        check_gene_column(file, layout, wanted, gene_column)
    if wanted is None:
        for note in layout.notes:
            warn_caller(note)
    return (H5adBySamples if layout.by_samples else H5adByGenes)(
        path,
        layout,
        genes=wanted,
        samples=samples,
        on_duplicate=on_duplicate,
        strict=strict,
        dtype=dtype,
    )

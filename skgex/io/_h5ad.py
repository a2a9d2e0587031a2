"""The files of AnnData."""

import numpy as np
from sklearn.utils._param_validation import validate_params

from ._h5ad_matrix import H5adMatrix
from ._matrix import check_samples, reading
from ._optional import import_anndata_io, import_h5py
from ._selection import GeneSelection, as_names, quoted, select_samples
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
    not touched. Needs anndata and h5py, ``pip install "skgex[io]"``.

    Parameters
    ----------
    path : str or path-like
        The ``.h5ad`` file.
    layer : str, default=None
        Which of the ``layers`` to read. None reads ``X``.
    genes : sequence of str, default=None
        Genes to read, which become the columns in this order. None reads all.
    samples : sequence of str, default=None
        Samples to read, which become the rows in this order. None reads all.
    gene_column : str, default=None
        Column of ``var`` that names the genes. None takes ``var_names``.
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
        If anndata or h5py is missing.
    ValueError
        If the file is damaged or not of this form, or lacks the layer, the column, a
        gene or a sample.

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
        path,
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
):
    """Open such a file for reading block by block."""
    h5py = import_h5py()
    with reading(path), h5py.File(path, "r") as file:
        key = _matrix_key(file, layer)
        shape = _shape(file[key])
        available = _names(file, "obs"), _names(file, "var", gene_column)
        if shape != tuple(map(len, available)):
            raise ValueError(
                f"{path}: {key} is of shape {shape}, but obs and var have "
                f"{len(available[0]):,d} and {len(available[1]):,d} names. Write the "
                "file again."
            )
        places = select_samples(available[0], samples, path)
    check_samples(places, path)
    wanted = None if genes is None else as_names(genes, "genes")
    selection = GeneSelection(available[1], wanted, on_duplicate, strict, path)
    names = [available[0][i] for i in places]
    return H5adMatrix(path, key, places, names, selection, dtype)


def _matrix_key(file, layer):
    key = "X" if layer is None else f"layers/{layer}"
    if key in file and "var" in file and "obs" in file:
        return key
    if layer is None or "var" not in file:
        missing = next(name for name in ("obs", "var", "X") if name not in file)
        raise ValueError(
            f"{file.filename} is no file of AnnData with expression: {missing} is "
            f"missing. It has {quoted(list(file), 20)}. An expression matrix that is "
            "elsewhere is read with layer=, files of ARCHS4 are read by read_archs4."
        )
    raise ValueError(
        f"{file.filename} has no layer {layer!r}, only "
        f"{quoted(list(file.get('layers', ())), 20) or 'X'}: None reads X."
    )


def _shape(element):
    shape = element.shape if hasattr(element, "shape") else element.attrs["shape"]
    return tuple(int(n) for n in shape)


def _names(file, group, column=None):
    """Read the names of samples or genes, or another column of theirs."""
    table = file[group]
    if column is None:
        column = table.attrs["_index"]
    elif column not in table:
        raise ValueError(
            f"{file.filename} has no gene_column {column!r} in {group}, only "
            f"{quoted(list(table), 20)}."
        )
    values = import_anndata_io().read_elem(table[column])
    return [str(value) for value in np.asarray(values)]

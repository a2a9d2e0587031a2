"""The GCT format of the Broad Institute."""

from itertools import islice

import pandas as pd
from sklearn.utils._param_validation import validate_params

from ._matrix import reading
from ._selection import quoted
from ._text import TextLayout, TextMatrix, fields, open_text, read_ids
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
):
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
        path,
        genes=genes,
        samples=samples,
        gene_column=gene_column,
        on_duplicate=on_duplicate,
        dtype=dtype,
    )
    X = matrix.to_frame()
    if not return_metadata:
        return X
    return X, *matrix.metadata(*_read_header(path)[1:], X)


class GctMatrix(TextMatrix):
    """A table of text with what GCT says of samples and genes beside the values."""

    def metadata(self, id_names, sample_fields, X):
        """Return what the file says of the samples and of the genes of a table."""
        layout = self._layout
        about = pd.DataFrame(dict(sample_fields), layout.samples, dtype=str)
        ids = pd.DataFrame(read_ids(self.path, layout), columns=id_names)
        genes = ids.iloc[self._selection.first].set_index(X.columns)
        name = id_names[layout.gene_column]
        return about.loc[X.index], genes.drop(columns=name)


def open_gct(
    path,
    *,
    genes=None,
    samples=None,
    gene_column=None,
    on_duplicate="error",
    dtype="float32",
    strict=True,
):
    """Open such a table for reading block by block."""
    (layout, n_genes), id_names, _ = _read_header(path)
    if gene_column is not None:
        if gene_column not in id_names:
            raise ValueError(
                f"{path} has no gene_column {gene_column!r} before its values, only "
                f"{quoted(id_names, 10)}."
            )
        layout.gene_column = id_names.index(gene_column)
    ids = read_ids(path, layout)
    if len(ids) != n_genes:
        raise ValueError(
            f"{path} states {n_genes:,d} genes, but has {len(ids):,d}. If it was cut "
            "off, download it again; if genes were removed, correct its second line."
        )
    return GctMatrix(
        path,
        layout,
        ids,
        genes=genes,
        samples=samples,
        on_duplicate=on_duplicate,
        strict=strict,
        dtype=dtype,
    )


def _read_header(path):
    """Return the layout and the number of genes, names of ids, and sample fields."""
    with reading(path), open_text(path) as file:
        version, counts, header = (fields(file.readline()) for _ in range(3))
        n_ids, n_genes, n_samples, n_fields = _read_counts(path, version, counts)
        about = [fields(line) for line in islice(file, n_fields)]
    samples = header[n_ids:]
    for line in [header, *about]:
        if len(line) != n_ids + n_samples:
            raise ValueError(
                f"{path} states {n_samples:,d} samples, but the line of {line[0]!r} "
                f"has {len(line) - n_ids:,d} after {n_ids} columns about the genes. "
                "Correct its second line, or download it again."
            )
    layout = TextLayout(3 + n_fields, samples, n_ids)
    sample_fields = [(line[0], line[n_ids:]) for line in about]
    return (layout, n_genes), header[:n_ids], sample_fields


def _read_counts(path, version, counts):
    n_counts = {"#1.2": 2, "#1.3": 4}.get(version[0].strip())
    if n_counts is None:
        raise ValueError(
            f"{path} is no GCT file: its first line must be #1.2 or #1.3, not "
            f"{version[0][:20]!r}. Tables without this header are read by read_xena."
        )
    # Some programs fill up the line with tabs.
    counts = [count.strip() for count in counts if count.strip()]
    if len(counts) < n_counts or not all(c.isdecimal() for c in counts[:n_counts]):
        raise ValueError(
            f"{path}: the second line of a GCT file must hold the {n_counts} numbers "
            f"of genes, samples and, in version 1.3, their fields, not {counts[:4]}."
        )
    n_genes, n_samples, *n_fields = (int(count) for count in counts[:n_counts])
    return (
        1 + (n_fields[0] if n_fields else 1),
        n_genes,
        n_samples,
        (*n_fields, 0, 0)[1],
    )

"""read_expression: any table of expression that people have."""

from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions, validate_params

from .._warn import warn_caller
from ._check._marks import mark_among
from ._open_any import open_expression
from ._path import local_path
from ._selection import ON_DUPLICATE, quoted
from ._text import GENES, SAMPLES, frames_about

EXPRESSION_PARAMETERS = {
    "orient": [StrOptions({"auto", GENES, SAMPLES})],
    "genes": ["array-like", None],
    "samples": ["array-like", None],
    "id_column": [str, None],
    "value_column": [str, None],
    "sheet": [str, int, None],
    "on_duplicate": [StrOptions(set(ON_DUPLICATE))],
    "dtype": [StrOptions({"float32", "float64"})],
    "return_metadata": ["boolean"],
    "verbose": ["verbose"],
}
_SEPARATED = {"\t": "tabs", ",": "commas", ";": "semicolons", "": None}
_SEPARATED |= {"|": "bars", " ": "spaces"}


@validate_params(EXPRESSION_PARAMETERS, prefer_skip_nested_validation=True)
def read_expression(
    path,
    *,
    orient="auto",
    genes=None,
    samples=None,
    id_column=None,
    value_column=None,
    sheet=None,
    on_duplicate="error",
    dtype="float32",
    return_metadata=False,
    verbose=False,
) -> Any:
    r"""Read any table of expression, and say what was found in it.

    Takes text with any usual delimiter, encoding, line ends and compression: tables of
    counts, TPM or logarithms, with genes or samples in lines, of featureCounts, HTSeq,
    cBioPortal, UCSC Xena, DepMap, merged tables of salmon, kallisto and RSEM, GCT and
    series matrices of GEO; tables of one sample by salmon, kallisto, RSEM, STAR,
    StringTie and GDC, or a folder of them; parquet, feather, Excel (``.xlsx``), AnnData
    (``.h5ad``), ARCHS4 and the memory maps of `to_memmap`. The content of a file
    decides, not its name.

    Columns that describe genes, such as Entrez ids, lengths and descriptions, are no
    samples, and lines of HTSeq and STAR that count other reads are no genes: they are
    left out. Genes without a name are left out as well, and never merged. A warning
    says what was left out or guessed.

    Parameters
    ----------
    path : str or path-like
        The file, or a folder of tables of one sample.
    orient : {"auto", "genes_in_rows", "samples_in_rows"}, default="auto"
        What stands in the lines. "auto" tells from the names: ids and symbols of genes,
        barcodes and accession numbers of samples, the names of other columns. Where
        these say nothing, the longer side is taken for genes, with a warning, if it is
        three times as long; otherwise the table is refused.
    genes : sequence of str, default=None
        Genes to read, which become the columns in this order. None reads all.
    samples : sequence of str, default=None
        Samples to read, which become the rows in this order. None reads all.
    id_column : str, default=None
        The column that names the lines, such as ``"Entrez_Gene_Id"``, or in an AnnData
        file the column of ``var``. None takes the first one.
    value_column : str, default=None
        The quantity to read of tables of one sample, such as ``"TPM"``. None takes
        counts where there are any.
    sheet : str or int, default=None
        The sheet of a workbook. None takes the first.
    on_duplicate : {"error", "first", "max", "mean", "sum"}, default="error"
        What becomes of genes with the same name: refuse them, keep the first, or merge
        them in each sample, without missing values. Genes of ARCHS4 are added up.
    dtype : {"float32", "float64"}, default="float32"
        Type of the values.
    return_metadata : bool, default=False
        Whether to return what else the file says of samples and genes: its columns of
        annotation, and the fields of samples in GCT 1.3 and in series matrices. Files
        of text only.
    verbose : bool or int, default=False
        Whether to print what was found: delimiter, orientation, columns.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_genes)
        Expression, NaN where the file has NA or nothing. ``X.attrs["source"]`` is a
        dict that describes the file, with ``"notes"`` of what was decided.
    sample_metadata : DataFrame of shape (n_samples, n_fields)
        Text about the samples. Only if ``return_metadata=True``.
    gene_metadata : DataFrame of shape (n_genes, n_fields)
        Text about the genes, of the first of each name. Only if
        ``return_metadata=True``.

    Raises
    ------
    ImportError
        If a library for the format is missing.
    ValueError
        If the file is damaged, cut off or no table of expression; if a value is no
        number, or infinite; if names occur twice or are not there; or if it cannot be
        told what stands in the lines.

    Warns
    -----
    UserWarning
        If lines or columns are left out, if names became dates in a spreadsheet, or if
        only the shape tells what stands in the lines.

    See Also
    --------
    check_expression : Tells what is odd about a table.
    to_memmap : Converts any of these files to a table larger than memory.
    read_archs4 : Selects samples of ARCHS4 by their metadata.

    Notes
    -----
    Tables of text are read twice, line by line: once for the names, and to see that
    each line is whole, and once for the values. Memory is needed for the result and
    some ten megabytes beside it.

    Examples
    --------
    A file of cBioPortal, where a number follows each symbol:

    >>> import pathlib, tempfile
    >>> from skgex.io import read_expression
    >>> path = pathlib.Path(tempfile.mkdtemp(), "data_mrna_seq_v2_rsem.txt")
    >>> _ = path.write_text(
    ...     "Hugo_Symbol\tEntrez_Gene_Id\tTCGA-A1-A0SB-01\tTCGA-A1-A0SD-01\n"
    ...     "TP53\t7157\t980.5\tNA\nMYC\t4609\t1290\t2250\n"
    ... )
    >>> read_expression(path, verbose=True)
    data_mrna_seq_v2_rsem.txt: text, separated by tabs.
    Genes stand in lines, named by 'Hugo_Symbol': 2 samples, 2 genes.
    Not expression: 'Entrez_Gene_Id'.
    gene             TP53     MYC
    sample
    TCGA-A1-A0SB-01  980.5  1290.0
    TCGA-A1-A0SD-01    NaN  2250.0
    """
    path = local_path(path)
    matrix = open_expression(
        path,
        orient=orient,
        genes=genes,
        samples=samples,
        id_column=id_column,
        value_column=value_column,
        sheet=sheet,
        on_duplicate=on_duplicate,
        dtype=dtype,
        metadata=return_metadata,
    )
    X = matrix.to_frame()
    _warn_of_marks(path, X)
    X.attrs["source"] = matrix.source
    if verbose:
        print(_described(matrix.source, X))
    return (X, *frames_about(matrix, X)) if return_metadata else X


def _warn_of_marks(path, X):
    """Warn of a number that stands for missing values."""
    values = X.to_numpy()
    found = mark_among(
        lambda: [(slice(None), values)],
        np.fmin.reduce(values, axis=None),
        X.columns,
        X.index,
    )
    if found:
        warn_caller(f"{path}: {found}")


def _described(source, X):
    """Return what was found, in a few lines."""
    name = source["path"].rsplit("/", 1)[-1]
    how = [source["format"]]
    if separated := _SEPARATED[source["delimiter"]]:
        how.append(f"separated by {separated}")
    if source["decimal"] == ",":
        how.append("with decimal commas")
    if source["compression"]:
        how.append(f"compressed by {source['compression']}")
    kind = source["orient"].partition("_")[0].capitalize()
    named = f", named by {source['id_column']!r}" if source["id_column"] else ""
    lines = [
        f"{name}: {', '.join(how)}.",
        f"{kind} stand in lines{named}: {X.shape[0]:,d} samples, "
        f"{X.shape[1]:,d} genes.",
    ]
    if source["annotation"]:
        lines.append(f"Not expression: {quoted(source['annotation'], 10)}.")
    return "\n".join(lines)

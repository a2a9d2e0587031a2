"""The files of gene counts of ARCHS4."""

from collections.abc import Iterable
from numbers import Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ._archs4_matrix import Archs4Matrix
from ._archs4_metadata import (
    SAMPLES,
    dataset,
    find_samples,
    read_metadata,
    read_text,
    searched_fields,
)
from ._hdf5 import member, open_hdf5, read_all
from ._path import local_path
from ._selection import GeneSelection, as_names, select_samples
from ._xena import READER_PARAMETERS

ACCESSIONS = f"{SAMPLES}/geo_accession"
# Names of the genes in files of version 2, by release.
GENE_FIELDS = {
    "symbol": ("symbol", "gene_symbol", "genes"),
    "ensembl": ("ensembl_gene", "ensembl_gene_id", "ensembl_id"),
}
ARCHS4_PARAMETERS = {
    **READER_PARAMETERS,
    "query": [str, dict, None],
    "max_single_cell": [Interval(Real, 0, 1, closed="right"), None],
    "gene_names": [StrOptions({*GENE_FIELDS})],
    "normalize": [StrOptions({"log_cpm"}), None],
    "return_metadata": ["boolean", "array-like"],
}


@validate_params(ARCHS4_PARAMETERS, prefer_skip_nested_validation=True)
def read_archs4(
    path,
    *,
    genes=None,
    samples=None,
    query=None,
    max_single_cell=None,
    gene_names="symbol",
    on_duplicate="sum",
    normalize=None,
    dtype="float32",
    return_metadata: bool | Iterable[str] = False,
) -> Any:
    """Read gene counts of ARCHS4 [1]_, version 2.

    Only the chunks of the HDF5 file that hold selected samples are read, one strip of
    it at a time. Needs h5py, ``pip install ".[io]"`` in a checkout.

    Parameters
    ----------
    path : str or path-like
        The file, such as ``human_gene_v2.6.h5``.
    genes : sequence of str, default=None
        Genes to read, which become the columns in this order. None reads all.
    samples : sequence of str, default=None
        GEO accessions to read, which become the rows in this order. None reads all.
    query : str or dict, default=None
        Regular expression: reads the samples, among `samples` if given, in which it
        matches a part of the accessions of sample and series, the characteristics, the
        extraction protocol, the name of the source or the title. A dict has an
        expression for each field of ``meta/samples`` by its name, of which all must
        match. Upper and lower case are the same.
    max_single_cell : float, default=None
        Leave out samples whose probability to be of a single cell, as ARCHS4 estimates
        it, is this or more. 0.5 is usual for bulk expression; None keeps all.
    gene_names : {"symbol", "ensembl"}, default="symbol"
        Which names genes have.
    on_duplicate : {"error", "first", "max", "mean", "sum"}, default="sum"
        What becomes of genes with the same symbol, of which ARCHS4 has some
        thousands, mostly one gene on alternative haplotypes: add up their counts, take
        the mean or the largest, keep the first, or refuse them.
    normalize : {"log_cpm"}, default=None
        Turn counts into log2(counts per million + 1), as
        :class:`~skgex.LogCPM` does with its defaults. The total of a
        sample is over all genes of the file, also where `genes` selects some.
    dtype : {"float32", "float64"}, default="float32"
        Type of the values.
    return_metadata : bool or sequence of str, default=False
        Whether to return metadata of the samples: the fields that `query` looks at,
        or those that are named.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_genes)
        Counts, or logarithms. Without `samples` in the order of the file.
    metadata : DataFrame of shape (n_samples, n_fields)
        Text about the samples. ``series_id`` is the study: samples of one study must
        not be in training and test. Only if `return_metadata`.

    Raises
    ------
    ImportError
        If h5py is missing.
    ValueError
        If the file is damaged or not of this form, lacks a gene or sample, or no
        sample matches.

    See Also
    --------
    to_memmap : Convert what is larger than memory.

    References
    ----------
    .. [1] Lachmann A. et al. "Massive mining of publicly available RNA-seq data from
       human and mouse", Nature Communications 9, 1366, 2018.
       :doi:`10.1038/s41467-018-03751-6`

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import h5py
    >>> from skgex.io import read_archs4
    >>> path = pathlib.Path(tempfile.mkdtemp(), "human_gene_v2.6.h5")
    >>> with h5py.File(path, "w") as file:
    ...     file["data/expression"] = [[90, 0, 7], [10, 5, 3]]  # genes x samples
    ...     file["meta/genes/symbol"] = ["TP53", "MYC"]
    ...     file["meta/samples/geo_accession"] = ["GSM1", "GSM2", "GSM3"]
    ...     file["meta/samples/source_name_ch1"] = ["Liver", "Lung", "liver, fetal"]
    >>> read_archs4(path, query="liver")
    gene    TP53   MYC
    sample
    GSM1    90.0  10.0
    GSM3     7.0   3.0
    """
    path = local_path(path)
    matrix = open_archs4(
        path,
        genes=genes,
        samples=samples,
        query=query,
        max_single_cell=max_single_cell,
        gene_names=gene_names,
        on_duplicate=on_duplicate,
        normalize=normalize,
        dtype=dtype,
    )
    X = matrix.to_frame()
    if return_metadata is False:
        return X
    with open_hdf5(path) as file:
        fields = searched_fields(file) if return_metadata is True else return_metadata
        return X, read_metadata(file, fields, matrix.places, X.index)


def open_archs4(
    path,
    *,
    genes=None,
    samples=None,
    query=None,
    max_single_cell=None,
    gene_names="symbol",
    on_duplicate="sum",
    normalize=None,
    dtype="float32",
    strict=True,
):
    """Open such a file for reading block by block."""
    with open_hdf5(path) as file:
        gene_field = _gene_field(file, gene_names)
        _check_shape(file, gene_field, path)
        symbols = read_text(file, gene_field)
        accessions = read_text(file, ACCESSIONS)
        places = select_samples(accessions, samples, path)
        places = places[find_samples(file, query)[places]]
        if max_single_cell is not None:
            probability = read_all(dataset(file, f"{SAMPLES}/singlecellprobability"))
            places = places[probability.astype(float)[places] < max_single_cell]
    if not len(places):
        raise ValueError(
            f"{path}: no sample matches query={query!r} with max_single_cell="
            f"{max_single_cell!r}. A query is a regular expression; a dict of them "
            "must match in all of its fields."
        )
    wanted = None if genes is None else as_names(genes, "genes")
    selection = GeneSelection(symbols, wanted, on_duplicate, strict, path)
    names = [accessions[i] for i in places]
    return Archs4Matrix(path, places, names, selection, normalize, dtype)


def _gene_field(file, gene_names):
    fields = [f"meta/genes/{name}" for name in GENE_FIELDS[gene_names]]
    return next((f for f in fields if member(file, f) is not None), fields[0])


def _check_shape(file, gene_field, path):
    """Compare numbers of names with the counts, before names are read."""
    n_genes, n_samples = (dataset(file, f).size for f in (gene_field, ACCESSIONS))
    shape = dataset(file, "data/expression").shape
    if shape != (n_genes, n_samples):
        raise ValueError(
            f"{path}: data/expression is of shape {shape}, but there are {n_genes:,d} "
            f"genes and {n_samples:,d} samples: {(n_genes, n_samples)} was expected. "
            "Download the file again."
        )

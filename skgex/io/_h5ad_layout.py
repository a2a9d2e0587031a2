"""Where in an AnnData file the matrix is, and the names of its rows and columns."""

from dataclasses import dataclass, field

import numpy as np

from .._gene_names import (
    clean_name,
    id_kind,
    is_unnamed,
    share_of_genes,
    share_of_samples,
)
from ._check._words import unnamed
from ._h5ad_names import columns_of, n_names, names_of, text_columns
from ._h5ad_strips import open_strips
from ._hdf5 import is_dataset, member, what_it_is
from ._selection import quoted

ORIENTS = ("samples_in_rows", "genes_in_rows")
# Numbers may be those of patients too.
_SURE_KINDS = {"symbol", "Ensembl gene", "Ensembl transcript"}
# Of fewer genes in rows nothing can be said by them alone.
_MIN_GENES = 5


@dataclass
class H5adLayout:
    """Where things stand in an AnnData file.

    Attributes
    ----------
    key : str
        Where the matrix is.
    shape : tuple of int
        Its shape.
    sample_axis : {0, 1}
        Whether samples are rows or columns of it.
    by_samples : bool
        Whether samples lie together in the file, rather than genes.
    samples : list of str
        Names of all samples.
    gene_table : str
        Where names of genes, and other columns about them, are.
    genes : list of str
        Names of the genes that have one.
    gene_places : ndarray of int
        Where in the matrix these are.
    notes : list of str
        What was left out.
    """

    key: str
    shape: tuple
    sample_axis: int
    by_samples: bool
    samples: list
    gene_table: str
    genes: list
    gene_places: np.ndarray
    notes: list = field(default_factory=list)


def read_layout(file, layer, gene_column, orient):
    """Find out where things stand.

    Parameters
    ----------
    file : h5py.File
        The file.
    layer : str or None
        Which matrix.
    gene_column : str or None
        Which column names the genes. None takes the index.
    orient : {"auto", "samples_in_rows", "genes_in_rows"}
        What rows are; "auto" refuses a file whose names say that they are genes.
    """
    key, tables = find_matrix(file, layer)
    axis = ORIENTS.index("samples_in_rows" if orient == "auto" else orient)
    shape = tuple(n_names(table) for table in tables)
    strips = open_strips(file, key, shape)  # before names of a wrong number are read
    samples = names_of(file, tables[axis])
    # Missing ones are "nan" there, which would be the name of a sample.
    nameless = [row for row, name in enumerate(samples) if name in ("", "nan")]
    if nameless:
        raise ValueError(
            f"{file.filename} has {len(nameless):,d} samples without a name, the first "
            f"in row {nameless[0]:,d} of {tables[axis].name[1:]}. Name them, or remove "
            "them."
        )
    genes = [clean_name(name) for name in names_of(file, tables[1 - axis], gene_column)]
    if orient == "auto" and _looks_transposed(samples, genes):
        raise ValueError(
            f"{file.filename} is transposed: obs has names of genes, such as "
            f"{quoted(samples)}, and var has not, such as {quoted(genes)}. Write the "
            "file again from adata.T, which has samples in obs, or read it by "
            "read_expression(path, orient='genes_in_rows')."
        )
    named = np.array([not is_unnamed(name) for name in genes], dtype=bool)
    notes = []
    if not named.all():
        what = unnamed(int((~named).sum()), gene_column or "").what
        notes.append(f"{file.filename}: {what} They are left out.")
    if not named.any():
        raise ValueError(
            f"{file.filename}: no gene has a name. Pass gene_column=, one of "
            f"{quoted(columns_of(tables[1 - axis]), 20)}."
        )
    places = np.flatnonzero(named)
    genes = [genes[i] for i in places]
    by_samples = strips.axis == axis
    table = tables[1 - axis].name
    return H5adLayout(
        key, shape, axis, by_samples, samples, table, genes, places, notes
    )


def find_matrix(file, layer):
    """Return where a matrix is, and the tables of its rows and columns."""
    key, var = {None: ("X", "var")}.get(layer, (f"layers/{layer}", "var"))
    if layer == "raw" and member(file, key) is None:
        # Before version 0.7 raw had no group.
        ends = "raw/{}" if member(file, "raw/X") is not None else "raw.{}"
        key, var = ends.format("X"), ends.format("var")
    tables = member(file, "obs"), member(file, var)
    if not _is_matrix(member(file, key)) or None in tables:
        raise ValueError(_what_is_missing(file, layer))
    return key, tables


def check_gene_column(file, layout, wanted, gene_column):
    """Refuse genes that only another column of the file names, and say which."""
    if gene_column is not None or wanted is None or set(wanted) & set(layout.genes):
        return
    table = member(file, layout.gene_table)
    for column in text_columns(table):
        n_found = len(
            set(wanted) & {clean_name(n) for n in names_of(file, table, column)}
        )
        if n_found:
            raise ValueError(
                f"{file.filename} has no gene {quoted(wanted)} among its names, which "
                f"begin with {quoted(layout.genes)}. Column {column!r} has "
                f"{n_found:,d} of the {len(wanted):,d}: pass gene_column={column!r}."
            )


def _is_matrix(element):
    """Whether there is a matrix, and no mark that there is none."""
    if element is None:
        return False
    if is_dataset(element):
        return element.shape not in ((), None)
    return "encoding-type" in element.attrs or "h5sparse_format" in element.attrs


def _looks_transposed(rows, columns):
    """Whether rows are named like genes, and columns are not."""
    if share_of_genes(columns) > 0.1:
        return False
    taken = rows[:: -(-len(rows) // 2000) or 1]
    share = sum(id_kind(name) in _SURE_KINDS for name in taken) / max(1, len(taken))
    if share <= 0.5 or share_of_samples(rows) >= share:
        return False
    return len(rows) >= _MIN_GENES or share_of_samples(columns) > 0.5


def _what_is_missing(file, layer):
    has = what_it_is(file) or f"It has {quoted(list(file), 20)}."
    tables = [name for name in ("obs", "var") if member(file, name) is None]
    if tables:
        return (
            f"{file.filename} is no file of AnnData with expression: {tables[0]} is "
            f"missing. {has}"
        )
    layers = member(file, "layers")
    others = [] if layers is None or is_dataset(layers) else list(layers)
    if layer is not None and layer != "raw":
        return (
            f"{file.filename} has no layer {layer!r}, only "
            f"{quoted(others, 20) or 'X'}: None reads X."
        )
    if any(_is_matrix(member(file, f"raw{end}")) for end in ("/X", ".X")):
        others.append("raw")
    missing = "raw" if layer == "raw" else "X"
    remedy = (
        f"Read another matrix by layer=, one of {quoted(others, 20)}."
        if others
        else has
    )
    return f"{file.filename} has no {missing}. {remedy}"

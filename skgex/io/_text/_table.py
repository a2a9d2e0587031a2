"""A table of text, opened for reading: what stands in it is found and said."""

import numpy as np
import pandas as pd

from ..._gene_names import clean_name
from .._matrix import reading
from .._selection import as_names
from ._decisions import (
    describe,
    genes_of,
    orientation_of,
    samples_of,
    say_notes,
    say_odd_samples,
)
from ._find_layout import find_layout
from ._gene_lines import GeneLines
from ._names import read_names
from ._no_text import refuse_no_text
from ._open import storage_of
from ._orientation import GENES
from ._sample_lines import SampleLines


def open_table(
    path,
    *,
    orient=None,
    genes=None,
    samples=None,
    id_column=None,
    value_column=None,
    on_duplicate="error",
    dtype="float32",
    strict=True,
    only=None,
    metadata=False,
):
    """Open a table of text for reading block by block.

    Parameters
    ----------
    path : path-like
        The file.
    orient : {"auto", "genes_in_rows", "samples_in_rows", None}
        What its lines are; None takes genes, and refuses samples.
    genes, samples : sequence of str or None
        Selections.
    id_column, value_column : str or None
        The column that names the lines, and the quantity of a table of one sample.
    on_duplicate : {"error", "first", "max", "mean", "sum"}
        What becomes of genes with the same name.
    dtype : str
        Of the values.
    strict : bool
        Whether all `genes` must be there.
    only : {"GCT", None}
        The only format that is taken.
    metadata : bool, default=False
        Whether to keep the columns of annotation.

    Returns
    -------
    matrix : LineMatrix
        The table, with `source`, which describes the file, and `about_lines`.
    """
    with reading(path):
        storage = storage_of(path)
        refuse_no_text(path, storage)
        layout = find_layout(path, storage, id_column, value_column, only)
        names, about, empty = read_names(path, layout, metadata)
    say_notes(path, layout)
    orient = orientation_of(path, layout, names, orient)
    selection = {
        "genes": None if genes is None else as_names(genes, "genes"),
        "samples": samples,
        "on_duplicate": on_duplicate,
        "strict": strict,
        "dtype": dtype,
    }
    layout.samples = [clean_name(name) for name in layout.samples]
    if orient == GENES:
        kept, cleaned = genes_of(names, layout, path, empty)
        matrix = GeneLines(path, layout, cleaned, kept, **selection)
        say_odd_samples(path, layout)
    else:
        kept, cleaned = genes_of(layout.samples, layout, path)
        lines, rows = samples_of(names, layout, path)
        about = [about[i] for i in lines]
        matrix = SampleLines(path, layout, rows, lines, cleaned, kept, **selection)
    matrix.source = describe(path, layout, orient)
    matrix.about_lines = about
    return matrix


def frames_about(matrix, X):
    """Return what the file says of the samples and of the genes of a table."""
    layout = matrix.layout
    names = [layout.columns.names[i] for i in layout.columns.annotation]
    lines = pd.DataFrame(matrix.about_lines, columns=names, dtype=str)
    if matrix.orient != GENES:
        return lines.set_axis(matrix.line_names).loc[X.index], pd.DataFrame(
            index=X.columns
        )
    about = pd.DataFrame(dict(layout.sample_fields), layout.samples, dtype=str)
    genes = matrix.first_lines()
    absent = genes < 0
    found = lines.iloc[np.where(absent, 0, genes)].set_axis(X.columns)
    found[absent] = pd.NA
    return about.loc[X.index], found

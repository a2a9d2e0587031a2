"""skgex convert: any table that can be read, in another format."""

from typing import Annotated

import typer

import skgex

from ._options import Input, Layout, Output, Reading
from ._results import destination_of_table, write_table
from ._session import SESSION
from ._tables import local_file, read_names, read_table, reader_options


def convert(
    input: Input,
    reading: Reading,
    writing: Layout,
    output: Output = None,
    genes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="File with the genes to keep, one in each line."
        ),
    ] = None,
):
    """Write a table in another format.

    The name of OUT says which: .tsv, .csv, .txt or .gct, which may end in .gz, .bz2,
    .xz or .zip as well, .parquet, .feather, .h5ad, .xlsx, or .npy for a table that may
    be larger than memory, in single precision; where that was stopped, it goes on when
    called again. Values and the order of names stay as they are.

    For example:
      skgex convert GSE1000_series_matrix.txt.gz cohort.tsv
      skgex convert cohort.tsv.gz cohort.h5ad
      skgex convert counts.txt - --out-orient samples_in_rows | head
    """
    target = destination_of_table(output, writing)
    chosen = None if genes is None else read_names(genes)
    if target.lower().endswith(".npy"):
        _to_memmap(local_file(input), target, chosen, reading)
        return
    table = read_table(input, reading, exact=True)
    X = table.X if chosen is None else _selected(table.X, chosen, input)
    if table.source["annotation"]:
        names = ", ".join(table.source["annotation"])
        SESSION.say(f"columns that are no samples are left out: {names}.")
    write_table(X, target, writing, table.source)


def _selected(X, genes, name):
    absent = [gene for gene in genes if gene not in X.columns]
    if absent:
        raise ValueError(
            f"{name} has no gene {absent[0]!r}, and lacks {len(absent)} of those that "
            "were named: leave them out."
        )
    return X[genes]


def _to_memmap(path, target, genes, reading):
    # From file to file, in blocks. Formats have parameters of their own.
    params = reader_options(reading)
    if params["on_duplicate"] == "error":
        del params["on_duplicate"]
    skgex.io.to_memmap(
        path,
        target,
        genes=genes,
        reader_params=params,
        verbose=SESSION.shows_progress(),
    )

"""Tables as text, written in blocks."""

import bz2
import gzip
import io
import lzma
import zipfile
from contextlib import contextmanager

import numpy as np

from ._number_lines import number_lines

COMPRESSIONS = {".gz", ".bz2", ".xz", ".zip"}
# A memory map is read through once for each block of its genes, so that blocks of
# genes must not be too small.
_BLOCK_BYTES = 2**26


def write_text(X, path, style, *, compression=None, member="table.tsv", gct=False):
    """Write a table as text.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        The table.
    path : path-like
        The file, which is there already and is written over.
    style : TableStyle
        How it is laid out.
    compression : {".gz", ".bz2", ".xz", ".zip"} or None, default=None
        How it is compressed.
    member : str, default="table.tsv"
        Name of the file within a zip archive.
    gct : bool, default=False
        Whether to write GCT, version 1.2.
    """
    with _opened(path, compression, member) as raw:
        file = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
        for line in table_lines(X, style, gct):
            file.write(f"{line}\n")
        file.flush()
        file.detach()


def table_lines(X, style, gct=False):
    """Yield the lines of a table.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        The table.
    style : TableStyle
        How it is laid out.
    gct : bool, default=False
        Whether lines are those of GCT, version 1.2.
    """
    by_gene = style.orient == "genes_in_rows"
    rows, columns = (X.columns, X.index) if by_gene else (X.index, X.columns)
    first = [style.id_name]
    if gct:
        yield "#1.2"
        yield f"{len(rows)}\t{len(columns)}"
        first = ["Name", "Description"]
    yield style.delimiter.join(_cell(n, style.delimiter) for n in [*first, *columns])
    options = style.delimiter, style.decimal, style.decimals
    for start, values in value_blocks(X, by_gene):
        names = rows[start : start + len(values)]
        lines = number_lines(values, *options, rounds=style.rounds)
        for name, line in zip(names, lines, strict=True):
            name = _cell(name, style.delimiter)
            ids = f"{name}\t{name}" if gct else name
            yield f"{ids}{style.delimiter}{line}"


def value_blocks(X, by_gene):
    """Yield where blocks of genes, or of samples, start, and their values.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_genes)
        The table.
    by_gene : bool
        Whether rows of the blocks are genes, rather than samples.
    """
    n_rows, n_columns = X.shape[::-1] if by_gene else X.shape
    size = max(1, _BLOCK_BYTES // (8 * max(1, n_columns)))
    for start in range(0, n_rows, size):
        part = slice(start, start + size)
        yield start, as_numbers(X.iloc[:, part]).T if by_gene else as_numbers(X[part])


def as_numbers(table):
    """Return the values of a numeric table, missing ones as NaN."""
    kinds = {dtype.kind for dtype in table.dtypes}
    if any(not isinstance(dtype, np.dtype) for dtype in table.dtypes):
        return table.to_numpy(np.float64, na_value=np.nan)
    values = table.to_numpy(np.float64 if "b" in kinds and len(kinds) > 1 else None)
    if kinds == {"b"}:
        return values.astype(np.int8)
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _cell(name, delimiter):
    """Return a name, in quotes where it would be taken for something else."""
    name = str(name)
    if any(mark in name for mark in (delimiter, '"', "\n", "\r")) or (
        name != name.strip()
    ):
        return '"' + name.replace('"', '""') + '"'
    return name


@contextmanager
def _opened(path, compression, member):
    with open(path, "wb") as file:
        if compression == ".zip":
            with (
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
                archive.open(member, "w", force_zip64=True) as inner,
            ):
                yield inner
        elif compression == ".gz":
            # Without name and time, the same table is the same file.
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as inner:
                yield inner
        elif compression:
            library = {".bz2": bz2, ".xz": lzma}[compression]
            with library.open(file, "wb") as inner:
                yield inner
        else:
            yield file

"""Tables of text with a gene in each line, read line by line in bounded memory."""

import gzip
import io
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ._matrix import (
    BLOCK_BYTES,
    Matrix,
    as_slice,
    check_samples,
    file_identity,
    reading,
)
from ._selection import GeneSelection, as_names, select_samples

_PARSED_BYTES = 4 * 2**20
# Blocks of this many genes fill whole pages of a memory map, which are written once.
_PAGE = 1024


@dataclass
class TextLayout:
    """Where things stand in a table of text.

    Attributes
    ----------
    n_header_lines : int
        Lines before the first gene.
    samples : list of str
        Names of the columns with values, which are the last of each line.
    n_id_columns : int
        Number of columns before them.
    gene_column : int, default=0
        Which of these names the gene.
    """

    n_header_lines: int
    samples: list
    n_id_columns: int
    gene_column: int = 0


def open_text(path):
    """Open a file of text, compressed or not, for reading bytes."""
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else open(path, "rb")


def fields(line):
    """Return the fields of a line as text, without quotes around them."""
    return [field.strip('"') for field in line.decode().rstrip("\r\n").split("\t")]


def gene_lines(file, layout):
    """Yield the number and the bytes of each line with a gene."""
    for number, line in enumerate(file, 1):
        if number > layout.n_header_lines and line.strip():
            yield number, line


def read_ids(path, layout):
    """Return the columns before the values of each line, and check all lines.

    Returns
    -------
    ids : list of list of str
        For each gene, the fields before its values.
    """
    n_fields = layout.n_id_columns + len(layout.samples)
    ids = []
    with reading(path), open_text(path) as file:
        for number, line in gene_lines(file, layout):
            n_found = line.count(b"\t") + 1
            if n_found != n_fields:
                raise ValueError(
                    f"{path}, line {number} has {n_found:,d} fields, but {n_fields:,d} "
                    "were expected from the header. If it is the last line, the file "
                    "is cut off: download it again. Fields must be separated by tabs."
                )
            start = line.split(b"\t", layout.n_id_columns)[: layout.n_id_columns]
            ids.append(fields(b"\t".join(start)))
    if not ids:
        raise ValueError(f"{path} has a header, but no line with a gene.")
    return ids


class TextMatrix(Matrix):
    """A table of text with a gene in each line.

    Parameters
    ----------
    path : path-like
        The file.
    layout : TextLayout
        Where things stand in it.
    ids : list of list of str
        What `read_ids` returns.
    genes, samples : sequence of str or None
        Selections.
    on_duplicate : {"error", "first", "max", "mean", "sum"}
        What becomes of genes with the same name.
    strict : bool
        Whether all `genes` must be there.
    dtype : str
        Of the values.
    """

    def __init__(
        self, path, layout, ids, *, genes, samples, on_duplicate, strict, dtype
    ):
        self.path, self.name = path, str(path)
        self._layout = layout
        self._lines = [line[layout.gene_column] for line in ids]
        self._selection = GeneSelection(
            self._lines,
            None if genes is None else as_names(genes, "genes"),
            on_duplicate,
            strict,
            path,
        )
        places = select_samples(layout.samples, samples, path)
        check_samples(places, path)
        self._places = as_slice(places)
        self.samples = [layout.samples[i] for i in places]
        self.genes = self._selection.names
        self.dtype = np.dtype(dtype)

    def identity(self):
        return [
            file_identity(self.path),
            self._layout.gene_column,
            self._selection.rule,
        ]

    def n_blocks(self, size=None):
        return len(self._plan(size)[0]) + 2

    def blocks(self, size=None, start=0):
        single, repeated, absent = self._plan(size)
        with reading(self.path), open_text(self.path) as file:
            lines = self._wanted_lines(file)
            for columns in single[start:]:
                values = self._parse(lines, self._selection.first[columns])
                yield slice(None), as_slice(columns), values.T
        # Genes that recur may stand anywhere: they are read in a second pass.
        if start <= len(single):
            columns, values = repeated, np.empty((len(self.samples), 0), self.dtype)
            if len(repeated):
                columns, values = self._read_repeated(repeated)
            yield slice(None), columns, values
        yield slice(None), absent, np.nan

    def _plan(self, size):
        """Return columns of each block of single genes, of repeated, and of absent."""
        chosen = self._selection
        single = np.flatnonzero(~chosen.repeated & (chosen.first >= 0))
        single = single[np.argsort(chosen.first[single])]
        size = size or self._block_genes()
        parts = [single[i : i + size] for i in range(0, len(single), size)]
        return parts, np.flatnonzero(chosen.repeated), np.flatnonzero(chosen.first < 0)

    def _block_genes(self):
        row_bytes = len(self.samples) * self.dtype.itemsize
        size = BLOCK_BYTES // row_bytes
        if size > _PAGE:
            return size // _PAGE * _PAGE
        return max(1, min(_PAGE, 8 * BLOCK_BYTES // row_bytes))

    def _wanted_lines(self, file):
        for position, (_, line) in enumerate(gene_lines(file, self._layout)):
            yield position, line

    def _read_repeated(self, columns):
        wanted = np.flatnonzero(np.isin(self._selection.column, columns))
        with reading(self.path), open_text(self.path) as file:
            values = self._parse(self._wanted_lines(file), wanted)
        return self._selection.merge(self._selection.column[wanted], values.T)

    def _parse(self, lines, wanted):
        """Read the values of some lines, in their order, as (n_lines, n_samples)."""
        values = np.empty((len(wanted), len(self.samples)), self.dtype)
        done, batch, n_bytes = 0, [], 0
        for position, line in lines:
            if position != wanted[done + len(batch)]:
                continue
            batch.append(line.split(b"\t", self._layout.n_id_columns)[-1])
            n_bytes += len(batch[-1])
            complete = done + len(batch) == len(wanted)
            if complete or n_bytes >= _PARSED_BYTES:
                parsed = self._values(batch, wanted[done : done + len(batch)])
                values[done : done + len(batch)] = parsed[:, self._places]
                done, batch, n_bytes = done + len(batch), [], 0
            if complete:
                return values
        raise ValueError(f"{self.path} became shorter while it was read.")

    def _values(self, batch, positions):
        # One long column is parsed faster than many short ones.
        text = b"\n".join(line.rstrip(b"\r\n").replace(b"\t", b"\n") for line in batch)
        try:
            column = pd.read_csv(
                io.BytesIO(text + b"\n"),
                header=None,
                sep="\t",
                dtype=self.dtype,
                quoting=3,
                skip_blank_lines=False,
                low_memory=False,
            )
        except ValueError as error:
            raise ValueError(self._what_is_wrong(batch, positions, error)) from None
        return column.to_numpy().reshape(len(batch), -1)

    def _what_is_wrong(self, batch, positions, error):
        for line, position in zip(batch, positions, strict=True):
            texts = pd.Series(fields(line), self._layout.samples)
            for sample, text in texts[pd.to_numeric(texts, "coerce").isna()].items():
                if text and not pd.read_csv(io.StringIO(text), header=None).isna().all(
                    axis=None
                ):
                    return (
                        f"{self.path}: the value of gene {self._lines[position]!r} in "
                        f"sample {sample!r} is {text!r}, not a number. Write NA for "
                        "missing values."
                    )
        return f"{self.path}: {error}"

"""The header of a GCT file."""

from itertools import islice

from .._selection import quoted
from ._cells import decode
from ._columns import Columns
from ._dialect import Dialect
from ._layout import TextLayout
from ._open import open_text


def gct_layout(path, storage, id_column=None):
    """Return where things stand in a GCT file, from what its header says."""
    with open_text(path, storage) as file:
        lines = iter(file)
        version, counts, header = (_fields(next(lines, b"")) for _ in range(3))
        n_ids, n_genes, n_samples, n_fields = _read_counts(path, version, counts)
        about = [_fields(line) for line in islice(lines, n_fields)]
        first = _fields(next(lines, b""))
    gene = 0
    if (
        version[0].startswith("#1.2")
        and [name.lower() for name in header[:3]] == ["id", "name", "description"]
        and len(_without_end(header, n_samples + 3)) == n_samples + 3
    ):
        n_ids, gene = 3, 1  # tissues of GTEx have the number of each line first
    width = n_ids + n_samples
    header, *about = [_without_end(line, width) for line in [header, *about]]
    for line in [header, *about]:
        if len(line) != width:
            raise ValueError(
                f"{path} states {n_samples:,d} samples, but the line of {line[0]!r} "
                f"has {len(line) - n_ids:,d} after {n_ids} columns about the genes. "
                "Correct its second line, or download it again."
            )
    if id_column is not None:
        if id_column not in header[:n_ids]:
            raise ValueError(
                f"{path} has no gene_column {id_column!r} before its values, only "
                f"{quoted(header[:n_ids], 10)}."
            )
        gene = header.index(id_column)
    annotation = [i for i in range(n_ids) if i != gene]
    return TextLayout(
        storage,
        Dialect("\t"),
        3 + n_fields,
        width + 1 if len(first) == width + 1 and not first[-1] else width,
        Columns(header, gene, list(range(n_ids, width)), annotation),
        format=f"GCT {version[0][1:4]}",
        n_lines=n_genes,
        sample_fields=[(line[0], line[n_ids:]) for line in about],
    )


def _fields(line):
    return [field.strip('" ') for field in decode(line).rstrip("\r\n").split("\t")]


def _without_end(fields, width):
    """Return a line without the empty fields that some programs put at its end."""
    while len(fields) > width and not fields[-1]:
        fields = fields[:-1]
    return fields


def _read_counts(path, version, counts):
    n_counts = {"#1.2": 2, "#1.3": 4}.get(version[0].strip())
    if n_counts is None:
        raise ValueError(
            f"{path} is no GCT file: its first line must be #1.2 or #1.3, not "
            f"{version[0][:20]!r}. Tables without this header are read by read_xena."
        )
    # Some programs fill up the line with tabs.
    counts = [part for count in counts for part in count.split()]
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

"""A folder of tables of one sample each, as quantifiers and GDC leave it."""

import warnings
from collections import Counter
from pathlib import Path

from .._warn import warn_caller
from ._matrix import Matrix
from ._selection import as_names, quoted, select_samples
from ._text import GENERIC_NAMES, ONE_SAMPLE_FORMATS, open_table

_COMPRESSED = (".gz", ".bz2", ".xz", ".zip")


class FolderMatrix(Matrix):
    """The tables of a folder, one below the other.

    Parameters
    ----------
    path : path-like
        The folder.
    parts : list of LineMatrix
        A table of one sample for each file.
    """

    def __init__(self, path, parts):
        self.path, self.name, self._parts = path, str(path), parts
        self.samples = [part.samples[0] for part in parts]
        self.genes, self.dtype = parts[0].genes, parts[0].dtype

    def identity(self):
        return [part.identity() for part in self._parts]

    def n_blocks(self, size=None):
        return len(self._parts)

    def blocks(self, size=None, start=0):
        for row, part in enumerate(self._parts[start:], start):
            for _, columns, values in part.blocks():
                yield slice(row, row + 1), columns, values


def open_folder(path, *, samples=None, genes=None, metadata=False, **options):
    """Open the tables of one sample in a folder and its folders.

    Files of other kinds, such as manifests and logs, are passed over.
    """
    options = {**options, "genes": genes and as_names(genes, "genes")}
    parts, others = [], []
    for file in sorted(Path(path).rglob("*")):
        if file.is_dir() or file.name.startswith("."):
            continue
        try:
            part = _one_sample(file, options)
        except (ValueError, OSError) as error:
            others.append((file, error))
            continue
        if part is None:
            others.append((file, None))
        else:
            parts.append(part)
    _check(path, parts)
    _check_others(parts, others)
    chosen = select_samples([part.samples[0] for part in parts], samples, path)
    matrix = FolderMatrix(path, [parts[i] for i in chosen])
    note = f"{path}: {len(parts):,d} files of one sample ({parts[0].layout.format})"
    note += f", {len(others):,d} others passed over." if others else "."
    notes = [text.partition(": ")[2] or text for text in parts[0].source["notes"]]
    warn_caller(" ".join([note, *notes[:2]]))
    matrix.source = {**parts[0].source, "path": str(path), "notes": [note, *notes]}
    return matrix


def _one_sample(file, options):
    with warnings.catch_warnings():
        # Each file says the same; it is said once.
        warnings.simplefilter("ignore")
        part = open_table(file, **options)
    one_sample = part.layout.format in ONE_SAMPLE_FORMATS
    alone = part.layout.format == "featureCounts" and len(part.samples) == 1
    return part if one_sample or alone else None


def _check_others(parts, others):
    """Refuse what is damaged among files of the same name as those that are read."""
    names = {_kind_of_name(Path(part.path)) for part in parts}
    for file, error in others:
        if error is not None and _kind_of_name(file) in names:
            raise error


def _kind_of_name(file):
    """Return what names of files have in common, such as star_gene_counts.tsv."""
    name = file.name
    for end in _COMPRESSED:
        name = name.removesuffix(end)
    first, _, rest = name.partition(".")
    return rest if "." in rest else name if first in GENERIC_NAMES else rest


def _check(path, parts):
    if not parts:
        raise ValueError(
            f"{path} is a folder without tables of one sample, such as those of "
            "salmon, kallisto, RSEM, STAR, HTSeq or GDC. Name a file, or read the "
            "files one by one."
        )
    kinds = Counter(
        (
            part.layout.format,
            tuple(n for n in part.layout.columns.names[:2] if n not in part.samples),
        )
        for part in parts
    )
    if len(kinds) > 1:
        found = [f"{kind} with {names[0]!r}" for kind, names in kinds]
        raise ValueError(
            f"{path} has tables of several kinds: {', '.join(found)}. Put those of one "
            "kind into a folder of their own."
        )
    for part in parts:
        if part.genes != parts[0].genes:
            others = set(part.genes) ^ set(parts[0].genes)
            raise ValueError(
                f"{part.path} has other genes than {parts[0].path}: "
                f"{quoted(sorted(others)) or 'another order'}. Name the genes to read "
                "by genes, or keep files of one annotation apart."
            )

"""What is decided about a table by the names in it, and said."""

from itertools import takewhile

import numpy as np

from ..._gene_names import (
    clean_name,
    id_kind,
    is_run,
    is_summary_row,
    is_unnamed,
    share_of_genes,
    spreadsheet_symbols,
)
from ..._warn import warn_caller
from .._check import words
from .._selection import quoted
from ._column_words import (
    IDS_OF_SAMPLES,
    names_ids,
    normal,
    says_of_samples,
    sums_up,
)
from ._columns import columns_unlike_others
from ._one_sample import quantities_of
from ._orientation import GENES, evidence, find_orientation, refuse_samples_in_lines

# Share of names of genes, of which the others may be none.
_MOSTLY = 0.8
# Letters of a name that may be a gene's although it has spaces and no value.
_LONGEST_SPACED = 12
# Other formats have a gene in each line.
_OF_ANY_ORIENTATION = {"text", "parquet", "feather", "xlsx"}


def orientation_of(path, layout, names, orient):
    """Return what stands in the lines, if `orient` does not tell.

    Parameters
    ----------
    path : path-like
        The file.
    layout : TextLayout
        Where things stand in it.
    names : sequence of str
        Names of the lines.
    orient : {"auto", "genes_in_rows", "samples_in_rows", None}
        What the caller says. None stands for a reader of genes in lines alone.
    """
    columns = layout.columns
    about = [columns.names[i] for i in columns.annotation]
    of_samples = sum(map(says_of_samples, about))
    of_genes = len(about) - of_samples - len(columns.guessed) - len(columns.summaries)
    if layout.format not in _OF_ANY_ORIENTATION:
        found = 3
    else:
        found = evidence(
            [clean_name(name) for name in names],
            layout.samples,
            columns.names[columns.id],
            of_genes,
            of_samples,
        )
    if orient == "auto":
        orient, guessed = find_orientation(found, names, layout.samples, path)
        if guessed:
            warn_caller(
                f"{path}: lines are taken for {orient.split('_')[0]} since there are "
                f"{len(names):,d} of them and {len(layout.samples):,d} columns; the "
                f"names do not tell. Pass orient={orient!r} if this is right."
            )
    elif orient is None:
        refuse_samples_in_lines(found, names, layout.samples, path)
    return orient or GENES


def genes_of(names, layout, path, empty=()):
    """Return which names are genes, and these names without what does not belong.

    `empty` are the places of those without any value, which may be notes.
    """
    cleaned = [clean_name(name) for name in names]
    summary = [i for i, name in enumerate(cleaned) if is_summary_row(name)]
    unnamed = [i for i, name in enumerate(cleaned) if is_unnamed(name)]
    others = [i for i, name in enumerate(cleaned) if _is_of_samples(name)]
    others = sorted({*others} - {*summary})
    notes = [i for i in empty if _is_note(cleaned[i])]
    notes = sorted({*notes} - {*summary, *others})
    dates = [name for name in cleaned if spreadsheet_symbols(name)]
    if summary:
        rows = quoted([cleaned[i] for i in summary], 6)
        _tell(layout, f"{path}: left out {rows}, which count reads and are no genes.")
    if others:
        rows = quoted([cleaned[i] for i in others], 6)
        _tell(layout, f"{path}: left out {rows}, which describe samples or sum up.")
    if notes:
        rows = quoted([cleaned[i] for i in notes], 6)
        _tell(layout, f"{path}: left out {rows}, notes or headings without a value.")
    if unnamed:
        column = layout.columns.names[layout.columns.id]
        _tell(layout, f"{path}: {words.unnamed(len(unnamed), column)} Left out here.")
    if is_run(cleaned):
        _tell(
            layout,
            f"{path}: genes have numbers for names, {quoted(cleaned)}: those "
            "of lines, if they are no ids. Name them before you compare tables.",
        )
    if dates:
        _tell(layout, f"{path}: {words.spreadsheet_dates(dates)}")
    left_out = [*summary, *unnamed, *others, *notes]
    kept = np.setdiff1d(np.arange(len(names)), left_out).astype(np.intp)
    if not len(kept):
        raise ValueError(
            f"{path} has no gene with a name: its {len(names):,d} lines have none, or "
            "count reads. Give the table of counts, or another id_column."
        )
    return kept, [cleaned[i] for i in kept]


def _say_columns_before_genes(names, layout, path):
    """Warn of columns in front of the genes of samples in lines, which may be none."""
    if share_of_genes(names) < _MOSTLY:
        return
    before = list(takewhile(lambda name: id_kind(name) is None, names))
    if before:
        _tell(
            layout,
            f"{path}: columns in front of the genes are taken for genes too, "
            f"{quoted(before)}. If they describe samples, remove them.",
        )


def _is_note(name):
    # Names of genes, as of families, may have a space.
    is_long = len(name.split()) > 2 and len(name) > _LONGEST_SPACED
    return is_long and id_kind(name) is None


def _is_of_samples(name):
    if says_of_samples(name) or sums_up(name):
        return True
    return normal(name) in IDS_OF_SAMPLES


def samples_of(names, layout, path):
    """Return which names of lines are samples, and these names."""
    cleaned = [clean_name(name) for name in names]
    if unnamed := cleaned.count(""):
        raise ValueError(
            f"{path} has {unnamed:,d} lines without the name of a sample. Name them, "
            "or remove them."
        )
    others = [i for i, name in enumerate(cleaned) if names_ids(name) or sums_up(name)]
    if others:
        rows = quoted([cleaned[i] for i in others], 6)
        _tell(layout, f"{path}: left out {rows}, which describe genes or sum up.")
    genes = [clean_name(name) for name in layout.samples]
    _say_columns_before_genes(genes, layout, path)
    kept = np.setdiff1d(np.arange(len(names)), others).astype(np.intp)
    return kept, [cleaned[i] for i in kept]


def say_notes(path, layout):
    """Warn of what was decided about the columns."""
    for note in layout.notes:
        warn_caller(note)
    columns = layout.columns
    if columns.guessed:
        names = quoted(columns.guessed)
        _tell(layout, f"{path}: left out {names}, of text and not expression.")
    if len(quantities := quantities_of(layout.samples)) > 1:
        _tell(
            layout,
            f"{path} has several quantities of each sample, {quoted(quantities)}: name "
            "the columns of one of them by samples.",
        )
    if columns.summaries:
        names = quoted(columns.summaries)
        _tell(layout, f"{path}: left out {names}, which sum up others or are of tests.")


def say_odd_samples(path, layout):
    """Warn of columns beside those of samples that may describe genes."""
    if odd := columns_unlike_others(layout.samples):
        others = quoted([name for name in layout.samples if name not in odd])
        _tell(
            layout,
            f"{path}: {quoted(odd)} beside {others} is taken for a sample too. If it "
            "describes genes, name the others by samples.",
        )


def _tell(layout, text):
    layout.notes.append(text)
    warn_caller(text)


def describe(path, layout, orient):
    """Return what is known of a file, in values that pandas can compare."""
    columns, dialect = layout.columns, layout.dialect
    return {
        "path": str(path),
        "format": layout.format,
        "compression": layout.storage.compression,
        "encoding": layout.storage.encoding,
        "delimiter": dialect.delimiter,
        "decimal": dialect.decimal,
        "decimals": layout.decimals,
        "orient": orient,
        "id_column": columns.names[columns.id],
        "annotation": [columns.names[i] for i in columns.annotation],
        "notes": list(layout.notes),
    }

"""Which columns of a table hold values, and which say something about genes."""

from dataclasses import dataclass, field

from ..._gene_names import clean_name, sample_kind
from .._selection import quoted
from ._cells import is_missing, is_number
from ._column_words import (
    FOLD_CHANGE,
    IDS,
    IDS_OF_SAMPLES,
    names_ids,
    normal,
    says_of_samples,
    sums_up,
)

_NUMBERS_OF_ROWS = {"", "index", "row", "rownumber", "rowid"}
_FIRST_NUMBERS_OF_ROWS = {*_NUMBERS_OF_ROWS, "x", "x1", "1", "no", "nr", "idx"}
# They may be names of samples too, if no sum or mean is there.
_BESIDE_SUMMARIES = "sd se sem cv var min max"
# Of tests, beside a fold change.
_BESIDE_FOLD_CHANGES = "t b f lr pct1 pct2 cluster"


@dataclass
class Columns:
    """The columns of a table by what they hold.

    Attributes
    ----------
    names : list of str
        Of all columns.
    id : int
        The column that names the lines.
    values : list of int
        The columns with values.
    annotation : list of int
        Other columns, about what is in the lines.
    guessed : list of str
        Those of them that were taken for annotation since they hold text.
    summaries : list of str
        Those of them that sum up the others.
    """

    names: list
    id: int
    values: list
    annotation: list
    guessed: list = field(default_factory=list)
    summaries: list = field(default_factory=list)


def find_columns(names, rows, path, *, id_column=None, decimal="."):
    """Find out what the columns of a table hold.

    Parameters
    ----------
    names : list of str
        Names of all columns.
    rows : list of list of str
        Some of its lines.
    path : path-like
        For messages.
    id_column : str, default=None
        The column that names the lines. None finds one.
    decimal : {".", ","}, default="."
        Decimal mark of the numbers.

    Returns
    -------
    columns : Columns
        What each column holds.
    """
    names = [clean_name(name) for name in names]
    cells = list(zip(*rows, strict=True))
    text = [_is_text(column, decimal) for column in cells]
    if id_column is None:
        id_place = _find_id(names, cells, text)
    else:
        id_place = _place(names, id_column, path)
    summaries = _summaries(names)
    values, annotation, guessed = [], [], []
    for place, name in enumerate(names):
        if place == id_place:
            continue
        before_id = place < id_place and (id_place == 1 or id_column is None)
        if before_id or name in summaries or _is_annotation(name, cells[place]):
            annotation.append(place)
        elif text[place] and not (values and sample_kind(name)):
            annotation.append(place)
            guessed.append(name)
        elif not name:
            _refuse_unnamed(place, cells[place], path)
        else:
            values.append(place)
    if not values:
        raise ValueError(
            f"{path}: no column has values of samples. Beside the names there are "
            f"{quoted([names[i] for i in annotation], 8) or 'none'}, which "
            "describe genes or samples. Give a table of expression."
        )
    _refuse_long(names, id_place, values, annotation, text, path)
    return Columns(names, id_place, values, annotation, guessed, sorted(summaries))


def _refuse_long(names, id_place, values, annotation, text, path):
    """Refuse tables with a line for each gene and sample."""
    if len(values) > 1 or not names_ids(names[id_place]):
        return
    of_samples = IDS_OF_SAMPLES | {"cell", "cells", "library"}
    for place in annotation:
        if text[place] and normal(names[place]) in of_samples:
            raise ValueError(
                f"{path} has a line for each gene and each {names[place]!r}: turn it "
                f"into a table with pandas.DataFrame.pivot(index={names[place]!r}, "
                f"columns={names[id_place]!r}, values={names[values[0]]!r})."
            )


def _summaries(names):
    """Return the names of columns that sum up the samples."""
    found = {name for name in names if sums_up(name)}
    if found:
        found |= {name for name in names if normal(name) in _BESIDE_SUMMARIES.split()}
    if any(FOLD_CHANGE.search(normal(name)) for name in names):
        beside = _BESIDE_FOLD_CHANGES.split()
        found |= {name for name in names if normal(name) in beside}
    return found


def _is_annotation(name, column):
    if names_ids(name) or says_of_samples(name):
        return True
    numbers = bool(name) and normal(name) in _NUMBERS_OF_ROWS
    return numbers and len(column) > 1 and _counts(column)


def _counts(column):
    """Tell whether a column may number lines, of which some may be left out."""
    cells = [cell.strip() for cell in column]
    if not all(cell.isdecimal() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers == sorted(set(numbers))


def _is_text(column, decimal):
    measured = [cell for cell in column if not is_missing(cell)]
    n_text = sum(not is_number(cell, decimal) for cell in measured)
    return n_text * 2 > len(measured)


def _place(names, id_column, path):
    if id_column in names:
        return names.index(id_column)
    raise ValueError(
        f"{path} has no column {id_column!r} with names, only {quoted(names, 8)}."
    )


def _find_id(names, cells, text):
    """Return the first column that does not only number the lines."""
    place = 0
    while place + 2 < len(names) and _only_counts(names, cells, place):
        place += 1
    return place if text[place] else 0


def _only_counts(names, cells, place):
    after = names[place + 1]
    if not _counts(cells[place]) or says_of_samples(after):
        return False
    name, ids_follow = normal(names[place]), normal(after) in IDS
    numbers = [int(cell) for cell in cells[place]]
    if numbers[0] in (0, 1) and numbers[-1] - numbers[0] == len(numbers) - 1:
        return ids_follow or name in _FIRST_NUMBERS_OF_ROWS
    return ids_follow and name in _NUMBERS_OF_ROWS


def _refuse_unnamed(place, column, path):
    raise ValueError(
        f"{path}: column {place + 1} has no name above its values {quoted(column)}. "
        "Name each sample in the header; if lines end in an extra tab, remove it."
    )

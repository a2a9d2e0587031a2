"""Which columns of a table hold values, and which say something about genes."""

from dataclasses import dataclass, field

from ..._gene_names import clean_name, id_kind, sample_kind
from .._selection import quoted
from ._cells import is_missing, is_number
from ._column_words import (
    FOLD_CHANGE,
    IDS,
    IDS_OF_SAMPLES,
    names_ids,
    names_lines,
    normal,
    says_of_samples,
    sums_up,
)

_NUMBERS_OF_ROWS = {"", "index", "row", "rownumber", "rowid"}
_FIRST_NUMBERS_OF_ROWS = {*_NUMBERS_OF_ROWS, "x", "x1", "1", "no", "nr", "idx"}
# They may be names of samples too, if no sum or mean is there.
_BESIDE_SUMMARIES = "sd se sem cv var min max iqr mad range"
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
    _refuse_numbers_as_names(names, id_place, cells, text, path)
    summaries = _summaries(names)
    values, annotation, guessed = [], [], []
    for place, name in enumerate(names):
        if place == id_place:
            continue
        before_id = place < id_place and (
            id_place == 1 or id_column is None or (place == 0 and not name)
        )
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
    _refuse_long(names, id_place, values, cells, text, path)
    return Columns(names, id_place, values, annotation, guessed, sorted(summaries))


def _refuse_long(names, id_place, values, cells, text, path):
    """Refuse tables with a line for each gene and sample."""
    known = {place: normal(name) for place, name in enumerate(names) if text[place]}
    genes = [i for i, name in known.items() if name in IDS]
    of_samples = IDS_OF_SAMPLES | {"cell", "cells", "library", "tumorsamplebarcode"}
    samples = [i for i, name in known.items() if name in of_samples]
    if names_ids(names[id_place]):
        # A text that recurs with each gene, such as tissues, is like a sample.
        samples += [] if samples else _recur_with(id_place, cells, known)
    if not (genes and samples and (len(values) == 1 or id_place in genes)):
        return
    gene, sample = names[genes[0]], names[samples[0]]
    raise ValueError(
        f"{path} has a line for each gene and each {sample!r}: turn it into a table "
        f"with pandas.DataFrame.pivot(index={sample!r}, columns={gene!r}, "
        f"values={names[values[0]]!r})."
    )


def _recur_with(id_place, cells, known):
    """Return columns of text that tell apart lines of the same gene."""
    ids = cells[id_place]
    if 2 * len(set(ids)) > len(ids):
        return []
    return [
        place
        for place in known
        if place != id_place
        and len(set(zip(ids, cells[place], strict=True))) == len(ids)
    ]


def _refuse_numbers_as_names(names, id_place, cells, text, path):
    """Refuse a table of values alone, whose lines have no names."""
    name, column = names[id_place], cells[id_place]
    if text[id_place] or names_lines(name):
        return
    parts = (cell.strip().lstrip("+").partition(".")[::2] for cell in column)
    whole = all(
        is_missing(cell) or (digits.isdecimal() and not rest.strip("0"))
        for cell, (digits, rest) in zip(column, parts, strict=True)
    )
    kind = sample_kind(name) or (not name.isdecimal() and id_kind(name))
    if whole and not kind:
        return
    raise ValueError(
        f"{path}: column {name!r} has numbers, {quoted(column)}, and no names of "
        "lines. Write the table with names of genes or samples in its first column, "
        "or name another column by id_column."
    )


def columns_unlike_others(names):
    """Return names that have no digit at the edges of a table, where all others do.

    Else that of the share of G and C, which may be a gastric cancer as well.
    """
    plain = [not any(map(str.isdigit, name)) for name in names]
    front = next((i for i, is_plain in enumerate(plain) if not is_plain), len(names))
    back = next((i for i, p in enumerate(reversed(plain)) if not p), len(names))
    others = plain[front : len(names) - back]
    if any(others) or len(others) < max(2, front + back + 1):
        return [name for name in names if len(names) > 1 and normal(name) == "gc"]
    return [*names[:front], *names[len(names) - back :]]


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
    """Return the first column that does not only number the lines, or class them."""
    place = 0
    while place + 2 < len(names) and _only_counts(names, cells, place):
        place += 1
    first = names[place]
    if names_ids(first) and normal(first) not in IDS:
        for other in range(place + 1, len(names) - 1):
            if text[other] and normal(names[other]) in IDS:
                return other
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

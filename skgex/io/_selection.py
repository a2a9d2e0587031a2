"""Which samples and genes of a source make up the table that was asked for."""

import numpy as np
import pandas as pd

ON_DUPLICATE = ("error", "first", "max", "mean", "sum")


def quoted(names, limit=3):
    """Return the first few names for a message."""
    text = ", ".join(repr(str(name)) for name in names[:limit])
    return text + (f" and {len(names) - limit} more" if len(names) > limit else "")


def check_unique(names, kind, source):
    """Refuse names that occur twice."""
    names = pd.Index(names, dtype=object)
    if names.has_duplicates:
        twice = names[names.duplicated()].unique()
        raise ValueError(
            f"{source}: {quoted(twice)} occurs more than once among the {kind}. Give "
            f"all {kind} names of their own."
        )


def as_names(names, parameter):
    """Return a selection as a list of str, of which none occurs twice."""
    if isinstance(names, str):
        raise ValueError(f"{parameter} must be a list of names, not {names!r}.")
    names = [str(name) for name in names]
    if not names:
        raise ValueError(f"{parameter} is empty: name at least one, or pass None.")
    check_unique(names, parameter, f"Parameter {parameter}")
    return names


def select_samples(available, wanted, source):
    """Return the positions of the samples that are wanted, in their order."""
    check_unique(available, "samples", source)
    if wanted is None:
        return np.arange(len(available))
    wanted = as_names(wanted, "samples")
    found = pd.Index(available, dtype=object).get_indexer(wanted)
    absent = [name for name, i in zip(wanted, found, strict=True) if i < 0]
    if absent:
        raise ValueError(
            f"{source} has no sample {quoted(absent)}. Its {len(available):,d} samples "
            f"begin with {quoted(available)}."
        )
    return found


class GeneSelection:
    """From the genes of a source to the columns of a table.

    Parameters
    ----------
    available : sequence of str
        Genes of the source, in its order; names may recur.
    wanted : sequence of str or None
        Columns of the table. None takes each name of the source once, in its order.
    on_duplicate : {"error", "first", "max", "mean", "sum"}
        What becomes of genes with the same name.
    strict : bool
        Whether each gene that is wanted must be there; otherwise one at least.
    source : str
        Name of the source, for messages.

    Attributes
    ----------
    names : list of str
        Columns of the table.
    first : ndarray of shape (n_columns,)
        Where in the source each column is found first; -1 where it is absent.
    repeated : ndarray of shape (n_columns,), dtype bool
        Columns that several genes of the source are merged into.
    needed : ndarray of int
        Genes of the source that have to be read, in its order.
    """

    def __init__(self, available, wanted, on_duplicate, strict, source):
        codes, names = pd.factorize(np.asarray(available, dtype=object))
        if wanted is None:
            column = np.arange(len(names))
        else:
            column = pd.Index(names).get_indexer(wanted)
        self.names = list(names if wanted is None else wanted)
        _check_present(self.names, column, strict, source, names)
        n_found = np.bincount(codes, minlength=len(names))
        self.repeated = (column >= 0) & (n_found[column] > 1)
        if on_duplicate == "first":
            self.repeated[:] = False
        if on_duplicate == "error" and self.repeated.any():
            raise ValueError(
                f"{source} has several genes named "
                f"{quoted([self.names[i] for i in np.flatnonzero(self.repeated)])}. "
                "Estimators need distinct names: pass on_duplicate='sum' for counts, "
                "'mean' for logarithms, 'max' or 'first'."
            )
        self.rule = on_duplicate
        place = np.full(len(names), -1)
        place[codes[::-1]] = np.arange(len(codes))[::-1]
        self.first = np.where(column >= 0, place[column], -1)
        column_of = np.full(len(names), -1)
        column_of[column[column >= 0]] = np.flatnonzero(column >= 0)
        # Column of each gene of the source, or -1: the inverse of `first`.
        self.column = column_of[codes]
        used = np.zeros(len(codes), dtype=bool)
        used[self.first[self.first >= 0]] = True
        used |= (self.column >= 0) & self.repeated[self.column]
        self.needed = np.flatnonzero(used)

    def apply(self, block):
        """Turn the genes that are needed, (n, n_needed), into (n, n_columns)."""
        present = self.first >= 0
        if not self.repeated.any() and present.all():
            place = np.searchsorted(self.needed, self.first)
            in_order = np.array_equal(place, np.arange(block.shape[1]))
            return block if in_order else block[:, place]
        table = np.full((len(block), len(self.names)), np.nan, block.dtype)
        table[:, present] = block[:, np.searchsorted(self.needed, self.first[present])]
        recurs = self.repeated[self.column[self.needed]]
        if recurs.any():
            genes = self.column[self.needed[recurs]]
            columns, merged = self.merge(genes, block[:, recurs])
            table[:, columns] = merged
        return table

    def merge(self, columns, values):
        """Merge genes, (n, n_genes), that belong to the same columns of the table.

        NaN is left out; a value is NaN only where all genes of a name are.
        """
        order = np.argsort(columns, kind="stable")
        columns, start = np.unique(columns[order], return_index=True)
        values = values[:, order]
        if self.rule == "max":
            return columns, np.fmax.reduceat(values, start, axis=1)
        measured = ~np.isnan(values)
        n_measured = np.add.reduceat(measured, start, axis=1, dtype=np.int64)
        total = np.add.reduceat(np.where(measured, values, 0), start, axis=1)
        if self.rule == "mean":
            total = total / np.maximum(n_measured, 1)
        return columns, np.where(n_measured > 0, total, np.nan)


def _check_present(names, column, strict, source, available):
    absent = [names[i] for i in np.flatnonzero(column < 0)]
    if not names or len(absent) == len(names) or (strict and absent):
        raise ValueError(
            f"{source} has no gene {quoted(absent)}. Its {len(available):,d} genes "
            f"begin with {quoted(list(available))}: select among them, and add absent "
            "ones afterwards with X.reindex(columns=genes), as NaN."
        )

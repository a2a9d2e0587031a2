"""Ids of genes, translated by a mapping."""

import numpy as np
from sklearn.utils._missing import is_pandas_na, is_scalar_nan

from .._gene_names import clean_name, is_unnamed, strip_version


class IdMapper:
    """Translate the ids of a table to those that genes are compared by.

    Parameters
    ----------
    mapping : dict, pandas.Series or None
        From ids of tables to other ids. Those that are not in it stay as they are.
    strip : bool
        Whether Ensembl ids are compared without their version.
    """

    def __init__(self, mapping, strip):
        self.strip = strip_version if strip else str
        self.exact = {} if mapping is None else _as_dict(mapping)
        self.stripped = {}
        for name, target in self.exact.items():
            # An id that stands in the mapping without a version has the last word.
            if self.key(name) not in self.exact:
                self._add(self.key(name), target)

    def _add(self, name, target):
        if self.stripped.setdefault(name, target) != target:
            raise ValueError(
                f"mapping has several targets for {name!r} without its version: "
                f"{self.stripped[name]!r} and {target!r}. Keep one of them, or set "
                "strip_version=False."
            )

    def key(self, name):
        """Return a name without what stands around it, and without its version."""
        return self.strip(clean_name(name))

    def target(self, name):
        """Return the target of a name as a tuple of one, () if it is not mapped."""
        for form in (name, clean_name(name), self.key(name)):
            for targets in (self.exact, self.stripped):
                if form in targets:
                    return (targets[form],)
        return ()

    def target_of_half(self, halves):
        """Return the same for the first that is mapped of (symbol, id), or of None."""
        targets = (self.target(half) for half in halves or () if half and self.exact)
        return next(filter(None, targets), ())

    def genes_of(self, names):
        """Return the genes of a table, each once, without those that have no name."""
        keys = []
        for name in names:
            target = self.target(name) or (None if is_unnamed(name) else name,)
            if target[0] is not None and not is_unnamed(target[0]):
                keys.append(self.key(target[0]))
        return np.array(list(dict.fromkeys(keys)), dtype=object)


def _as_dict(mapping):
    targets = {}
    for name, target in mapping.items():
        if target is None or is_scalar_nan(target) or is_pandas_na(target):
            target = None
        if not isinstance(name, str) or not isinstance(target, str | None):
            raise ValueError(
                f"mapping has {target!r} as the target of {name!r}; ids are strings, "
                "and targets None where a gene is to be dropped."
            )
        if targets.setdefault(name, target) != target:
            raise ValueError(
                f"mapping has several targets for {name!r}: {targets[name]!r} and "
                f"{target!r}. Keep one of them, as by "
                "mapping[~mapping.index.duplicated()]."
            )
    return targets

"""Ids of genes: without versions, and translated by a mapping."""

import re

from sklearn.utils._missing import is_pandas_na, is_scalar_nan

# The copy of a gene on the Y chromosome, and its lift-over to another assembly, stand
# behind the version in GENCODE. The copy is a gene of its own, the lift-over is not.
_VERSIONED = re.compile(r"(ENS[A-Z]*\d{11})\.\d+(?:_\d+)?(_PAR_Y)?")


def strip_version(name):
    """Return an Ensembl id without its version, and any other name as it is."""
    match = _VERSIONED.fullmatch(name)
    return match[1] + (match[2] or "") if match else name


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
            if self.strip(name) not in self.exact:
                self._add(self.strip(name), target)

    def _add(self, name, target):
        if self.stripped.setdefault(name, target) != target:
            raise ValueError(
                f"mapping has several targets for {name!r} without its version: "
                f"{self.stripped[name]!r} and {target!r}. Keep one of them, or set "
                "strip_version=False."
            )

    def translate(self, name):
        """Return the id of a column, or None if it is mapped to nothing."""
        if name in self.exact:
            name = self.exact[name]
        else:
            name = self.strip(name)
            name = self.exact.get(name, self.stripped.get(name, name))
        return name if name is None else self.strip(name)


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

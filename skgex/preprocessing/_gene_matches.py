"""Which gene each column of a table is, and by what rule."""

import numpy as np

from .._gene_names import clean_name, is_run, is_unnamed, split_double
from ._gene_index import GeneIndex

# Columns of one id are one gene. What is only inferred gives way to them, and names
# that R has changed to others.
_RANKS = {"double name": 1, "R name": 2}
_NOTHING = (None, [])
FIELDS = [("column", object), ("gene", object), ("rule", object)]


class GeneMatches:
    """Find the gene of each column.

    Parameters
    ----------
    names : sequence of str
        Names of the columns.
    genes : ndarray of str
        The genes.
    mapper : IdMapper
        The mapping, and whether versions count.
    add_copies : bool
        Whether the copy of a gene on the Y chromosome, of a name in _PAR_Y, is added
        to the gene where that is a column too.

    Attributes
    ----------
    places : list of int or None
        Place of the gene of each column, None where there is none.
    table : ndarray
        The columns that have a gene, in order: a record with the fields column, gene
        and rule for each.
    """

    def __init__(self, names, genes, mapper, add_copies):
        self._index = GeneIndex(genes, mapper.strip)
        self._mapper, self._add_copies = mapper, add_copies
        self._numbered = _numbered(names)
        found = [self._find(name) for name in names]
        best = {}
        for rule, places in found:
            if len(places) == 1 and rule != "PAR_Y":
                rank = _RANKS.get(rule, 0)
                best[places[0]] = min(best.get(places[0], rank), rank)
        _check_ambiguous(names, found, best, genes)
        used = [_is_used(rule, places, best) for rule, places in found]
        self.places = [f[1][0] if u else None for f, u in zip(found, used, strict=True)]
        rows = zip(names, self.places, found, strict=True)
        table = [(n, genes[p], rule) for n, p, (rule, _) in rows if p is not None]
        self.table = np.array(table, dtype=FIELDS)

    def count(self, labels):
        """Return how many of the genes are among other labels, those of rows."""
        return len({p for label in labels for p in self._find(label)[1]})

    def _find(self, name):
        """Return (rule, places) of the genes that a name may be."""
        target = self._mapper.target(name) if self._mapper.exact else ()
        if target:
            return self._mapped(*target)
        if places := self._index.exact(name):
            return "exact", places
        clean = clean_name(name)
        if is_unnamed(clean):
            return _NOTHING
        rule, places = self._index.same(clean)
        if places:
            return rule, places
        halves = split_double(clean)
        if target := self._mapper.target_of_half(halves):
            return self._mapped(*target)
        return self._infer(clean, halves)

    def _mapped(self, target):
        if target is None or is_unnamed(target):
            return _NOTHING
        clean = clean_name(target)
        places = self._index.exact(target) or self._index.same(clean)[1]
        return "mapping", places or self._infer(clean, split_double(clean))[1]

    def _infer(self, clean, halves):
        if places := self._index.double(clean, halves):
            return "double name", places
        if self._add_copies and (places := self._index.copied(clean)):
            return "PAR_Y", places
        if clean not in self._numbered and (
            places := self._index.mangled(clean, halves)
        ):
            return "R name", places
        return _NOTHING


def _numbered(names):
    """Return names that count columns, 1, 2, 3 or X1, X2, X3, and are no ids."""
    found = set()
    for prefix in ("", "X"):
        run = [
            n for n in names if n.startswith(prefix) and n[len(prefix) :].isdecimal()
        ]
        if is_run([name[len(prefix) :] for name in run]):
            found.update(run)
    return found


def _is_used(rule, places, best):
    if len(places) != 1:
        return False
    if rule == "PAR_Y":
        return places[0] in best
    return best[places[0]] == _RANKS.get(rule, 0)


def _check_ambiguous(names, found, best, genes):
    """Refuse columns that may be several genes, none of which has a surer column."""
    several = []
    for name, (rule, places) in zip(names, found, strict=True):
        surer = any(best.get(p, 9) < _RANKS.get(rule, 0.5) for p in places)
        if len(places) > 1 and rule != "PAR_Y" and not surer:
            several.append((str(name), [str(gene) for gene in genes[places]]))
    if several:
        name, candidates = several[0]
        others = f", and {len(several) - 1} more such columns" * (len(several) > 1)
        raise ValueError(
            f"Column {name!r} of X may be gene {' or '.join(map(repr, candidates))}"
            f"{others}. Say which by mapping={{{name!r}: {candidates[0]!r}}}, or drop "
            f"it by mapping={{{name!r}: None}}."
        )

"""What the names of samples tell, and whether a table is transposed."""

import re
from collections import Counter

from ..._gene_names import share_of_genes, share_of_samples
from .._text._orientation import evidence
from . import _words as words
from ._names import describes_genes

_TCGA = re.compile(r"(TCGA[-._]\w\w[-._]\w{4})(?:[-._](\d\d))?", re.ASCII)
# As names of one kind on one side only speak, or of both sides in part.
_NUMBER = re.compile(r"\d\d")
_MAX_NAMES = 400
_SURE = 0.75


def sample_findings(names):
    """Return what is odd about names of samples.

    Parameters
    ----------
    names : sequence
        Names of the rows.

    Returns
    -------
    findings : list of Finding
        Findings, in the order in which they are to be repaired.
    """
    texts = [str(name) for name in names]
    counts = Counter(texts)
    found = []
    twice = [name for name in counts if counts[name] > 1]
    if twice:
        found.append(words.duplicated_samples(twice))
    no_samples = [name for name in counts if _NUMBER.search(name) is None]
    no_samples = list(filter(describes_genes, no_samples))
    if no_samples:
        found.append(words.annotation_rows(no_samples))
    return [*found, *_patients(counts)]


def _patients(names):
    matches = [(name, _TCGA.match(name)) for name in names]
    patients = {}
    for name, match in matches:
        if match:
            patients.setdefault(match[1], []).append(name)
    several = [members for members in patients.values() if len(members) > 1]
    if several:
        members = [name for group in several for name in group]
        yield words.same_patients(len(several), members, several[0][:2])
    kinds = {name: match[2] for name, match in matches if match and match[2]}
    normals = [name for name, kind in kinds.items() if "10" <= kind < "15"]
    tumours = [name for name, kind in kinds.items() if kind < "10"]
    if normals and tumours:
        yield words.normal_samples(normals, len(tumours))


def transposition(genes, samples):
    """Return the finding that rows are genes and columns samples, or None.

    Parameters
    ----------
    genes, samples : list or None
        Names of columns and rows, None where they have none.
    """
    rows, columns = (_taken(names) for names in (samples, genes))
    return words.transposed() if evidence(rows, columns) >= _SURE else None


def _taken(names):
    if names is None:
        return []
    step = max(1, -(-len(names) // _MAX_NAMES))
    return [str(name) for name in names[::step]]


def transposition_by_shape(table):
    """Return the note that a table is far longer than wide, or None."""
    n_rows, n_columns = table.shape
    if n_rows < 5000 or n_rows < 10 * n_columns:
        return None
    for named, names in (
        (table.has_genes, table.genes),
        (table.has_samples, table.samples),
    ):
        texts = _taken(names) if named else []
        if share_of_genes(texts) >= 0.1 or share_of_samples(texts) >= 0.1:
            return None
    return words.transposed_by_shape(n_rows, n_columns)

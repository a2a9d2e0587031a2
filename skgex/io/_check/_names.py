"""What the names of genes tell, without a look at values."""

from collections import Counter

from ..._gene_names import (
    clean_name,
    id_kind,
    is_scientific,
    is_summary_row,
    is_unnamed,
    known_symbols,
    r_names,
    spreadsheet_symbols,
)
from .._text._column_words import names_ids, says_of_samples
from . import _words as words
from ._candidates import Candidates

_MAX_KINDS = 500
# A kind of ids that fewer names have is no mixture.
_SHARE_OF_MIXTURE = 0.05
# Clones, microRNA and spike-ins have names of their own in any annotation.
_MIXABLE = ("symbol", "Ensembl gene", "Entrez", "RefSeq", "probe set", "UniGene")


def gene_findings(names):
    """Return what is odd about names of genes.

    Parameters
    ----------
    names : sequence
        Names of the columns; those that are no strings are taken as text.

    Returns
    -------
    findings : list of Finding
        What was found.
    """
    texts = [name if isinstance(name, str) else str(name) for name in names]
    candidates = Candidates(texts)
    found = [
        *_not_genes(candidates),
        *_broken(candidates),
        *_duplicated(texts, candidates),
        *_forms(candidates),
        *_kinds(texts),
    ]
    return [finding for finding in found if finding is not None]


def _tell(word, names):
    names = list(dict.fromkeys(names))
    return word(names) if names else None


def describes_genes(name):
    """Tell whether a column is one about genes, by its name."""
    name = clean_name(name)
    if is_unnamed(name) or name in known_symbols():
        return False
    return names_ids(name)


def _is_annotation(name):
    name = clean_name(name)
    if is_unnamed(name) or name in known_symbols():
        return False
    return names_ids(name) or says_of_samples(name)


def _not_genes(candidates):
    summary = list(filter(is_summary_row, candidates.words))
    yield _tell(words.summary_rows, summary)
    rest = [name for name in candidates.words if name not in set(summary)]
    yield _tell(words.annotation, filter(_is_annotation, rest))
    n_unnamed = sum(map(is_unnamed, candidates.words))
    yield words.unnamed(n_unnamed) if n_unnamed else None


def _broken(candidates):
    # Dates that were never a symbol may be dates of visits.
    dates = dict.fromkeys(filter(spreadsheet_symbols, candidates.dates))
    yield _tell(words.spreadsheet_dates, dates)
    yield _tell(words.scientific_ids, filter(is_scientific, candidates.numbers))
    changed = [n for n, clean in candidates.cleaned.items() if not is_unnamed(clean)]
    floats = [name for name in changed if name == f"{candidates.cleaned[name]}.0"]
    yield _tell(words.float_ids, floats)
    spaces = [name for name in changed if name not in set(floats)]
    yield _tell(words.names_with_spaces, spaces)
    mangled = [name for name in candidates.by_r if name not in dates]
    yield _tell(words.r_mangled, filter(r_names, mangled))


def _duplicated(texts, candidates):
    unique = set(texts)
    if len(unique) < len(texts):
        counts = Counter(texts)
        twice = [name for name in counts if counts[name] > 1 and not is_unnamed(name)]
        yield _tell(words.duplicated_genes, twice)
    groups = {}
    for name, form in dict(candidates.forms()).items():
        groups.setdefault(form, []).append(name)
    for form, members in groups.items():
        if form in unique:
            members.insert(0, form)
    several = [members for members in groups.values() if len(members) > 1]
    yield words.same_genes(several) if several else None


def _forms(candidates):
    yield _tell(words.versions, candidates.versioned)
    par_y = [name for name in candidates.odd if name.endswith("_PAR_Y")]
    yield _tell(words.par_y, par_y)
    yield _tell(words.double_names, candidates.halves)


def _kinds(texts):
    step = max(1, -(-len(texts) // _MAX_KINDS))
    taken = texts[::step]
    kinds = [id_kind(name) for name in taken]
    if kinds.count("Ensembl transcript") > 0.5 * len(taken):
        yield words.transcripts([n for n in texts if n.startswith("ENS")])
        return
    counts = Counter(kind for kind in kinds if kind in _MIXABLE)
    least = max(2, _SHARE_OF_MIXTURE * len(taken))
    many = {kind: n for kind, n in counts.most_common() if n >= least}
    if len(many) > 1:
        yield words.mixed_ids({kind: n / len(taken) for kind, n in many.items()})

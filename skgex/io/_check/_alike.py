"""How alike samples are: repeated ones, and one that is like no other."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from . import _words as words

# In 16 public tables without repeats centred profiles of 300 genes or more correlate
# by .966 at most, of nearly related tissues; two of one tumour by .978.
_REPEATED = 0.97
# Repeats differ by less than this share of what sets them apart from all others.
_APART = 0.4
_MIN_GENES_OF_REPEATS = 300
_MIN_SAMPLES = 8
_MIN_GENES = 50
_CLIP = 4
_BLOCK = 1024


def alike_findings(profiles, names, keys, usable, levels=True):
    """Return what is odd about how alike samples are.

    Parameters
    ----------
    profiles : ndarray of shape (n_samples, n_chosen), float32
        Logarithms, or what else is comparable, of the genes that vary most.
    names : list
        Names of the samples.
    keys : ndarray of shape (n_samples,)
        Samples with the same values in all genes have the same.
    usable : ndarray of shape (n_samples,), dtype bool
        Which samples have enough values that differ.
    levels : bool, default=True
        Whether values tell how much there is of each gene, so that any two samples
        are somewhat alike.

    Returns
    -------
    findings : list of Finding
        What was found.
    """
    places = np.flatnonzero(usable)
    groups = _groups_of_keys(keys[places])
    found = []
    if groups:
        found.append(
            words.equal_samples([[names[places[i]] for i in g] for g in groups])
        )
    if len(places) < _MIN_SAMPLES or profiles.shape[1] < _MIN_GENES:
        return found
    profiles = _filled(profiles[places])
    _, first = np.unique(keys[places], return_index=True)
    single = np.sort(first)
    profiles = profiles[single]
    single = places[single]
    if profiles.shape[1] >= _MIN_GENES_OF_REPEATS:
        found += _repeats(profiles, [names[i] for i in single])
    return found + (_unlike(profiles, [names[i] for i in single]) if levels else [])


def _groups_of_keys(keys):
    order = np.argsort(keys, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)
    groups = [np.sort(group) for group in groups if len(group) > 1]
    return sorted(groups, key=lambda group: group[0])


def _filled(profiles):
    missing = np.isnan(profiles)
    if not missing.any():
        return profiles
    mean = np.nan_to_num(np.nanmean(profiles, axis=0))
    return np.where(missing, mean, profiles)


def _unit_length(X):
    X = X - X.mean(axis=1, keepdims=True)
    length = np.linalg.norm(X, axis=1, keepdims=True)
    return X / np.maximum(length, 1e-12)


def _correlations(X):
    """Yield first row and correlations of a block of rows with all that follow."""
    for start in range(0, len(X), _BLOCK):
        yield start, X[start : start + _BLOCK] @ X[start:].T


def _repeats(profiles, names):
    spread = profiles.std(axis=0)
    # Noise would rule where genes hardly vary.
    spread = np.maximum(spread, max(np.median(spread) / 10, 1e-6))
    scaled = (profiles - profiles.mean(axis=0)) / spread
    # A gene that few samples express has z-scores that would outweigh all others.
    scaled = np.clip(scaled, -_CLIP, _CLIP)
    scaled = _unit_length(scaled)
    pairs = []
    for start, block in _correlations(scaled):
        rows, columns = np.nonzero(block > _REPEATED)
        upper = rows < columns
        pairs.append(np.stack([rows[upper], columns[upper]]) + start)
    first, second = np.concatenate(pairs, axis=1)
    if not len(first):
        return []
    n = len(names)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    groups = [group for group in _groups_of_keys(label) if _is_apart(group, scaled)]
    groups = [[names[i] for i in group] for group in groups]
    return [words.nearly_equal_samples(groups, n)] if groups else []


def _is_apart(group, scaled):
    """Tell repeats from samples of one tissue, to which others are nearly as like."""
    correlation = scaled[group] @ scaled.T
    outside = np.delete(correlation, group, axis=1)
    if not outside.size:
        return False
    inside = correlation[:, group]
    np.fill_diagonal(inside, -1)
    return 1 - inside.max(axis=1).min() < _APART * (1 - outside.max())


def _unlike(profiles, names):
    best = _best_correlations(_unit_length(profiles))
    usual = np.median(best)
    if usual < 0.6:
        return []
    gap = usual - best
    spread = 1.4826 * np.median(np.abs(best - usual)) + 1e-3
    # As no sample of 16 public tables is, of one tissue or of many.
    little = (best < 0.4 * usual) & (gap > 5 * spread)
    odd = little | ((gap > 0.3) & (gap > 12 * spread))
    # Where many are, none is like no other.
    if not odd.any() or odd.mean() > 0.1:
        return []
    order = np.flatnonzero(odd)
    order = order[np.argsort(best[order])]
    return [words.odd_profiles([names[i] for i in order])]


def _best_correlations(X):
    """Return the correlation of each sample with the one that it is most like."""
    best = np.full(len(X), -1.0, np.float32)
    for start, block in _correlations(X):
        n = len(block)
        block[np.arange(n), np.arange(n)] = -1
        best[start : start + n] = np.maximum(best[start : start + n], block.max(axis=1))
        # Of the square on the diagonal both halves are there already.
        best[start:] = np.maximum(best[start:], block.max(axis=0))
    return best

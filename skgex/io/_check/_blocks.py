"""Genes that are missing, or zero, in the same samples."""

import numpy as np

# Holes at random beside a block leave it recognisable.
_LIKE = 0.6
_MIN_GENES = 5


def blocks(mask):
    """Find groups of genes that are marked in nearly the same samples.

    Parameters
    ----------
    mask : ndarray of shape (n_samples, n_genes), dtype bool
        Where each gene is marked.

    Returns
    -------
    groups : list of tuple of ndarray
        For each group, the largest first: its genes, and the samples in which most of
        them are marked.
    """
    if not mask.size:
        return []
    marks = mask.astype(np.float32)
    both = marks.T @ marks
    n = np.diag(both)
    alike = both >= _LIKE * (n[:, None] + n - both)
    left = n > 0
    groups = []
    while left.any():
        n_alike = (alike & left).sum(axis=1) * left
        leader = int(np.argmax(n_alike))
        if n_alike[leader] < _MIN_GENES:
            break
        members = alike[leader] & left
        inside = mask[:, members].mean(axis=1) > 0.5
        left[members] = False
        if inside.any() and not inside.all():
            members |= left & (_share(mask, inside) - _share(mask, ~inside) > _LIKE)
            left[members] = False
            groups.append((np.flatnonzero(members), np.flatnonzero(inside)))
    return groups


def _share(mask, samples):
    return mask[samples].mean(axis=0)

"""Samples whose logarithms may have another base than those of the others."""

import numpy as np

from . import _words as words

_MIN_SAMPLES, _MIN_GENES = 8, 200


def odd_scales(profiles, measures, usable, names):
    """Return the finding that samples are multiples of what the others are.

    log10 is 0.30 times log2, and 0.43 times ln: by as much the largest value, the mean,
    and the slope on a typical sample differ. ln is 0.69 times log2, as blood may be
    compared with other tissues, and is passed over.

    Parameters
    ----------
    profiles : ndarray of shape (n_samples, n_chosen)
        Logarithms of the genes that vary most.
    measures : Measures
        What was measured of all genes.
    usable : ndarray of shape (n_samples,), dtype bool
        Which samples have values enough.
    names : list
        Names of the samples.
    """
    profiles = profiles[usable]
    profiles = profiles[:, ~np.isnan(profiles).any(axis=0)]
    if profiles.shape[0] < _MIN_SAMPLES or profiles.shape[1] < _MIN_GENES:
        return []
    mean = measures.row_sum / np.maximum(measures.n_genes - measures.row_missing, 1)
    values = (_slopes(profiles), measures.row_high[usable], mean[usable])
    ratios = np.stack([_over_median(value) for value in values])
    smallest, largest = ratios.min(axis=0), ratios.max(axis=0)
    far = (largest < 0.55) | (smallest > 1.8)
    odd = far & (largest < 1.5 * smallest)
    if not odd.any() or odd.mean() > 0.5:
        return []
    return [words.odd_scale([names[i] for i in np.flatnonzero(usable)[odd]])]


def _slopes(profiles):
    """Return how values rise with those of a typical sample; 0 where they don't."""
    typical = np.median(profiles[:: max(1, len(profiles) // 200)], axis=0)
    typical = typical - typical.mean()
    centred = profiles - profiles.mean(axis=1, keepdims=True)
    length = max(np.linalg.norm(typical), 1e-12)
    slope = centred @ typical / length**2
    norms = np.maximum(np.linalg.norm(centred, axis=1), 1e-12)
    return np.where(slope * length / norms > 0.7, slope, 0)


def _over_median(values):
    middle = np.median(values)
    return values / middle if middle > 0 else np.ones_like(values)

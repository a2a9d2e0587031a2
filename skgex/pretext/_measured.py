"""Measured values in the place of those that were restored."""

import numpy as np

from .._training import RowReader


def keep_measured_values(X, places, mean, std=None):
    """Put measured values, which are certain, in the place of restored ones.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        The samples; NaN where a gene was not measured.
    places : int64 ndarray of shape (n_restored,)
        The column of `X` of each restored gene, beyond the last one if it has none.
    mean, std : ndarray of shape (n_samples, n_restored)
        What was restored and its standard deviation, changed in place.
    """
    start, measured = 0, places < X.shape[1]
    for chunk in RowReader(X).chunks():
        chunk, rows = chunk.numpy(), slice(start, start + len(chunk))
        own = np.full((len(chunk), len(places)), np.nan, chunk.dtype)
        own[:, measured] = chunk[:, places[measured]]
        kept = ~np.isnan(own)
        np.copyto(mean[rows], own, where=kept)
        if std is not None:
            std[rows][kept] = 0
        start = rows.stop

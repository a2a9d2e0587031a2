"""Lower tails of genes: how deep below their limits values lie."""

from typing import NamedTuple

import numpy as np

from ._censored import below, draw_below

N_ITER = 40
# Changes in standard deviations of a gene below which nothing more is gained.
_TOLERANCE = 1e-3
_SMALLEST = 1e-12


class Tails(NamedTuple):
    """Where the lower tails of genes begin, and how they go on.

    Attributes
    ----------
    limits, depth, std : ndarray of shape (n_genes,)
        The limits; how deep tails are, over those of a normal variable; standard
        deviations of the values above the limits.
    share : ndarray of shape (n_genes,)
        Which share of the values is below the limits.
    curves : ndarray of shape (3, n_classes, n_steps) or None
        See :func:`learn_curves`. None for tails that go on as expected.
    """

    limits: np.ndarray
    depth: np.ndarray
    std: np.ndarray
    share: np.ndarray
    curves: np.ndarray | None = None

    def of(self, genes):
        """Return those of some genes."""
        return Tails(*(part[genes] for part in self[:4]), self.curves)

    def at(self, places):
        """Return those of some values of a table."""
        parts = (np.broadcast_to(part, places.shape)[places] for part in self[:4])
        return Tails(*parts, self.curves)

    def follow(self, normal):
        """Return how deep values lie that are as deep as that by a normal variable."""
        return self.std * follow(
            self.curves, normal * self.depth / self.std, self.share
        )


def spreads(measured):
    """Return the standard deviations of measured values; never zero."""
    known = np.maximum((~np.isnan(measured)).sum(axis=0), 1)
    mean = np.nansum(measured, axis=0, dtype=float) / known
    square = np.nansum((measured - mean) ** 2, axis=0, dtype=float) / known
    return np.maximum(np.sqrt(square), 1e-6 * (1 + np.abs(mean)))


def follow(curves, expected, share):
    """Return how deep values lie that are expected at some depth."""
    if curves is None:
        return expected
    shares, found = curves[0, :, 0], np.zeros(len(expected))
    for n, (_, known, actual) in enumerate(curves.swapaxes(0, 1)):
        weight = np.interp(share, shares, np.arange(len(shares)) == n)
        found += weight * np.interp(expected, known, actual)
    return found


def fill_below(restore, X, low, tails):
    """Fill in values below a limit, in place, by what all genes of a sample tell.

    Each is taken to be normal around what is expected of it, and below its limit: its
    mean then tells of the other genes, and so on, until nothing changes.

    Parameters
    ----------
    restore : callable
        Returns the means and the standard deviations of all values of profiles.
    X : ndarray of shape (n_samples, n_genes)
        Profiles, with a first guess of the values that are low.
    low : bool ndarray of shape (n_samples, n_genes)
        Which of them are below the limit of the gene.
    tails : Tails
        Those of the genes.

    Returns
    -------
    normal : ndarray of shape (n_low,)
        How deep below the limit the values at `low` are by a normal distribution.
    moments : ndarray of shape (2, n_samples, n_genes)
        Means and standard deviations of the values before the limits are known.
    """
    rows = np.flatnonzero(low.any(axis=1))
    moments = np.zeros((2, *X.shape))
    for _ in range(N_ITER):
        if not len(rows):
            break
        moments[:, rows] = restore(X[rows])
        here = np.zeros_like(low)
        here[rows] = low[rows]
        part = tails.at(here)
        normal = part.limits - below(*moments[:, here], part.limits)[0]
        # Values that tell of each other would run away, were tails deeper than normal.
        new = part.limits - np.minimum(normal, part.follow(normal))
        change = np.zeros(X.shape)
        change[here] = np.abs(new - X[here]) / part.std
        X[here] = new
        rows = np.flatnonzero(change.max(axis=1) > _TOLERANCE)
    part = tails.at(low)
    normal = part.limits - below(*moments[:, low], part.limits)[0]
    X[low] = part.limits - part.follow(normal)
    return normal, moments


def draw_tails(moments, low, tails, random_state):
    """Return draws of values below limits, given moments without the limits.

    Those of a normal distribution, as deep on average as the tails go.
    """
    tails = tails.at(low)
    mean, std = moments[:, low]
    normal = tails.limits - below(mean, std, tails.limits)[0]
    drawn = tails.limits - draw_below(mean, std, tails.limits, random_state)
    ratio = tails.follow(normal) / np.maximum(normal, _SMALLEST)
    return tails.limits - ratio * drawn

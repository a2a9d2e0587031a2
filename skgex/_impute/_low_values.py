"""What GexImputer does with values that are missing because they are low."""

import numpy as np
from sklearn.base import clone

from .._plausible import looked_at
from ..pretext import GexBERT
from ..pretext._nested import check_kind
from ._censored import draw_below, fill_below

# How often values below limits, and what is learnt from them, take turns.
N_ROUNDS = 2


class LowValuesMixin:
    """Values below limits, for an imputer that has learnt these and their genes."""

    def _guess(self, X, missing):
        """Return samples with values below limits as their genes alone make expect."""
        low = missing & ~np.isnan(self._low_fill)
        return np.where(low, self._low_fill, X).astype(X.dtype, copy=False)

    def _refine(self, guessed, missing, groups, seed):
        """Return samples with draws of values below limits, given all genes.

        With means in their place genes would seem to vary less than they do.
        """
        embedder = GexBERT() if self.embedder is None else clone(self.embedder)
        check_kind(embedder, GexBERT)
        # The prior by itself: a network would be trained on guesses.
        embedder.set_params(
            max_epochs=0, callbacks=None, warm_start=False, random_state=seed
        )
        table, rows = self._table(guessed)
        groups = None if groups is None else np.asarray(groups)[rows]
        mean, genes = np.array(table), self._restored
        low = missing[np.ix_(rows, genes)] & ~np.isnan(mean)
        drawn, random_state = mean.copy(), np.random.RandomState(seed)
        for _ in range(N_ROUNDS):
            with looked_at():
                embedder.fit(drawn, groups=groups)
            moments = self._below(embedder, mean, low)
            drawn = mean.copy()
            drawn[low] = self._draw_below(moments, low, random_state)
        guessed = guessed.copy()
        guessed[np.ix_(rows, genes)] = drawn
        return guessed

    def _below(self, embedder, X, low):
        """Fill in values below limits, in place; return means and deviations."""

        def restore(X):
            return np.stack(np.split(embedder._restore(X, return_std=True), 2, axis=1))

        genes, scale = self._restored, embedder.standardizer_.scale.numpy()
        return fill_below(
            restore, X, low, self.limits_[genes], self._depth[genes], scale
        )

    def _draw_below(self, moments, low, random_state):
        """Return draws of values below limits, given moments without the limits."""
        limits, depth = (
            np.broadcast_to(part[self._restored], low.shape)[low]
            for part in (self.limits_, self._depth)
        )
        mean, std = moments[:, low]
        return limits - depth * (limits - draw_below(mean, std, limits, random_state))

"""What GexImputer does with values that are missing because they are low."""

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from .._plausible import looked_at
from ..pretext import GexBERT
from ..pretext._nested import check_kind
from ._censored import limits_of, marginal_fill
from ._practice import choose_practice, learn_curves
from ._tails import Tails, draw_tails, fill_below, spreads

# How often values below limits, and what is learnt from them, take turns.
N_ROUNDS = 2


class LowValuesMixin:
    """Values below limits, for an imputer that has learnt these and their genes."""

    def _learn_limits(self, measured, missing):
        """Learn the limit of each gene, and what it alone tells of values below it."""
        self.limits_ = limits_of(self.censored, measured, self._names())
        low = missing & ~np.isnan(self.limits_)
        self._low_fill, self._depth = marginal_fill(measured, low, self.limits_)
        self._spread, self._lost = spreads(measured), low.mean(axis=0)
        self._curves = None

    def _guess(self, X, missing):
        """Return samples with values below limits as their genes alone make expect."""
        low = missing & ~np.isnan(self._low_fill)
        return np.where(low, self._low_fill, X).astype(X.dtype, copy=False)

    def _refine(self, guessed, missing, embedder, *, groups=None, seed=None):
        """Return samples with draws of values below limits, given all genes.

        With means in their place genes would seem to vary less than they do. How deep
        tails go is learnt on the way, from measured values that are hidden. An embedder
        that was pretrained is not fitted.
        """
        table, rows = self._table(guessed)
        truth, genes = np.array(table), self._restored
        low = missing[np.ix_(rows, genes)] & ~np.isnan(truth)
        if not low.any():
            return guessed
        random_state, former = np.random.RandomState(seed), self._tails()
        practice = choose_practice(truth, low, former, random_state)
        mean, tails, unknown = truth.copy(), practice.tails, low | practice.chosen
        fill, _ = marginal_fill(np.where(unknown, np.nan, mean), unknown, tails.limits)
        mean[unknown] = np.broadcast_to(fill, mean.shape)[unknown]
        drawn = mean.copy()
        groups = None if groups is None else np.asarray(groups)[rows]
        for _ in range(N_ROUNDS):
            if not isinstance(self.embedder, FrozenEstimator):
                with looked_at():
                    embedder.fit(drawn, groups=groups)
            normal, moments = self._below(embedder, mean, unknown, tails)
            self._curves = learn_curves(truth, low, practice, normal, moments, former)
            tails = tails._replace(curves=self._curves)
            drawn = mean.copy()
            drawn[unknown] = draw_tails(moments, unknown, tails, random_state)
        drawn[practice.chosen] = truth[practice.chosen]
        guessed = guessed.copy()
        guessed[np.ix_(rows, genes)] = drawn
        return guessed

    def _prior(self, seed):
        """Return the embedder without a network, which would be trained on guesses."""
        embedder = GexBERT() if self.embedder is None else clone(self.embedder)
        check_kind(embedder, GexBERT)
        return embedder.set_params(
            max_epochs=0, callbacks=None, warm_start=False, random_state=seed
        )

    def _tails(self):
        """Return the lower tails of the genes that are restored."""
        parts = self.limits_, self._depth, self._spread, self._lost, self._curves
        return Tails(*parts).of(self._restored)

    def _below(self, embedder, X, low, tails):
        """Fill in values below limits, in place; return depths and moments."""

        def restore(X):
            return np.stack(np.split(embedder._restore(X, return_std=True), 2, axis=1))

        return fill_below(restore, X, low, tails)

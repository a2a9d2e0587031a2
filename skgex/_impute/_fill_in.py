"""How GexImputer fills holes, once it has learnt how genes go together."""

import numpy as np

from ._tails import draw_tails

# Samples are filled so many values at a time, to bound the memory that takes.
_BLOCK_VALUES = 2**24


class FillInMixin:
    """Fill holes: by the mean of a gene, by the embedder, or below a limit."""

    def _filled(self, X, missing):
        """Return a copy of samples with their holes filled."""
        filled = X.copy()
        # Samples without holes need no restoring.
        rows = np.flatnonzero(missing.any(axis=1))
        size = max(1, _BLOCK_VALUES // X.shape[1])
        # All samples of a call share what is drawn of the model.
        seed = self.random_state_.randint(2**31 - 1) if self.sample_posterior else None
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            filled[block] = self._fill_block(X[block], missing[block], seed)
        return filled

    def _fill_block(self, X, missing, model_seed):
        """Return samples with their holes filled."""
        filled = np.where(missing, self._fill, X).astype(X.dtype, copy=False)
        given = np.where(missing, np.nan, X)
        if self.censored is not None:
            given = self._guess(given, missing)
            filled = np.where(np.isnan(given), filled, given)
        genes = self._restored
        known = np.flatnonzero(~np.isnan(given[:, genes]).all(axis=1))
        if self.embedder_ is None or not len(known):
            return filled
        holes = missing[np.ix_(known, genes)]
        given = given[np.ix_(known, genes)]
        low = holes & ~np.isnan(given)
        if low.any():
            tails = self._tails()
            _, moments = self._below(self.embedder_, given, low, tails)
        if self.sample_posterior:
            seed = self.random_state_.randint(2**31 - 1)
            restored = self.embedder_._draw(given, seed, model_seed)
        else:
            restored = self.embedder_._restore(given)
        if low.any():
            restored = np.where(low, given, restored)
        if low.any() and self.sample_posterior:
            restored[low] = draw_tails(moments, low, tails, self.random_state_)
        filled[np.ix_(known, genes)] = np.where(holes, restored, given)
        return filled

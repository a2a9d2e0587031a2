"""How GexImputer fills holes, once it has learnt how genes go together."""

import numpy as np
import torch

from .._training import RowReader, check_profiles
from ._tails import draw_tails

# Samples are filled so many values at a time, to bound the memory that takes.
_BLOCK_VALUES = 2**24


class FillInMixin:
    """Fill holes: by the mean of a gene, by the embedder, or below a limit."""

    def _filled(self, X):
        """Return samples with their holes filled, and the indicator.

        Nothing but what is returned is of the size of all samples, which may be on
        disk.
        """
        reader, genes = RowReader(X), self._kept
        output = np.empty((len(X), len(genes) + self._n_indicated), X.dtype)
        # Samples without holes need no restoring.
        rows = np.flatnonzero(self._copy_measured(reader, output))
        size = max(1, _BLOCK_VALUES // X.shape[1])
        # All samples of a call share what is drawn of the model.
        seed = self.random_state_.randint(2**31 - 1) if self.sample_posterior else None
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            filled = self._fill_block(
                reader.read(torch.from_numpy(block)).numpy(), seed
            )
            output[block, : len(genes)] = filled[:, genes]
        return output

    def _copy_measured(self, reader, output):
        """Copy what is returned as it is; return which samples have holes."""
        holes, start, genes = np.zeros(len(reader), bool), 0, self._kept
        for chunk in reader.chunks():
            check_profiles(chunk.float(), start, self._names(), allow_empty=True)
            rows, chunk = slice(start, start + len(chunk)), chunk.numpy()
            output[rows, : len(genes)] = chunk[:, genes]
            if self.add_indicator:
                output[rows, len(genes) :] = self.indicator_.transform(chunk)
            holes[rows] = np.isnan(chunk).any(axis=1)
            start = rows.stop
        return holes

    @property
    def _n_indicated(self):
        return len(self.indicator_.features_) if self.add_indicator else 0

    def _fill_block(self, X, model_seed):
        """Return samples with their holes filled."""
        missing, given = np.isnan(X), X
        filled = np.where(missing, self._fill, X).astype(X.dtype, copy=False)
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

"""How like the samples of fit others are, for GexImputer."""

import numpy as np
from sklearn.utils.validation import check_is_fitted


class ScoresMixin:
    """The score of the embedder, for an imputer that knows more genes than it."""

    def score_samples(self, X, *, as_quantile=False, return_z=False):
        """Return how like the samples of `fit` others are.

        See :meth:`GexBERT.score_samples`, of which this is the score, by the genes that
        vary.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles in the units of the training data.
        as_quantile : bool, default=False
            Whether to return the share of the samples held out that had a lower score.
        return_z : bool, default=False
            Whether to return the error of each measured gene as well, given all other
            measured genes of the sample, in standard deviations.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Higher is likelier.
        z : ndarray of shape (n_samples, n_genes)
            Only with `return_z`; NaN where a gene was not measured, or is constant.

        Raises
        ------
        ValueError
            If a sample has no measured gene that varies, or the embedder cannot score.
        """
        check_is_fitted(self)
        X = self._check(X, reset=False)
        if self.embedder_ is None:
            raise ValueError("No gene varied in fit: there is nothing to score by.")
        options = {"as_quantile": as_quantile, "return_z": return_z}
        found = self.embedder_.score_samples(self._varying(X), **options)
        if not return_z:
            return found
        z = np.full(X.shape, np.nan, dtype=np.float32)
        z[:, self._restored] = np.asarray(found[1])
        return found[0], z

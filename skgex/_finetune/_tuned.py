"""What every estimator with a tuned encoder can do once it is fitted."""

from typing import Any

import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._covariates import gene_names, take_genes
from .._inputs import check_genes
from .._persistence import SaveMixin
from .._training import apply_by_batches, resolve_device
from ..pretext._nested import NestedEmbedderMixin


class TunedEncoder(
    NestedEmbedderMixin,
    ClassNamePrefixFeaturesOutMixin,
    CallbackSupportMixin,
    SaveMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base class of estimators that hold `standardizer_`, `encoder_` and `head_`."""

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    standardizer_: Any
    encoder_: Any
    head_: Any
    linear_: Any
    covariates_: Any
    history_: Any

    def transform(self, X):
        """Embed profiles with the fine-tuned encoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles in the units of the training data.

        Returns
        -------
        embedding : ndarray of shape (n_samples, embedding_dim), dtype float32
            The embedding of each sample.
        """
        check_is_fitted(self)
        X = take_genes(self, check_genes(self, X, reset=False))
        return self._apply(X, self.standardizer_, self.encoder_)

    def _apply(self, X, *modules, dtype=torch.float32):
        """Apply modules in a row to checked input."""
        return apply_by_batches(
            nn.Sequential(*modules),
            X,
            resolve_device(self.device),
            gene_names(self),
            dtype,
        )

    def __sklearn_is_fitted__(self):
        # A fit that was interrupted has learnt the genes, but no head.
        return hasattr(self, "head_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

"""What every estimator with a tuned encoder can do once it is fitted."""

from typing import Any

import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._covariates import gene_names, take_genes
from .._inputs import check_genes
from .._persistence import SaveMixin
from .._training import apply_by_batches, resolve_device
from ..nn import GeneTransformer
from ..pretext._attention import AttentionReader
from ..pretext._nested import NestedEmbedderMixin


def _has_attention(estimator):
    """Raise AttributeError where no network over genes is, or will be, tuned."""
    encoder = getattr(estimator, "encoder_", None)
    if encoder is None:
        found = hasattr(estimator.embedder, "attention")
    else:
        found = isinstance(encoder, GeneTransformer)
    if not found:
        raise AttributeError(
            "attention is of a network whose tokens are genes: use the embedder "
            f"GexBERT, not {estimator.embedder!r}."
        )
    return True


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
        X = take_genes(self, check_genes(self, X, reset=False, lazy=True))
        return self._apply(X, self.standardizer_, self.encoder_)

    @available_if(_has_attention)
    def attention(self, X, *, rollout=False):
        """Return how much the fine-tuned encoder attends to each gene of each sample.

        As :meth:`GexBERT.attention`, and with the same reservations, of the encoder as
        it is after fine-tuning. Only where `embedder` is a :class:`GexBERT`, or has
        been one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles in the units of the training data; NaN where a gene was
            not measured.
        rollout : bool, default=False
            Whether attention is followed through all layers, rather than taken from
            the last one.

        Returns
        -------
        attention : ndarray of shape (n_samples, n_genes), dtype float32
            Averaged over heads and summary tokens: one is what an average gene gets.
            NaN where a gene was not measured. Covariates have no column.

        Raises
        ------
        AttributeError
            If the encoder is not one over genes, as those of SCARF, VIME and BYOL.
        """
        check_is_fitted(self)
        X = take_genes(self, check_genes(self, X, reset=False, lazy=True))
        reader = AttentionReader(self.standardizer_, self.encoder_, rollout)
        return self._apply(X, reader)

    def _apply(self, X, *modules, dtype=torch.float32):
        """Apply modules in a row to checked input."""
        return apply_by_batches(
            nn.Sequential(*modules),
            X,
            resolve_device(self.device),
            gene_names(self),
            dtype,
        )

    def _set(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)

    def __sklearn_is_fitted__(self):
        # A fit that was interrupted has learnt the genes, but no head.
        return hasattr(self, "head_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

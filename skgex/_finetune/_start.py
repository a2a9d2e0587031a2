"""Where fine-tuning gets its weights from."""

from copy import deepcopy

from sklearn.frozen import FrozenEstimator

from .._covariates import gene_names
from .._training import RowReader, check_all_profiles
from ..pretext._base import BaseEmbedder
from ..pretext._nested import fit_nested
from ._tuned import TunedEncoder


def pretrain(estimator, default, table, X, y, groups, seed, task):
    """Pretrain the embedder of a fine-tuned estimator, unless it is frozen.

    Parameters
    ----------
    estimator : BaseFineTuned
        The estimator being fitted.
    default : class
        What ``embedder=None`` stands for.
    table : array-like of shape (n_samples, n_genes)
        Its training data with the names of the genes, if they have any.
    X : ndarray of shape (n_samples, n_genes)
        The same as a checked array.
    y, groups : array-like of shape (n_samples,) or None
        For callbacks and for the validation split.
    seed : int
        Seed of an embedder that has none of its own.
    task : sklearn.callback.CallbackContext
        The task that pretraining is.

    Returns
    -------
    standardizer, encoder : torch.nn.Module
        Ours to modify.
    """
    frozen = isinstance(estimator.embedder, FrozenEstimator)
    embedder = fit_nested(
        estimator,
        table,
        default=default,
        y=y,
        groups=groups,
        seed=seed,
        task=task,
        # An encoder may have been tuned for something else before.
        kind=(BaseEmbedder, TunedEncoder) if frozen else BaseEmbedder,
    )
    if frozen:
        return copy_weights(embedder, estimator, X)
    return embedder.standardizer_, embedder.encoder_


def copy_weights(fitted, estimator, X):
    """Return copies of the standardizer and the encoder of a fitted estimator.

    Weights pretrained elsewhere are never modified, nor are those of the last fit
    should the next one be interrupted. As no pretraining reads `X`, its values are
    checked here.
    """
    check_all_profiles(RowReader(X), gene_names(estimator))
    return deepcopy((fitted.standardizer_, fitted.encoder_))

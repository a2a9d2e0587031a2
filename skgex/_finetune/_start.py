"""Where fine-tuning gets its weights from."""

from copy import deepcopy

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._training import RowReader, check_all_profiles
from ..pretext import SCARF
from ..pretext._base import BaseEmbedder


def pretrain(estimator, table, X, y, groups, seed, task):
    """Pretrain the embedder of a fine-tuned estimator, unless it is frozen.

    Parameters
    ----------
    estimator : BaseFineTuned
        The estimator being fitted.
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
    if isinstance(estimator.embedder, FrozenEstimator):
        embedder = estimator.embedder.estimator
        _check_frozen(embedder, estimator)
        task.call_on_fit_task_begin(estimator=estimator, X=table, y=y)
        task.call_on_fit_task_end(estimator=estimator, X=table, y=y)
        return copy_weights(embedder, estimator, X)
    embedder = SCARF() if estimator.embedder is None else clone(estimator.embedder)
    _check_embedder(embedder)
    if embedder.random_state is None:
        embedder.set_params(random_state=seed)
    with task.propagate_callback_context(embedder):
        task.call_on_fit_task_begin(estimator=estimator, X=table, y=y)
        embedder.fit(table, groups=groups)
        task.call_on_fit_task_end(estimator=estimator, X=table, y=y)
    return embedder.standardizer_, embedder.encoder_


def copy_weights(fitted, estimator, X):
    """Return copies of the standardizer and the encoder of a fitted estimator.

    Weights pretrained elsewhere are never modified, nor are those of the last fit
    should the next one be interrupted. As no pretraining reads `X`, its values are
    checked here.
    """
    check_all_profiles(RowReader(X), getattr(estimator, "feature_names_in_", None))
    return deepcopy((fitted.standardizer_, fitted.encoder_))


def _check_embedder(embedder):
    if not isinstance(embedder, BaseEmbedder):
        raise ValueError(
            f"embedder={embedder!r} is not an embedder of this package; give one such "
            "as SCARF(), or FrozenEstimator(embedder) around one that was fitted."
        )


def _check_frozen(embedder, estimator):
    _check_embedder(embedder)
    check_is_fitted(embedder)
    n_genes = embedder.n_features_in_
    if n_genes != estimator.n_features_in_:
        raise ValueError(
            f"embedder was pretrained on {n_genes} genes, but X has "
            f"{estimator.n_features_in_}. Bring X to its genes first, for example by "
            "X.reindex(columns=embedder.feature_names_in_): absent genes become "
            "NaN, which means not measured."
        )
    names = getattr(embedder, "feature_names_in_", None)
    own = getattr(estimator, "feature_names_in_", None)
    if names is not None and own is not None and (names != own).any():
        place = np.flatnonzero(names != own)[0]
        raise ValueError(
            f"embedder was pretrained with gene {str(names[place])!r} in column "
            f"{place}, where X has {str(own[place])!r}. Bring X to its genes first "
            "by X.reindex(columns=embedder.feature_names_in_)."
        )

"""Embedders inside other estimators: pretrained elsewhere, or fitted along."""

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._covariates import count_genes, gene_names
from .._plausible import looked_at
from ._base import BaseEmbedder


class NestedEmbedderMixin:
    """Say what to write where parameters of an embedder are set that is None.

    Put before scikit-learn's `BaseEstimator`, by estimators with the parameter
    `embedder`.
    """

    _embedder_example = "SCARF"

    def set_params(self, **params):
        """Set the parameters of this estimator, and of its embedder.

        Parameters
        ----------
        **params : dict
            Parameters; those of the embedder by ``embedder__<name>``.

        Returns
        -------
        self : object
            This estimator.

        Raises
        ------
        ValueError
            If a parameter is unknown, or one of an embedder that is None.
        """
        nested = next((name for name in params if name.startswith("embedder__")), None)
        if nested and params.get("embedder", self.embedder) is None:
            name = type(self).__name__
            raise ValueError(
                f"{nested!r} cannot be set, as `embedder` of this {name} is None. "
                f"Write {name}({self._embedder_example}()), or another embedder, so "
                "that there is one with parameters to set or to search."
            )
        return super().set_params(**params)


def fit_nested(
    estimator,
    table,
    *,
    default,
    y=None,
    groups=None,
    seed,
    task,
    kind=BaseEmbedder,
    match_genes=True,
):
    """Return the embedder of an estimator: fitted on `table`, or pretrained.

    Parameters
    ----------
    estimator : estimator
        Has the parameter `embedder`, and the genes of its training data.
    table : array-like of shape (n_samples, n_genes)
        Training data with the names of the genes, if they have any.
    default : class
        What ``embedder=None`` stands for.
    y, groups : array-like of shape (n_samples,), default=None
        For callbacks and for the validation split.
    seed : int
        Seed of an embedder that has none of its own.
    task : sklearn.callback.CallbackContext
        The task that pretraining is.
    kind : class or tuple of class, default=BaseEmbedder
        What the embedder must be an instance of.
    match_genes : bool, default=True
        Whether a pretrained embedder must have the genes of the estimator.

    Returns
    -------
    embedder : estimator
        Ours if fitted here. One in a `FrozenEstimator` is not ours to modify.
    """
    if isinstance(estimator.embedder, FrozenEstimator):
        embedder = estimator.embedder.estimator
        check_kind(embedder, kind)
        check_is_fitted(embedder)
        if match_genes:
            check_same_genes(embedder, estimator)
        task.call_on_fit_task_begin(estimator=estimator, X=table, y=y)
        task.call_on_fit_task_end(estimator=estimator, X=table, y=y)
        return embedder
    embedder = default() if estimator.embedder is None else clone(estimator.embedder)
    check_kind(embedder, kind)
    if embedder.random_state is None:
        embedder.set_params(random_state=seed)
    with task.propagate_callback_context(embedder):
        task.call_on_fit_task_begin(estimator=estimator, X=table, y=y)
        with looked_at():
            embedder.fit(table, groups=groups)
        task.call_on_fit_task_end(estimator=estimator, X=table, y=y)
    return embedder


def check_kind(embedder, kind):
    """Refuse what is not an embedder, or not one that does what is needed."""
    if isinstance(embedder, kind):
        return
    needed, example = "an embedder of this package", "SCARF"
    if isinstance(kind, type) and kind is not BaseEmbedder:
        needed, example = f"a {kind.__name__}, which can restore genes", kind.__name__
    raise ValueError(
        f"embedder={embedder!r} is not {needed}; give one such as {example}(), or "
        "FrozenEstimator(embedder) around one that was fitted."
    )


def check_same_genes(embedder, estimator):
    """Refuse a fitted embedder whose genes are not those of an estimator."""
    n_genes, n_own = count_genes(embedder), count_genes(estimator)
    if n_genes != n_own:
        raise ValueError(
            f"embedder was pretrained on {n_genes} genes, but X has {n_own}"
            f"{_beside(estimator)}. Bring X to its genes first, by "
            "GeneAligner(embedder) or X.reindex(columns=embedder.feature_names_in_): "
            "absent genes become NaN, which means not measured."
        )
    names, own = gene_names(embedder), gene_names(estimator)
    if names is not None and own is not None and (names != own).any():
        place = np.flatnonzero(names != own)[0]
        raise ValueError(
            f"embedder was pretrained with gene {str(names[place])!r} in column "
            f"{place}, where X has {str(own[place])!r}. Bring X to its genes first, by "
            "GeneAligner(embedder) or X.reindex(columns=embedder.feature_names_in_)."
        )


def _beside(estimator):
    n_covariates = estimator.n_features_in_ - count_genes(estimator)
    return f" beside {n_covariates} covariate(s)" if n_covariates else ""

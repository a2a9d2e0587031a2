"""GeneRestorer: a partial gene panel in, the panel plus restored genes out."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from ._inputs import check_genes
from ._persistence import SaveMixin
from ._plausible import warn_of_table
from ._training import FitTasks, RowReader, check_all_profiles
from .pretext import GexBERT
from .pretext._nested import NestedEmbedderMixin, fit_nested

# As many as a device restores at a time.
_BLOCK_ROWS = 1024


class GeneRestorer(
    NestedEmbedderMixin,
    CallbackSupportMixin,
    SaveMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Add to a gene panel the genes that it lacks, as a pretrained embedder sees them.

    Columns are matched with the genes of the embedder by name. Those of the panel are
    kept as they are, but for their missing values, which are restored; genes that the
    panel has no column for are appended, in the units of the embedder's training data.
    Prognostic anchor genes are restored this way for survival models in [1]_.

    Parameters
    ----------
    embedder : GexBERT, FrozenEstimator or None, default=None
        What restores. ``FrozenEstimator(embedder)`` uses pretrained weights as they
        are. ``GexBERT(start=FrozenEstimator(embedder))`` is fitted to the panel
        itself, and restores what its start knows as well; without a start it can
        restore only missing values. None stands for ``GexBERT()``.
    genes : array-like of str or None, default=None
        Which genes to append; those that are in the panel already are not appended
        again. None appends all genes of the embedder.
    min_shared_genes : int, default=8
        A panel that shares fewer genes with the embedder is refused, unless these are
        all the genes that the embedder has.
    random_state : int, RandomState instance or None, default=None
        Seed of an embedder that is fitted here and has none of its own.

    Attributes
    ----------
    embedder_ : GexBERT
        The fitted embedder.
    genes_ : ndarray of str
        The appended genes.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if `X` had any.

    See Also
    --------
    GexBERT : Its method `restore` also returns a standard deviation.
    GexImputer : Fills in missing values only, as a drop-in imputer.

    References
    ----------
    .. [1] Jiang S., Hassanpour S. "Transformer-based representation learning for
       robust gene expression modeling and cancer prognosis", Scientific Reports 15,
       37581, 2025. :doi:`10.1038/s41598-025-14949-2`

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.frozen import FrozenEstimator
    >>> from skgex import GeneRestorer, GexBERT
    >>> from skgex.datasets import make_expression
    >>> X = make_expression(n_samples=100, n_genes=20, random_state=0)
    >>> X = pd.DataFrame(X, columns=[f"GENE{i}" for i in range(20)])
    >>> embedder = GexBERT(max_epochs=2, random_state=0).fit(X[:80])
    >>> panel = X.loc[80:, [f"GENE{i}" for i in range(12)]]
    >>> restorer = GeneRestorer(FrozenEstimator(embedder), genes=["GENE15", "GENE3"])
    >>> restorer.set_output(transform="pandas").fit_transform(panel).shape
    (20, 13)
    """

    _embedder_example = "GexBERT"

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    embedder_: Any

    _parameter_constraints: dict = {
        "embedder": [HasMethods(["fit", "transform"]), None],
        "genes": ["array-like", None],
        "min_shared_genes": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self, embedder=None, genes=None, *, min_shared_genes=8, random_state=None
    ):
        self.embedder = embedder
        self.genes = genes
        self.min_shared_genes = min_shared_genes
        self.random_state = random_state

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, groups=None):
        """Match the columns of a panel with the genes of the embedder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            A panel, with the names of the genes; an array is taken for all genes of
            the embedder in their order.
        y : None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Passed to the embedder if it is fitted here.

        Returns
        -------
        self : object
            The fitted restorer.
        """
        table, X = X, check_genes(self, X, reset=True, lazy=True)
        warn_of_table(self, table, X)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        tasks = FitTasks(self, table, y, max_subtasks=1)
        embedder = fit_nested(
            self,
            table,
            default=GexBERT,
            groups=groups,
            seed=seed,
            task=tasks.step("pretrain"),
            kind=GexBERT,
            match_genes=False,
        )
        self._match(embedder)
        self.embedder_ = embedder
        tasks.end({})
        return self

    def transform(self, X):
        """Append the restored genes to a panel.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns)
            A panel with the columns of `fit`.

        Returns
        -------
        X_restored : ndarray of shape (n_samples, n_columns + n_appended)
            The columns of `X`, without missing values in those that the embedder
            knows, then the restored genes. Of the dtype of `X`.
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        names = getattr(self, "feature_names_in_", None)
        reader, start = RowReader(X), 0
        check_all_profiles(reader, names)
        output = np.empty((len(X), X.shape[1] + len(self._appended)), X.dtype)
        # What is restored of a sample does not depend on others in the block.
        for chunk in reader.chunks(_BLOCK_ROWS):
            self._restore_block(chunk.numpy(), output[start : start + len(chunk)])
            start += len(chunk)
        return output

    def _restore_block(self, X, output):
        """Write some samples, and what is restored of them, into the output."""
        n_genes, shared = self.embedder_.n_features_in_, X[:, self._shared]
        profiles = np.full((len(X), n_genes), np.nan, dtype=np.float32)
        profiles[:, self._places] = shared
        wanted = np.concatenate([self._places, self._appended])
        restored = self.embedder_._restore(profiles, wanted)
        own, appended = np.split(restored, [len(self._shared)], axis=1)
        output[:, : X.shape[1]] = X
        output[:, self._shared] = np.where(np.isnan(shared), own, shared)
        output[:, X.shape[1] :] = appended

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns, if `fit` was given none.

        Returns
        -------
        feature_names_out : ndarray of str
            Names of the columns, then of the restored genes.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        return np.concatenate([names, self.genes_.astype(object)])

    def _match(self, embedder):
        """Find the columns of the panel, and the genes to append, in the embedder."""
        own = getattr(self, "feature_names_in_", None)
        known = getattr(embedder, "feature_names_in_", None)
        if own is None or known is None:
            self._match_by_position(embedder, own, known)
            return
        place = {name: i for i, name in enumerate(known)}
        self._shared = np.flatnonzero([name in place for name in own])
        self._places = np.array([place[own[i]] for i in self._shared], dtype=int)
        needed = min(self.min_shared_genes, len(known))
        if len(self._shared) < needed:
            raise ValueError(
                f"X shares {len(self._shared)} of its {len(own)} columns with the "
                f"{len(known)} genes of the embedder, and min_shared_genes={needed} "
                f"are needed. X has {_some(own)}, the embedder {_some(known)}: bring "
                "the names of X to those of the embedder, or lower min_shared_genes."
            )
        # An embedder with a start restores genes as well that it was not given.
        names = embedder.restorable_genes_
        place = {name: i for i, name in enumerate(names)}
        wanted = names if self.genes is None else np.asarray(self.genes, dtype=object)
        unknown = [name for name in wanted if name not in place]
        if unknown:
            raise ValueError(
                f"genes has {len(unknown)} that the embedder does not know, the first "
                f"being {str(unknown[0])!r}; only genes that it was trained with can "
                f"be restored, such as {_some(known)}."
            )
        present = set(own)
        wanted = [n for n in dict.fromkeys(wanted) if n not in present]
        self.genes_ = np.array(wanted, dtype=object)
        self._appended = np.array([place[n] for n in wanted], dtype=int)

    def _match_by_position(self, embedder, own, known):
        n_genes = embedder.n_features_in_
        if self.n_features_in_ != n_genes or self.genes is not None:
            side = "X" if own is None else "the embedder"
            raise ValueError(
                f"{side} has no names of genes, so that X can only have all {n_genes} "
                f"genes of the embedder in their order, with genes=None; it has "
                f"{self.n_features_in_} columns. Give tables with the names of genes "
                "as columns, here and to the embedder."
            )
        self._shared = self._places = np.arange(n_genes)
        self.genes_ = np.array([], dtype=object)
        self._appended = np.array([], dtype=int)

    def __sklearn_is_fitted__(self):
        # A fit that was interrupted has learnt the columns, but no embedder.
        return hasattr(self, "embedder_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _some(names):
    """Name the first few genes for a message."""
    return ", ".join(repr(str(name)) for name in names[:3])

"""GexImputer: fill in what was not measured."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils._param_validation import HasMethods, MissingValues, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._inputs import check_genes, on_disk
from .._mapped_table import MappedTable
from .._persistence import SaveMixin
from .._plausible import warn_of_table
from .._training import (
    FitTasks,
    RowReader,
    gene_moments,
    is_constant,
)
from ..pretext import GexBERT
from ..pretext._nested import NestedEmbedderMixin, fit_nested
from ._fill_in import FillInMixin
from ._low_values import LowValuesMixin
from ._scores import ScoresMixin


class GexImputer(
    ScoresMixin,
    FillInMixin,
    LowValuesMixin,
    NestedEmbedderMixin,
    CallbackSupportMixin,
    SaveMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Fill in missing expression values from all measured genes of a sample.

    A drop-in for the imputers of scikit-learn. A :class:`GexBERT`, fitted in `fit` or
    pretrained elsewhere, restores what is missing; measured values are returned bit
    for bit. New samples may lack any genes, also some that were complete in `fit`.

    Parameters
    ----------
    embedder : GexBERT, FrozenEstimator or None, default=None
        What restores. ``FrozenEstimator(embedder)`` uses pretrained weights as they
        are; anything else is cloned and fitted on `X`. None stands for ``GexBERT()``.
    missing_values : int, float, pandas.NA or nan, default=nan
        What marks a missing value.
    sample_posterior : bool, default=False
        Whether to draw from the predictive distribution of the missing values, jointly,
        rather than to return its mean. What is learnt is drawn as well, once for each
        call of `transform`, so that errors of samples go together as they do. Several
        calls make multiple imputation [1]_.
    censored : {"left"}, array-like of shape (n_genes,), dict or None, default=None
        What is known of missing values. None for nothing. "left" takes each as being
        below the lowest measured value of its gene in `fit`, as where a value was not
        detected (proteomics, qPCR, panels); limits can be given for each gene, NaN for
        none, or by name for some genes. How deep below it values lie is learnt in `fit`
        from the lowest measured ones: those of a quarter of the genes are hidden, and
        compared with what is filled in. Values missing for other reasons come out far
        too low.
    add_indicator : bool, default=False
        Whether to append a :class:`~sklearn.impute.MissingIndicator`.
    keep_empty_features : bool, default=False
        Whether genes without any value in `fit` are kept, as zeros. They are dropped
        otherwise. A pretrained embedder restores them, so that they are kept.
    random_state : int, RandomState instance or None, default=None
        Seed of an embedder that has none of its own, and of `sample_posterior`.

    Attributes
    ----------
    embedder_ : GexBERT or None
        The fitted embedder, for the genes that vary; None if none does.
    statistics_ : ndarray of shape (`n_features_in_`,)
        Mean of each gene over the samples of `fit`; NaN where there is none. Constant
        genes, and samples without any measured gene, are filled by it.
    limits_ : ndarray of shape (`n_features_in_`,)
        Limit below which missing values of a gene are, NaN for genes without one. Only
        with `censored`.
    indicator_ : MissingIndicator
        Only with `add_indicator`.
    random_state_ : RandomState instance
        What `sample_posterior` draws from.
    n_features_in_ : int
        Number of genes seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the genes, if `X` had any.

    See Also
    --------
    GexBERT : Restores with a standard deviation, and embeds.
    GeneRestorer : Adds genes that a panel has no column for.

    Notes
    -----
    Give expression on a logarithmic scale. Squared errors in standard deviations of
    the gene are what is minimised, and they mean little on a scale where a few high
    values rule.

    References
    ----------
    .. [1] Little R. J. A., Rubin D. B. "Statistical analysis with missing data",
       3rd edition, Wiley, 2019. :doi:`10.1002/9781119482260`

    Examples
    --------
    >>> from skgex import GexBERT, GexImputer
    >>> from skgex.datasets import make_expression
    >>> X = make_expression(n_samples=60, n_genes=20, missing_rate=0.2, random_state=0)
    >>> imputer = GexImputer(GexBERT(max_epochs=2), random_state=0)
    >>> int(np.isnan(imputer.fit_transform(X)).sum())
    0
    """

    _embedder_example = "GexBERT"

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    embedder_: Any

    _parameter_constraints: dict = {
        "embedder": [HasMethods(["fit", "transform"]), None],
        "missing_values": [MissingValues()],
        "sample_posterior": ["boolean"],
        "censored": [StrOptions({"left"}), "array-like", dict, None],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        embedder=None,
        *,
        missing_values: Any = np.nan,
        sample_posterior=False,
        censored=None,
        add_indicator=False,
        keep_empty_features=False,
        random_state=None,
    ):
        self.embedder = embedder
        self.missing_values = missing_values
        self.sample_posterior = sample_posterior
        self.censored = censored
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.random_state = random_state

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, groups=None):
        """Learn how genes go together.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles with missing values.
        y : None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group, such as a patient, are kept on one side of the
            internal validation split of the embedder.

        Returns
        -------
        self : object
            The fitted imputer.
        """
        table, measured = X, self._check(X, reset=True)
        check_consistent_length(measured, groups)
        self.random_state_ = check_random_state(self.random_state)
        warn_of_table(self, table, measured)
        self._learn_genes(measured)
        if self.censored is not None:
            # In row order, as sums over columns are rounded by the order.
            measured = np.ascontiguousarray(measured)
            self._learn_limits(measured, np.isnan(measured))
        tasks = FitTasks(self, table, y, max_subtasks=1)
        self.embedder_ = self._fit_embedder(measured, groups, tasks.step("restore"))
        tasks.end({})
        return self

    def transform(self, X):
        """Fill in missing values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles in the units of the training data.

        Returns
        -------
        X_imputed : ndarray of shape (n_samples, n_features_out), float32 or float64
            Without the genes that had no value in `fit`, unless they are kept; with
            the indicator, if there is one.
        """
        check_is_fitted(self)
        return self._filled(self._check(X, reset=False))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the genes, if `fit` was given none.

        Returns
        -------
        feature_names_out : ndarray of str
            Names of the genes, then of the indicator.
        """
        check_is_fitted(self)
        input_features = _check_feature_names_in(self, input_features)
        names = input_features[self._kept]
        if self.add_indicator:
            added = self.indicator_.get_feature_names_out(input_features)
            names = np.concatenate([names, added])
        return names

    @property
    def _marks_nan(self):
        mark = self.missing_values
        return is_scalar_nan(mark) or is_pandas_na(mark)

    def _names(self):
        return getattr(self, "feature_names_in_", None)

    def _check(self, X, reset):
        """Return X as an array, or on disk, in which missing values are NaN."""
        # As scikit-learn does it: integers become float64, which holds them exactly.
        dtypes = [np.float64, np.float32]
        X = check_genes(self, X, reset=reset, dtype=dtypes, lazy=self._marks_nan)
        if self._marks_nan:
            return X
        if np.isnan(X).any():
            raise ValueError(
                "Input X contains NaN, but missing values are marked by missing_values="
                f"{self.missing_values!r}; use missing_values=np.nan, or replace NaN "
                "by that mark."
            )
        with np.errstate(over="ignore"):  # a mark that no value can be
            return np.where(X == self.missing_values, np.nan, X)

    def _learn_genes(self, measured):
        """Learn which genes there are, which of them vary, and their means."""
        mean, std, count = gene_moments(
            RowReader(measured), self._names(), allow_empty=True
        )
        self.statistics_ = mean
        if self.add_indicator:
            # All that it asks is in which genes something is missing.
            holes = np.where(count < len(measured), np.nan, 0.0)[None]
            self.indicator_ = MissingIndicator(error_on_new=False).fit(holes)
        # A sample without any measured gene, and a constant gene, get the mean.
        self._fill = np.nan_to_num(mean, nan=0.0)
        # A pretrained embedder also restores genes that these samples lack.
        frozen = isinstance(self.embedder, FrozenEstimator)
        self._kept = np.flatnonzero((count > 0) | self.keep_empty_features | frozen)
        varies = (count > 0) & ~is_constant(mean, std)
        self._restored = np.flatnonzero(varies | frozen)

    def _fit_embedder(self, measured, groups, task):
        """Return the fitted embedder, or None if no gene varies."""
        if not len(self._restored):
            return None
        seed = self.random_state_.randint(2**31 - 1)
        frozen = isinstance(self.embedder, FrozenEstimator)
        missing = None if self.censored is None else np.isnan(measured)
        if missing is not None:
            measured = self._guess(measured, missing)
            if not frozen:
                measured = self._refine(
                    measured, missing, self._prior(seed), groups=groups, seed=seed
                )
        table, rows = self._table(measured)
        embedder = fit_nested(
            self,
            table,
            default=GexBERT,
            groups=None if groups is None else np.asarray(groups)[rows],
            seed=seed,
            task=task,
            kind=GexBERT,
        )
        if missing is not None and frozen:
            self._refine(measured, missing, embedder, seed=seed)
        return embedder

    def _table(self, measured):
        """Return samples with genes that vary, and which samples those are."""
        rows = np.flatnonzero(self._have_measured(measured))
        measured = on_disk(measured, self._names())
        if len(rows) < len(measured):
            measured = measured[rows]
        return self._varying(measured), rows

    def _have_measured(self, X):
        """Return which samples have a measured gene that varies."""
        genes, some = self._restored, []
        for chunk in RowReader(X).chunks():
            some.append(~np.isnan(chunk.numpy()[:, genes]).all(axis=1))
        return np.concatenate(some)

    def _varying(self, X):
        """Return the genes that vary, with their names if there are any."""
        genes = self._restored
        if isinstance(X, MappedTable):
            return X if len(genes) == X.shape[1] else X._of_genes(genes)
        X = X if len(genes) == X.shape[1] else X[:, genes]
        if self._names() is None:
            return X
        return pd.DataFrame(X, columns=self._names()[genes], copy=False)

    def __sklearn_is_fitted__(self):
        # A fit that was interrupted has learnt the genes, but no embedder.
        return hasattr(self, "embedder_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._marks_nan
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

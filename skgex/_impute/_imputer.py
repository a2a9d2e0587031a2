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

from .._inputs import check_genes
from .._persistence import SaveMixin
from .._plausible import warn_of_table
from .._training import RowReader, check_all_profiles, gene_moments, is_constant
from ..pretext import GexBERT
from ..pretext._nested import NestedEmbedderMixin, fit_nested
from ._censored import limits_of, marginal_fill
from ._low_values import LowValuesMixin
from ._tails import draw_tails, spreads

# Samples are filled so many values at a time, to bound the memory that takes.
_BLOCK_VALUES = 2**24


class GexImputer(
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
        table, (X, missing) = X, self._check(X, reset=True)
        check_consistent_length(X, groups)
        self.random_state_ = check_random_state(self.random_state)
        measured = X if self._marks_nan else np.where(missing, np.nan, X)
        warn_of_table(self, table, measured)
        if self.add_indicator:
            self.indicator_ = MissingIndicator(error_on_new=False).fit(measured)
        self._learn_genes(measured)
        if self.censored is not None:
            self.limits_ = limits_of(self.censored, measured, self._names())
            low = missing & ~np.isnan(self.limits_)
            self._low_fill, self._depth = marginal_fill(measured, low, self.limits_)
            self._spread, self._lost = spreads(measured), low.mean(axis=0)
            self._curves = None
        context = self._init_callback_context(max_subtasks=1)
        context.call_on_fit_task_begin(estimator=self, X=table, y=y)
        task = context.subcontext("restore")
        self.embedder_ = self._fit_embedder(measured, groups, task)
        context.call_on_fit_task_end(
            estimator=self, X=table, y=y, reconstruction_attributes={}
        )
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
        X, missing = self._check(X, reset=False)
        check_all_profiles(RowReader(X), self._names(), allow_empty=True)
        imputed = X.copy()
        # Samples without holes need no restoring.
        rows = np.flatnonzero(missing.any(axis=1))
        size = max(1, _BLOCK_VALUES // X.shape[1])
        # All samples of a call share what is drawn of the model.
        seed = self.random_state_.randint(2**31 - 1) if self.sample_posterior else None
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            imputed[block] = self._fill_in(X[block], missing[block], seed)
        imputed = imputed[:, self._kept]
        if not self.add_indicator:
            return imputed
        holes = np.where(missing, np.nan, X)
        return np.hstack([imputed, self.indicator_.transform(holes)])

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
        X, missing = self._check(X, reset=False)
        if self.embedder_ is None:
            raise ValueError("No gene varied in fit: there is nothing to score by.")
        measured = np.where(missing, np.nan, X)[:, self._restored]
        options = {"as_quantile": as_quantile, "return_z": return_z}
        if self._names() is not None:
            names = self._names()[self._restored]
            measured = pd.DataFrame(measured, columns=names, copy=False)
        found = self.embedder_.score_samples(measured, **options)
        if not return_z:
            return found
        z = np.full(X.shape, np.nan, dtype=np.float32)
        z[:, self._restored] = np.asarray(found[1])
        return found[0], z

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
        """Return X, and where it has missing values."""
        # As scikit-learn does it: integers become float64, which holds them exactly.
        X = check_genes(self, X, reset=reset, dtype=[np.float64, np.float32])
        missing = np.isnan(X)
        if self._marks_nan:
            return X, missing
        if missing.any():
            raise ValueError(
                "Input X contains NaN, but missing values are marked by missing_values="
                f"{self.missing_values!r}; use missing_values=np.nan, or replace NaN "
                "by that mark."
            )
        with np.errstate(over="ignore"):  # a mark that no value can be
            return X, X == self.missing_values

    def _learn_genes(self, measured):
        """Learn which genes there are, which of them vary, and their means."""
        mean, std, count = gene_moments(
            RowReader(measured), self._names(), allow_empty=True
        )
        self.statistics_ = mean
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
        missing = np.isnan(measured)
        if self.censored is not None:
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
        if self.censored is not None and frozen:
            self._refine(measured, missing, embedder, seed=seed)
        return embedder

    def _table(self, measured):
        """Return samples with genes that vary, and which samples those are."""
        genes = self._restored
        rows = np.flatnonzero(~np.isnan(measured[:, genes]).all(axis=1))
        if len(rows) < len(measured) or len(genes) < measured.shape[1]:
            measured = measured[np.ix_(rows, genes)]
        if self._names() is not None:
            measured = pd.DataFrame(measured, columns=self._names()[genes], copy=False)
        return measured, rows

    def _fill_in(self, X, missing, model_seed):
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

    def __sklearn_is_fitted__(self):
        # A fit that was interrupted has learnt the genes, but no embedder.
        return hasattr(self, "embedder_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._marks_nan
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

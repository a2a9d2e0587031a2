"""UnivariateCoxSelector: the genes that are most prognostic on their own."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control, norm
from sklearn.base import BaseEstimator, _fit_context
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._covariates import (
    CONSTRAINT,
    find_covariates,
    gene_names,
    take_covariates,
    take_genes,
)
from .._follow_up import check_survival, is_plain
from .._inputs import check_genes, check_weights
from .._training import RowReader, check_all_profiles, gene_ranges
from .._warn import warn_caller
from ._adjusted_test import adjusted_score_test
from ._score_test import cox_score_test
from ._strata import check_strata


class UnivariateCoxSelector(SelectorMixin, BaseEstimator):
    r"""Keep the genes that are most prognostic on their own.

    Each gene is tested by the score test of a Cox model [1]_ that has no other gene,
    and the `k` genes with the largest absolute z are kept: in a pipeline, those of the
    training samples only. All genes are tested at once, 20,000 of them in 1,000
    samples within a second.

    Parameters
    ----------
    k : int or "all", default=100
        How many genes to keep. Of equal genes the first is kept.
    alpha : float or None, default=None
        Keep only those of the `k` genes whose p-value, adjusted by Benjamini and
        Hochberg [3]_ over all genes, is at most this: the false discovery rate. There
        may be none. None keeps the `k` genes whatever their p-value.
    adjust : str, int, slice, list, callable or None, default=None
        Clinical columns of `X` beside the genes, such as age: by name, by position, by
        a mask, or by a function of `X` such as ``make_column_selector(...)``. Genes are
        then tested for what they say beside these covariates, which are not tested
        themselves, are kept, and do not count for `k`.
    ties : {"efron", "breslow"}, default="efron"
        What is done about events at the same time. Efron's method [2]_ is the more
        exact one.

    Attributes
    ----------
    scores_ : ndarray of shape (`n_features_in_`,)
        z of each gene, standard normal without an effect. Positive where higher
        expression goes with higher risk; zero for a gene without variation. NaN for
        covariates.
    pvalues_ : ndarray of shape (`n_features_in_`,)
        Two-sided p-values.
    pvalues_adjusted_ : ndarray of shape (`n_features_in_`,)
        p-values adjusted by Benjamini and Hochberg.
    covariates_ : ndarray of shape (n_covariates,)
        Positions of the covariates among the columns of `X`.
    n_features_in_ : int
        Number of columns seen in `fit`, genes and covariates.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if `X` had any.

    See Also
    --------
    GeneRestorer : Appends restored genes to a panel, among which to select.
    EventStratifiedKFold : Folds that share the events evenly.

    Notes
    -----
    With weights :math:`w_i` and the samples :math:`R_t` at risk at an event time
    :math:`t`, the score of a gene is the sum over events of :math:`w_i (x_i -
    \bar{x}_{R_t})`, its information the sum of :math:`w_i` times the variance of the
    gene in :math:`R_t`, and z the score over the root of the information. Tied events
    leave the risk set by parts with Efron's method, and have their mean weight, as in
    R's `survival`.

    With covariates :math:`c`, both are at the hazards of a Cox model of these alone,
    and the information is :math:`I_{gg} - I_{gc} I_{cc}^{-1} I_{cg}`, what covariates
    leave of it.

    A sample in which a gene was not measured (NaN) is left out of the test of this
    gene. The values are passed on as they are, missing ones included.

    Times may be zero here, since only their order counts.

    References
    ----------
    .. [1] Cox D.R. "Regression models and life-tables", Journal of the Royal
       Statistical Society B 34(2), 187-220, 1972.
       :doi:`10.1111/j.2517-6161.1972.tb00899.x`
    .. [2] Efron B. "The efficiency of Cox's likelihood function for censored data",
       Journal of the American Statistical Association 72(359), 557-565, 1977.
       :doi:`10.1080/01621459.1977.10480613`
    .. [3] Benjamini Y., Hochberg Y. "Controlling the false discovery rate: a practical
       and powerful approach to multiple testing", Journal of the Royal Statistical
       Society B 57(1), 289-300, 1995. :doi:`10.1111/j.2517-6161.1995.tb02031.x`

    Examples
    --------
    >>> from skgex import UnivariateCoxSelector
    >>> from skgex.datasets import load_breast_nki
    >>> X, y = load_breast_nki(return_X_y=True, as_frame=True)
    >>> followed_up = y["time"].notna()
    >>> X, y = X[followed_up], y[followed_up]
    >>> selector = UnivariateCoxSelector(k=5).fit(X, y)
    >>> selector.get_feature_names_out()
    array(['AZIN1', 'DTL', 'DTYMK', 'RAD21', 'RCE1'], dtype=object)
    >>> selector.set_output(transform="pandas").transform(X).shape
    (146, 5)
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    n_features_in_: int
    feature_names_in_: Any
    scores_: Any
    pvalues_: Any
    pvalues_adjusted_: Any

    _parameter_constraints: dict = {
        "k": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"})],
        "alpha": [Interval(Real, 0, 1, closed="both"), None],
        "adjust": CONSTRAINT,
        "ties": [StrOptions({"efron", "breslow"})],
    }

    def __init__(self, k: int | str = 100, *, alpha=None, adjust=None, ties="efron"):
        self.k = k
        self.alpha = alpha
        self.adjust = adjust
        self.ties = ties

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, strata=None, sample_weight=None):
        """Test each gene.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured.
        y : structured array of shape (n_samples,)
            Survival: an event (bool), then a time, as made by scikit-survival's
            `Surv`; or a table with these columns. A plain array stands for times that
            all end with the event. Times are above zero.
        strata : array-like of shape (n_samples,), default=None
            Labels, such as cohorts. Samples are compared within strata only.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        self : object
            The fitted selector.
        """
        self.covariates_ = find_covariates(self.adjust, X)
        X = check_genes(self, X, reset=True, ensure_min_samples=2, lazy=True)
        X, C = take_genes(self, X), take_covariates(self, X)
        event, time = check_survival(y, self, allow_zero=is_plain(y))
        check_consistent_length(X, time)
        weight = _check_weight(sample_weight, X, event)
        check_all_profiles(RowReader(X), gene_names(self))
        if self.k != "all" and self.k > X.shape[1]:
            warn_caller(
                f"k={self.k} is more than the {X.shape[1]} genes in X: all are kept, "
                "unless alpha excludes some."
            )
        scores = self._test(X, C, event, time, strata, weight)
        if not scores.any():
            raise ValueError(_why_no_score(X))
        pvalues = 2 * norm.sf(np.abs(scores))
        self.scores_ = self._of_all_columns(scores)
        self.pvalues_ = self._of_all_columns(pvalues)
        self.pvalues_adjusted_ = self._of_all_columns(false_discovery_control(pvalues))
        return self

    def _of_all_columns(self, values):
        """Return values of the genes in their columns; NaN in those of covariates."""
        genes = np.delete(np.arange(self.n_features_in_), self.covariates_)
        of_all = np.full(self.n_features_in_, np.nan)
        of_all[genes] = values
        return of_all

    def _test(self, X, C, event, time, strata, weight):
        if not C.shape[1]:
            return cox_score_test(
                X, event, time, strata=strata, sample_weight=weight, ties=self.ties
            )
        stratum = check_strata(strata, X)
        return adjusted_score_test(
            X, C, event, time, stratum=stratum, weight=weight, ties=self.ties
        )

    def transform(self, X):
        """Keep the columns of the selected genes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.

        Returns
        -------
        X_selected : ndarray of shape (n_samples, n_selected_genes)
            Of the dtype of `X`, in its order of genes.
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        check_all_profiles(RowReader(X), getattr(self, "feature_names_in_", None))
        kept = self._transform(X)
        # As of an array: the order of values is that of sums of what follows.
        return kept if isinstance(X, np.ndarray) else np.asfortranarray(kept)

    def _get_support_mask(self):
        check_is_fitted(self)
        order = np.argsort(-np.abs(self.scores_), kind="stable")
        mask = np.zeros(len(order), dtype=bool)
        mask[order if self.k == "all" else order[: self.k]] = True
        if self.alpha is not None:
            mask &= self.pvalues_adjusted_ <= self.alpha
        # For the model that follows.
        mask[self.covariates_] = True
        return mask

    def __sklearn_is_fitted__(self):
        # A fit that was refused has learnt the genes, but no scores.
        return hasattr(self, "scores_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.positive_only = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_weight(sample_weight, X, event):
    weight = check_weights(sample_weight, X, np.float64, allow_all_zero_weights=False)
    if not (event & (weight > 0)).any():
        raise ValueError(
            "Every event in y has a sample_weight of zero: at least one event with "
            "a positive weight is needed."
        )
    return weight


def _why_no_score(X):
    low, high = gene_ranges(RowReader(X))
    if not (low < high).any():
        return (
            "Every gene in X is constant (zero variance): there is nothing to learn "
            "from. Check how X was made."
        )
    return (
        "There is nothing to compare in y: a sample with an event can be compared with "
        "those of its stratum that are followed up as long or longer, and no such "
        "samples differ in any gene. Check the order of times in y, and the strata. "
        "Columns of `adjust` may order the times by themselves."
    )

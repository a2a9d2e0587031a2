"""TopVarianceGenes: the genes that vary most."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.feature_selection import SelectorMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._inputs import check_genes
from .._warn import warn_caller
from ._gene_moments import gene_moments
from ._rows import checked_rows


class TopVarianceGenes(SelectorMixin, BaseEstimator):
    """Keep the genes that vary most between samples.

    The usual filter [1]_ before a model on expression: genes that hardly vary say
    little about samples, and cost as much as the others. Labels play no role, and in a
    pipeline only the training samples do.

    Parameters
    ----------
    k : int or "all", default=2000
        How many genes to keep. Of equal genes the first is kept.
    min_mean : float or None, default=None
        Genes whose mean is lower are not kept, in the units of `X`. Logarithms of low
        counts vary by chance, and those genes may be as many as the others.

    Attributes
    ----------
    variances_ : ndarray of shape (n_genes,)
        Variance of each gene over the samples of `fit` in which it was measured; it
        divides by their number. NaN for a gene that was never measured.
    means_ : ndarray of shape (n_genes,)
        Means over the same samples.
    n_features_in_ : int
        Number of genes seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the genes, if `X` had any.

    See Also
    --------
    UnivariateCoxSelector : Keeps the genes that go with survival.
    LogCPM : Brings counts to a scale on which variances can be compared.

    Notes
    -----
    Give logarithms, or values after :class:`QuantileNormalizer`: the variance of counts
    grows with their mean, so that it selects genes of high expression.

    A gene that was never measured in `fit` is not kept, and one that is constant comes
    last. Variances take one pass over the rows, in bounded memory if `X` is a memory
    map. The values are passed on as they are, missing ones included.

    References
    ----------
    .. [1] Bourgon R., Gentleman R., Huber W. "Independent filtering increases
       detection power for high-throughput experiments", PNAS 107(21), 9546-9551,
       2010. :doi:`10.1073/pnas.0914005107`

    Examples
    --------
    >>> from skgex import TopVarianceGenes
    >>> from skgex.datasets import load_tissues_u133
    >>> X = load_tissues_u133(as_frame=True).data
    >>> selector = TopVarianceGenes(k=50).set_output(transform="pandas")
    >>> selector.fit_transform(X).shape
    (189, 50)
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    n_features_in_: int
    feature_names_in_: Any

    _parameter_constraints: dict = {
        "k": [Interval(Integral, 1, None, closed="left"), StrOptions({"all"})],
        "min_mean": [Interval(Real, None, None, closed="neither"), None],
    }

    def __init__(self, k: int | str = 2000, *, min_mean=None):
        self.k = k
        self.min_mean = min_mean

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn how much each gene varies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles, on a logarithmic scale.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted selector.
        """
        X = check_genes(self, X, reset=True, ensure_min_samples=2, lazy=True)
        if self.k != "all" and self.k > X.shape[1]:
            warn_caller(
                f"k={self.k} is more than the {X.shape[1]} genes in X: all are kept, "
                "unless min_mean excludes some."
            )
        names = getattr(self, "feature_names_in_", None)
        means, variances, _ = gene_moments(X, names)
        if not (variances > 0).any():
            raise ValueError(
                "Every gene in X is constant (zero variance): there is nothing to "
                "learn from. Check how X was made."
            )
        if self.min_mean is not None and not (means >= self.min_mean).any():
            raise ValueError(
                f"No gene in X has a mean of min_mean={self.min_mean} or more; the "
                f"largest is {np.nanmax(means):.4g}. Lower min_mean: it is in the "
                "units of X."
            )
        self.means_, self.variances_ = means, variances
        return self

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
        kept = self.get_support(indices=True)
        output = np.empty((len(X), len(kept)), X.dtype)
        names = getattr(self, "feature_names_in_", None)
        for rows, chunk in checked_rows(X, names):
            output[rows] = chunk[:, kept]
        return output

    def _get_support_mask(self):
        check_is_fitted(self)
        order = np.argsort(-self.variances_, kind="stable")
        candidates = ~np.isnan(self.variances_)
        if self.min_mean is not None:
            candidates &= self.means_ >= self.min_mean
        order = order[candidates[order]]
        mask = np.zeros(len(candidates), dtype=bool)
        mask[order if self.k == "all" else order[: self.k]] = True
        return mask

    def __sklearn_is_fitted__(self):
        # A fit that was refused has learnt the genes, but no variances.
        return hasattr(self, "variances_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

"""LogCPM: counts to logarithms of counts per million."""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from .._inputs import check_genes, gene_label
from ._logarithms import LogarithmCheck
from ._rows import checked_rows

# Of a panel of fewer genes none may be high, or be expressed at all.
_MIN_GENES = 50


class LogCPM(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Turn counts into logarithms of counts per million.

    Each sample is divided by its library size, the sum over its genes, so that depth
    of sequencing drops out, and the logarithm makes a doubling one unit [1]_:

    .. math::

       z_{ij} = \log_2 \left( \frac{x_{ij}}{\sum_k x_{ik}} \cdot 10^6 + 1 \right)

    Parameters
    ----------
    target_sum : float or None, default=1000000.0
        The library size that all samples are scaled to. None takes the median of
        those in `fit`, which changes the counts of a typical sample least.
    pseudocount : float, default=1.0
        Added before the logarithm is taken, in units of the scaled counts. Larger
        values damp differences between genes of low counts, which are mostly noise.

    Attributes
    ----------
    target_sum_ : float
        The library size that samples are scaled to.
    n_features_in_ : int
        Number of genes seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the genes, if `X` had any.

    See Also
    --------
    QuantileNormalizer : Gives all samples one distribution, whatever their units.
    GeneAligner : Brings a table to the genes of a model.

    Notes
    -----
    NaN is a gene that was not measured: the library size is the sum over the measured
    genes, and NaN stays NaN. Where cohorts lack different genes, scale each of them
    before genes are dropped, as the transformer learns nothing from other samples
    unless `target_sum` is None.

    Expected counts of RSEM and TPM have fractions, and are scaled like counts. A table
    that has fractions, but no value above 30, is taken for logarithms and refused. So
    is one with larger values in a few columns only, one of a hundred or a single one,
    such as the lengths of genes: most of its values have fractions, and the highest
    are close to the others, as logarithms are. A sample without any count is refused
    too. In panels of fewer than 50 genes either may happen: small values are taken as
    they are there, and a sample without counts stays zero.

    edgeR's ``cpm(log=TRUE)`` adds a pseudocount of 2 that is scaled by the library
    size, and scanpy's ``log1p`` takes the natural logarithm; both are close to a
    multiple of the values here.

    References
    ----------
    .. [1] Robinson M. D., McCarthy D. J., Smyth G. K. "edgeR: a Bioconductor package
       for differential expression analysis of digital gene expression data",
       Bioinformatics 26(1), 139-140, 2010. :doi:`10.1093/bioinformatics/btp616`

    Examples
    --------
    >>> import pandas as pd
    >>> from skgex import LogCPM
    >>> counts = pd.DataFrame(
    ...     {"TP53": [30.0, 0.0], "ACTB": [970.0, 250.0]}, index=["deep", "shallow"]
    ... )
    >>> LogCPM().set_output(transform="pandas").fit_transform(counts).round(2)
              TP53   ACTB
    deep     14.87  19.89
    shallow   0.00  19.93
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    n_features_in_: int
    feature_names_in_: Any

    _parameter_constraints: dict = {
        # Within single precision, also with counts beside them.
        "target_sum": [Interval(Real, 1e-30, 1e30, closed="both"), None],
        "pseudocount": [Interval(Real, 1e-30, 1e30, closed="both")],
    }

    def __init__(self, target_sum: float | None = 1e6, *, pseudocount=1.0):
        self.target_sum = target_sum
        self.pseudocount = pseudocount

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the counts, and learn their library size if `target_sum` is None.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Counts.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        X = check_genes(self, X, reset=True, lazy=True)
        sizes = self._library_sizes(X)
        if not sizes.any():
            raise ValueError("X has no counts at all: every value is zero.")
        typical = float(np.median(sizes[sizes > 0]))
        self.target_sum_ = typical if self.target_sum is None else self.target_sum
        return self

    def transform(self, X):
        """Scale to the library size and take the logarithm.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Counts.

        Returns
        -------
        X_log : ndarray of shape (n_samples, n_genes), float32 or float64
            Logarithms to base 2. Counts that are integers become float32.
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        sizes = self._library_sizes(X)
        scale = self.target_sum_ / np.where(sizes > 0, sizes, 1)
        output = np.empty(X.shape, X.dtype)
        for rows, chunk in checked_rows(X):
            part = output[rows]
            np.multiply(chunk, scale[rows, None].astype(X.dtype), out=part)
            part += X.dtype.type(self.pseudocount)
            np.log2(part, out=part)
        return output

    def inverse_transform(self, X):
        """Return the scaled counts that logarithms were taken of.

        These are counts per million, not counts: the library sizes are not kept.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Logarithms, as `transform` returns them.

        Returns
        -------
        X_scaled : ndarray of shape (n_samples, n_genes), float32 or float64
            Counts per `target_sum_`.
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        output = np.array(X)
        np.exp2(output, out=output)
        output -= output.dtype.type(self.pseudocount)
        return output

    def _library_sizes(self, X):
        """Return the sum of each sample, after a check that these are counts."""
        names = getattr(self, "feature_names_in_", None)
        sizes, logarithms = np.empty(len(X)), LogarithmCheck(X.shape[1])
        for rows, chunk in checked_rows(X, names):
            _check_not_negative(chunk, rows.start, names)
            sizes[rows] = np.nansum(chunk, axis=1, dtype=np.float64)
            logarithms.add(chunk)
        if X.shape[1] < _MIN_GENES:
            return sizes
        if not sizes.all():
            raise ValueError(
                f"Sample {np.argmin(sizes)} of X has no counts at all: the sum over "
                "its genes is zero. Drop it."
            )
        logarithms.refuse(X, names)
        return sizes

    def __sklearn_is_fitted__(self):
        # A fit that was refused has learnt the genes, but no library size.
        return hasattr(self, "target_sum_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_not_negative(chunk, first_row, names):
    if not np.fmin.reduce(chunk, axis=None) < 0:
        return
    row, gene = np.argwhere(chunk < 0)[0]
    raise ValueError(
        "Negative values in data passed to LogCPM: sample "
        f"{first_row + row}, gene {gene_label(gene, names)}. Counts are zero or more; "
        "values that are logarithms already need no LogCPM, or have to be raised to "
        "counts or TPM first."
    )

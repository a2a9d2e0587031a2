"""QuantileNormalizer: one distribution of expression for all samples."""

from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils.validation import check_is_fitted

from .._inputs import check_genes
from ._rows import checked_rows

# Rows are sorted one at a time, so that few of them are needed at once.
_CHUNK_BYTES = 4 * 2**20


class QuantileNormalizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Give every sample the distribution of expression of the training samples.

    Quantile normalisation [1]_ keeps which gene is higher than which in a sample, and
    replaces the values. It takes out whatever shifts, scales or bends all genes of a
    sample alike: scanner, depth of sequencing, and most of what distinguishes an array
    from RNA-seq. The distribution is learnt in `fit`, so that a new sample, or a
    cohort from another platform, is brought to that of the training data, and does not
    change it.

    Attributes
    ----------
    reference_ : ndarray of shape (`n_features_in_`,)
        The distribution: values from the lowest to the highest, each the mean of the
        values of that rank over the samples of `fit`.
    n_features_in_ : int
        Number of genes seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the genes, if `X` had any.

    See Also
    --------
    LogCPM : Takes out the library size alone, which leaves the shape.
    sklearn.preprocessing.QuantileTransformer : Works on each gene over the samples.

    Notes
    -----
    Genes of equal value, such as those without a count, have their mean rank, and get
    the reference at that rank.

    A sample in which genes are missing (NaN) has fewer ranks, which are spread evenly
    over the same range, as in limma [2]_, both in `fit` and in `transform`. That is
    right where missing genes are as high as the others. A panel of highly expressed
    genes is not: keep the genes that both platforms have, in `fit` too, by a
    :class:`GeneAligner`.

    Real differences between whole profiles are taken out as well. Samples have to be
    such that most genes, or as many up as down, are expressed alike.

    References
    ----------
    .. [1] Bolstad B. M., Irizarry R. A., Astrand M., Speed T. P. "A comparison of
       normalization methods for high density oligonucleotide array data based on
       variance and bias", Bioinformatics 19(2), 185-193, 2003.
       :doi:`10.1093/bioinformatics/19.2.185`
    .. [2] Ritchie M. E., Phipson B., Wu D., Hu Y., Law C. W., Shi W., Smyth G. K.
       "limma powers differential expression analyses for RNA-sequencing and microarray
       studies", Nucleic Acids Research 43(7), e47, 2015. :doi:`10.1093/nar/gkv007`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import QuantileNormalizer
    >>> normalizer = QuantileNormalizer().fit([[1.0, 2.0, 6.0], [3.0, 2.0, 10.0]])
    >>> normalizer.reference_
    array([1.5, 2.5, 8. ])
    >>> normalizer.transform([[700.0, 100.0, 400.0], [700.0, 100.0, np.nan]])
    array([[8. , 1.5, 2.5],
           [8. , 1.5, nan]], dtype=float32)
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    n_features_in_: int
    feature_names_in_: Any

    _parameter_constraints: dict = {}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the distribution of expression.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        X = check_genes(self, X, reset=True, lazy=True)
        total = np.zeros(X.shape[1])
        for _, chunk in self._rows(X):
            ordered = np.sort(chunk, axis=1)  # NaN comes last
            counts = np.count_nonzero(~np.isnan(ordered), axis=1)
            complete = counts == X.shape[1]
            total += ordered[complete].sum(axis=0, dtype=np.float64)
            for row in np.flatnonzero(~complete):
                total += _stretch(ordered[row, : counts[row]], len(total))
        self.reference_ = total / len(X)
        return self

    def transform(self, X):
        """Replace values by those of the same rank in the training samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles, in any units.

        Returns
        -------
        X_normalized : ndarray of shape (n_samples, n_genes), float32 or float64
            Values in the units of the training samples; NaN stays NaN.
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        output = np.empty(X.shape, X.dtype)
        for rows, chunk in self._rows(X):
            for values, part in zip(chunk, output[rows], strict=True):
                _replace(values, self.reference_, part)
        return output

    def _rows(self, X):
        names = getattr(self, "feature_names_in_", None)
        for rows, chunk in checked_rows(X, names, chunk_bytes=_CHUNK_BYTES):
            yield rows, np.ascontiguousarray(chunk)

    def __sklearn_is_fitted__(self):
        # A fit that was refused has learnt the genes, but no reference.
        return hasattr(self, "reference_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _stretch(values, size):
    """Interpolate sorted values at `size` places spread evenly over their range."""
    places = np.linspace(0, len(values) - 1, size)
    return np.interp(places, np.arange(len(values)), values)


def _replace(sample, reference, output):
    """Write the reference at the ranks of the values of a sample into `output`."""
    # NaN would double the time that sorting takes.
    measured = np.flatnonzero(~np.isnan(sample))
    values = sample[measured]
    order = np.argsort(values)
    ordered, places = values[order], measured[order]
    if len(values) < len(sample):
        output[:] = np.nan
    starts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    edges = np.concatenate([[0], starts, [len(values)]])
    if len(edges) - 1 == len(reference):  # nothing is missing, nor equal
        output[places] = reference
        return
    # Values that are equal share the mean of their ranks.
    ranks = (edges[:-1] + edges[1:] - 1) / 2
    last = len(reference) - 1
    # A single value stands in the middle, for want of others.
    ranks = ranks * last / (len(values) - 1) if len(values) > 1 else [last / 2]
    mapped = np.interp(ranks, np.arange(len(reference)), reference)
    output[places] = np.repeat(mapped, np.diff(edges))

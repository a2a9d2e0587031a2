"""BatchScaler: location and scale of each gene by batch, fitted in training."""

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
from .._shrunken_moments import shrunken_moments
from ._batch_labels import check_batch, match_batches
from ._gene_moments import batch_moments
from ._rows import checked_rows


class BatchScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Give each gene the same location and scale in all batches.

    A batch is what was processed together: a plate, a site, a scanner, a cohort. Where
    it shifts or stretches single genes, values of two batches can't be compared, and a
    model may learn the batches. For a gene with mean and standard deviation
    :math:`\mu_b, \sigma_b` in batch b, and :math:`\mu, \sigma` of all, a value becomes

    .. math::

       x' = (x - \mu_b) \frac{\sigma}{\sigma_b} + \mu,

    which leaves it in its unit. As in ComBat [1]_, the moments of a batch are shrunk
    to those of all batches, the less the more samples it has, and the more batches
    differ. They are learnt in `fit`, and new samples don't change them. Labels of
    classes play no role.

    Attributes
    ----------
    batches_ : ndarray of shape (n_batches,)
        Labels of the batches, in order; None for the one batch of a `fit` without.
    mean_, scale_ : ndarray of shape (n_batches, n_genes)
        Means and standard deviations by batch, shrunk.
    pooled_mean_ : ndarray of shape (n_genes,)
        Means over the samples in which a gene was measured. NaN if there are none.
    pooled_scale_ : ndarray of shape (n_genes,)
        Standard deviations within batches. NaN for a gene of which no batch has two
        samples.
    n_features_in_ : int
        Number of genes seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the genes, if `X` had any.

    See Also
    --------
    QuantileNormalizer : Takes out what all genes of a sample have in common.
    sklearn.preprocessing.StandardScaler : Knows of no batches.

    Notes
    -----
    **Batches have to be alike in composition.** If one has more tumours, or all of
    them, what tumours have in common is taken for an effect of the batch and is taken
    out, and no model can learn it any more. Nothing in `X` shows this; compare the
    composition of batches before.

    `batch` is one label for each sample, strings or numbers, given to `fit` and to
    `transform`. In a pipeline it goes by metadata routing:
    ``BatchScaler().set_fit_request(batch=True).set_transform_request(batch=True)``.
    Without it all samples are one batch, and what `fit` saw is left as it is.

    A batch that `fit` has not seen gets the moments of its samples in the call, shrunk
    to those of all batches. Then, and only then, the result for a sample depends on
    others in the call. A single sample may be such a batch: a part of what sets it
    apart is then taken for an effect of the batch.

    NaN is a gene that was not measured. One that a batch lacks has the moments that are
    expected from its other genes. A constant gene is not stretched, and one of which
    nothing is known is left as it is. Scales are shrunk as in limma [2]_; moments of
    fewer than ten genes are not shrunk.

    References
    ----------
    .. [1] Johnson W. E., Li C., Rabinovic A. "Adjusting batch effects in microarray
       expression data using empirical Bayes methods", Biostatistics 8(1), 118-127,
       2007. :doi:`10.1093/biostatistics/kxj037`
    .. [2] Smyth G. K. "Linear models and empirical Bayes methods for assessing
       differential expression in microarray experiments", Statistical Applications in
       Genetics and Molecular Biology 3(1), 2004. :doi:`10.2202/1544-6115.1027`

    Examples
    --------
    >>> import numpy as np
    >>> from skgex import BatchScaler
    >>> from skgex.datasets import load_tissues_u133
    >>> X = load_tissues_u133().data
    >>> site = np.where(np.arange(len(X)) % 3 == 0, "A", "B")
    >>> biased = np.where(site[:, None] == "A", X, 0.8 * X + 3)
    >>> scaler = BatchScaler().fit(biased[:150], batch=site[:150])
    >>> scaler.batches_
    array(['A', 'B'], dtype='<U1')
    >>> new, at = biased[150:], site[150:]
    >>> bool(abs(new[at == "A"].mean() - new[at == "B"].mean()) > 1)
    True
    >>> new = scaler.transform(new, batch=at)
    >>> bool(abs(new[at == "A"].mean() - new[at == "B"].mean()) < 0.2)
    True
    """

    # Learnt in fit; named here for type checkers, which do not see how it is set.
    n_features_in_: int
    feature_names_in_: Any

    _parameter_constraints: dict = {}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, batch=None):
        """Learn location and scale of each gene in each batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles, on a logarithmic scale.
        y : None
            Ignored.
        batch : array-like of shape (n_samples,), default=None
            The batch of each sample, strings or numbers. None if there is one.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If `batch` is not one label for each sample, or each batch has one sample.
        """
        X = check_genes(self, X, reset=True, ensure_min_samples=2, lazy=True)
        batches, codes = check_batch(batch, len(X))
        if len(batches) == len(X):
            raise ValueError(
                "Every batch has a single sample, which leaves no spread within "
                "batches. Give wider ones, such as plates or sites."
            )
        mean, variance, count = batch_moments(X, codes, self._names())
        self.pooled_mean_, self.pooled_scale_ = _pool(mean, variance, count)
        # Of the samples behind the pooled moments a batch has a part.
        share = count / np.maximum(count.sum(axis=0), 1)
        self.mean_, self.scale_ = self._shrink(mean, variance, count, share)
        self.batches_ = batches
        return self

    def transform(self, X, *, batch=None):
        """Bring each batch to the location and scale of all.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles.
        batch : array-like of shape (n_samples,), default=None
            The batch of each sample, also new ones. None only if it was None in `fit`.

        Returns
        -------
        X_scaled : ndarray of shape (n_samples, n_genes), float32 or float64
            Values in the unit of `X`; NaN stays NaN.

        Raises
        ------
        ValueError
            If `batch` is not one label for each sample, or unlike that in `fit`.
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        labels, codes = check_batch(batch, len(X))
        known = match_batches(self.batches_, labels)
        mean, scale = self.mean_, self.scale_
        if (known < 0).any():
            # Numbered from 0 on, and put behind those of `fit`.
            new = np.where(known < 0, np.cumsum(known < 0) - 1, -1)
            moments = self._shrink(*batch_moments(X, new[codes], self._names()))
            mean, scale = np.vstack([mean, moments[0]]), np.vstack([scale, moments[1]])
            known = np.where(known < 0, len(self.mean_) + new, known)
        factor, offset = self._lines(mean[known], scale[known], X.dtype)
        output = np.empty(X.shape, X.dtype)
        for rows, chunk in checked_rows(X, self._names()):
            np.multiply(chunk, factor[codes[rows]], out=output[rows])
            output[rows] += offset[codes[rows]]
        return output

    def fit_transform(self, X, y=None, *, batch=None):
        """Learn the batches, and bring them to the location and scale of all.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles, on a logarithmic scale.
        y : None
            Ignored.
        batch : array-like of shape (n_samples,), default=None
            The batch of each sample.

        Returns
        -------
        X_scaled : ndarray of shape (n_samples, n_genes), float32 or float64
            As `transform` returns it.
        """
        return self.fit(X, y, batch=batch).transform(X, batch=batch)

    def _shrink(self, mean, variance, count, share=0.0):
        """Shrink moments of shape (n_batches, n_genes) to those of all batches."""
        # DEVIATION: ComBat corrects one table, all of whose samples take part. Here it
        # is learnt in training and applied to new samples. As these lack covariates,
        # there are none, and batches are brought to the average of the samples, not of
        # a design. Estimates are those of moments, in one step.
        share = np.broadcast_to(share, count.shape)
        prior = self.pooled_mean_, self.pooled_scale_
        batches = zip(mean, np.sqrt(variance), count, share, strict=True)
        shrunken = [shrunken_moments(*b, *prior, share=part) for *b, part in batches]
        return np.array(shrunken).transpose(1, 0, 2)

    def _lines(self, mean, scale, dtype):
        """Return factor and offset of each gene in each batch."""
        # What does not vary can't be stretched.
        varies = (scale > 0) & (self.pooled_scale_ > 0)
        factor = np.where(varies, self.pooled_scale_ / np.where(varies, scale, 1), 1)
        offset = self.pooled_mean_ - factor * mean
        unknown = np.isnan(offset)
        factor, offset = np.where(unknown, 1, factor), np.where(unknown, 0, offset)
        return factor.astype(dtype), offset.astype(dtype)

    def _names(self):
        return getattr(self, "feature_names_in_", None)

    def __sklearn_is_fitted__(self):
        # A fit that was refused has learnt the genes, but no batches.
        return hasattr(self, "batches_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _pool(mean, variance, count):
    """Return means over all samples, and standard deviations within batches."""
    total = count.sum(axis=0)
    # Relative to one of them, so that the mean of equal means is exactly that.
    first = mean[np.argmax(count > 0, axis=0), np.arange(len(total))]
    shift = np.where(count > 0, mean - first, 0)
    pooled_mean = first + (count * shift).sum(axis=0) / np.maximum(total, 1)
    df = np.maximum(count - 1, 0).sum(axis=0)
    within = np.where(count > 0, count * variance, 0).sum(axis=0)
    return pooled_mean, np.sqrt(np.where(df > 0, within / np.maximum(df, 1), np.nan))

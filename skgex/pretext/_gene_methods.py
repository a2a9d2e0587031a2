"""What GexBERT does beside embedding: restore genes, embed them, show attention."""

import numpy as np
import torch
from sklearn.utils import check_array
from sklearn.utils._dataframe import is_pandas_df, is_polars_df
from sklearn.utils._set_output import ADAPTERS_MANAGER
from sklearn.utils.validation import check_is_fitted

from .._inputs import check_genes
from .._training import apply_by_batches, resolve_device
from ..nn._draws import draws_from
from ._attention import AttentionReader
from ._measured import keep_measured_values
from ._on_genes import OnGenes


class GeneMethods:
    """Methods on genes, for an embedder with a restoration objective."""

    def restore(self, X, genes=None, return_std=False, *, keep_measured=True):
        """Restore the expression of genes, in the units of the training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured.
        genes : array-like of str or int, default=None
            Which genes to return, by name or by position; None for those of `X`. With
            `start`, or after a warm start, also genes that `X` lacks, of
            `restorable_genes_`: in the units that the model had that knows them.
        return_std : bool, default=False
            Whether to return the standard deviation of what is restored as well: of
            samples like those of `fit`, 90 % of the values lie within 1.645 of it, on
            average. It is zero for measured values that are kept.
        keep_measured : bool, default=True
            Whether measured values are returned as they are, rather than what is
            expected of them.

        Returns
        -------
        restored : ndarray or table of shape (n_samples, n_restored)
            A table if `X` is one, with its rows and the names of the genes.
        std : ndarray or table of shape (n_samples, n_restored)
            Only with `return_std`.

        Raises
        ------
        ValueError
            If `genes` has one that is not among `restorable_genes_`.
        """
        check_is_fitted(self)
        table, X = X, check_genes(self, X, reset=False, lazy=True)
        places = self._places(genes)
        parts = self._restore(X, places, return_std=return_std, allow_empty=False)
        mean, *std = np.split(parts, [len(places)], axis=1) if return_std else [parts]
        outputs = [np.ascontiguousarray(mean, X.dtype), *map(np.ascontiguousarray, std)]
        if keep_measured:
            keep_measured_values(X, places, *outputs)
        outputs = [self._as_table(values, table, places) for values in outputs]
        return tuple(outputs) if return_std else outputs[0]

    def embed_genes(self, X, genes=None):
        """Embed genes in the context of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured.
        genes : array-like of str or int, default=None
            Which genes to embed, by name or by position; None for all.

        Returns
        -------
        vectors : ndarray of shape (n_samples, n_embedded, embedding_dim)
            The vector of each gene from which the decoder restores it.
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        places = torch.from_numpy(self._places(genes, with_others=False))
        module = OnGenes(self.standardizer_, self.objective_, "embed_genes", places)
        return self._apply(module, X).reshape(len(X), len(places), -1)

    def attention(self, X, *, rollout=False):
        """Return how much the embedding of each sample attends to each gene.

        Averaged over heads and summary tokens. The number of genes that compete for
        attention is corrected for: a value of one is what an average gene gets.

        Attention says what the network looks at, not what matters: two genes that
        carry the same may share it in any way, what is read need not be used, and
        with a low-rank prior, or more genes than are read at a time, most is known
        before anything is read. Compare with permuted samples, and take it for a hint,
        not for an explanation [1]_.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured.
        rollout : bool, default=False
            Whether attention is followed through all layers, rather than taken from
            the last one.

        Returns
        -------
        attention : ndarray of shape (n_samples, n_genes)
            NaN where a gene was not measured.

        References
        ----------
        .. [1] Jain S., Wallace B. C. "Attention is not explanation", NAACL 2019.
           :arxiv:`1902.10186`
        """
        check_is_fitted(self)
        X = check_genes(self, X, reset=False, lazy=True)
        return self._apply(
            AttentionReader(self.standardizer_, self.encoder_, rollout), X
        )

    def score_samples(self, X, *, as_quantile=False, return_z=False):
        """Return how likely samples are, that is how like those of `fit`.

        The log-likelihood by the factors of the prior for each measured gene, less what
        is expected of samples in which the same genes were measured. Likelihoods of
        samples held out within `fit`, with many genes and with few, make scores
        comparable: samples like those of `fit` have the same median and the same lower
        5 % whatever was measured. Look at it before you rely on a label or on an
        imputed value: a sample of another tissue, unit or platform has a low score.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles in the units of the training data; NaN where a gene was
            not measured.
        as_quantile : bool, default=False
            Whether to return the share of the samples held out that had a lower score,
            between 0 and 1: of samples like those of `fit`, some 5 % are below 0.05.
            They are a little fewer where samples were few, as what they are compared
            with was held out from two thirds of the samples.
        return_z : bool, default=False
            Whether to return the error of each measured gene as well, given all other
            measured genes of the sample, in standard deviations.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Higher is likelier. Complete samples of `fit` itself score a little higher
            than others like them.
        z : ndarray or table of shape (n_samples, n_genes)
            Only with `return_z`; NaN where a gene was not measured.

        Raises
        ------
        ValueError
            If there is no low-rank prior, or it was fitted to fewer than four samples
            or groups.

        Examples
        --------
        >>> import numpy as np
        >>> from skgex import GexBERT
        >>> from skgex.datasets import load_tissues_u133
        >>> X, tissue = load_tissues_u133(return_X_y=True)
        >>> embedder = GexBERT(max_epochs=0, random_state=0).fit(X[::2])
        >>> new = X[1::2]
        >>> shuffled = np.random.default_rng(0).permuted(new, axis=1)
        >>> like, unlike = (embedder.score_samples(X) for X in (new, shuffled))
        >>> bool(like.min() > unlike.max())
        True
        """
        check_is_fitted(self)
        self._check_scores()
        table, X = X, check_genes(self, X, reset=False, lazy=True)
        module = OnGenes(self.standardizer_, self.objective_, "likelihood")
        scores = self._apply(module, X)[:, int(as_quantile)]
        if not return_z:
            return scores
        module = OnGenes(self.standardizer_, self.objective_, "standardised_errors")
        z = self._apply(module, X)
        return scores, self._as_table(z, table, self._places(None))

    def _check_scores(self):
        """Refuse to score samples where nothing is known of their likelihood."""
        if self.encoder_.prior is None:
            raise ValueError(
                "score_samples needs the likelihood of a low-rank prior: fit with "
                "prior='low_rank'."
            )
        # Files of earlier versions have no such attribute.
        if getattr(self.encoder_.prior, "scores", None) is None:
            raise ValueError(
                "score_samples compares with the samples of fit, of which nothing is "
                "known: fit again, with this version and with four samples or groups "
                "at the least."
            )

    @property
    def gene_embeddings_(self):
        """Learnt vector of each gene."""
        check_is_fitted(self)
        return self.encoder_.gene.detach().numpy()

    def _restore(self, X, places=None, *, return_std=False, allow_empty=True):
        """Return restored genes, beside their standard deviations if asked."""
        places = self._places(None) if places is None else places
        method = "restore_with_variance" if return_std else "restore"
        places = torch.from_numpy(places)
        module = OnGenes(self.standardizer_, self.objective_, method, places)
        return self._apply(module, X, allow_empty)

    def _draw(self, X, seed, model_seed):
        """Return draws of all genes from their distribution.

        Samples of calls with the same `model_seed` share a draw of the model.
        """
        with draws_from(model_seed):
            drawn = self.objective_.draw_model()
        places = torch.from_numpy(self._places(None))
        parts = self.standardizer_, self.objective_, "draw", places
        module = OnGenes(*parts, *([] if drawn is None else [drawn]))
        with draws_from(seed):
            return self._apply(module, X, allow_empty=True)

    def _apply(self, module, X, allow_empty=False):
        return apply_by_batches(
            module,
            X,
            resolve_device(self.device),
            getattr(self, "feature_names_in_", None),
            allow_empty=allow_empty,
        )

    @property
    def restorable_genes_(self):
        """Genes that can be restored: those of `X`, then those known from before.

        From `start` and what it kept from its own, or from the last fit in a warm
        start.
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = np.arange(self.n_features_in_)
        other = getattr(self.encoder_.prior, "other", None)
        return names if other is None else np.append(names, np.array(other.names, "O"))

    def _places(self, genes, with_others=True):
        """Return the positions of some genes, and of those known from before."""
        if genes is None:
            return np.arange(self.n_features_in_)
        names = self.restorable_genes_
        names = names if with_others else names[: self.n_features_in_]
        genes = check_array(genes, ensure_2d=False, dtype=None, input_name="genes")
        if genes.dtype.kind in "iu":
            wrong = (genes < 0) | (genes >= len(names))
            if wrong.any():
                raise ValueError(
                    f"genes has {genes[wrong][0]}, but positions are between 0 and "
                    f"{len(names) - 1}."
                )
            return genes.astype(np.int64)
        if not hasattr(self, "feature_names_in_"):
            raise ValueError(
                "genes are given by name, but the embedder was fitted to an array "
                "without names; give positions, or fit it to a table."
            )
        place = {name: i for i, name in enumerate(names)}
        unknown = [name for name in genes if name not in place]
        if unknown:
            known = "restorable_genes_" if with_others else "feature_names_in_"
            raise ValueError(
                f"genes has {len(unknown)} that the embedder was not fitted to, the "
                f"first being {str(unknown[0])!r}; only genes of {known} can be asked "
                "for."
            )
        return np.array([place[name] for name in genes], dtype=np.int64)

    def _as_table(self, values, table, places):
        """Return values as a table if the input was one."""
        if not (is_pandas_df(table) or is_polars_df(table)):
            return values
        adapter = ADAPTERS_MANAGER.adapters[
            "pandas" if is_pandas_df(table) else "polars"
        ]
        names = np.asarray(table.columns, dtype=object)
        if len(places) and places.max() >= len(names):
            names = self.restorable_genes_
        names = names[places]
        return adapter.create_container(values, table, columns=names)

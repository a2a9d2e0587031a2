"""What GexBERT does beside embedding: restore genes, embed them, show attention."""

import numpy as np
import torch
from sklearn.utils import check_array
from sklearn.utils._dataframe import is_pandas_df, is_polars_df
from sklearn.utils._set_output import ADAPTERS_MANAGER
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._inputs import check_genes
from .._training import apply_by_batches, resolve_device, torch_seed
from ..nn import gene_attention


class GeneMethods:
    """Methods on genes, for an embedder with a restoration objective."""

    def restore(self, X, genes=None, return_std=False, *, keep_measured=True):
        """Restore the expression of genes, in the units of the training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_genes)
            Expression profiles; NaN where a gene was not measured.
        genes : array-like of str or int, default=None
            Which genes to return, by name or by position; None for all.
        return_std : bool, default=False
            Whether to return the standard deviation of what is restored as well:
            of samples like those of `fit`, but not among them, 90 % of the values lie
            within 1.645 of it, on average. It is too small for samples of `fit`, above
            all if these were few, and zero for measured values that are kept.
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
            If `genes` has one that was not among those of `fit`.
        """
        check_is_fitted(self)
        table, X = X, check_genes(self, X, reset=False)
        places = self._places(genes)
        parts = self._restore(X, places, return_std=return_std, allow_empty=False)
        mean, *std = np.split(parts, [len(places)], axis=1) if return_std else [parts]
        outputs = [mean.astype(X.dtype, copy=False), *std]
        if keep_measured:
            own = X[:, places]
            kept = ~np.isnan(own)
            outputs[0] = np.where(kept, own, outputs[0])
            outputs[1:] = [np.where(kept, 0, std) for std in outputs[1:]]
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
        X = check_genes(self, X, reset=False)
        places = torch.from_numpy(self._places(genes))
        module = _OnGenes(self.standardizer_, self.objective_, "embed_genes", places)
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
        X = check_genes(self, X, reset=False)
        return self._apply(_Attention(self.standardizer_, self.encoder_, rollout), X)

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
        module = _OnGenes(self.standardizer_, self.objective_, method, places)
        return self._apply(module, X, allow_empty)

    def _draw(self, X, seed):
        """Return draws of all genes from their distribution."""
        places = torch.from_numpy(self._places(None))
        module = _OnGenes(self.standardizer_, self.objective_, "draw", places)
        with torch_seed(seed, resolve_device(self.device)):
            return self._apply(module, X, allow_empty=True)

    def _apply(self, module, X, allow_empty=False):
        return apply_by_batches(
            module,
            X,
            resolve_device(self.device),
            getattr(self, "feature_names_in_", None),
            allow_empty=allow_empty,
        )

    def _places(self, genes):
        """Return the positions of some genes."""
        if genes is None:
            return np.arange(self.n_features_in_)
        genes = check_array(genes, ensure_2d=False, dtype=None, input_name="genes")
        if genes.dtype.kind in "iu":
            wrong = (genes < 0) | (genes >= self.n_features_in_)
            if wrong.any():
                raise ValueError(
                    f"genes has {genes[wrong][0]}, but positions are between 0 and "
                    f"{self.n_features_in_ - 1}."
                )
            return genes.astype(np.int64)
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            raise ValueError(
                "genes are given by name, but the embedder was fitted to an array "
                "without names; give positions, or fit it to a table."
            )
        place = {name: i for i, name in enumerate(names)}
        unknown = [name for name in genes if name not in place]
        if unknown:
            raise ValueError(
                f"genes has {len(unknown)} that the embedder was not fitted to, the "
                f"first being {str(unknown[0])!r}; only genes of feature_names_in_ "
                "can be restored."
            )
        return np.array([place[name] for name in genes], dtype=np.int64)

    def _as_table(self, values, table, places):
        """Return values as a table if the input was one."""
        if not (is_pandas_df(table) or is_polars_df(table)):
            return values
        adapter = ADAPTERS_MANAGER.adapters[
            "pandas" if is_pandas_df(table) else "polars"
        ]
        names = np.asarray(table.columns, dtype=object)[places]
        return adapter.create_container(values, table, columns=names)


class _OnGenes(nn.Module):
    """A method of the objective on some genes, from and to the units of the data."""

    def __init__(self, standardizer, objective, method, genes):
        super().__init__()
        self.standardizer = standardizer
        self.objective = objective
        self.method = method
        self.genes = genes

    def forward(self, X):
        genes = self.genes.to(X.device)
        found = getattr(self.objective, self.method)(self.standardizer(X), genes)
        if self.method == "embed_genes":
            return found.flatten(1)
        mean, scale = self.standardizer.mean[genes], self.standardizer.scale[genes]
        if self.method == "restore_with_variance":
            restored, variance = found
            return torch.cat([mean + scale * restored, scale * variance.sqrt()], 1)
        return mean + scale * found


class _Attention(nn.Module):
    def __init__(self, standardizer, encoder, rollout):
        super().__init__()
        self.standardizer = standardizer
        self.encoder = encoder
        self.rollout = rollout

    def forward(self, X):
        return gene_attention(self.encoder, self.standardizer(X), self.rollout)

"""The encoder of GexBERT: summary tokens that read the measured genes."""

from types import MappingProxyType

import torch
from torch import nn
from torch.nn.functional import embedding

from ._draws import normal, permutation
from ._layers import linear
from ._panels import ReadsPanels
from ._row_sets import by_row_sets
from ._transformer import TransformerBlock, ValueEncoder

N_SUMMARY = 8
# Bound on what a value differs from its expectation, in standard deviations.
MAX_SURPRISE = 6.0
_GENE_SPREAD = 0.1  # of the first vectors: small, so that they soon turn


class GeneTransformer(ReadsPanels, nn.Module):
    """Transformer over the measured genes of a sample, and over summary tokens.

    A measured gene is a token: its gene embedding plus an embedding of its value and
    of what the prior did not expect of it, gated by the gene. Summary tokens start
    from the factors of the prior. All tokens attend to each other. Where genes do not
    all fit into the context they are read in panels, whose summaries are averaged: the
    cost is linear in the number of genes. Of a sample with very many genes only some
    panels need be read, if summary tokens know all genes by the prior. Without one,
    summary tokens start from the sum of the gene embeddings weighted by the values.

    Parameters
    ----------
    n_genes : int
        Number of genes.
    embedding_dim : int, default=64
        Width of the tokens.
    n_layers : int, default=2
        Number of blocks.
    n_heads : int, default=4
        Number of attention heads, a divisor of `embedding_dim`.
    dropout : float, default=0.0
        Dropout rate.
    value_encoder : {"continuous", "bins"}, default="continuous"
        See :class:`ValueEncoder`.
    n_bins : int, default=32
        Its number of vectors.
    panel_size : int, default=128
        Number of genes that are read together.
    pooling : {"concat", "summary", "mean"}, default="concat"
        The embedding of a sample: its summary tokens side by side, their mean, or
        the mean of its genes.
    prior : LowRankPrior or None, default=None
        Linear model whose posterior the tokens are told.
    max_panels : int or None, default=None
        Bound on the panels that are read to embed a sample, if there is a prior: those
        of the first genes, in the order of the panels, that were measured. None for no
        bound.

    Attributes
    ----------
    embedding_dim : int
        Dimension of the output.
    token_dim : int
        Width of the tokens.

    Notes
    -----
    Shape: (n, n_genes) -> (n, embedding_dim). Inputs are z-scores, NaN if not measured.
    In training mode one random panel is read.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import GeneTransformer
    >>> encoder = GeneTransformer(20, 16).eval()
    >>> encoder(torch.randn(4, 20)).shape  # 8 summary tokens of 16 dimensions
    torch.Size([4, 128])
    """

    gene_axes = MappingProxyType({"gene": 0, "order": None})

    def __init__(
        self,
        n_genes,
        embedding_dim=64,
        *,
        n_layers=2,
        n_heads=4,
        dropout=0.0,
        value_encoder="continuous",
        n_bins=32,
        panel_size=128,
        pooling="concat",
        prior=None,
        max_panels=None,
    ):
        super().__init__()
        d = embedding_dim
        self.prior = prior
        self.max_panels = max_panels
        self.panel_size = min(panel_size, n_genes)
        self.pooling = pooling
        self.token_dim = d
        self.embedding_dim = N_SUMMARY * d if pooling == "concat" else d
        self.gene = nn.Parameter(_gene_vectors(n_genes, d, prior))
        self.value = ValueEncoder(value_encoder, n_bins, d)
        self.gate = linear(d, d)
        self.start = nn.Parameter(0.5 * normal((N_SUMMARY, d)))
        if prior is not None:
            self.surprise = ValueEncoder(value_encoder, n_bins, d)
        if prior is not None or n_genes > self.panel_size:
            n_factors = d if prior is None else prior.rank
            self.factors = linear(n_factors, N_SUMMARY * d)
        self.blocks = nn.ModuleList(
            TransformerBlock(d, n_heads, dropout) for _ in range(n_layers)
        )
        self.register_buffer("order", permutation(n_genes))

    @property
    def bytes_per_row(self):
        """Upper bound on the memory that a sample takes while it is read."""
        n_genes, d = self.gene.shape
        n_tokens = self.panel_size + N_SUMMARY
        rank = 0 if self.prior is None else self.prior.rank
        # Covariances of the factors and their inverses; then tokens in all layers.
        return 4 * (6 * rank**2 + 12 * n_genes + 16 * d * n_tokens)

    def forward(self, Z):
        """Embed standardised profiles."""
        if not self.training and self.n_read < len(self.gene):
            return self._embed_by_some(Z)
        expected, known = self.expect(Z)[:2]
        if not self.training:
            return by_row_sets(self._embed, Z, expected, known)
        panels = [self.random_panel(~Z.isnan(), self.panel_size)]
        return self.pool(*self.read(Z, expected, known, panels))

    def _embed(self, Z, expected, known):
        return self.pool(*self.read(Z, expected, known, self.panels(Z)))

    def _embed_by_some(self, Z):
        """Embed profiles by what the prior knows of all genes, and by some of them.

        What takes a time that grows with the number of genes is done once, by the
        prior: of the others only those are looked at which may be read.
        """
        order = self._first_genes(Z)
        # In parts of one size, as others in the call may need more of them.
        parts = order.split(2 * self.n_read)
        found = self.prior(Z, genes=parts)
        vectors = self.gene_vectors(parts)
        places = torch.arange(len(order), device=order.device)

        def embed(values, expected, start):
            panels = self.panels(values, places, self.n_read)
            return self.pool(*self.read_from(start, vectors, values, expected, panels))

        start = self.start_from(self.prior.factors_again(found.posterior.mean))
        return by_row_sets(embed, Z[:, order], found.values, start, key=Z)

    def expect(self, Z):
        """Return what all measured genes tell before any token is read.

        The Expectation of the prior. Without one a pair: no values, and the sum of the
        gene embeddings weighted by the values; or None, if one panel has all genes.
        """
        if self.prior is not None:
            return self.prior(Z)
        if len(self.gene) <= self.panel_size:
            return None, None
        count = (~Z.isnan()).sum(1, keepdim=True).clamp(min=1)
        # Of unit size at first, however many genes were measured.
        weight = 1 / (_GENE_SPREAD * count.to(Z.dtype).sqrt())
        return None, weight * (Z.nan_to_num(nan=0.0) @ self.gene)

    def read(self, Z, expected, known, panels):
        """Read panels of genes and average over them.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles.
        expected, known : tensor or None
            From :meth:`expect`.
        panels : iterable of (tensor of shape (n, panel_size), bool tensor)
            Genes to be read, and which of these exist.

        Returns
        -------
        summary : tensor of shape (n, n_summary, token_dim)
            The summary tokens.
        genes : tensor of shape (n, token_dim)
            The mean of the gene tokens; zeros where `pooling` does not need it.
        """
        start = self.summary_tokens(len(Z), known)
        return self.read_from(start, self.gene_vectors(), Z, expected, panels)

    def read_from(self, start, vectors, Z, expected, panels):
        """Do as :meth:`read`, given summary tokens and the vectors of all genes."""
        total = torch.zeros_like(start)
        genes, weight = torch.zeros_like(start[:, 0]), start.new_zeros(len(Z), 1)
        for i, (panel, exists) in enumerate(panels):
            tokens = self.gene_tokens(Z, expected, panel, exists, vectors)
            tokens, mask = self.join(start, tokens, exists)
            tokens = self.attend(tokens, mask)
            count = exists.sum(1, keepdim=True).to(total.dtype)
            # A sample without any gene still has its summary tokens, once.
            share = count if i else count.clamp(min=1)
            total = total + share[:, :, None] * tokens[:, :N_SUMMARY]
            if self.pooling == "mean":
                genes = genes + (tokens[:, N_SUMMARY:] * exists[:, :, None]).sum(1)
            weight = weight + count
        weight = weight.clamp(min=1)
        return total / weight[:, :, None], genes / weight

    def attend(self, tokens, mask):
        """Return the tokens after all blocks; of the last one only those in use."""
        for block in self.blocks[:-1]:
            tokens = block(tokens, mask=mask)
        last = self.blocks[-1]
        asking = tokens if self.pooling == "mean" else tokens[:, :N_SUMMARY]
        return last(asking, last.norm(tokens), mask)

    def pool(self, summary, genes):
        """Return the embedding of a sample from what was read."""
        if self.pooling == "concat":
            return summary.flatten(1)
        return genes if self.pooling == "mean" else summary.mean(1)

    def summary_tokens(self, n, known):
        """Return the summary tokens of `n` samples before a token is read."""
        if known is None:
            return self.start.expand(n, -1, -1)
        factors = known if self.prior is None else self.prior.factors(known)
        return self.start_from(factors)

    def start_from(self, factors):
        """Return the summary tokens of samples with these factors."""
        return self.start + self.factors(factors).unflatten(1, (N_SUMMARY, -1))

    def gene_vectors(self, parts=(slice(None),)):
        """Return the vectors of genes in tokens, how they gate values, and their noise.

        Of all genes, or of some parts of them; the noise as a standard deviation, None
        without a prior.
        """
        # Of unit size, or genes would hardly be told apart at first.
        genes = self.gene if self.prior is not None else self.gene / _GENE_SPREAD
        found = [(genes[part], self.gate(genes[part])) for part in parts]
        if self.prior is None:
            return *_joined(found), None
        noise = [self.prior.model.noise[part].sqrt()[:, None] for part in parts]
        gene, gate, noise = _joined(
            [(*own, std) for own, std in zip(found, noise, strict=True)]
        )
        return gene, gate, noise[:, 0]

    def gene_tokens(self, Z, expected, panel, exists, vectors=None):
        """Return the tokens of the genes of a panel.

        What is the same for all panels, see :meth:`gene_vectors`, may be given.
        """
        values = Z.gather(1, panel).masked_fill(~exists, 0)
        told = self.value(values)
        gene, gate, noise = self.gene_vectors() if vectors is None else vectors
        if expected is not None and noise is not None:
            surprise = (values - expected.gather(1, panel)) / noise[panel]
            surprise = surprise.clamp(-MAX_SURPRISE, MAX_SURPRISE)
            told = told + self.surprise(surprise)
        # In a mere sum the first average over genes would not know which of them had
        # which value.
        return _rows(gene, panel) + told * (1 + _rows(gate, panel))

    def join(self, summary, genes, exists):
        """Put summary and gene tokens in one sequence, and say which exist."""
        tokens = torch.cat([summary, genes], 1)
        # On a GPU to ask would be to wait.
        if not exists.is_cuda and exists.all():
            return tokens, None
        always = exists.new_ones(len(exists), N_SUMMARY)
        return tokens, torch.cat([always, exists], 1)


def _joined(parts):
    """Return tensors of several parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))


def _rows(table, panel):
    """Return the rows of a table for a panel, once if it is that of all samples."""
    if not panel.is_cuda and (panel == panel[:1]).all():
        panel = panel[:1]
    return embedding(panel, table)


def _gene_vectors(n_genes, dim, prior):
    """Return the first gene embedding: the leading loadings, then noise."""
    vectors = _GENE_SPREAD * normal((n_genes, dim))
    if prior is not None:
        loadings = prior.model.loadings[:, :dim]
        loadings = loadings / loadings.square().mean(0).sqrt().clamp(min=1e-6)
        vectors[:, : loadings.shape[1]] += 0.3 * loadings
    return vectors

"""The decoder of GexBERT: a query for each gene that is asked for."""

from torch import nn

from ._draws import normal
from ._gene_transformer import N_SUMMARY
from ._layers import layer_norm, zero_linear
from ._transformer import TransformerBlock, ValueEncoder


class GeneDecoder(nn.Module):
    """Ask the summary of a sample for the expression of any genes.

    A query is the gene embedding plus the vector of a missing value and, if there is
    a prior, an embedding of what it expects. Queries read the summary tokens by
    cross-attention, and a linear layer that starts at zero turns them into a
    correction of what the prior expects: an untrained decoder returns that, or zero
    without a prior. Without one, another such layer restores what genes have in common:
    factors whose loadings are the gene embedding.

    Parameters
    ----------
    encoder : GeneTransformer
        Its widths are taken.
    n_layers : int, default=1
        Number of blocks.
    n_heads : int, default=4
        Number of attention heads.
    dropout : float, default=0.0
        Dropout rate.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import GeneDecoder, GeneTransformer
    >>> encoder = GeneTransformer(20)
    >>> decoder = GeneDecoder(encoder)
    >>> decoder(encoder.summary_tokens(4, None), encoder.gene[:3]).shape
    torch.Size([4, 3])
    """

    def __init__(self, encoder, n_layers=1, n_heads=4, dropout=0.0):
        super().__init__()
        d = encoder.token_dim
        self.missing = nn.Parameter(0.1 * normal((d,)))
        if encoder.prior is not None:
            kind, n_bins = encoder.value.kind, len(encoder.value.knots)
            self.expectation = ValueEncoder(kind, n_bins, d)
        else:
            # The factors of a prior are better left alone: they are learnt from all
            # that is measured, and the first steps would only blur them.
            self.factors = zero_linear(N_SUMMARY * d, d)
        self.norm_summary = layer_norm(d)
        self.blocks = nn.ModuleList(
            TransformerBlock(d, n_heads, dropout) for _ in range(n_layers)
        )
        self.norm = layer_norm(d)
        self.out = zero_linear(d, 1)

    @property
    def is_zero(self):
        """Whether all corrections are zero, as they are before training."""
        return not any(parameter.any() for parameter in self.out.parameters())

    def forward(self, summary, gene, expected=None):
        """Return the correction for each gene.

        Parameters
        ----------
        summary : tensor of shape (n, n_summary, dim)
            Summary tokens of the encoder.
        gene : tensor of shape (n, n_genes, dim) or (n_genes, dim)
            Embeddings of the genes that are asked for.
        expected : tensor of shape (n, n_genes), default=None
            What the prior expects of them.

        Returns
        -------
        correction : tensor of shape (n, n_genes)
        """
        return self.out(self.vectors(summary, gene, expected)).squeeze(-1)

    def common(self, summary, loadings):
        """Return what genes have in common, without a prior.

        Parameters
        ----------
        summary : tensor of shape (n, n_summary, dim)
            Summary tokens of the encoder.
        loadings : tensor of shape (n_all_genes, dim)
            The gene embedding.

        Returns
        -------
        correction : tensor of shape (n, n_all_genes)
        """
        return self.factors(self.norm_summary(summary).flatten(1)) @ loadings.T

    def vectors(self, summary, gene, expected=None):
        """Return the vector of each gene in the context of the sample.

        Returns
        -------
        vectors : tensor of shape (n, n_genes, dim)
        """
        queries = gene + self.missing
        if expected is not None:
            queries = queries + self.expectation(expected)
        else:
            queries = queries.expand(len(summary), -1, -1)
        summary = self.norm_summary(summary)
        for block in self.blocks:
            queries = block(queries, summary)
        return self.norm(queries)

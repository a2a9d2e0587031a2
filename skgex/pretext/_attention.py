"""Attention of a network over genes, from profiles in the units of the data."""

from torch import nn

from ..nn import gene_attention


class AttentionReader(nn.Module):
    """What :func:`skgex.nn.gene_attention` reads, after standardisation.

    Parameters
    ----------
    standardizer : torch.nn.Module
        Standardises genes.
    encoder : GeneTransformer
        In evaluation mode.
    rollout : bool
        Whether attention is followed through all layers.
    """

    def __init__(self, standardizer, encoder, rollout):
        super().__init__()
        self.standardizer = standardizer
        self.encoder = encoder
        self.rollout = rollout

    def forward(self, X):
        """Return the attention to each gene, of shape (n, n_genes)."""
        return gene_attention(self.encoder, self.standardizer(X), self.rollout)

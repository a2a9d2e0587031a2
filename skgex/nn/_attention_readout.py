"""Read off how much the summary of a sample attends to each of its genes."""

from functools import partial

import torch

from ._gene_transformer import N_SUMMARY
from ._row_sets import by_row_sets


def gene_attention(encoder, Z, rollout=False):
    """Return how much the summary tokens read each gene.

    Parameters
    ----------
    encoder : GeneTransformer
        In evaluation mode.
    Z : tensor of shape (n, n_genes)
        Standardised profiles; NaN where a gene was not measured.
    rollout : bool, default=False
        Whether attention is followed through all layers, with half of the weight on
        the residual stream [1]_, rather than taken from the last one.

    Returns
    -------
    attention : tensor of shape (n, n_genes)
        The mean over the measured genes of a sample is one; NaN where a gene was
        not measured.

    References
    ----------
    .. [1] Abnar S., Zuidema W. "Quantifying attention flow in transformers", ACL 2020.
       :arxiv:`2005.00928`

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import GeneTransformer, gene_attention
    >>> encoder = GeneTransformer(3).eval()
    >>> attention = gene_attention(encoder, torch.tensor([[1.0, torch.nan, 2.0]]))
    >>> attention.isnan()
    tensor([[False,  True, False]])
    >>> round(attention.nanmean().item(), 4)
    1.0
    """
    expected, known = encoder.expect(Z)[:2]
    read = partial(_attention, encoder, rollout)
    return by_row_sets(read, Z, expected, known)


def _attention(encoder, rollout, Z, expected, known):
    start = encoder.summary_tokens(len(Z), known)
    attention = torch.full_like(Z, torch.nan)
    for panel, exists in encoder.panels(Z):
        tokens = encoder.gene_tokens(Z, expected, panel, exists)
        tokens, mask = encoder.join(start, tokens, exists)
        read = _rollout if rollout else _last_layer
        share = read(encoder.blocks, tokens, mask)[:, :, N_SUMMARY:].mean(1)
        share = share * exists
        # A gene competes with those of its panel: one is the share of an average one.
        count = exists.sum(1, keepdim=True)
        share = share / share.sum(1, keepdim=True).clamp(min=1e-12) * count
        rows, columns = exists.nonzero(as_tuple=True)
        attention[rows, panel[rows, columns]] = share[rows, columns]
    return attention


def _last_layer(blocks, tokens, mask):
    for block in blocks[:-1]:
        tokens = block(tokens, mask=mask)
    normed = blocks[-1].norm(tokens)
    return blocks[-1].attention.weights(normed[:, :N_SUMMARY], normed, mask)


def _rollout(blocks, tokens, mask):
    flow = None
    for block in blocks:
        normed = block.norm(tokens)
        weights = block.attention.weights(normed, normed, mask)
        identity = torch.eye(
            weights.shape[1], dtype=weights.dtype, device=weights.device
        )
        weights = 0.5 * (weights + identity)
        flow = weights if flow is None else weights @ flow
        tokens = block(tokens, mask=mask)
    return flow[:, :N_SUMMARY]

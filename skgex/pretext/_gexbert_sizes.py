"""What the parameters of GexBERT must be to each other, and how large it may be."""

import numpy as np

from .._memory import check_network
from ..nn._gene_transformer import N_SUMMARY

# What each parameter is by default: the one that is most above it makes it large.
_USUAL = {"embedding_dim": 64, "n_layers": 2, "n_decoder_layers": 1, "n_bins": 32}


def check_sizes(gexbert, n_genes):
    """Refuse parameters that don't go together, or make too large a network."""
    if gexbert.embedding_dim % gexbert.n_heads:
        raise ValueError(
            f"embedding_dim={gexbert.embedding_dim} must be a multiple of n_heads="
            f"{gexbert.n_heads}: each head reads as many dimensions."
        )
    rates = np.asarray(gexbert.mask_rate)
    if (
        rates.shape not in ((), (2,))
        or rates.dtype.kind != "f"
        or not 0 < rates.min() <= rates.max() < 1
        or rates.flat[0] > rates.flat[-1]
    ):
        raise ValueError(
            f"mask_rate={gexbert.mask_rate!r} must be a share between 0 and 1, or a "
            "range of shares such as (0.15, 0.85)."
        )
    _check_size(gexbert, n_genes)


def _check_size(gexbert, n_genes):
    sizes = {name: int(getattr(gexbert, name)) for name in _USUAL}
    d, n_layers = sizes["embedding_dim"], sizes["n_layers"] + sizes["n_decoder_layers"]
    n_tokens = n_genes + 2 * sizes["n_bins"] + N_SUMMARY
    # Attention has four matrices of its width, and what follows it as many.
    n_weights = d * n_tokens + 8 * d**2 * n_layers
    largest = max(sizes, key=lambda name: sizes[name] / _USUAL[name])
    check_network(f"{largest}={sizes[largest]}", largest, n_weights, n_layers)

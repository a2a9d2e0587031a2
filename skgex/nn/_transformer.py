"""Attention blocks, and the encoding of expression values."""

from statistics import NormalDist

import torch
from torch import nn
from torch.nn.functional import embedding, scaled_dot_product_attention

from ._draws import normal
from ._dropout import Dropout
from ._layers import layer_norm, linear


class Attention(nn.Module):
    """Multi-head attention of some tokens to others.

    Parameters
    ----------
    dim : int
        Width of the tokens.
    n_heads : int
        Number of heads, a divisor of `dim`.
    dropout : float, default=0.0
        Dropout rate of the output.
    """

    def __init__(self, dim, n_heads, dropout=0.0):
        super().__init__()
        self.n_heads = int(n_heads)
        self.query = linear(dim, dim)
        self.key_value = linear(dim, 2 * dim)
        self.out = nn.Sequential(linear(dim, dim), Dropout(dropout))

    def forward(self, tokens, context, mask=None):
        """Read the `context`, of shape (n, n_context, dim), from each token.

        Parameters
        ----------
        tokens : tensor of shape (n, n_tokens, dim)
        context : tensor of shape (n, n_context, dim)
        mask : bool tensor of shape (n, n_context), default=None
            What of the context exists; None for everything.

        Returns
        -------
        tokens : tensor of shape (n, n_tokens, dim)
        """
        query, key, value = self._project(tokens, context)
        mask = None if mask is None else mask[:, None, None, :]
        read = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out(read.transpose(1, 2).flatten(2))

    def weights(self, tokens, context, mask=None):
        """Return how much each token reads of the context, averaged over heads.

        Returns
        -------
        weights : tensor of shape (n, n_tokens, n_context)
            Each row sums to one.
        """
        query, key, _ = self._project(tokens, context)
        scores = query @ key.mT / query.shape[-1] ** 0.5
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
        return scores.softmax(-1).mean(1)

    def _project(self, tokens, context):
        query = self.query(tokens)
        key, value = self.key_value(context).chunk(2, -1)
        return (
            part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for part in (query, key, value)
        )


class TransformerBlock(nn.Module):
    """Pre-norm attention and a feed-forward layer, each on a residual stream [1]_.

    Parameters
    ----------
    dim : int
        Width of the tokens.
    n_heads : int
        Number of heads.
    dropout : float, default=0.0
        Dropout rate.
    widening : int, default=2
        Width of the feed-forward layer, in units of `dim`.

    References
    ----------
    .. [1] Xiong R. et al. "On layer normalization in the transformer architecture",
       ICML 2020. :arxiv:`2002.04745`
    """

    def __init__(self, dim, n_heads, dropout=0.0, widening=2):
        super().__init__()
        self.norm = layer_norm(dim)
        self.attention = Attention(dim, n_heads, dropout)
        self.feed_forward = nn.Sequential(
            layer_norm(dim),
            linear(dim, widening * dim),
            nn.GELU(),
            linear(widening * dim, dim),
            Dropout(dropout),
        )

    def forward(self, tokens, context=None, mask=None):
        """Let tokens read `context`, or each other if it is None."""
        normed = self.norm(tokens)
        read = self.attention(normed, normed if context is None else context, mask)
        tokens = tokens + read
        return tokens + self.feed_forward(tokens)


class ValueEncoder(nn.Module):
    """Embed standardised values.

    Parameters
    ----------
    kind : {"continuous", "bins"}
        Either interpolates linearly between learnt vectors at knots, or looks up the
        learnt vector of the bin a value falls into.
    n_bins : int
        Number of vectors.
    dim : int
        Width of the embedding.

    Notes
    -----
    Knots, and centres of bins, lie on quantiles of the standard normal distribution.
    Beyond the last knots the interpolation goes on as a line.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import ValueEncoder
    >>> ValueEncoder("continuous", 16, 32)(torch.randn(4, 10)).shape
    torch.Size([4, 10, 32])
    """

    def __init__(self, kind, n_bins, dim):
        super().__init__()
        self.kind = kind
        shares = [(i + 0.5) / n_bins for i in range(n_bins)]
        knots = [NormalDist().inv_cdf(share) for share in shares]
        knots = torch.tensor(knots, dtype=torch.float32, device="cpu")
        self.register_buffer("knots", knots)
        # A line through all bins to begin with: what is near is alike.
        start = 0.3 * knots[:, None] * normal((dim,))
        self.vectors = nn.Parameter(start + 0.02 * normal((n_bins, dim)))

    def forward(self, values):
        """Return the embedding of each value, in one more dimension."""
        if self.kind == "bins":
            edges = (self.knots[1:] + self.knots[:-1]) / 2
            return embedding(torch.bucketize(values, edges), self.vectors)
        last = len(self.knots) - 1
        right = torch.bucketize(values, self.knots).clamp(1, last)
        low, high = self.knots[right - 1], self.knots[right]
        share = ((values - low) / (high - low))[..., None]
        low, high = embedding(right - 1, self.vectors), embedding(right, self.vectors)
        return torch.lerp(low, high, share)

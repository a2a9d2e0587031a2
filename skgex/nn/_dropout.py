"""Dropout that draws from the generator in force."""

from torch import nn

from ._draws import bernoulli_mask
from ._shares import own_draws


class Dropout(nn.Dropout):
    """Set a random share `p` of the values to zero in training, and scale the others.

    Torch's own draws from the global generator, which all fits of a process share.
    """

    def forward(self, X):
        """Return `X` with values dropped, or as it is outside of training."""
        if not self.training or not self.p:
            return X
        kept = own_draws(bernoulli_mask, X.shape, 1 - self.p, X.device)
        return X * kept.to(X.dtype) / (1 - self.p)

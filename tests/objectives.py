"""Small objectives whose training is known in advance, and batches for them."""

import numpy as np
import torch
from torch import nn

from skgex._training import Batches, RowReader
from skgex.nn import Objective, swap_genes


def make_batches(n=20, batch_size=8, n_genes=4, **options):
    """Return batches of random values."""
    X = np.random.default_rng(0).standard_normal((n, n_genes)).astype(np.float32)
    return Batches(RowReader(X), torch.arange(n), batch_size, nn.Identity(), **options)


class Linear(Objective):
    """Fit one linear layer to zero: a loss, a gradient, nothing random."""

    def __init__(self, n_genes=4, scale=1.0):
        encoder = nn.Linear(n_genes, 3)
        encoder.embedding_dim = 3
        super().__init__(encoder)
        self.head = nn.Linear(3, 2)
        self.scale = scale

    def forward(self, X):
        return self.scale * (self.head(self.encoder(X)) - 1).square().mean()


class Corrupted(Linear):
    """The same on corrupted views."""

    def forward(self, X):
        return super().forward(swap_genes(X, 0.5)[0])


class Scripted(Linear):
    """Losses that are written down; `epoch` counts the epochs, of one batch each."""

    def __init__(self, train_losses, valid_losses=()):
        super().__init__()
        self.losses = {True: train_losses, False: valid_losses}
        self.register_buffer("epoch", torch.zeros(()))

    def forward(self, X):
        done = int(self.epoch) - (not self.training)
        # No gradient but zero: a loss of NaN leaves no trace in the weights.
        losses = self.losses[self.training] or self.losses[True]
        return 0 * super().forward(X) + losses[done]

    def after_step(self, progress):
        self.epoch += 1

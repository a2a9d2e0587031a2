"""A variational autoencoder as an imputer, for the imputation benchmarks."""

import torch
from imputation_baselines import MaskedAutoencoder
from torch import nn


class VariationalAutoencoder(MaskedAutoencoder):
    """A variational autoencoder (Kingma and Welling, 2014) of whole profiles.

    Gaussian, with a variance learnt for each gene, so that no weight between the two
    parts of its bound has to be chosen. It reads missing values as means; then what it
    restored is read in their place, round by round, as Rezende et al. (2014) do, but
    with expected values in place of draws, which have a lower squared error.
    """

    def __init__(self, n_factors=64, n_rounds=20, max_epochs=100):
        super().__init__(max_epochs)
        self.n_factors = n_factors
        self.n_rounds = n_rounds

    def _make(self, n_genes):
        return _Network(n_genes, self.n_factors)

    def _shown(self, known):
        """Return which of the measured values are read in training."""
        return known

    def _loss(self, X):
        known = ~X.isnan()
        shown = self._shown(known)
        read = torch.where(shown, X, 0.0)
        mean, log_variance = self.network.encode(read, shown)
        factors = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        error = (self.network.decode(factors) - X.nan_to_num(nan=0.0)).square()
        log_noise = self.network.log_noise
        misfit = (0.5 * (error / log_noise.exp() + log_noise))[known].sum()
        # Kullback and Leibler's divergence from the standard normal distribution.
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        return (misfit + divergence.sum()) / X.numel()

    def _restore(self, X, shown):
        filled = torch.where(shown, X, 0.0)
        for _ in range(self.n_rounds):
            restored = self.network.decode(self.network.encode(filled, shown)[0])
            filled = torch.where(shown, X, restored)
        return restored


class OfHoles(VariationalAutoencoder):
    """The same, trained to read profiles with 5 to 95 % of the values missing.

    It is told which these are, and restores in one round.
    """

    def __init__(self, n_factors=64, max_epochs=60):
        super().__init__(n_factors, 1, max_epochs)

    def _make(self, n_genes):
        return _Network(n_genes, self.n_factors, reads_mask=True)

    def _shown(self, known):
        rate = torch.empty(len(known), 1).uniform_(0.05, 0.95)
        return known & (torch.rand(known.shape) > rate)


class _Network(nn.Module):
    def __init__(self, n_genes, n_factors, width=512, reads_mask=False):
        super().__init__()
        n_read = 2 * n_genes if reads_mask else n_genes
        self.encoder = nn.Sequential(
            nn.Linear(n_read, width), nn.ReLU(), nn.Linear(width, 2 * n_factors)
        )
        self.decode = nn.Sequential(
            nn.Linear(n_factors, width), nn.ReLU(), nn.Linear(width, n_genes)
        )
        self.log_noise = nn.Parameter(torch.zeros(n_genes))
        self.reads_mask = reads_mask

    def encode(self, X, shown):
        """Return mean and log variance of the factors."""
        read = torch.cat([X, shown.to(X.dtype)], dim=1) if self.reads_mask else X
        mean, log_variance = self.encoder(read).chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 10)

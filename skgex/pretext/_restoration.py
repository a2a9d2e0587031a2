"""The objective of GexBERT: hide measured values and restore them."""

from types import MappingProxyType

import torch
from torch import nn

from ..nn import Objective
from ..nn._draws import permutation, uniform
from ..nn._shares import own, own_draws, part_of_mean, total_of
from ._calibrate import calibrate, calibrate_seen
from ._restored_genes import RestoredGenes

# Shares that are hidden for validation: the same each time.
VALID_SHARES = (0.2, 0.5, 0.8)


class RestorationObjective(RestoredGenes, Objective):
    """Restore hidden values from the others, beyond what the prior expects.

    Parameters
    ----------
    encoder : GeneTransformer
        Reads what is given.
    decoder : GeneDecoder
        Restores what is hidden.
    mask_rate : (float, float)
        Range that the hidden share is drawn from, for each batch.
    n_genes_per_step : int
        Number of genes of a sample that are given or asked for.
    fold_priors : sequence of LowRankPrior, default=()
        Priors fitted without the rows of one fold each. Where a prior has seen a row,
        it errs less than it will on a new one, and to correct that would be to learn
        the wrong thing.
    fold : int64 tensor of shape (n_rows,), default=None
        The fold of each training row.
    """

    gene_axes = MappingProxyType({"gene_error": 0})

    def __init__(
        self, encoder, decoder, mask_rate, n_genes_per_step, fold_priors=(), fold=None
    ):
        super().__init__(encoder)
        self.decoder = decoder
        self.mask_rate = mask_rate
        self.n_genes_per_step = min(n_genes_per_step, len(encoder.gene))
        self.fold_priors = nn.ModuleList(fold_priors)
        self.fold = fold
        # Priors that were fitted again, see `calibrate_seen`.
        self.again = nn.ModuleList()
        # Learnt in `finish`: a factor on the standard deviation by the prior, or on
        # that of each gene where there is no prior.
        ones = torch.ones(len(encoder.gene) + 2, dtype=torch.float32)
        self.register_buffer("calibration", ones[0].clone())
        self.register_buffer("gene_error", ones[2:].clone())
        # A further factor for samples that the prior was fitted to.
        self.register_buffer("seen_calibration", ones[1].clone())

    def targets(self):
        """Return the fold of each training row."""
        return () if self.fold is None else (self.fold,)

    def forward(self, X, fold=None):
        """Return the mean squared error of some hidden values.

        Parameters
        ----------
        X : tensor of shape (n, n_genes)
            Standardised profiles.
        fold : int64 tensor of shape (n,), default=None
            Which fold each row belongs to.
        """
        X, fold = own(X), None if fold is None else own(fold)
        low, high = self.mask_rate
        if self.training:
            return self._error(X, fold, low + (high - low) * float(uniform(())))
        errors = [self._error(X, fold, share) for share in VALID_SHARES]
        return torch.stack(errors).mean()

    def _error(self, X, fold, share):
        hidden, expected, known = self.hide(X, share, fold)
        n_asked = min(max(1, round(share * self.n_genes_per_step)), X.shape[1])
        n_given = max(1, self.n_genes_per_step - n_asked)
        measured = ~X.isnan()
        given = self.encoder.random_panel(measured & ~hidden, n_given)
        asked, counts = self.encoder.random_panel(measured & hidden, n_asked)
        view = X.masked_fill(hidden, torch.nan)
        if expected is None:
            known = self.encoder.expect(view)[1]
        summary, _ = self.encoder.read(view, expected, known, [given])
        restored = self.decode(summary, expected, asked)
        error = _mean_square(restored - X.gather(1, asked), counts)
        if expected is not None or not self.training:
            return error
        # What genes have in common is cheap to ask of all that are hidden, and is
        # learnt in fewer steps that way.
        common = self.decoder.common(summary, self.encoder.gene).float()
        return (error + _mean_square(common - X, measured & hidden)) / 2

    @torch.no_grad()
    def hide(self, X, share, fold):
        """Draw what is hidden, and return what the prior expects given the rest.

        With a prior the rows of a fold share what is hidden of them, and so the
        covariance of their factors: that is most of the work.

        Returns
        -------
        hidden : bool tensor of shape (n, n_genes)
        expected, linear : tensor of shape (n, n_genes) or None
            See :class:`Expectation`; None without a prior.
        """
        prior = self.encoder.prior
        if prior is None:
            return _hide_in_each(X, share), None, None
        hidden = torch.empty_like(X, dtype=torch.bool)
        expected, linear = torch.empty_like(X), torch.empty_like(X)
        for f, fold_prior in enumerate(self.fold_priors or [prior]):
            rows = slice(None) if fold is None else (fold == f).nonzero()[:, 0]
            mask = uniform(X.shape[1:], X.device) < share
            # One gene at least is given, and one is asked for.
            ends = permutation(X.shape[1], X.device)[:2]
            mask[ends] = mask.new_tensor([False, True])[: len(ends)]
            hidden[rows] = mask
            if len(X[rows]):
                found = fold_prior(X[rows].masked_fill(mask, torch.nan))
                expected[rows], linear[rows] = found.values, found.linear
        return hidden, expected, linear

    def decode(self, summary, expected, asked):
        """Return the restored expression of some genes of each sample.

        Parameters
        ----------
        summary : tensor of shape (n, n_summary, dim)
            Summary tokens of the encoder.
        expected : tensor of shape (n, n_genes) or None
            What the prior expects.
        asked : int64 tensor of shape (n, n_asked) or (n_asked,)
            Genes that are asked for.

        Returns
        -------
        restored : tensor of shape (n, n_asked)
        """
        gene = self.encoder.gene
        if expected is None:
            common = _columns(self.decoder.common(summary, gene), asked)
            return (common + self.decoder(summary, gene[asked])).float()
        expected = _columns(expected, asked)
        return expected + self.decoder(summary, gene[asked], expected).float()

    def finish(self, batches):
        """Learn how far what is restored is off."""
        calibrate(self, batches)
        calibrate_seen(self)

    def release(self):
        """Free the priors that were of use in training."""
        super().release()
        self.again = nn.ModuleList().train(self.training)
        self.fold_priors, self.fold = nn.ModuleList().train(self.training), None


def _hide_in_each(X, share):
    """Draw what is hidden of each row."""
    keys = own_draws(uniform, X.shape, X.device)
    hidden = keys < share
    # One gene at least is given, and one is asked for if there are two.
    hidden.scatter_(1, keys.argmin(1, keepdim=True), True)
    return hidden.scatter_(1, keys.argmax(1, keepdim=True), False)


def _mean_square(error, counts):
    """Return the mean of the squared errors that count; others may be NaN."""
    total = torch.where(counts, error, 0).square().sum()
    count = counts.sum().clamp(min=1)
    return part_of_mean(total / count, count, total_of(count))


def _columns(values, asked):
    """Return the values of the genes that are asked for."""
    return values[:, asked] if asked.ndim == 1 else values.gather(1, asked)

"""The objective of GexBERT: hide measured values and restore them."""

from types import MappingProxyType

import torch
from torch import nn

from .._low_rank import relative_likelihood
from ..nn import Objective
from ..nn._draws import normal, permutation, uniform
from ..nn._row_sets import by_row_sets
from ..nn._shares import own, own_draws, part_of_mean, total_of
from ._calibrate import calibrate, calibrate_seen

# Genes that are asked for at a time, to bound the memory of their vectors.
_GENES_AT_ONCE = 1024
# Shares that are hidden for validation: the same each time.
VALID_SHARES = (0.2, 0.5, 0.8)


class RestorationObjective(Objective):
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

    def restore(self, Z, genes):
        """Return the expected expression of some genes of standardised profiles.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles; NaN where a gene was not measured.
        genes : int64 tensor of shape (n_asked,)
            Genes that are asked for; after those of the training data follow genes
            that only the prior has.

        Returns
        -------
        restored : tensor of shape (n, n_asked)
        """
        return self._restore(Z, self._expect(Z), genes)

    def restore_with_variance(self, Z, genes, prior=None, posterior=None):
        """Return the expected expression of some genes, and its variance.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles; NaN where a gene was not measured.
        genes : int64 tensor of shape (n_asked,)
            Genes that are asked for.
        prior : LowRankPrior, default=None
            To be used in place of that of the encoder.
        posterior : FactorPosterior, default=None
            Posterior of its factors, if it is known already.

        Returns
        -------
        restored, variance : tensor of shape (n, n_asked)
        """
        prior = self.encoder.prior if prior is None else prior
        scale = self._scale(Z, prior).square()
        if prior is None:
            restored = self.restore(Z, genes)
            return restored, scale * self.gene_error[genes].expand_as(restored)
        found = prior(Z, True, posterior, left_out=True)
        variance = scale * sum(prior.variance(Z, found))
        restored = self._restore(Z, found, genes)
        lacking = genes >= Z.shape[1]
        if not lacking.any():
            return restored, variance[:, genes]
        rest = scale * prior.other(Z, with_variance=True)[1]
        return restored, torch.cat([variance, rest], 1)[:, genes]

    def draw(self, Z, genes, drawn=None):
        """Draw the expression of some genes from its distribution.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles; NaN where a gene was not measured.
        genes : int64 tensor of shape (n_asked,)
            Genes that are asked for.
        drawn : FactorAnalysis, default=None
            A draw of the prior's model, see :meth:`draw_model`.

        Returns
        -------
        values : tensor of shape (n, n_asked)
        """
        prior = self.encoder.prior
        if prior is None:
            restored, variance = self.restore_with_variance(Z, genes)
            return restored + variance.sqrt() * normal(restored.shape, restored.device)
        found = prior(Z, with_covariance=True, left_out=True)
        off = prior.draw(Z, found, drawn)
        return self._restore(Z, found, genes) + self._scale(Z, prior) * off[:, genes]

    def draw_model(self):
        """Return a draw of what is learnt, which all samples of a call share."""
        prior = self.encoder.prior
        if prior is None:
            return None
        return prior.model.drawn(getattr(prior, "count", None))

    def likelihood(self, Z):
        """Return the likelihood of samples, comparable and as a share.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles; NaN where a gene was not measured.

        Returns
        -------
        found : tensor of shape (n, 2)
            See :class:`SampleScores`.
        """
        prior = self.encoder.prior
        left_out = prior.has_seen(Z)
        posterior = prior.model.posterior(Z, prior.n_columns, left_out)
        found = relative_likelihood(prior, Z, posterior)
        score, share = prior.scores.comparable(*found), prior.scores.share_below(*found)
        return torch.stack([score, share], 1)

    def standardised_errors(self, Z):
        """Return errors of measured genes given all others, in standard deviations."""
        prior = self.encoder.prior
        found = prior(Z, with_covariance=True)
        return prior.standardised_errors(Z, found) / self.calibration

    def embed_genes(self, Z, genes):
        """Return the vectors of some genes, of shape (n, n_asked, dim)."""

        def embed(Z, expected, known):
            summary = self._summary(Z, expected, known)
            expected = None if expected is None else expected[:, genes]
            return self.decoder.vectors(summary, self.encoder.gene[genes], expected)

        return by_row_sets(embed, Z, *self.encoder.expect(Z)[:2])

    def _scale(self, Z, prior):
        """Return the factor on standard deviations of each sample, or of all."""
        seen = None if prior is None else prior.has_seen(Z)
        # Files of earlier versions do not have the factor.
        if seen is None or not hasattr(self, "seen_calibration"):
            return self.calibration
        # Not torch.where with a number, which is of the caller's default precision.
        factors = torch.stack(
            [self.calibration, self.calibration * self.seen_calibration]
        )
        return factors[seen.long()[:, None]]

    def _expect(self, Z):
        """Return what the prior expects, of samples of the fit as of others."""
        prior = self.encoder.prior
        return self.encoder.expect(Z) if prior is None else prior(Z, left_out=True)

    def _restore(self, Z, found, genes):
        n_genes = Z.shape[1]
        lacking = genes >= n_genes
        if not lacking.any():
            return self._restore_own(Z, found, genes)
        restored = Z.new_empty(len(Z), len(genes))
        restored[:, ~lacking] = self._restore_own(Z, found, genes[~lacking])
        others, _ = self.encoder.prior.other(Z)
        restored[:, lacking] = others[:, genes[lacking] - n_genes]
        return restored

    def _restore_own(self, Z, found, genes):
        """Restore genes of the training data, with what the network has learnt."""
        if not len(genes):
            return Z.new_empty(len(Z), 0)
        expected, known = found[:2]
        if expected is not None and self.decoder.is_zero:
            # Nothing was learnt that would be worth reading the genes for.
            return expected[:, genes]

        def restore(Z, expected, known):
            summary = self._summary(Z, expected, known)
            parts = genes.split(_GENES_AT_ONCE)
            return torch.cat([self.decode(summary, expected, g) for g in parts], 1)

        return by_row_sets(restore, Z, expected, known)

    def _summary(self, Z, expected, known):
        """Return the summary tokens after all measured genes were read."""
        return self.encoder.read(Z, expected, known, self.encoder.panels(Z))[0]

    def moments(self, standardizer):
        """Return means and standard deviations of all genes that can be restored."""
        other = getattr(self.encoder.prior, "other", None)
        if other is None:
            return standardizer.mean, standardizer.scale
        return (
            torch.cat([standardizer.mean, other.mean]),
            torch.cat([standardizer.scale, other.scale]),
        )

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

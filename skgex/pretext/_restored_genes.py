"""What the objective of GexBERT answers once it was trained."""

import torch

from .._low_rank import relative_likelihood
from ..nn._draws import normal
from ..nn._row_sets import by_row_sets

# Genes that are asked for at a time, to bound the memory of their vectors.
_GENES_AT_ONCE = 1024


class RestoredGenes:
    """Restored genes, draws of them and how likely samples are, for an objective.

    It has an encoder, a decoder, what was calibrated, and decodes summary tokens.
    """

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

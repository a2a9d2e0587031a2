"""Panels: which measured genes of a sample a transformer reads together."""

import torch

from ._draws import uniform
from ._shares import own_draws


class ReadsPanels:
    """Choose the genes of panels, for an encoder with an order of its genes.

    The encoder has `gene`, a vector of each, `order`, a permutation of them, the size
    of a panel in `panel_size`, and a `prior` or None.
    """

    max_panels = None  # in files of earlier versions

    @property
    def n_read(self):
        """Number of genes that are read of a sample to embed it."""
        if self.max_panels is None or self.prior is None:
            return len(self.gene)
        return min(len(self.gene), self.max_panels * self.panel_size)

    def read_in_order_of(self, other, places):
        """Read shared genes in the order of another encoder, and new ones after them.

        Parameters
        ----------
        other : GeneTransformer
            For other genes.
        places : int64 tensor of shape (n_genes,)
            Where it has each gene of this one, -1 for a new gene.
        """
        own = torch.full_like(other.order, -1)
        shared = places >= 0
        own[places[shared]] = shared.nonzero()[:, 0]
        own = own[other.order]
        new = self.order[~shared[self.order]]
        self.order.copy_(torch.cat([own[own >= 0], new]))

    def panels(self, Z, order=None, n_read=None):
        """Yield the panels in which the measured genes of each sample are read.

        The order is the same for all, and so are the sizes of the panels: what is read
        does not depend on other samples.

        Parameters
        ----------
        Z : tensor of shape (n, n_genes)
            Standardised profiles.
        order : int64 tensor of shape (n_candidates,), default=None
            Genes to choose from, the first ones first; None for all.
        n_read : int, default=None
            Bound on the genes that are read of a sample; None for all.

        Yields
        ------
        genes : int64 tensor of shape (n, panel_size)
        exists : bool tensor of shape (n, panel_size)
            Which of them were measured.
        """
        order = self.order if order is None else order
        observed = ~Z.isnan()[:, order]
        place = torch.argsort(~observed, dim=1, stable=True)[:, :n_read]
        genes, exists = order[place], observed.gather(1, place)
        n_read = max(1, int(exists.sum(1).max()))
        for start in range(0, n_read, self.panel_size):
            columns = slice(start, start + self.panel_size)
            yield genes[:, columns], exists[:, columns]

    def _first_genes(self, Z):
        """Return first genes in order: of each sample as many as are read of it.

        To sort all of very many would take longer than to read a panel.
        """
        n_genes = 2 * self.n_read
        while n_genes < len(self.order):
            order = self.order[:n_genes]
            if (~Z[:, order].isnan()).sum(1).min() >= self.n_read:
                return order
            n_genes *= 2
        return self.order

    @staticmethod
    def random_panel(candidates, size):
        """Draw `size` of the candidate genes of each sample, and say which exist."""
        size = min(size, candidates.shape[1])
        if not candidates.is_cuda:
            # Tokens that exist in no sample cost as much; a GPU would have to wait.
            size = max(1, min(size, int(candidates.sum(1).max())))
        keys = own_draws(uniform, candidates.shape, candidates.device)
        keys, genes = keys.masked_fill_(~candidates, -1).topk(size, dim=1)
        return genes, keys >= 0

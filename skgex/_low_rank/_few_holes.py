"""The posterior of samples that lack few genes, from that of complete ones."""

from functools import cached_property

import torch

from ._leading_inverse import inverses

# Matrices of like size are solved together, each padded to a multiple of this.
_STEP = 16
_CHUNK_BYTES = 64 * 2**20


class CompleteBasis:
    """A basis for the factors in which samples that lack few genes are solved for.

    A missing gene takes ``a a'`` from the precision of the factors, and what its
    uncertain loadings add to it. In a basis in which the precision of complete
    profiles and the uncertainty are both diagonal the second is a change of the
    diagonal, and the first leaves a system with one equation for each missing gene
    (Woodbury's formula), where otherwise there is one for each factor.

    Parameters
    ----------
    model : FactorAnalysis
        The model.

    Attributes
    ----------
    scaled : tensor of shape (n_genes, rank)
        Loadings over the noise of their genes, the root of it.
    product : tensor of shape (rank, rank)
        What complete profiles add to the precision of the factors.
    """

    def __init__(self, model):
        self._loadings, self._noise = model.loadings, model.noise
        self._uncertainty, self.size = model.uncertainty, model.uncertainty_scale
        scaled, dtype = self._scaled(), model.loadings.dtype
        self.product = (scaled.T @ scaled).to(dtype)
        self.scaled = scaled.to(dtype)

    def _scaled(self):
        return self._loadings.double() * self._noise.double().rsqrt()[:, None]

    @cached_property
    def turned(self):
        """The basis, the scaled loadings in it, and what uncertain ones change."""
        scaled, dtype = self._scaled(), self.scaled.dtype
        precision = scaled.T @ scaled
        precision.diagonal().add_(1)
        inverse = torch.linalg.inv(torch.linalg.cholesky(precision))
        change = inverse @ self._uncertainty.double() @ inverse.T
        change, rotation = torch.linalg.eigh((change + change.T) / 2)
        basis = inverse.T @ rotation
        parts = basis, scaled @ basis, change.clamp(min=0)
        return tuple(part.to(dtype) for part in parts)

    @cached_property
    def again(self):
        """What takes factors to those of the complete profiles that they expect."""
        basis, _, change = (part.double() for part in self.turned)
        diagonal = 1 / (1 + self.size.double().sum() * change)
        scaled = self._scaled()
        found = scaled.T @ scaled @ (basis * diagonal) @ basis.T
        return found.to(self.scaled.dtype)

    def parts(self, missing, n_columns):
        """Yield places of patterns that lack about as many genes, and their inverses.

        Parameters
        ----------
        missing : bool tensor of shape (n_patterns, n_genes)
            The genes that each pattern lacks.
        n_columns : int
            How many columns will be asked for: they take memory.

        Yields
        ------
        places : int64 tensor of shape (n_alike,)
        inverse : FewHoles
        """
        rank = self.scaled.shape[1]
        # By its own number of holes alone: the other patterns do not matter.
        size = (missing.sum(1) + _STEP - 1) // _STEP * _STEP
        for wanted in size.unique().tolist():
            per_pattern = 4 * (2 * rank * (wanted + n_columns) + 2 * wanted**2)
            some = max(1, _CHUNK_BYTES // per_pattern)
            for places in (size == wanted).nonzero()[:, 0].split(some):
                yield places, FewHoles(self, missing[places], wanted, n_columns)


class FewHoles:
    """Inverses of the precision of the factors for patterns that lack few genes.

    Parameters
    ----------
    complete : CompleteBasis
        Where they start from.
    missing : bool tensor of shape (n_patterns, n_genes)
        The genes that each pattern lacks.
    size : int
        Upper bound on their number.
    n_columns : int
        How many columns will be asked for: as many factors lead.
    """

    def __init__(self, complete, missing, size, n_columns):
        self.n_columns = n_columns
        # Products of one matrix with each of several, not of one with all in a row: the
        # shape of that would depend on how many there are.
        basis, genes, change = complete.turned
        self.basis = basis.expand(len(missing), -1, -1)
        # Places of the missing genes first, then places that do not count.
        place = missing.to(torch.uint8).argsort(dim=1, descending=True, stable=True)
        place = place[:, :size]
        genes = genes[place] * missing.gather(1, place)[:, :, None]
        left = (~missing * complete.size).sum(1)
        self.diagonal = 1 / (1 + left[:, None] * change)
        self.scaled = genes * self.diagonal[:, None]
        system = torch.bmm(-self.scaled, genes.mT)
        system.diagonal(dim1=1, dim2=2).add_(1)
        self.root = torch.linalg.cholesky(system)

    def times(self, vectors, sets):
        """Return the product with the inverse of its pattern for each vector."""
        vectors = torch.bmm(sets.of(self.basis).mT, sets.columns(vectors))
        found = sets.of(self.diagonal)[:, :, None] * vectors
        if self.scaled.shape[1]:
            scaled = sets.of(self.scaled)
            across = torch.bmm(scaled, vectors)
            across = torch.cholesky_solve(across, sets.of(self.root))
            found = found + torch.bmm(scaled.mT, across)
        return sets.rows(torch.bmm(sets.of(self.basis), found))

    def moments(self):
        """Return the first columns, and the precision of the leading factors."""
        columns = self._columns()
        return columns, inverses(columns[:, : columns.shape[2]])

    def _columns(self):
        wanted = self.basis[:, : self.n_columns].mT
        found = self.diagonal[:, :, None] * wanted
        if self.scaled.shape[1]:
            across = torch.bmm(self.scaled, wanted)
            across = torch.cholesky_solve(across, self.root)
            found = found + torch.bmm(self.scaled.mT, across)
        return torch.bmm(self.basis, found)

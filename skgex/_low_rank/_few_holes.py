"""The posterior of samples that lack few genes, from that of complete ones."""

from functools import cached_property

import torch

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
    """

    def __init__(self, model):
        scaled = model.loadings.double() * model.noise.double().rsqrt()[:, None]
        precision = scaled.T @ scaled
        precision.diagonal().add_(1)
        inverse = torch.linalg.inv(torch.linalg.cholesky(precision))
        change = inverse @ model.uncertainty.double() @ inverse.T
        change, rotation = torch.linalg.eigh((change + change.T) / 2)
        basis, dtype = inverse.T @ rotation, model.loadings.dtype
        self.basis = basis.to(dtype)
        self.change = change.clamp(min=0).to(dtype)
        self.genes = (scaled @ basis).to(dtype)
        self.size = model.uncertainty_scale

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
        rank = len(self.change)
        # By its own number of holes alone: the other patterns do not matter.
        size = (missing.sum(1) + _STEP - 1) // _STEP * _STEP
        for wanted in size.unique().tolist():
            per_pattern = 4 * (2 * rank * (wanted + n_columns) + 2 * wanted**2)
            some = max(1, _CHUNK_BYTES // per_pattern)
            for places in (size == wanted).nonzero()[:, 0].split(some):
                yield places, FewHoles(self, missing[places], wanted)


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
    """

    def __init__(self, complete, missing, size):
        self.basis = complete.basis
        # Places of the missing genes first, then places that do not count.
        place = missing.to(torch.uint8).argsort(dim=1, descending=True, stable=True)
        place = place[:, :size]
        genes = complete.genes[place] * missing.gather(1, place)[:, :, None]
        left = (~missing).to(genes.dtype) @ complete.size
        self.diagonal = 1 / (1 + left[:, None] * complete.change)
        self.scaled = genes * self.diagonal[:, None]
        system = -self.scaled @ genes.mT
        system.diagonal(dim1=1, dim2=2).add_(1)
        self.root = torch.linalg.cholesky(system)

    def times(self, vectors, pattern):
        """Return the product with the inverse of its pattern for each vector."""
        vectors = vectors @ self.basis
        scaled, root = self.scaled[pattern], self.root[pattern]
        found = self.diagonal[pattern] * vectors
        if scaled.shape[1]:
            across = torch.cholesky_solve(scaled @ vectors[:, :, None], root)
            found = found + (scaled.mT @ across)[:, :, 0]
        return found @ self.basis.T

    def columns(self, n_columns):
        """Return the first columns of the inverses."""
        wanted = self.basis[:n_columns].T
        found = self.diagonal[:, :, None] * wanted
        if self.scaled.shape[1]:
            across = torch.cholesky_solve(self.scaled @ wanted, self.root)
            found = found + self.scaled.mT @ across
        return self.basis @ found


class RootInverse:
    """Inverses of precisions by their Cholesky factors.

    Parameters
    ----------
    precision : tensor of shape (n_patterns, rank, rank)
    """

    def __init__(self, precision):
        self.root = torch.linalg.cholesky(precision)

    @cached_property
    def covariance(self):
        """The inverses themselves."""
        return torch.cholesky_inverse(self.root)

    def times(self, vectors, pattern):
        """Return the product with the inverse of its pattern for each vector."""
        if len(self.root) == 1:
            return vectors @ self.covariance[0]
        if "covariance" in vars(self):
            return (self.covariance[pattern] @ vectors[:, :, None])[:, :, 0]
        return torch.cholesky_solve(vectors[:, :, None], self.root[pattern])[:, :, 0]

    def columns(self, n_columns):
        """Return the first columns of the inverses."""
        if n_columns == self.root.shape[1] or len(self.root) == 1:
            return self.covariance[:, :, :n_columns]
        size = self.root.shape[1]
        wanted = torch.eye(size, n_columns, dtype=self.root.dtype)
        wanted = wanted.to(self.root.device).expand(len(self.root), -1, -1)
        return torch.cholesky_solve(wanted, self.root)

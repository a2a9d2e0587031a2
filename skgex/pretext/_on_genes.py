"""What an objective says of genes, in the units of the data."""

import torch
from torch import nn


class OnGenes(nn.Module):
    """Call a method of an objective on some genes, from and to the units of the data.

    Parameters
    ----------
    standardizer : torch.nn.Module
        Standardises genes as in training.
    objective : RestorationObjective
        Knows standardised genes.
    method : str
        The name of its method.
    genes : int64 tensor of shape (n_asked,), default=None
        Genes that the method is asked for; None for a method of whole samples.
    *args : torch.nn.Module
        Further arguments of the method.
    """

    def __init__(self, standardizer, objective, method, genes=None, *args):
        super().__init__()
        self.standardizer = standardizer
        self.objective = objective
        self.method = method
        self.genes = genes
        self.args = nn.ModuleList(args)

    def forward(self, X):
        """Return what the method finds, a row for each sample."""
        method = getattr(self.objective, self.method)
        if self.genes is None:
            return method(self.standardizer(X))
        genes = self.genes.to(X.device)
        found = method(self.standardizer(X), genes, *self.args)
        if self.method == "embed_genes":
            return found.flatten(1)
        moments = self.objective.moments(self.standardizer)
        mean, scale = (values[genes] for values in moments)
        if self.method == "restore_with_variance":
            restored, variance = found
            return torch.cat([mean + scale * restored, scale * variance.sqrt()], 1)
        return mean + scale * found

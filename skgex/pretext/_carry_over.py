"""Go on with a cohort that has other genes: what is known of shared genes is kept."""

import numpy as np
import torch

from .._warn import warn_caller

# In standard deviations of a gene: cohorts of one unit differ by less.
MAX_SHIFT = 3.0
_SET_BACK = "warm_start: set them back, or set warm_start=False."


@torch.no_grad()
def carry_over(old, new, places, zero_new=False, skip=(), remedy=_SET_BACK):
    """Give a new module the tensors of an old one that has other genes.

    Tensors with an entry for each gene get those of the shared genes, all others are
    taken as they are, but for those that the old module has not. A module says in
    `gene_axes` which of its tensors have genes along which axis; None stands for one
    that is left as it is.

    Parameters
    ----------
    old, new : torch.nn.Module
        Of the same structure, but for the number of genes.
    places : ndarray of shape (n_genes,)
        Where the old module had each gene of the new one, -1 for a new gene.
    zero_new : bool, default=False
        Whether entries of new genes are set to zero, or left as they are.
    skip : sequence of str, default=()
        Tensors are left as they are if their names begin like this.
    remedy : str, default=...
        What to do if parameters are others than before, for the message.

    Raises
    ------
    ValueError
        If the modules differ in more than the number of genes.
    """
    axes, before = gene_axes(new), old.state_dict()
    shared = torch.from_numpy(np.flatnonzero(places >= 0))
    source = torch.from_numpy(places)[shared]
    for name, tensor in new.state_dict().items():
        axis = axes.get(name, 0)
        if axis is None or name not in before or name.startswith(tuple(skip)):
            continue
        kept, place = before[name], tensor
        if name in axes:
            kept = kept.index_select(axis, source)
            place = tensor.index_select(axis, shared)
        if kept.shape != place.shape:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)} with the present parameters, "
                f"and had {tuple(before[name].shape)} before. {remedy}"
            )
        if name not in axes:
            tensor.copy_(kept)
            continue
        if zero_new:
            tensor.zero_()
        tensor.index_copy_(axis, shared, kept)


def gene_axes(module):
    """Return the axis of the genes of each tensor that has one, by its name."""
    return {
        f"{prefix}.{name}".removeprefix("."): axis
        for prefix, part in module.named_modules()
        for name, axis in getattr(part, "gene_axes", {}).items()
    }


def check_unit(old, new, places):
    """Warn where shared genes have moved so far that the unit must be another.

    Parameters
    ----------
    old, new : GeneStandardizer
        Of the last fit, and of the new cohort.
    places : ndarray of shape (n_genes,)
        Where the old one had each gene of the new one, -1 for a new gene.
    """
    shift = median_shift(old, new, places)
    if shift > MAX_SHIFT:
        warn_caller(
            "Half of the genes that X shares with the last fit have moved by "
            f"{shift:.1f} standard deviations or more: X seems to be in another unit. "
            "Convert it, or put both through a QuantileNormalizer first."
        )


def median_shift(old, new, places):
    """Return by how many standard deviations shared genes have moved, in the median.

    Parameters
    ----------
    old, new : GeneStandardizer
        Of the last fit, and of the new cohort.
    places : ndarray of shape (n_genes,)
        Where the old one had each gene of the new one, -1 for a new gene.
    """
    shared = places >= 0
    mean, scale = old.mean[places[shared]], old.scale[places[shared]]
    return float(((new.mean[shared] - mean) / scale).abs().median())

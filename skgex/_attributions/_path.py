"""Gradients along the way from the baseline to a sample, in bounded memory."""

import torch

# What a pass through the model may take, with all that its gradient needs.
MAX_BYTES = 128 * 2**20
# Values that are held for each gene: inputs, masks, standardised ones, gradients.
_VALUES_PER_GENE = 16


def points_at_once(explained, n_genes):
    """Return how many profiles go through the model at a time.

    Parameters
    ----------
    explained : Explained
        The model.
    n_genes : int
        Number of genes.

    Returns
    -------
    n_points : int
    """
    values = _VALUES_PER_GENE * n_genes
    for part in explained.modules():
        if hasattr(part, "token_dim"):  # a token for each gene, in each layer
            values += 40 * n_genes * part.token_dim * len(part.blocks)
    return max(1, MAX_BYTES // (4 * values))


def attribute(captum, explained, parts, fixed, *, method, n_steps):
    """Return attributions of some samples, part by part.

    Parameters
    ----------
    captum : module
        ``captum.attr``.
    explained : Explained
        The model.
    parts : list of Part
        Where the samples and the baseline are.
    fixed : tuple of tensor
        What the model is given besides.
    method : {"integrated_gradients", "gradient"}
        See `gene_attributions`.
    n_steps : int
        Number of points on the way.

    Returns
    -------
    attributions : list of tensor of shape (n, n_columns)
    """
    values = tuple(part.values for part in parts)
    origin = tuple(part.origin for part in parts)
    if method == "gradient":
        slopes = captum.Saliency(explained).attribute(
            tuple(part.clone().requires_grad_() for part in values),
            abs=False,
            additional_forward_args=fixed,
        )
        ends = zip(values, origin, slopes, strict=True)
        return [slope * (value - zero) for value, zero, slope in ends]
    n_genes = values[0].shape[1]
    found = captum.IntegratedGradients(explained).attribute(
        values,
        origin,
        additional_forward_args=fixed,
        n_steps=n_steps,
        method="gausslegendre",
        internal_batch_size=max(points_at_once(explained, n_genes), len(values[0])),
    )
    return list(found)


def changes(explained, parts, fixed):
    """Return what the output differs by between samples and baseline, of shape (n,)."""
    with torch.no_grad():
        at_sample, at_origin = (
            explained(*(getattr(part, end) for part in parts), *fixed)
            for end in ("values", "origin")
        )
    return at_sample - at_origin

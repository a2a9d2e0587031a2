"""Expression by its rank among the training samples."""

import torch
from torch import nn


class NormalScores(nn.Module):
    """Replace each value by the normal quantile of its rank among training samples.

    Whatever the scale of a gene and however long its tail, its scores are like those of
    a normal distribution. NaN stays NaN.

    Parameters
    ----------
    knots : tensor of shape (n_genes, n_knots)
        Values of each gene at evenly spaced ranks, ascending; all of its training
        values, or quantiles of them.

    Notes
    -----
    Shape: (n, n_genes) -> (n, n_genes). Between knots ranks are interpolated; values
    that a gene often has, such as zero, share the mean of their ranks; values beyond
    the outermost knots have the ranks of these.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import NormalScores
    >>> scores = NormalScores(torch.tensor([[1.0, 2.0, 9.0]]))
    >>> scores(torch.tensor([[2.0], [5.5], [100.0], [torch.nan]]))
    tensor([[0.0000],
            [0.4307],
            [0.9674],
            [   nan]])
    """

    def __init__(self, knots):
        super().__init__()
        self.register_buffer("knots", knots)

    @property
    def bytes_per_row(self):
        """Memory that a row needs: places and values to the left and to the right."""
        return 48 * len(self.knots)

    def forward(self, X):
        """Return the scores of `X` as a new tensor."""
        knots, values = self.knots, X.T.contiguous()
        last = knots.shape[1] - 1
        below = torch.searchsorted(knots, values)
        above = torch.searchsorted(knots, values, right=True)
        left, right = (below - 1).clamp(0, last), below.clamp(0, last)
        low, high = knots.gather(1, left), knots.gather(1, right)
        gap = (high - low).where(high > low, 1)
        between = left + ((values - low) / gap).clamp(0, 1)
        rank = between.where(above == below, (below + above - 1) / 2)
        score = torch.special.ndtri((rank + 0.5) / (last + 1))
        return score.where(~values.isnan(), torch.nan).T


class SampleStandardizer(nn.Module):
    """Bring each sample to mean 0 and variance 1 over its measured genes.

    What all genes of a sample share, such as the quality of its RNA, is taken out.

    Notes
    -----
    Shape: (n, n_genes) -> (n, n_genes). NaN stays NaN.

    Examples
    --------
    >>> import torch
    >>> from skgex.nn import SampleStandardizer
    >>> SampleStandardizer()(torch.tensor([[1.0, 3.0, torch.nan]]))
    tensor([[-1.,  1., nan]])
    """

    def forward(self, X):
        """Return the standardised samples as a new tensor."""
        X = X - X.nanmean(dim=1, keepdim=True)
        scale = X.square().nanmean(dim=1, keepdim=True).sqrt()
        return X / scale.where(scale > 0, 1)

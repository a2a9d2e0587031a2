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
        return 120 * len(self.knots)

    def forward(self, X):
        """Return the scores of `X` as a new tensor."""
        knots, values = self.knots, X.T.contiguous()
        last = knots.shape[1] - 1
        place = torch.searchsorted(knots, values)
        left, right = (place - 1).clamp_(min=0), place.clamp(max=last)
        low, high = knots.gather(1, left), knots.gather(1, right)
        # A value that many samples have lies in the middle of its run of knots.
        shared = (right + self._ends_of_runs().gather(1, right)) / 2
        gap = (high - low).where(high > low, 1)
        rank = (left + ((values - low) / gap).clamp_(0, 1)).clamp_(max=last)
        rank = shared.to(X.dtype).where(values == high, rank)
        score = torch.special.ndtri(rank.add_(0.5).div_(last + 1))
        # Sums over genes are taken in another order where they do not lie side by side.
        return score.masked_fill_(values.isnan(), torch.nan).T.contiguous()

    def _ends_of_runs(self):
        """Return what :meth:`_run_ends` does, which is kept for the next call."""
        knots = self.knots
        version = None if knots.is_inference() else knots._version
        kept = vars(self).get("_kept_ends")
        # Of this very tensor, with the values that it had.
        if kept is None or kept[0] is not knots or kept[1] != version:
            with torch.inference_mode(False):
                # Of few bytes, as they are held for as long as the knots.
                small = torch.int16 if knots.shape[1] < 2**15 else torch.int32
                kept = knots, version, self._run_ends(knots).to(small)
            vars(self)["_kept_ends"] = kept
        return kept[2]

    def __getstate__(self):
        return {k: v for k, v in vars(self).items() if k != "_kept_ends"}

    @staticmethod
    def _run_ends(knots):
        """Return for each knot the place of the last one that is equal to it."""
        n_knots = knots.shape[1]
        ends = torch.ones_like(knots, dtype=torch.bool)
        ends[:, :-1] = knots[:, 1:] != knots[:, :-1]
        places = torch.arange(n_knots, device=knots.device).where(ends, n_knots)
        return places.flip(1).cummin(1).values.flip(1)


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

    def __init__(self):  # torch's own takes anything
        super().__init__()

    def forward(self, X):
        """Return the standardised samples as a new tensor."""
        missing = X.isnan()
        # Zeros in the place of NaN, of which gradients would be NaN as well.
        X = (X - X.nanmean(dim=1, keepdim=True)).masked_fill(missing, 0)
        squares = X.square().masked_fill(missing, torch.nan)
        scale = squares.nanmean(dim=1, keepdim=True).sqrt()
        return (X / scale.where(scale > 0, 1)).masked_fill(missing, torch.nan)

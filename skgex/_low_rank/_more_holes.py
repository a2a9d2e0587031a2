"""Hide some more values of a table with holes."""

import torch

from ..nn._draws import uniform

# Share of the measured values that is hidden, and the most of them in one place.
_SHARE, _MOST = 0.1, 0.3
# Values of a gene that are left at the least.
_MIN_LEFT = 2


def draw_more_holes(measured):
    """Return which values to hide: as those that are missing, as far as rates tell.

    The more often, the more the sample and the gene lack already.

    Parameters
    ----------
    measured : bool tensor of shape (n_samples, n_genes)
        What was measured.

    Returns
    -------
    hidden : bool tensor of shape (n_samples, n_genes)
        A part of what was measured; a tenth, if missing values are spread evenly. A
        gene keeps two values, and a sample half of its own.

    Examples
    --------
    >>> import torch
    >>> from skgex._low_rank._more_holes import draw_more_holes
    >>> measured = torch.rand(50, 40) < 0.6
    >>> hidden = draw_more_holes(measured)
    >>> (hidden & ~measured).any(), 0.05 < hidden[measured].float().mean() < 0.15
    (tensor(False), tensor(True))
    """
    lacking = (~measured).float()
    rate = lacking.mean(1, keepdim=True) + lacking.mean(0)
    rate *= _SHARE / rate[measured].mean().clamp(min=1e-12)
    hidden = (uniform(rate.shape, rate.device) < rate.clamp(max=_MOST)) & measured
    n_left = (measured & ~hidden).sum(0)
    hidden &= n_left >= _MIN_LEFT
    n_hidden = hidden.sum(1, keepdim=True)
    return hidden & (2 * n_hidden <= measured.sum(1, keepdim=True))


class MoreHoles:
    """Rows of a reader without values that are hidden.

    Parameters
    ----------
    reader : RowReader
        The rows.
    hidden : bool tensor of shape (n_samples, n_genes)
        Which of their values are hidden.
    """

    def __init__(self, reader, hidden):
        self.reader, self.hidden = reader, hidden
        self.shape, self.device = reader.shape, reader.device

    def __len__(self):
        return len(self.reader)

    def take(self, rows):
        """Return the given rows as a new float32 tensor on the device."""
        hidden = self.hidden[rows.to(self.hidden.device)].to(self.device)
        return self.reader.take(rows).masked_fill_(hidden, torch.nan)

    def chunks(self, size=None):
        """Yield all rows in order as new tensors of their own dtype, on the CPU."""
        start = 0
        for chunk in self.reader.chunks(size):
            hidden = self.hidden[start : start + len(chunk)]
            start += len(chunk)
            yield chunk.masked_fill_(hidden, torch.nan)

"""Fit again with more holes, to see how far off what is filled in there is."""

import torch
from torch import nn

from .._low_rank import Blocks, MoreHoles, draw_more_holes, fit_prior, pretrained_for
from ..nn._draws import draws_aside, permutation

# Of more samples each has hardly a share in what is learnt.
_MAX_ROWS = 1024
# Samples and genes that are looked at: as many samples as have so many values.
_SOME_ROWS, _SOME_VALUES, _SOME_GENES = 64, 2**19, 4096
# Hidden values that tell enough, and how often it is fitted again for them.
_ENOUGH, _MAX_TIMES = 4000, 6


class FittedAgain(nn.Module):
    """A prior that was fitted to a table with more holes, and what was hidden there.

    Parameters
    ----------
    prior : LowRankPrior
        It knows its samples again.
    view : tensor of shape (n, n_genes)
        Some of the samples it was fitted to, standardised; NaN also for what is hidden.
    genes : int64 tensor of shape (n_asked,)
        Some of the genes.
    hidden : tensor of shape (n, n_asked)
        What is hidden of these genes; NaN elsewhere.
    """

    def __init__(self, prior, view, genes, hidden):
        super().__init__()
        self.prior = prior
        self.register_buffer("view", view)
        self.register_buffer("genes", genes)
        self.register_buffer("hidden", hidden)


def fit_again(reader, standardize, fitted, starts):
    """Fit the prior again, with some more values hidden, where some are missing.

    More than once where few are hidden at a time.

    Parameters
    ----------
    reader : RowReader
        The training rows.
    standardize : callable
        Returns a standardizer that is fitted to a reader.
    fitted : FittedPriors
        What was fitted to these rows.
    starts : list of Start
        Fitted embedders that it was adapted from.

    Returns
    -------
    found : list of FittedAgain
        Empty where no sample with holes would be known again, or they are too many
        for it to matter.
    """
    seen = getattr(fitted.prior, "seen", ())
    if not len(seen) or len(reader) > _MAX_ROWS:
        return []
    measured = torch.cat([~chunk.isnan() for chunk in reader.chunks()])
    found, n_hidden = [], 0
    # What is drawn later is what it would be without this.
    with draws_aside():
        for _ in range(_MAX_TIMES):
            holed = MoreHoles(reader, draw_more_holes(measured))
            if not holed.hidden.any():
                continue
            try:
                prepare = standardize(holed).to(reader.device)
            except ValueError:  # what varied is hidden now
                break
            prior = _refit(holed, prepare, fitted, starts)
            found.append(_look_at(prior, reader, holed, prepare))
            n_hidden += int((~found[-1].hidden.isnan()).sum())
            if n_hidden >= _ENOUGH:
                break
    return found


def _refit(holed, prepare, fitted, starts):
    known = [pretrained_for(part.encoder_.prior, places) for part, places, _ in starts]
    adapting = {
        "starts": [start.to(holed.device) for start in known],
        "weights": fitted.weights,
    }
    rows = torch.arange(len(holed))
    prior = fit_prior(holed, rows, prepare, fitted.rank, **adapting)
    prior.curves = fitted.prior.curves
    prior.remember(Blocks(holed, rows, prepare))
    return prior


def _look_at(prior, reader, holed, prepare):
    """Return the prior with some of the samples, and what is hidden of them."""
    rows = holed.hidden.any(1).nonzero()[:, 0]
    n_genes = reader.shape[1]
    n_rows = min(_SOME_ROWS, max(1, _SOME_VALUES // n_genes))
    rows = rows[permutation(len(rows))[:n_rows]]
    genes = permutation(n_genes)[:_SOME_GENES].to(reader.device)
    outside = ~holed.hidden[rows].to(reader.device)
    truth = prepare(reader.take(rows)).masked_fill(outside, torch.nan)
    view = prepare(holed.take(rows))
    return FittedAgain(prior, view, genes, truth[:, genes])

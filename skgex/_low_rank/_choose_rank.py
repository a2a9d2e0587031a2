"""Choose the number of factors by what is restored of held-out samples."""

import torch

from ._blocks import Blocks
from ._fit_factors import fit_factor_analysis, supported_rank
from ._low_rank_prior import LowRankPrior

RANKS = (16, 32, 64, 128, 256, 384)
HIDDEN_SHARES = (0.2, 0.5, 0.8)
# More factors must pay by this share of the error: each makes prediction slower.
MIN_GAIN = 1e-3
# Enough to choose the number of factors.
_CHOICE_ROWS = 2000


def choose_rank(reader, rows, valid_rows, prepare, complete=True):
    """Return the number of factors that restores hidden values best.

    Of one fit with many factors the leading ones are kept: what they restore is close
    to that of a fit with so many.

    Parameters
    ----------
    reader : RowReader
        The samples.
    rows, valid_rows : int64 tensor
        Those to fit, and those whose values are hidden.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    complete : bool, default=True
        Whether no value is missing.

    Returns
    -------
    rank : int
    """
    rows = rows[torch.randperm(len(rows))[:_CHOICE_ROWS]]
    largest = min(RANKS[-1], supported_rank(len(rows), reader.shape[1], complete))
    model = fit_factor_analysis(reader, rows, prepare, largest, complete)
    blocks = Blocks(reader, valid_rows, prepare)
    best, least = largest, torch.inf
    masks = [torch.rand(reader.shape[1]) < share for share in HIDDEN_SHARES]
    for rank in [*(r for r in RANKS if r < largest), largest]:
        error = held_out_error(LowRankPrior(model.leading(rank)), blocks, masks)
        if error < (1 - MIN_GAIN) * least:
            best, least = rank, error
        elif error > (1 + MIN_GAIN) * least:
            break
    return best


def held_out_error(prior, blocks, masks):
    """Return the error of what the masks hide, averaged over samples.

    A pooled one would be ruled by the few that are unlike all others, such as a cell
    line among tissues.
    """
    total = count = 0.0
    for Z in blocks:
        for mask in masks:
            mask = mask.to(Z.device)
            error = (prior(Z.masked_fill(mask, torch.nan)).values - Z)[:, mask]
            total += float(row_errors(error).sum())
            count += float((~error.isnan()).any(1).sum())
    return total / max(count, 1.0)


def row_errors(error):
    """Return the root mean square of each row, 0 where nothing is known."""
    known = (~error.isnan()).sum(1)
    square = error.nan_to_num(nan=0.0).square().sum(1)
    return (square / known.clamp(min=1)).sqrt()

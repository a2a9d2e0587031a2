"""Choose the number of factors by what is restored of held-out samples."""

from ..nn._draws import permutation, uniform
from ._blocks import Blocks
from ._fit_factors import fit_factor_analysis, supported_rank
from ._low_rank_prior import LowRankPrior
from ._pattern_groups import pattern_groups
from ._shared_posterior import posteriors

RANKS = (16, 32, 64, 128, 256, 384)
# The place of the number that is tried first.
_FIRST = 2
HIDDEN_SHARES = (0.2, 0.5, 0.8)
# More factors must pay by this share of the error: each makes prediction slower.
MIN_GAIN = 1e-3
# Enough to choose the number of factors.
_CHOICE_ROWS = 2000


def choose_rank(reader, rows, valid_rows, prepare, complete=False):
    """Return the number of factors that restores hidden values best, and a model.

    Uphill from a middling number: more factors as long as that pays, or fewer. The
    leading factors of a fit with many would restore less than a fit with so many.

    Parameters
    ----------
    reader : RowReader
        The samples.
    rows, valid_rows : int64 tensor
        Those to fit, and those whose values are hidden.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    complete : bool, default=False
        Whether it is known that no value is missing.

    Returns
    -------
    rank : int
    model : FactorAnalysis or None
        With so many factors, if it was fitted to all of the rows.
    """
    n_rows = len(rows)
    rows = rows[permutation(n_rows)[:_CHOICE_ROWS]]
    largest = min(RANKS[-1], supported_rank(len(rows), reader.shape[1]))
    ranks = [*(rank for rank in RANKS if rank < largest), largest]
    blocks = Blocks(reader, valid_rows, prepare)
    groups = pattern_groups(blocks)
    masks = [uniform(reader.shape[1:]) < share for share in HIDDEN_SHARES]
    fits = {}

    def error(place):
        if place not in fits:
            fitting = reader, rows, prepare, ranks[place], complete
            model = fit_factor_analysis(*fitting)
            prior = LowRankPrior(model)
            fits[place] = held_out_error(prior, blocks, groups, masks), model
        return fits[place][0]

    best = min(_FIRST, len(ranks) - 1)
    while best + 1 < len(ranks) and error(best + 1) < (1 - MIN_GAIN) * error(best):
        best += 1
    # After a step uphill the number before it has the larger error.
    while best and error(best - 1) < (1 + MIN_GAIN) * error(best):
        best -= 1
    error(best)
    return ranks[best], fits[best][1] if len(rows) == n_rows else None


def held_out_error(prior, blocks, groups, masks):
    """Return the error of what the masks hide, averaged over samples.

    A pooled one would be ruled by the few that are unlike all others, such as a cell
    line among tissues.
    """
    total = count = 0.0
    for mask in masks:
        mask = mask.to(blocks.reader.device)
        for Z, found in restored(prior, blocks, groups, mask):
            error = (found.values - Z)[:, mask]
            total += float(row_errors(error).sum())
            count += float((~error.isnan()).any(1).sum())
    return total / max(count, 1.0)


def restored(prior, blocks, groups, mask):
    """Yield samples, and what is expected of them where a mask hides genes.

    Parameters
    ----------
    prior : LowRankPrior
        What expects.
    blocks : Blocks
        The samples.
    groups : PatternGroups
        Of these samples.
    mask : bool tensor of shape (n_genes,)
        The genes that are hidden.

    Yields
    ------
    Z : tensor of shape (n, n_genes)
        Prepared samples.
    found : Expectation
    """
    for Z, view, posterior in posteriors(prior.model, blocks, groups, mask):
        yield Z, prior(view, posterior=posterior)


def row_errors(error):
    """Return the root mean square of each row, 0 where nothing is known."""
    known = (~error.isnan()).sum(1)
    square = error.nan_to_num(nan=0.0).square().sum(1)
    return (square / known.clamp(min=1)).sqrt()

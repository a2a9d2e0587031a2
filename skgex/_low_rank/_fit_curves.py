"""Fit the curves that correct what the low-rank prior expects."""

import torch

from ._blocks import Blocks
from ._choose_rank import restored, row_errors
from ._gene_curves import GeneCurves, knot_place
from ._pattern_groups import pattern_groups

N_KNOTS = 13
HIDDEN_SHARES = (0.15, 0.5, 0.85)
# Prior weights, in samples, of a curve of zero; a straight one has twice as much.
PENALTIES = (10.0, 40.0)


def fit_curves(reader, rows, prepare, fold, priors):
    """Fit a curve for each gene to what cross-fitted priors leave unexplained.

    Penalised least squares, in closed form, on values that are hidden at random from
    samples that the prior was not fitted to.

    Parameters
    ----------
    reader : RowReader
        The training rows.
    rows : int64 tensor
        Which of them to fit to.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    fold : int64 tensor of shape (n,)
        The fold of each row.
    priors : sequence of LowRankPrior
        Fitted without the rows of a fold.

    Returns
    -------
    curves : GeneCurves or None
        None where curves from some folds do not help on another.
    """
    parts = [
        (prior, Blocks(reader, rows[fold[rows] == f], prepare))
        for f, prior in enumerate(priors)
    ]
    masks = [torch.rand(reader.shape[1]) < share for share in HIDDEN_SHARES]
    others = [_normal_equations(*part, masks)[:2] for part in parts[1:]]
    trials = [_solve(*_total(others), penalty) for penalty in PENALTIES]
    *first, errors = _normal_equations(*parts[0], masks, trials)
    if errors.argmin() == 0:
        return None
    return _solve(*_total([first, *others]), PENALTIES[errors.argmin() - 1])


def _total(sums):
    return (torch.stack(parts).sum(0) for parts in zip(*sums, strict=True))


def _normal_equations(prior, blocks, masks, trials=()):
    """Return the normal equations for the values that the masks hide, and errors.

    Only two neighbouring knots bear on a value: the first matrix holds the products
    of each knot with itself and with the next one, times 1, u and u^2 for the
    uncertainty u. The errors, summed over samples, are those without curves and with
    each trial of them: what takes time is done once.
    """
    n_genes = len(prior.model.loadings)
    gram = prior.model.loadings.new_zeros(n_genes * N_KNOTS, 2, 3)
    cross = prior.model.loadings.new_zeros(n_genes * N_KNOTS, 2)
    errors = torch.zeros(1 + len(trials), dtype=torch.float64)
    groups = pattern_groups(blocks) if len(blocks) else None
    for mask in masks if len(blocks) else ():
        hidden = mask.to(blocks.reader.device)
        for Z, (expected, _, posterior) in restored(prior, blocks, groups, hidden):
            uncertainty = prior.uncertainty(posterior)
            _add(Z - expected, expected, uncertainty, hidden, gram, cross)
            for i, curves in enumerate([None, *trials]):
                rest = Z - expected
                if curves is not None:
                    rest -= curves(expected, uncertainty)
                errors[i] += float(row_errors(rest[:, hidden]).sum())
    return gram, cross, errors


def _add(target, expected, uncertainty, hidden, gram, cross):
    """Add the hidden values of some samples to the normal equations."""
    genes = hidden.nonzero()[:, 0]
    if not len(genes):
        return
    target = target[:, genes]
    known = (~target.isnan()).to(target.dtype)
    target = target.nan_to_num(nan=0.0)
    left, share = knot_place(expected[:, genes], N_KNOTS)
    left = (left + N_KNOTS * genes).flatten()
    powers = uncertainty[:, None] ** torch.arange(3, device=target.device)
    low, high = (1 - share) * known, share * known
    for at, own, other in ((left, low, high), (left + 1, high, None)):
        product = own * own / known.clamp(min=1e-6)
        gram[:, 0].index_add_(0, at, _times(product, powers))
        if other is not None:
            gram[:, 1].index_add_(0, at, _times(own * other, powers))
        cross.index_add_(0, at, _times(own * target, powers[:, :2]))


def _times(values, powers):
    return (values[:, :, None] * powers[:, None, :]).flatten(0, 1)


def _solve(gram, cross, weight):
    """Return the curves that solve the penalised normal equations."""
    gram = gram.unflatten(0, (-1, N_KNOTS))
    n_genes = len(gram)
    size = 2 * N_KNOTS
    full = gram.new_zeros(n_genes, size, size)
    knots = torch.arange(N_KNOTS, device=gram.device)
    for a in range(2):
        for b in range(2):
            block = full[:, a * N_KNOTS :, b * N_KNOTS :]
            block[:, knots, knots] = gram[:, :, 0, a + b]
            block[:, knots[:-1], knots[1:]] = gram[:, :-1, 1, a + b]
            block[:, knots[1:], knots[:-1]] = gram[:, :-1, 1, a + b]
    bend = torch.eye(N_KNOTS, device=gram.device).diff(n=2, dim=0)
    penalty = weight * (torch.eye(N_KNOTS, device=gram.device) + 2 * bend.T @ bend)
    full += torch.block_diag(penalty, penalty)
    cross = cross.unflatten(0, (n_genes, -1)).transpose(1, 2).flatten(1)
    heights = torch.linalg.solve(full, cross)
    return GeneCurves(heights.unflatten(1, (2, N_KNOTS)).contiguous())

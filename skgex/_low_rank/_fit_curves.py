"""Fit the curves that correct what the low-rank prior expects."""

import numpy as np
import torch

from ..nn._draws import uniform
from ._blocks import Blocks
from ._choose_rank import restored, row_errors
from ._curve_equations import N_KNOTS
from ._curve_trials import CurveTrials
from ._gene_curves import knot_place
from ._pattern_groups import pattern_groups
from ._shared_curves import power_sums

HIDDEN_SHARES = (0.15, 0.5, 0.85)
# Of so many samples genes have curves of their own.
_MANY_ROWS = 1000
# Below, models of half of the samples say too little of one of all of them.
_FEW_ROWS = 30
# Curves are tried on more folds than one until these have so many samples.
_ENOUGH_ROWS = 64


def fit_curves(reader, rows, prepare, fold, priors, known=None):
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
    known : GeneCurves or None, default=None
        Curves that were learnt elsewhere. They are tried as they are, and as what
        curves are drawn to.

    Returns
    -------
    curves : GeneCurves or None
        None where curves from some folds do not help on another.

    Notes
    -----
    Curves are drawn to zero, or to those that are known. Of few samples genes also
    share what is added to that, in proportion to their skewness. What is shared by all
    alike is left out unless there are known curves for all genes: it would be the
    slope, which differs between models of some of the samples and of all.
    """
    parts = [
        (prior, Blocks(reader, rows[fold[rows] == f], prepare))
        for f, prior in enumerate(priors)
    ]
    masks = [uniform(reader.shape[1:]) < share for share in HIDDEN_SHARES]
    is_shared = _FEW_ROWS <= len(rows) < _MANY_ROWS
    powers = [power_sums(blocks, reader.shape[1]) for _, blocks in parts]
    trials = CurveTrials(powers if is_shared else None, known)
    sums = [None, *(_normal_equations(*part, masks)[:2] for part in parts[1:])]
    judges = _judges(parts)
    if len(judges) == 1:
        tried = trials.without(0, sums)
        *sums[0], errors = _normal_equations(*parts[0], masks, tried)
    else:
        sums[0] = _normal_equations(*parts[0], masks)[:2]
        errors = 0.0
        for f in judges:
            tried = trials.without(f, sums)
            errors = errors + _normal_equations(*parts[f], masks, tried)[2]
    best = int(errors.argmin())
    return trials.of_all(sums, best - 1) if best else None


def _judges(parts):
    """Return the folds that curves from the others are tried on: enough samples."""
    n_rows = np.cumsum([len(blocks) for _, blocks in parts])
    return range(1 + np.searchsorted(n_rows[:-1], _ENOUGH_ROWS))


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

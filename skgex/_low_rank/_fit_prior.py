"""Fit the prior of GexBERT, and again without each fold of the samples."""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.model_selection import GroupKFold, KFold

from ..nn._draws import new_seed, permutation
from ._adapt import adapt
from ._blocks import Blocks
from ._choose_rank import RANKS, choose_rank
from ._choose_weight import USUAL_WEIGHT, choose_weights
from ._fit_curves import fit_curves
from ._fit_factors import fit_factor_analysis, supported_rank
from ._fit_mixture import fit_mixture
from ._low_rank_prior import LowRankPrior
from ._sample_scores import fit_scores

# Folds of few samples, and of many.
N_FOLDS = (5, 3)
_MANY = 1000
# Samples that the number of factors is chosen by, that the curves are fitted to, and
# that likelihoods of others are compared with.
VALID_ROWS = 512
CURVE_ROWS = 4096
SCORE_ROWS = 1024
# Factors for all samples, as a multiple of what two folds of three support.
_MORE = 1.15
# Below so many samples two folds must do, and below twice two there are none.
_FEW, _TOO_FEW = 30, 4


class FittedPriors(NamedTuple):
    """What was fitted to samples.

    Attributes
    ----------
    prior : LowRankPrior
        Fitted to all samples.
    fold_priors : list of LowRankPrior
        Fitted without the samples of a fold; empty for very few samples.
    fold : int64 tensor of shape (n_samples,) or None
        The fold of each sample.
    weights : list of float
        How many samples each pretrained model counts as.
    rank : int
        Bound on the number of factors of the samples' own.
    """

    prior: LowRankPrior
    fold_priors: list
    fold: torch.Tensor
    weights: list
    rank: int


def fit_priors(reader, prepare, groups, starts=(), start_weight="auto"):
    """Fit the prior, and priors to train the network with.

    Parameters
    ----------
    reader : RowReader
        The training rows.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    groups : array-like of shape (n_samples,) or None
        Samples of one group are in the same fold.
    starts : sequence of Pretrained, default=()
        What was learnt elsewhere, to be adapted to these samples.
    start_weight : float or "auto", default="auto"
        How many samples they count as together; "auto" chooses for each by what is
        restored of samples held out.

    Returns
    -------
    fitted : FittedPriors
    """
    rows = torch.arange(len(reader))
    fold = _folds(len(reader), groups)
    total = USUAL_WEIGHT if start_weight == "auto" else start_weight
    weights = [total / len(starts) for _ in starts]
    if fold is None:
        prior = fit_prior(reader, rows, prepare, 1, starts=starts, weights=weights)
        return FittedPriors(prior, [], None, weights, 1)
    blocks = Blocks(reader, rows, prepare)
    complete = blocks.are_complete()
    valid_rows = _some(rows[fold == 0], VALID_ROWS)
    others = rows[fold != 0]
    rank, model = choose_rank(reader, others, valid_rows, prepare, complete)
    parts = [rows[fold != f] for f in range(int(fold.max()) + 1)]
    # The first of them was fitted already, to choose the number of factors.
    models = [model, *[None] * (len(parts) - 1)]
    if starts and start_weight == "auto":
        fitting = reader, rows, prepare, rank, complete
        weights = _choose_weights(starts, models, fold, *fitting)
    adapting = {"complete": complete, "starts": starts, "weights": weights}
    fold_priors = [
        fit_prior(reader, part, prepare, rank, model=model, **adapting)
        for part, model in zip(parts, models, strict=True)
    ]
    # All samples support more factors than those of two folds.
    most = min(RANKS[-1], supported_rank(*reader.shape))
    rank = max(rank, min(most, int(_MORE * rank)))
    prior = fit_prior(reader, rows, prepare, rank, **adapting)
    curve_rows = _some(rows, CURVE_ROWS)
    known = _known_curves(starts, weights)
    curves = fit_curves(reader, curve_rows, prepare, fold, fold_priors, known)
    for fitted in (prior, *fold_priors):
        fitted.curves = curves
    some = _some(curve_rows, SCORE_ROWS)
    prior.scores = fit_scores(
        [
            (part, Blocks(reader, some[fold[some] == f], prepare))
            for f, part in enumerate(fold_priors)
        ]
    )
    prior.remember(blocks)
    return FittedPriors(prior, fold_priors, fold, weights, rank)


def _known_curves(starts, weights):
    """Return the curves of the pretrained model that counts most, if one counts."""
    if not any(weights):
        return None
    return starts[int(np.argmax(weights))].curves


def _choose_weights(starts, models, fold, reader, rows, prepare, rank, complete):
    """Return what starts weigh; the models that are fitted on the way are kept."""

    def folds():
        for f, model in enumerate(models):
            others = rows[fold != f]
            if model is None:
                fitting = reader, others, prepare, rank, complete
                model = models[f] = fit_factor_analysis(*fitting)
            held_out = _some(rows[fold == f], VALID_ROWS)
            parts = (Blocks(reader, part, prepare) for part in (others, held_out))
            yield model, *parts

    return choose_weights(starts, folds())


def fit_prior(
    reader, rows, prepare, rank, *, complete=False, model=None, starts=(), weights=()
):
    """Return factor analysis with a mixture over its leading factors.

    Parameters
    ----------
    reader : RowReader
        The samples.
    rows : int64 tensor
        Which of them to fit.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    rank : int
        Number of factors.
    complete : bool, default=False
        Whether it is known that no value is missing.
    model : FactorAnalysis, default=None
        Factor analysis of these rows, if there is one already.
    starts : sequence of Pretrained, default=()
        What was learnt elsewhere.
    weights : sequence of float, default=()
        How many samples each of them counts as.

    Returns
    -------
    prior : LowRankPrior
    """
    if model is None:
        model = fit_factor_analysis(reader, rows, prepare, rank, complete)
    blocks = Blocks(reader, rows, prepare)
    model = adapt(starts, model, blocks, weights)
    return LowRankPrior(model, fit_mixture(model, blocks))


def _some(rows, n_rows):
    return rows[permutation(len(rows))[:n_rows]]


def _folds(n_samples, groups):
    """Return the fold of each sample, or None for very few samples or groups."""
    n_units = n_samples if groups is None else len(np.unique(groups))
    if n_units < _TOO_FEW:
        return None
    n_folds = 2 if n_units < _FEW else N_FOLDS[n_samples >= _MANY]
    seed = new_seed()
    Splitter = KFold if groups is None else GroupKFold
    splitter = Splitter(n_folds, shuffle=True, random_state=seed)
    fold = np.empty(n_samples, dtype=np.int64)
    parts = splitter.split(np.zeros((n_samples, 1)), groups=groups)
    for f, (_, rows) in enumerate(parts):
        fold[rows] = f
    return torch.from_numpy(fold)

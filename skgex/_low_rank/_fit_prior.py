"""Fit the prior of GexBERT, and again without each fold of the samples."""

import numpy as np
import torch
from sklearn.model_selection import GroupKFold, KFold

from ._blocks import Blocks
from ._choose_rank import RANKS, choose_rank
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


def fit_priors(reader, prepare, groups):
    """Fit the prior, and priors to train the network with.

    Parameters
    ----------
    reader : RowReader
        The training rows.
    prepare : callable
        Standardises a batch; NaN stays NaN.
    groups : array-like of shape (n_samples,) or None
        Samples of one group are in the same fold.

    Returns
    -------
    prior : LowRankPrior
        Fitted to all samples.
    fold_priors : list of LowRankPrior
        Fitted without the samples of a fold; empty for very few samples.
    fold : int64 tensor of shape (n_samples,) or None
        The fold of each sample.
    """
    rows = torch.arange(len(reader))
    fold = _folds(len(reader), groups)
    if fold is None:
        return fit_prior(reader, rows, prepare, 1), [], None
    blocks = Blocks(reader, rows, prepare)
    complete = blocks.are_complete()
    valid_rows = _some(rows[fold == 0], VALID_ROWS)
    others = rows[fold != 0]
    rank, model = choose_rank(reader, others, valid_rows, prepare, complete)
    fold_priors = []
    for f in range(int(fold.max()) + 1):
        own = reader, rows[fold != f], prepare, rank, complete
        # The first of them was fitted already, to choose the number of factors.
        fold_priors.append(fit_prior(*own, None if f else model))
    # All samples support more factors than those of two folds.
    most = min(RANKS[-1], supported_rank(*reader.shape))
    rank = max(rank, min(most, int(_MORE * rank)))
    prior = fit_prior(reader, rows, prepare, rank, complete)
    curve_rows = _some(rows, CURVE_ROWS)
    curves = fit_curves(reader, curve_rows, prepare, fold, fold_priors)
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
    return prior, fold_priors, fold


def fit_prior(reader, rows, prepare, rank, complete=False, model=None):
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

    Returns
    -------
    prior : LowRankPrior
    """
    if model is None:
        model = fit_factor_analysis(reader, rows, prepare, rank, complete)
    return LowRankPrior(model, fit_mixture(model, Blocks(reader, rows, prepare)))


def _some(rows, n_rows):
    return rows[torch.randperm(len(rows))[:n_rows]]


def _folds(n_samples, groups):
    """Return the fold of each sample, or None for very few samples or groups."""
    n_units = n_samples if groups is None else len(np.unique(groups))
    if n_units < _TOO_FEW:
        return None
    n_folds = 2 if n_units < _FEW else N_FOLDS[n_samples >= _MANY]
    seed = int(torch.randint(2**31 - 1, ()))
    Splitter = KFold if groups is None else GroupKFold
    splitter = Splitter(n_folds, shuffle=True, random_state=seed)
    fold = np.empty(n_samples, dtype=np.int64)
    parts = splitter.split(np.zeros((n_samples, 1)), groups=groups)
    for f, (_, rows) in enumerate(parts):
        fold[rows] = f
    return torch.from_numpy(fold)

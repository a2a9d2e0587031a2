"""Choose what pretrained models weigh by what is restored of held-out samples."""

from ..nn._draws import uniform
from ._adapt import LOADINGS_WEIGHT, CohortMoments, average, recentred
from ._choose_rank import HIDDEN_SHARES, held_out_error
from ._low_rank_prior import LowRankPrior
from ._pattern_groups import pattern_groups

# In samples of the cohort.
WEIGHTS = (10.0, 30.0, 100.0, 300.0, 1000.0)
# What one counts as where nothing can be held out.
USUAL_WEIGHT = 100.0
# A pretrained model must pay by this share of the error: each makes prediction slower.
MIN_GAIN = 1e-3
# Folds are looked at until so many samples were held out.
_ENOUGH_ROWS = 256


def choose_weights(starts, folds):
    """Return how many samples each pretrained model counts as.

    One after the other, each with the weight that restores hidden values best beside
    those that were taken before it; 0 for one that does not pay.

    Parameters
    ----------
    starts : sequence of Pretrained
        What was learnt elsewhere.
    folds : iterable of (FactorAnalysis, Blocks, Blocks)
        Models of the cohort alone, the samples that each was fitted to, and others.

    Returns
    -------
    weights : list of float
    """
    trials, n_rows = [], 0
    for own, blocks, held_out in folds:
        if not len(held_out):
            continue
        trials.append(_Fold(starts, own, blocks, held_out))
        n_rows += len(held_out)
        if n_rows >= _ENOUGH_ROWS:
            break

    def error(weights):
        errors = [trial.error(weights) * trial.n_rows for trial in trials]
        return sum(errors) / n_rows

    best = [0.0] * len(starts)
    lowest, left = error(best), set(range(len(starts)))
    while left:
        found = {}
        for place in left:
            for weight in WEIGHTS:
                weights = [*best[:place], weight, *best[place + 1 :]]
                found[place, weight] = error(weights)
        place, weight = min(found, key=found.get)
        if found[place, weight] > (1 - MIN_GAIN) * lowest:
            break
        lowest, best[place] = found[place, weight], weight
        left.remove(place)
    return best


class _Fold:
    """A fold of the cohort, and the errors on its samples with any weights."""

    def __init__(self, starts, own, blocks, held_out):
        self.held_out, self.n_rows = held_out, len(held_out)
        self.own, self.centred, self.size = own, recentred(own, blocks), len(blocks)
        self.starts = [CohortMoments(start, blocks) for start in starts]
        self.groups = pattern_groups(held_out)
        n_genes = len(own.noise)
        self.masks = [uniform((n_genes,)) < share for share in HIDDEN_SHARES]

    def error(self, weights):
        parts = [
            start.moved(LOADINGS_WEIGHT * weight)
            for start, weight in zip(self.starts, weights, strict=True)
            if weight
        ]
        sizes = [self.size, *filter(None, weights)]
        model = average([self.centred, *parts], sizes) if parts else self.own
        prior = LowRankPrior(model)
        return held_out_error(prior, self.held_out, self.groups, self.masks)

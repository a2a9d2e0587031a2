"""What pretrained models weigh: against a slow search, and where the truth is known."""

from itertools import product
from unittest import mock

import numpy as np
import pytest
import torch
from cohorts import blocks_of, draw, hidden_error, known, make_truth, model_of
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgex._low_rank import LowRankPrior, _choose_weight, fit_priors
from skgex._low_rank._adapt import adapt
from skgex._low_rank._choose_weight import MIN_GAIN, USUAL_WEIGHT, WEIGHTS, _Fold
from skgex._low_rank._fit_factors import fit_factor_analysis
from skgex._training import RowReader

TRUTH = make_truth()
UNRELATED = make_truth(seed=5)


def fit(X, starts=(), **options):
    torch.manual_seed(0)
    return fit_priors(RowReader(X), torch.clone, None, starts, **options)


# Where the truth is known


@pytest.mark.parametrize("seed", range(2))
def test_an_unrelated_start_has_no_weight_among_many_samples(seed):
    X = draw(400, TRUTH, seed)
    assert fit(X, [known(UNRELATED)]).weights == [0.0]


@pytest.mark.parametrize("n", [12, 20, 40])
@pytest.mark.parametrize("seed", range(2))
def test_the_truth_has_a_large_weight_among_few_samples(n, seed):
    X, new = draw(n, TRUTH, seed), draw(300, TRUTH, seed=99)
    fitted = fit(X, [known(TRUTH)])
    assert fitted.weights[0] >= 30
    best, alone = hidden_error(model_of(*TRUTH), new), hidden_error(fit(X).prior, new)
    assert hidden_error(fitted.prior, new) - best < 0.35 * (alone - best)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("n", [40, 80])
def test_of_two_starts_the_wrong_one_has_no_weight(n, turned):
    starts = [known(TRUTH), known(UNRELATED)]
    weights = fit(draw(n, TRUTH), starts[::-1] if turned else starts).weights
    right, wrong = weights[::-1] if turned else weights
    assert right >= 30
    assert wrong == 0


def test_two_starts_that_each_know_a_half_are_both_used():
    rng = np.random.default_rng(0)
    half = rng.random(60) < 0.5
    starts = [known(TRUTH, half), known(TRUTH, ~half)]
    assert min(fit(draw(30, TRUTH), starts).weights) > 0


@pytest.mark.parametrize("start", [TRUTH, UNRELATED], ids=["right", "wrong"])
def test_many_samples_lose_nothing(start):
    X, new = draw(400, TRUTH), draw(300, TRUTH, seed=99)
    alone, with_start = (
        hidden_error(fit(X, starts).prior, new) for starts in ((), [known(start)])
    )
    assert with_start < 1.005 * alone


# The search


def slow_search(error, n_starts):
    """Take the start, and the weight, that lower the error most, as long as any do."""
    best = (0.0,) * n_starts
    while True:
        changes = [
            (*best[:place], weight, *best[place + 1 :])
            for place, weight in product(range(n_starts), WEIGHTS)
            if best[place] == 0
        ]
        found = min(changes, key=error, default=best)
        if found == best or error(found) > (1 - MIN_GAIN) * error(best):
            return list(best)
        best = found


def search(table, n_starts, sizes=(300,)):
    """Choose by given errors of each fold; return the weights and the folds in use."""
    used = []

    class Fold:
        def __init__(self, starts, own, blocks, held_out):
            self.n_rows, self.number = len(held_out), own
            used.append(own)

        def error(self, weights):
            return table[self.number](tuple(weights))

    folds = ((f, None, range(size)) for f, size in enumerate(sizes))
    with mock.patch.object(_choose_weight, "_Fold", Fold):
        return _choose_weight.choose_weights([None] * n_starts, folds), used


@given(st.integers(1, 3), st.integers(0, 2**32 - 1), st.floats(1e-4, 1))
@example(2, 0, 1e-4)
def test_the_search_is_greedy(n_starts, seed, spread):
    levels = np.random.default_rng(seed).random((6,) * n_starts)

    def error(weights):
        places = tuple((0.0, *WEIGHTS).index(weight) for weight in weights)
        return 1 + spread * levels[places]

    weights, _ = search([error], n_starts)
    assert weights == slow_search(error, n_starts)


def test_a_start_must_pay():
    def hardly(weights):
        return 1 - 0.9 * MIN_GAIN * (weights[0] > 0)

    assert search([hardly], 1)[0] == [0.0]

    def worth_it(weights):
        return 1 - 1.1 * MIN_GAIN * (weights[0] == 30)

    assert search([worth_it], 1)[0] == [30.0]


def test_folds_count_as_their_samples_and_are_looked_at_until_they_suffice():
    def best_at(place):
        return lambda weights: float(weights[0] != WEIGHTS[place])

    table = [best_at(0), best_at(1), best_at(2), best_at(3)]
    assert search(table, 1, (10, 30, 20)) == ([WEIGHTS[1]], [0, 1, 2])
    assert search(table, 1, (100, 156, 300, 1)) == ([WEIGHTS[1]], [0, 1])
    # One without samples says nothing.
    assert search(table, 1, (0, 10, 30)) == ([WEIGHTS[2]], [1, 2])


@pytest.mark.parametrize("weights", [[0.0, 0.0], [30.0, 0.0], [10.0, 100.0]])
@pytest.mark.parametrize("missing", [False, True])
def test_errors_are_those_of_the_adapted_model(weights, missing):
    X, held_out = draw(30, TRUTH), draw(25, TRUTH, seed=2)
    if missing:
        X[::2, :20] = held_out[1::3, 40:] = np.nan
    torch.manual_seed(0)
    blocks, starts = blocks_of(X), [known(TRUTH), known(UNRELATED)]
    own = fit_factor_analysis(blocks.reader, blocks.rows, torch.clone, 8)
    fold = _Fold(starts, own, blocks, blocks_of(held_out))
    prior = LowRankPrior(adapt(starts, own, blocks, weights))
    errors = []
    for mask in fold.masks:
        for row in torch.from_numpy(held_out):
            rest = (prior(row.masked_fill(mask, torch.nan)[None]).values[0] - row)[mask]
            errors.append(float(rest[~rest.isnan()].square().mean().sqrt()))
    shares = [float(mask.float().mean()) for mask in fold.masks]
    assert shares == pytest.approx([0.2, 0.5, 0.8], abs=0.2)
    assert fold.error(weights) == pytest.approx(np.mean(errors), rel=1e-4)


# Other ways to say it


def test_a_number_is_split_among_the_starts():
    X, starts = draw(40, TRUTH), [known(TRUTH), known(UNRELATED), known(TRUTH)]
    assert fit(X, starts, start_weight=60.0).weights == [20.0] * 3
    assert fit(X, starts[:1], start_weight=0).weights == [0.0]


@pytest.mark.parametrize("weight", ["auto", 70.0])
def test_where_nothing_can_be_held_out_the_usual_weight_is_taken(weight):
    fitted = fit(draw(3, TRUTH), [known(TRUTH)], start_weight=weight)
    assert fitted.weights == [USUAL_WEIGHT if weight == "auto" else weight]
    assert fitted.fold is None
    new = draw(100, TRUTH, seed=9)
    assert hidden_error(fitted.prior, new) < 1.1 * hidden_error(model_of(*TRUTH), new)


@pytest.mark.parametrize("n", [3, 20, 40])
def test_without_a_start_all_is_as_it_was(n):
    X = draw(n, TRUTH)
    X[::3, 4] = np.nan
    plain = fit(X).prior.state_dict()
    for options in ({"starts": []}, {"start_weight": 40.0}):
        found = fit(X, **options).prior.state_dict()
        assert found.keys() == plain.keys()
        for name, value in plain.items():
            assert_array_equal(found[name], value)


@pytest.mark.parametrize("n", [3, 40])
def test_a_start_of_weight_zero_changes_nothing(n):
    X = draw(n, TRUTH)
    found = fit(X, [known(UNRELATED)], start_weight=0.0).prior.state_dict()
    for name, value in fit(X).prior.state_dict().items():
        assert_array_equal(found[name], value)

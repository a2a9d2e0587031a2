"""Cox's likelihood in batches that stand for a larger population."""

from itertools import combinations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from test_cox_likelihood import TIES, follow_up, plain, value_and_gradient

N, SIZE = 12, 4


def mean_gradient(data, population):
    """Return what the gradient of a batch is on average, for all samples.

    Over every batch there can be.
    """
    total, n_batches = np.zeros(N), 0
    for rows in map(list, combinations(range(N), SIZE)):
        part = {name: values[rows] for name, values in data.items()}
        total[rows] += value_and_gradient(part, population=population)[1]
        n_batches += 1
    return total * N / SIZE / n_batches


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_gradients_of_corrected_batches_are_less_biased(spread, seed):
    # Without ties: a batch says nothing of who shares a time with an event.
    data = plain(follow_up(N, n_times=10**9, seed=seed))
    data["risk"] = spread * data["risk"]
    full = value_and_gradient(data)[1]
    biased, corrected = (
        np.linalg.norm(mean_gradient(data, population) - full)
        for population in (None, N)
    )
    assert corrected < 0.8 * biased


@TIES
def test_a_batch_of_all_samples_is_no_estimate(ties):
    data = follow_up(40, n_strata=2)
    expected = value_and_gradient(data, ties)
    for one, other in zip(
        value_and_gradient(data, ties, population=40), expected, strict=True
    ):
        assert_allclose(one, other, rtol=1e-14)


def test_risk_sets_of_a_batch_written_out():
    # The event itself, and nine for each of the two others that live to see it.
    data = {
        "risk": np.array([0.3, -0.4, 1.0, 5.0]),
        "event": np.array([True, False, False, False]),
        "time": np.array([2.0, 2.0, 3.0, 1.0]),
    }
    left = np.exp(0.3) + 9 * (np.exp(-0.4) + np.exp(1.0))
    value, _ = value_and_gradient(data, population=28)
    assert value == pytest.approx(np.log(left) - 0.3)


def test_tied_events_of_a_batch_written_out():
    # In Efron's second term half of both is out of the risk set: half of the event
    # itself is left, and nine halves for the other.
    data = {
        "risk": np.array([0.0, 3.0]),
        "event": np.array([True, True]),
        "time": np.array([1.0, 1.0]),
    }
    left = [1 + 9 * np.exp(3.0), (np.exp(3.0) + 9) / 2]
    value, gradient = value_and_gradient(data, population=10)
    assert value == pytest.approx(np.log(left).sum() - 3.0)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("seed", range(20))
def test_batches_with_many_ties_are_finite(seed):
    data = follow_up(8, n_times=2, seed=seed)
    data["risk"] = 20 * data["risk"]
    value, gradient = value_and_gradient(data, population=10**5)
    assert np.isfinite(value)
    assert torch.from_numpy(gradient).isfinite().all()

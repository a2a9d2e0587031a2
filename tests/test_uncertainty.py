"""How sure GexBERT is of what it restores, where the truth is known."""

import numpy as np
import pytest
from discovery import tiny
from sklearn.frozen import FrozenEstimator

from skgex import GexBERT, GexImputer
from skgex.datasets import make_expression

N_TRAIN = 500
FULL, _, LOADINGS = make_expression(
    n_samples=800, n_genes=60, return_factors=True, random_state=0
)
LOADINGS = LOADINGS.astype(float)
TRAIN, TEST = FULL[:N_TRAIN], FULL[N_TRAIN:]
# noise=0.3 of the variance of a gene, the rest of which is by its loadings.
NOISE = (LOADINGS**2).sum(axis=0) * 0.3 / 0.7
SHARES = pytest.mark.parametrize("share", [0.3, 0.7])


@pytest.fixture(scope="module", params=["low_rank", None])
def embedder(request):
    """GexBERT, with and without its prior; not to be fitted again."""
    options = {"max_epochs": 2, "batch_size": 128, "prior": request.param}
    return tiny(GexBERT, **options).fit(TRAIN)


@pytest.fixture(scope="module")
def prior():
    """GexBERT that stands on its prior; not to be fitted again."""
    return tiny(GexBERT, max_epochs=0, batch_size=128).fit(TRAIN)


def with_holes(share, seed=1):
    holes = np.random.default_rng(seed).random(TEST.shape) < share
    return holes, np.where(holes, np.nan, TEST)


def true_std(hidden):
    """Return spread and covariance of hidden genes given the others."""
    joint = LOADINGS.T @ LOADINGS + np.diag(NOISE)
    seen = joint[np.ix_(~hidden, ~hidden)]
    across = joint[np.ix_(hidden, ~hidden)]
    left = joint[np.ix_(hidden, hidden)] - across @ np.linalg.solve(seen, across.T)
    return np.sqrt(np.diag(left)), left


@SHARES
def test_intervals_cover_what_they_say(embedder, share):
    holes, given = with_holes(share)
    mean, std = embedder.restore(given, return_std=True)
    covered = np.abs(mean - TEST)[holes] < 1.645 * std[holes]
    assert 0.86 < covered.mean() < 0.94


@SHARES
def test_standard_deviations_are_those_of_the_true_model(prior, share):
    holes, given = with_holes(share)
    _, std = prior.restore(given, return_std=True)
    ratio = np.concatenate(
        [std[i, holes[i]] / true_std(holes[i])[0] for i in range(60)]
    )
    assert np.median(ratio) == pytest.approx(1, abs=0.1)
    assert (np.abs(ratio - 1) < 0.35).mean() > 0.95


@SHARES
def test_what_is_restored_errs_as_little_as_the_true_model(prior, share):
    holes, given = with_holes(share)
    error = np.square(prior.restore(given) - TEST)[holes].mean()
    least = np.concatenate([true_std(row)[0] ** 2 for row in holes]).mean()
    assert error < 1.08 * least


@SHARES
def test_draws_have_the_true_spread(prior, share):
    holes, given = with_holes(share)
    imputer = GexImputer(
        FrozenEstimator(prior), sample_posterior=True, random_state=0
    ).fit(TRAIN)
    n, rows = 1000, range(6)
    drawn = imputer.transform(np.repeat(given[:6], n, axis=0)).reshape(6, n, -1)
    spread, std = [], []
    for i in rows:
        expected, covariance = true_std(holes[i])
        own = drawn[i][:, holes[i]]
        spread.append(own.std(axis=0) / expected)
        std.append(prior.restore(given[i : i + 1], return_std=True)[1][0, holes[i]])
        # Not each by itself: together they have the correlations of the true model.
        true = covariance / np.outer(expected, expected)
        assert np.linalg.norm(np.corrcoef(own.T) - true) < 0.3 * np.linalg.norm(true)
    spread, std = np.concatenate(spread), np.concatenate(std)
    assert np.median(spread) == pytest.approx(1, abs=0.1)
    # And `return_std` says the same.
    own = np.concatenate([drawn[i][:, holes[i]].std(axis=0) for i in rows])
    assert np.median(own / std) == pytest.approx(1, abs=0.03)
    assert np.abs(own / std - 1).max() < 6 / np.sqrt(2 * n)


def test_samples_that_are_noisier_are_less_sure(prior):
    holes, given = with_holes(0.3)
    noise = np.random.default_rng(3).normal(size=TEST.shape) * np.sqrt(NOISE)
    _, std = prior.restore(given, return_std=True)
    _, more = prior.restore(given + 2 * noise, return_std=True)
    ratio = np.where(holes, more, 1).sum(axis=1) / np.where(holes, std, 1).sum(axis=1)
    assert np.median(more[holes] / std[holes]) > 1.3
    assert (ratio > 1).mean() > 0.95


def test_the_fewer_genes_are_measured_the_less_sure(prior):
    few = np.where(np.arange(60) < 5, TEST, np.nan)
    many = np.where(np.arange(60) < 40, TEST, np.nan)
    (_, unsure), (_, sure) = (prior.restore(v, return_std=True) for v in (few, many))
    assert (unsure[:, 40:].mean(axis=0) > sure[:, 40:].mean(axis=0)).all()
    # Without knowledge the spread of the gene itself is left.
    ratio = unsure[:, 40:].mean(axis=0) / TRAIN[:, 40:].std(axis=0)
    assert ((ratio > 0.6) & (ratio < 1.1)).all()

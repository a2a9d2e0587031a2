"""Draws of GexImputer from the distribution of what is missing."""

import numpy as np
import pytest
from discovery import tiny
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator

from skgex import GexBERT, GexImputer
from skgex.datasets import make_expression

FULL = make_expression(n_samples=90, n_genes=20, random_state=0)
HOLES = np.random.default_rng(0).random(FULL.shape) < 0.25
X = np.where(HOLES, np.nan, FULL)
# Each row has a pattern of its own, which takes time: some are enough for statistics.
SOME = slice(24)


@pytest.fixture(scope="module")
def pretrained():
    return tiny(GexBERT).fit(X)  # not to be fitted again


@pytest.fixture(scope="module")
def draws(pretrained):
    """Return the imputed values of some samples, and 300 draws of them."""
    mean = GexImputer(FrozenEstimator(pretrained)).fit(X).transform(X[SOME])
    sampling = GexImputer(
        FrozenEstimator(pretrained), sample_posterior=True, random_state=0
    ).fit(X)
    # Samples of a call share a draw of what is learnt.
    return mean, np.stack([sampling.transform(X[SOME]) for _ in range(300)])


def test_draws_differ_and_keep_what_was_measured(draws):
    mean, drawn = draws
    holes, measured = HOLES[SOME], X[SOME][~HOLES[SOME]]
    assert (drawn[0][holes] != drawn[1][holes]).all()
    assert_array_equal(drawn[:, ~holes], np.tile(measured, (300, 1)))
    spread = drawn[:, holes].std(axis=0)
    z = (drawn[:, holes].mean(axis=0) - mean[holes]) / (spread / np.sqrt(300))
    # A mixture of Gaussians is drawn by its moments, so that its mean is that.
    assert np.abs(z).max() < 6
    assert z.std() == pytest.approx(1, abs=0.2)


def test_missing_values_of_a_sample_are_drawn_jointly(pretrained):
    # Of two genes that hang together, both unknown, draws hang together too.
    given = FULL.copy()
    given[:, 1:] = np.nan
    sampling = GexImputer(FrozenEstimator(pretrained), sample_posterior=True)
    sampling.set_params(random_state=0).fit(X)
    drawn = sampling.transform(np.tile(given[:1], (400, 1)))
    correlation = np.corrcoef(drawn[:, 1:].T)
    true = np.corrcoef(FULL[:, 1:].T)
    pairs = np.triu_indices(19, 1)
    assert np.corrcoef(correlation[pairs], true[pairs])[0, 1] > 0.8


def test_same_seed_same_draws(pretrained):
    def sampled(seed):
        sampling = GexImputer(
            FrozenEstimator(pretrained), sample_posterior=True, random_state=seed
        )
        return sampling.fit(X).transform(X)

    assert_array_equal(sampled(3), sampled(3))
    assert (sampled(3)[HOLES] != sampled(4)[HOLES]).all()


def test_each_call_draws_anew(pretrained, global_generators):
    sampling = GexImputer(FrozenEstimator(pretrained), sample_posterior=True)
    sampling.set_params(random_state=0).fit(X)
    assert (sampling.transform(X)[HOLES] != sampling.transform(X)[HOLES]).all()

"""How deep below their limits values lie, where the truth is known."""

import numpy as np
import pytest
from discovery import tiny
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import truncnorm
from sklearn.frozen import FrozenEstimator

from skgex import GexBERT, GexImputer, load
from skgex._impute import _low_values
from skgex._impute._practice import Practice, choose_practice, learn_curves
from skgex._impute._tails import Tails, draw_tails
from skgex.datasets import make_expression

N_GENES = 60
NORMAL = make_expression(n_samples=300, n_genes=N_GENES, random_state=3).astype(float)
TRAIN, OTHERS = slice(220), slice(220, None)


def at_a_floor():
    """Return profiles that end in floors, and which values are missing.

    The floor of every other gene is missing, and that of the others is seen.
    """
    rng = np.random.default_rng(0)
    floors = np.quantile(NORMAL, rng.uniform(0.2, 0.7, N_GENES), axis=0).diagonal()
    truth = np.maximum(NORMAL, floors)
    return truth, (truth == floors) & (np.arange(N_GENES) % 2 == 0)


def below_limits():
    shares = np.random.default_rng(0).uniform(0.05, 0.5, N_GENES)
    return NORMAL, np.quantile(NORMAL, shares, axis=0).diagonal() > NORMAL


def imputer(embedder=None):
    embedder = embedder or tiny(GexBERT, max_epochs=0)
    return GexImputer(embedder, censored="left", random_state=0)


def score(filled, truth, low, rows):
    off = ((filled - truth) / truth.std(axis=0))[rows][low[rows]]
    return np.sqrt((off**2).mean()), off.mean()


@pytest.fixture
def plain(monkeypatch):
    """Fit to a table as if tails went on as normal ones."""

    def fit(holed):
        with monkeypatch.context() as patch:
            patch.setattr(_low_values, "learn_curves", lambda *_: None)
            return imputer().fit(holed)

    return fit


def compare(plain, truth, low):
    """Yield scores of ours, of normal tails, and of lowest values, by place."""
    holed = np.where(low, np.nan, truth)
    lowest = np.where(low, np.nanmin(holed[TRAIN], axis=0), truth)
    ours, normal = imputer().fit(holed[TRAIN]), plain(holed[TRAIN])
    filled = ours.transform(holed), normal.transform(holed), lowest
    assert (filled[0] <= ours.limits_ + 1e-9)[low].all()
    for rows in (TRAIN, OTHERS):
        yield [score(values, truth, low, rows) for values in filled]


def test_half_of_an_excess_below_floors_is_seen(plain):
    for (error, bias), normal, _ in compare(plain, *at_a_floor()):
        assert error < 0.55 * normal[0]
        assert abs(bias) < 0.5 * abs(normal[1])


def test_normal_tails_are_left_as_they_are(plain):
    for (error, bias), normal, lowest in compare(plain, *below_limits()):
        assert abs(bias) < 0.1
        assert error < 1.02 * normal[0]
        assert error < 0.6 * lowest[0]


def lesson(tail, n_samples=40, n_genes=80):
    """Return what curves are learnt from, of genes whose values are `tail(normal)`.

    Each value is expected by its place alone, as one below the limit 0.
    """
    normal = np.random.default_rng(0).uniform(0.1, 3, (n_samples, n_genes))
    chosen, none = np.ones_like(normal, bool), np.zeros_like(normal, bool)
    zero, one = np.zeros(n_genes), np.ones(n_genes)
    tails = Tails(zero, one, one, np.linspace(0.1, 0.8, n_genes))
    practice = Practice(chosen, one, tails)
    moments = np.stack([-normal, np.ones_like(normal)])
    return -tail(normal), none, practice, normal.ravel(), moments, tails


@pytest.mark.parametrize(
    "tail",
    [
        lambda u: u,
        lambda u: 1.5 * u,
        lambda u: np.minimum(u, 0.4),
        lambda u: 0.2 + 0 * u,
    ],
    ids=["normal", "deep", "short", "floor"],
)
def test_curves_are_the_tails_that_there_are(tail):
    curves = learn_curves(*lesson(tail))
    expected = np.linspace(0.3, 2.3, 12)
    for share in (0.0, 0.4, 0.9):
        tails = Tails(0.0, 1.0, 1.0, np.full(12, share), curves)
        assert_allclose(tails.follow(expected), tail(expected), rtol=0.08, atol=0.06)


def test_values_never_measured_are_as_deep_as_the_curves_say():
    """A floor of 0.3 below limits; half of the values lie below the former limit."""
    truth, _, practice, normal, moments, tails = lesson(lambda u: 0.3 + 0 * u)
    low = np.random.default_rng(1).random(truth.shape) < 0.5
    practice = practice._replace(chosen=~low)
    blind = np.where(low, np.nan, truth)
    curves = learn_curves(blind, low, practice, normal, moments, tails)
    assert np.isfinite(curves).all()
    assert_allclose(curves[2, :, 1:], 0.3, atol=0.06)


def test_no_curve_is_learnt_from_few_values():
    assert learn_curves(*lesson(lambda u: u, n_samples=4, n_genes=8)) is None


NOISE = np.random.default_rng(5)
NOISY = learn_curves(*lesson(lambda u: NOISE.normal(u, 2), n_samples=10))


@given(st.lists(st.floats(0, 50), min_size=2, max_size=9), st.floats(0, 1))
def test_what_is_expected_deeper_lies_no_less_deep(expected, share):
    tails = Tails(0.0, 1.0, 1.0, np.full(len(expected), share), NOISY)
    deep = tails.follow(np.sort(expected))
    assert (deep >= 0).all()
    assert (np.diff(deep) >= -1e-12).all()


def test_practice_hides_the_lowest_values_and_all_of_a_floor():
    truth, low = at_a_floor()
    holed = np.where(low, np.nan, truth)
    limits, one = np.nanmin(holed, axis=0), np.ones(N_GENES)
    tails = Tails(limits, one, one, low.mean(axis=0))
    chosen, weight, new = choose_practice(truth, low, tails, np.random.RandomState(0))
    genes = chosen.any(axis=0)
    assert 8 <= genes.sum() <= 15
    assert not (chosen & low).any()
    left = np.where(low | chosen, np.nan, truth)
    assert_array_equal(new.limits[genes], np.nanmin(left, axis=0)[genes])
    assert (truth < new.limits)[chosen].all()
    at_floor = truth == truth.min(axis=0)
    seen = genes & ~low.any(axis=0)
    assert seen.any()
    for gene in np.flatnonzero(seen):
        assert chosen[at_floor[:, gene], gene].all()
    assert (weight[genes] > 0).all()
    assert (weight[seen] < 1).any()
    assert_array_equal(new.limits[~genes], limits[~genes])


def test_draws_are_on_average_as_deep_as_tails_go():
    curves = learn_curves(*lesson(lambda u: 0.5 * u))
    low = np.ones((20_000, 1), bool)
    tails = Tails(*np.array([[0.0], [1.0], [1.0], [0.3]]), curves)
    moments = np.stack([np.full(low.shape, -0.2), np.full(low.shape, 1.1)])
    drawn = draw_tails(moments, low, tails, np.random.RandomState(0))
    mean = truncnorm(-np.inf, 0.2 / 1.1, loc=-0.2, scale=1.1).mean()
    assert drawn.max() <= 0
    deep = tails.at(low).follow(np.full(20_000, -mean))
    assert_allclose(drawn.mean(), -deep.mean(), rtol=0.02)


def test_a_pretrained_embedder_learns_tails_as_well(tmp_path):
    truth, low = at_a_floor()
    holed = np.where(low, np.nan, truth)
    embedder = tiny(GexBERT, max_epochs=0).fit(NORMAL[TRAIN])
    fitted = imputer(embedder=FrozenEstimator(embedder)).fit(holed[TRAIN])
    filled = fitted.transform(holed)
    error, _ = score(filled, truth, low, OTHERS)
    fitted.save(tmp_path / "imputer.safetensors")
    loaded = load(tmp_path / "imputer.safetensors")
    assert_array_equal(loaded.transform(holed), filled)
    fitted._curves = None
    assert error < 0.8 * score(fitted.transform(holed), truth, low, OTHERS)[0]

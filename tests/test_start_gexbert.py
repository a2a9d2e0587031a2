"""GexBERT from a start: few rows, several starts, and who uses it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from cohorts import draw, gexbert_of, make_truth, names_of
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skgex import GexBERT, GexImputer, load
from skgex._shrunken_moments import shrunken_moments
from skgex.pretext._adapted import moments_of
from skgex.pretext._starts import Start

BEFORE = make_truth(n_genes=40, rank=4)
TRUTH = make_truth(n_genes=40, rank=4, own_rank=2, own_share=0.1)
NAMES = names_of(40)
rng = np.random.default_rng(0)
MEAN, SCALE = rng.normal(8, 2, 40), rng.uniform(0.5, 2, 40)


def random(shape):
    return np.random.default_rng(3).random(shape)


def table(n, seed, truth=TRUTH):
    X = MEAN + SCALE * draw(n, truth, seed)
    return pd.DataFrame(X.astype(np.float32), columns=NAMES)


START = FrozenEstimator(gexbert_of(BEFORE, MEAN, SCALE))
WRONG = FrozenEstimator(gexbert_of(make_truth(40, 4, seed=5), MEAN, SCALE))
NEW = table(300, 99)
HIDDEN = random(NEW.shape) < 0.4


def fit(X, start=START, **parameters):
    return tiny(GexBERT, **{"max_epochs": 0, "start": start, **parameters}).fit(X)


def error(gexbert, X=NEW, hidden=HIDDEN):
    """Return the error of what is hidden, in standard deviations of the genes."""
    rest = (gexbert.restore(X.mask(hidden)) - X) / SCALE
    return float(np.sqrt(np.square(rest.to_numpy()[hidden]).mean()))


# Few rows


@pytest.mark.parametrize("holes", [False, True])
def test_five_rows_are_enough(holes):
    X = table(5, 1)
    if holes:
        X.iloc[:, ::3] = X.iloc[:, ::3].mask(random((5, 14)) < 0.3)
        X.iloc[2, 5:20] = np.nan
    alone = error(fit(X, None))
    assert error(fit(X)) < 0.8 * alone
    assert error(START.estimator) < 1.05 * error(fit(X)) < 0.8


def test_constant_genes():
    X = table(6, 1)
    X["G3"] = 7.0
    with pytest.warns(UserWarning, match="constant in X, the first being gene 'G3'"):
        gexbert = fit(X)
    # Elsewhere it varies: it has the spread that this would have here.
    assert 0.5 < float(gexbert.standardizer_.scale[3]) / SCALE[3] < 2
    assert np.isfinite(gexbert.restore(NEW.mask(HIDDEN))).all(axis=None)
    assert error(gexbert) < 0.85


@pytest.mark.parametrize("n", [12, 30, 100])
def test_intervals_cover_what_they_should(n):
    gexbert = fit(table(n, 1))
    mean, std = gexbert.restore(NEW.mask(HIDDEN), return_std=True)
    covered = ((mean - NEW).abs() < 1.645 * std).to_numpy()[HIDDEN]
    assert 0.8 < covered.mean() < 0.97


@pytest.mark.parametrize("n", [5, 15, 200])
def test_moments_are_drawn_to_those_of_the_start(n):
    X = table(n, 1) + 0.3
    found = fit(X).standardizer_
    values = X.to_numpy(np.float64)
    moments = values.mean(0), values.std(0), np.full(40, n)
    mean, scale = shrunken_moments(*moments, MEAN, SCALE)
    assert_allclose(found.mean, mean, rtol=1e-5)
    assert_allclose(found.scale, scale, rtol=1e-5)
    # Of many samples little is left to draw.
    if n == 200:
        assert np.abs((mean - moments[0]) / SCALE).max() < 0.2


def test_new_genes_have_moments_of_their_own():
    known = FrozenEstimator(gexbert_of([p[:25] for p in BEFORE], MEAN[:25], SCALE[:25]))
    gexbert = fit(table(15, 1), known)
    assert_allclose(
        gexbert.standardizer_.mean[25:], table(15, 1).mean()[25:], rtol=1e-5
    )
    assert error(gexbert) < error(fit(table(15, 1), None))


def test_in_another_unit_what_goes_together_is_used():
    X = table(20, 1)
    expected = fit(X).restore(NEW.mask(HIDDEN))
    with pytest.warns(
        UserWarning, match=r"moved by \d.* in another unit\. Of start"
    ) as w:
        other = fit(100 + 10 * X)
    assert w[0].filename == __file__
    found = (other.restore(100 + 10 * NEW.mask(HIDDEN)) - 100) / 10
    off = np.square((found - NEW) / SCALE).to_numpy()[HIDDEN].mean() ** 0.5
    assert off < 0.95 * error(fit(X, None))
    assert np.square((found - expected) / SCALE).to_numpy().mean() < 0.05


# Several starts


def test_known_moments_are_of_the_first_start_that_has_a_gene():
    first = gexbert_of([p[:25] for p in BEFORE], MEAN[:25], SCALE[:25])
    second = gexbert_of(BEFORE, MEAN + 1, 2 * SCALE)
    places = np.array([3, 30, -1])
    starts = [Start(first, np.array([3, -1, -1]), 0), Start(second, places, 1)]
    mean, scale = moments_of(starts)
    assert_allclose(mean, [MEAN[3], MEAN[30] + 1, np.nan], rtol=1e-6)
    assert_allclose(scale, [SCALE[3], 2 * SCALE[30], np.nan], rtol=1e-6)


def test_weights_are_those_of_the_list():
    X, far = table(30, 1), gexbert_of(BEFORE)
    far.feature_names_in_ = np.array([f"X{i}" for i in range(40)], dtype=object)
    assert fit(X).start_weight_.shape == (1,)
    right, wrong = fit(X, [START, WRONG]).start_weight_
    assert right >= 30
    assert wrong == 0
    assert_array_equal(fit(X, (WRONG, START)).start_weight_, [wrong, right])
    both = fit(X, [START, WRONG], start_weight=50.0)
    assert_array_equal(both.start_weight_, [25, 25])
    assert error(fit(X, [START, WRONG])) < error(both)
    with pytest.warns(UserWarning, match="shares none"):
        three = fit(X, [FrozenEstimator(far), START, WRONG])
    assert_array_equal(three.start_weight_, [0, right, wrong])
    with pytest.warns(UserWarning, match="shares none"):
        assert_array_equal(fit(X, FrozenEstimator(far)).start_weight_, [0])


def test_weights_are_of_the_last_fit(tmp_path):
    gexbert = fit(table(20, 1), start_weight=40)
    gexbert.save(tmp_path / "model")
    copies = [load(tmp_path / "model"), pickle.loads(pickle.dumps(gexbert))]
    copies.append(clone(gexbert).fit(table(20, 1)).set_params(warm_start=True))
    copies[-1].fit(table(20, 1))
    for copy in copies:
        assert_array_equal(copy.start_weight_, [40])
    gexbert.set_params(start=None).fit(table(20, 1))
    assert not hasattr(gexbert, "start_weight_")
    assert not hasattr(GexBERT(), "start_weight_")


@pytest.mark.parametrize("start", [[], ()])
def test_an_empty_list_is_starting_afresh(start):
    X = table(20, 1)
    expected = fit(X, None).restore(NEW.mask(HIDDEN))
    assert_array_equal(fit(X, start).restore(NEW.mask(HIDDEN)), expected)


@pytest.mark.parametrize("weight", [-1.0, "all", None, np.inf])
def test_weights_that_are_none(weight):
    with pytest.raises(ValueError, match="start_weight"):
        fit(table(20, 1), start_weight=weight)


def test_a_list_with_something_else():
    with pytest.raises(ValueError, match=r"start=3 must be FrozenEstimator\(embedder"):
        fit(table(20, 1), [START, 3])


def test_a_start_without_a_prior():
    plain = FrozenEstimator(tiny(GexBERT, prior=None, max_epochs=1).fit(table(20, 1)))
    with pytest.raises(ValueError, match="start was fitted with prior=None"):
        fit(table(20, 1), plain)


# Who uses it


def test_imputing_with_a_start():
    X = table(25, 1)
    hidden = random(X.shape) < 0.3
    holes = X.mask(hidden)
    found = {}
    for start in (None, START):
        imputer = GexImputer(tiny(GexBERT, max_epochs=0, start=start))
        imputer.set_output(transform="pandas").fit(holes)
        expected = fit(holes, start)
        assert_allclose(imputer.transform(holes), expected.restore(holes), rtol=1e-5)
        found[start] = error(expected, X, hidden)
        # Rows of the fit are filled in as well as others.
        assert found[start] < 1.15 * error(expected, hidden=random(NEW.shape) < 0.3)
    assert found[START] < 0.95 * found[None]


def test_samples_like_those_of_the_cohort_are_likely():
    gexbert = fit(table(30, 1))
    shuffled = pd.DataFrame(
        np.random.default_rng(3).permuted(NEW.to_numpy(), axis=1), columns=NAMES
    )
    assert gexbert.score_samples(NEW).min() > gexbert.score_samples(shuffled).max()
    below = (gexbert.score_samples(NEW, as_quantile=True) < 0.5).mean()
    assert 0.25 < below < 0.75

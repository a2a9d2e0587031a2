"""Values missing because they are low, against truncated normal variables."""

import numpy as np
import pandas as pd
import pytest
from discovery import tiny
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import truncnorm
from sklearn.frozen import FrozenEstimator

from skgex import GexBERT, GexImputer, load
from skgex._impute._censored import below, draw_below, limits_of, marginal_fill
from skgex.datasets import make_expression

FULL = make_expression(n_samples=260, n_genes=60, random_state=0).astype(float)
LIMITS = np.quantile(FULL, np.linspace(0.0, 0.6, 60), axis=0).diagonal().copy()
LOW = FULL < LIMITS
HOLED = np.where(LOW, np.nan, FULL)
TRAIN = slice(200)


def imputer(**options):
    return GexImputer(tiny(GexBERT, max_epochs=0), random_state=0, **options)


def errors(filled, rows=slice(None)):
    """Return the root mean squared error, and the bias, in standard deviations."""
    off = ((filled - FULL) / FULL.std(axis=0))[rows][LOW[rows]]
    return np.sqrt((off**2).mean()), off.mean()


@given(st.floats(-8, 8), st.floats(0.05, 5), st.floats(-12, 12))
def test_moments_below_a_limit_are_those_of_scipy(mean, std, limit):
    place = (limit - mean) / std
    if abs(place) > 25:
        return  # where scipy itself has few digits left
    truth = truncnorm(-np.inf, place, loc=mean, scale=std)
    found, variance = below(*np.array([mean, std, limit]))
    assert_allclose(found, truth.mean(), rtol=1e-4, atol=1e-6 * std)
    assert_allclose(variance, truth.var(), rtol=2e-2, atol=1e-4 * std**2)


@pytest.mark.parametrize("limit", [-9.0, -1.0, 0.5, 9.0])
def test_draws_below_a_limit_have_its_distribution(limit):
    mean, std = np.full(20_000, 0.3), np.full(20_000, 1.5)
    drawn = draw_below(mean, std, limit, np.random.RandomState(0))
    truth = truncnorm(-np.inf, (limit - 0.3) / 1.5, loc=0.3, scale=1.5)
    assert drawn.max() <= limit
    for share in (0.05, 0.5, 0.95):
        assert_allclose(np.mean(drawn < truth.ppf(share)), share, atol=0.012)


def test_a_gene_alone_is_expected_as_a_censored_normal_variable():
    rng = np.random.default_rng(0)
    X = rng.normal(3, 2, size=(40_000, 3))
    limits = np.array([1.0, 3.0, 5.0])
    low = limits > X
    fill, depth = marginal_fill(np.where(low, np.nan, X), low, limits)
    truth = truncnorm(-np.inf, (limits - 3) / 2, loc=3, scale=2).mean()
    assert_allclose(fill, truth, atol=0.08)
    assert (abs(depth - 1) < 0.05).all()


def test_a_short_lower_tail_is_seen_above_the_limit():
    """Values of an exponential variable end at zero, just below what is measured."""
    X = np.random.default_rng(0).exponential(size=(20_000, 1))
    low = X < 0.1
    fill, depth = marginal_fill(np.where(low, np.nan, X), low, np.array([0.1]))
    assert depth < 0.5
    normal = (fill - 0.1) / depth + 0.1
    assert abs(fill - X[low].mean()) < 0.3 * abs(normal - X[low].mean())


def test_low_values_are_filled_in_better_than_by_methods_that_do_not_know():
    told, not_told = (
        imputer(censored=censored).fit(HOLED[TRAIN]) for censored in ("left", None)
    )
    lowest = np.where(LOW, np.nanmin(HOLED, axis=0), HOLED)
    for rows in (TRAIN, slice(200, None)):
        error, bias = errors(told.transform(HOLED), rows)
        assert abs(bias) < 0.2
        assert errors(not_told.transform(HOLED), rows)[1] > 0.4
        assert error < 0.5 * errors(not_told.transform(HOLED), rows)[0]
        assert error < 0.9 * errors(lowest, rows)[0]


def test_what_is_filled_in_is_below_the_limit_and_measured_values_stay():
    for posterior in (False, True):
        fitted = imputer(censored="left", sample_posterior=posterior).fit(HOLED)
        assert_array_equal(fitted.limits_, np.nanmin(HOLED, axis=0))
        filled = fitted.transform(HOLED)
        assert (filled <= fitted.limits_ + 1e-9)[LOW].all()
        assert_array_equal(filled[~LOW], FULL[~LOW])


def test_genes_without_a_limit_are_restored_as_ever():
    rng = np.random.default_rng(1)
    X = HOLED.copy()
    X[:, :30] = np.where(rng.random((260, 30)) < 0.2, np.nan, FULL[:, :30])
    limits = np.where(np.arange(60) < 30, np.nan, LIMITS)
    filled = imputer(censored=limits).fit_transform(X)
    hidden = np.isnan(X[:, :30])
    off = ((filled - FULL) / FULL.std(axis=0))[:, :30][hidden]
    assert abs(off.mean()) < 0.1
    low = np.isnan(X[:, 30:])
    assert (filled[:, 30:] <= LIMITS[30:] + 1e-9)[low].all()


def test_limits_by_name():
    names = [f"g{i}" for i in range(60)]
    table = pd.DataFrame(HOLED, columns=names)
    by_name = imputer(censored=dict(zip(names, LIMITS, strict=True))).fit(table)
    by_place = imputer(censored=LIMITS).fit(HOLED)
    assert_array_equal(by_name.limits_, LIMITS)
    assert_allclose(by_name.transform(table), by_place.transform(HOLED), rtol=1e-6)


def test_a_pretrained_embedder_is_told_of_limits():
    embedder = tiny(GexBERT, max_epochs=0).fit(FULL[TRAIN])
    before = embedder.objective_
    fitted = GexImputer(FrozenEstimator(embedder), censored=LIMITS).fit(HOLED)
    assert fitted.embedder_ is embedder
    assert fitted.embedder_.objective_ is before
    assert abs(errors(fitted.transform(HOLED), slice(200, None))[1]) < 0.15


def test_a_saved_imputer_fills_in_the_same(tmp_path):
    fitted = imputer(censored="left").fit(HOLED)
    fitted.save(tmp_path / "imputer.safetensors")
    loaded = load(tmp_path / "imputer.safetensors")
    assert_array_equal(loaded.transform(HOLED), fitted.transform(HOLED))


@pytest.mark.parametrize(
    ("censored", "message"),
    [
        ([1.0, 2.0], r"censored has limits of shape \(2,\), but X has 60 genes"),
        ({"g": 1.0}, "censored has a limit for 'g', which X has no column for"),
        ("right", "The 'censored' parameter of GexImputer"),
    ],
)
def test_bad_limits_are_named(censored, message):
    with pytest.raises(ValueError, match=message):
        imputer(censored=censored).fit(HOLED)


def test_lowest_value_of_a_gene_that_was_never_measured_is_no_limit():
    X = np.array([[1.0, np.nan], [0.5, np.nan]])
    assert_array_equal(limits_of("left", X), [0.5, np.nan])

"""Moments of few samples, against loops, simulation and what must hold in the limit."""

import numpy as np
import pytest
from batch_effects import simulate
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, special, stats

from skgex._shrunken_moments import _inverse_trigamma, shrunken_moments

N_GENES = 4000


def loop_scale(std, count, covariate=None):
    """Smyth's estimates, gene by gene, and their degrees of freedom."""
    e, log_x, noise = [], [], []
    for j, n in enumerate(count):
        if n > 1 and std[j] > 0:
            df = n - 1
            variance = std[j] ** 2 * n / df
            e.append(np.log(variance) - special.digamma(df / 2) + np.log(df / 2))
            log_x.append(0.0 if covariate is None else np.log(covariate[j]))
            noise.append(special.polygamma(1, df / 2))
    n_coef = 1 if covariate is None else 2
    line = np.polyfit(log_x, e, n_coef - 1)
    residual = sum((np.array(e) - np.polyval(line, log_x)) ** 2)
    excess = residual / (len(e) - n_coef) - np.mean(noise)
    df_0 = np.inf
    if excess > 0:
        half = optimize.brentq(lambda y: special.polygamma(1, y) - excess, 1e-6, 1e9)
        df_0 = 2 * half
    scales = []
    for j, n in enumerate(count):
        x = 0.0 if covariate is None else np.log(covariate[j])
        log_0 = np.polyval(line, x)
        if np.isfinite(df_0):
            log_0 += special.digamma(df_0 / 2) - np.log(df_0 / 2)
        df = max(n - 1, 0)
        sum_of_squares = std[j] ** 2 * n if df else 0.0
        weight = df / (df + df_0)
        own = sum_of_squares / df if df else 0.0
        scales.append(np.sqrt(weight * own + (1 - weight) * np.exp(log_0)))
    return np.array(scales), np.maximum(count - 1, 0) + df_0


def loop_location(mean, scale, df, count, prior_mean):
    """The posterior mean, with the variance of shifts found by bisection."""
    known = [j for j, n in enumerate(count) if n]
    shifts = {j: (mean[j] - prior_mean[j]) / scale[j] for j in known}
    common = np.median(list(shifts.values()))
    n_kept = int(0.9 * len(known))
    inner = stats.truncnorm(-stats.norm.ppf(0.95), stats.norm.ppf(0.95)).var()

    def average(variance):
        squares = []
        for j in known:
            t = abs(shifts[j] - common) / np.sqrt(variance + 1 / count[j])
            squares.append(stats.norm.isf(stats.t.sf(t, df[j])) ** 2)
        return np.mean(sorted(squares)[:n_kept])

    low, high = 0.0, 10.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if average(middle) > inner else (low, middle)
    variance = low
    location = []
    for j, n in enumerate(count):
        own_shift = 0.0
        if n:
            own_shift = variance / (variance + 1 / n) * (shifts[j] - common)
        location.append(prior_mean[j] + scale[j] * (common + own_shift))
    return np.array(location)


@pytest.fixture
def uneven():
    """Counts from 0 to 6, by gene, and some genes that don't vary."""
    (mean, std, _), prior, _ = simulate(6, prior_df=5, tau=0.7, n_genes=300)
    count = np.arange(300) % 7
    std = np.where((count < 2) | (np.arange(300) % 50 == 3), 0, std)
    # so that all others lie between those that the line goes through
    std[[2, 3]], prior["prior_std"][[2, 3]] = [0.02, 12], [0.01, 10]
    return (np.where(count, mean, np.nan), std, count), prior


@pytest.mark.parametrize("trend", [False, True])
def test_the_scale_is_that_of_a_loop(uneven, trend):
    (mean, std, count), prior = uneven
    covariate = prior["prior_std"] if trend else None
    _, scale = shrunken_moments(mean, std, count, prior_std=covariate)
    assert_allclose(scale, loop_scale(std, count, covariate)[0], rtol=1e-6)


def test_the_location_is_that_of_a_loop(uneven):
    (mean, std, count), prior = uneven
    location, scale = shrunken_moments(mean, std, count, **prior)
    _, df = loop_scale(std, count, prior["prior_std"])
    expected = loop_location(mean, scale, df, count, prior["prior_mean"])
    assert (abs(location - expected) < 0.02 * scale).all()
    # which is far from what is there without
    assert np.mean(abs(location - mean)[count > 0] / scale[count > 0]) > 0.1


@pytest.mark.parametrize("n", [3, 8, 40])
@pytest.mark.parametrize(("prior_df", "tau"), [(4, 1.0), (12, 0.3)])
def test_what_was_simulated_is_recovered(n, prior_df, tau):
    """From the weights that the result shows to have been given."""
    batch, prior, _ = simulate(n, prior_df=prior_df, tau=tau)
    location, scale = shrunken_moments(*batch, **prior)
    own = batch[1] ** 2 * n / (n - 1)
    # scale**2 is linear in the variance of the batch, at equal prior scales
    trend = (prior["prior_std"] * 1.3) ** 2
    weight, level = np.linalg.lstsq(
        np.column_stack([own, trend]) / trend[:, None], scale**2 / trend, rcond=None
    )[0]
    assert (n - 1) * (1 / weight - 1) == pytest.approx(prior_df, rel=0.3)
    assert np.sqrt(level / (1 - weight)) == pytest.approx(1, abs=0.1)
    found = np.polyfit(
        (batch[0] - prior["prior_mean"]) / scale,
        (location - prior["prior_mean"]) / scale,
        1,
    )
    assert found[1] / (1 - found[0]) == pytest.approx(0.5, abs=0.1)
    variance = found[0] / (1 - found[0]) / n
    assert np.sqrt(variance) == pytest.approx(tau, rel=0.25)


@pytest.mark.parametrize("n", [2, 3, 8])
@pytest.mark.parametrize(("prior_df", "tau"), [(4, 1.0), (12, 0.3), (np.inf, 0)])
def test_errors_are_smaller_than_without(n, prior_df, tau):
    batch, prior, (location, scale) = simulate(n, prior_df=prior_df, tau=tau)
    found = shrunken_moments(*batch, **prior)
    own = batch[1] * np.sqrt(n / (n - 1))
    assert_less = np.mean(((found[0] - location) / scale) ** 2)
    assert assert_less < 0.95 * np.mean(((batch[0] - location) / scale) ** 2)
    # also than with what is known from elsewhere
    for other in (own, prior["prior_std"]):
        error = np.mean(np.log(found[1] / scale) ** 2)
        assert error < 0.95 * np.mean(np.log(other / scale) ** 2)


def test_a_single_sample():
    (mean, std, count), prior, (location, _) = simulate(1, tau=0.3, factor=1.0)
    assert not std.any()
    found, scale = shrunken_moments(mean, std, count, **prior)
    assert_array_equal(scale, prior["prior_std"])  # one sample says nothing of it
    error = (found - location) / scale
    assert np.mean(error**2) < 1.2 * 0.3**2 / (1 + 0.3**2)


# Limits


def test_many_samples_keep_their_moments():
    (mean, std, _), prior, _ = simulate(5, prior_df=4, tau=1.0)
    location, scale = shrunken_moments(mean, std, np.full(len(mean), 10**8), **prior)
    assert_allclose(location, mean, atol=1e-5)
    assert_allclose(scale, std, rtol=1e-3)


def test_another_unit_is_left_alone():
    (mean, std, count), prior, _ = simulate(4)
    location, scale = shrunken_moments(1e6 * mean**3, 1e6 * std, count, **prior)
    assert (abs(location - 1e6 * mean**3) < 0.1 * scale).all()
    assert_allclose(scale / 1e6, shrunken_moments(mean, std, count, **prior)[1])


def test_genes_that_are_alike_are_pooled():
    """A constant factor and shift, and exactly the noise of sampling."""
    n, n_genes = 5, 2001
    rank = (np.arange(n_genes) + 0.5) / n_genes
    variance = stats.chi2.ppf(rank, n - 1) / (n - 1)  # of true variance 1
    prior_std = np.exp(np.random.default_rng(0).normal(size=n_genes))
    std = 2 * prior_std * np.sqrt(variance * (n - 1) / n)
    error = np.random.default_rng(1).permutation(stats.norm.ppf(rank)) / np.sqrt(n)
    mean = 7 + 2 * prior_std * (1.5 + 0.99 * error)
    count = np.full(n_genes, n)
    location, scale = shrunken_moments(mean, std, count, np.full(n_genes, 7), prior_std)
    assert_allclose(scale, 2 * prior_std, rtol=0.02)
    assert_allclose(location, 7 + 1.5 * scale, rtol=0.01)


def test_a_few_wild_genes_do_not_matter():
    (mean, std, count), prior, _ = simulate(4, tau=0.3)
    usual, _ = shrunken_moments(mean, std, count, **prior)
    wild = np.arange(len(mean)) % 50 == 0
    location, scale = shrunken_moments(
        np.where(wild, mean + 1e4, mean), std, count, **prior
    )
    assert_allclose(location[~wild], usual[~wild], atol=0.15 * scale[~wild].max())


# A prior that the batch is part of


def test_a_batch_that_is_its_own_prior_stays():
    (mean, std, count), _, _ = simulate(3, prior_df=5)
    unbiased = std * np.sqrt(1.5)
    location, scale = shrunken_moments(mean, std, count, mean, unbiased, share=1.0)
    assert_array_equal(location, mean)
    assert_array_equal(scale, unbiased)


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_two_batches_with_their_average_as_prior(spread):
    """They are shrunk to each other as much as they are alike."""
    n, rng = 6, np.random.default_rng(0)
    location, log_scale = spread * rng.normal(size=(2, 2, N_GENES))
    # (2, n, n_genes)
    X = rng.normal(location[:, None], np.exp(log_scale[:, None] / 2), (2, n, N_GENES))
    mean, variance = X.mean(axis=1), X.var(axis=1)
    pooled = mean.mean(axis=0), np.sqrt(variance.mean(axis=0) * n / (n - 1))
    count = np.full(N_GENES, n)
    found = shrunken_moments(mean[0], np.sqrt(variance[0]), count, *pooled, share=0.5)
    # of the distance of two means 2 / n is noise, and of that of log variances
    noise = 2 * special.polygamma(1, (n - 1) / 2)
    kept = 2 * spread / (2 * spread + 2 / n), 2 * spread / (2 * spread + noise)
    centre = mean.mean(axis=0)
    slope = np.polyfit(mean[0] - centre, found[0] - centre, 1)[0]
    assert slope == pytest.approx(kept[0], abs=0.1)
    log_ratio = np.log(found[1] / pooled[1])
    own = np.log(variance[0] * n / (n - 1)) / 2 - np.log(pooled[1])
    assert np.polyfit(own, log_ratio, 1)[0] == pytest.approx(kept[1], abs=0.1)


def test_the_scale_does_not_know_of_a_share_without_a_prior():
    (mean, std, count), prior, _ = simulate(3, prior_df=5)
    _, scale = shrunken_moments(mean, std, count, prior["prior_mean"], share=0.5)
    assert_array_equal(scale, shrunken_moments(mean, std, count)[1])


def test_the_share_may_differ_between_genes():
    (mean, std, count), prior, _ = simulate(3, prior_df=5, tau=0.5)
    share = np.where(np.arange(len(mean)) < 100, 1.0, 0.2)
    location, scale = shrunken_moments(mean, std, count, **prior, share=share)
    assert_array_equal(location[:100], mean[:100])
    assert_allclose(scale[:100], std[:100] * np.sqrt(1.5))
    rest = {name: v[100:] for name, v in prior.items()}
    alone = shrunken_moments(mean[100:], std[100:], count[100:], **rest, share=0.2)
    assert_allclose(location[100:], alone[0])
    assert_allclose(scale[100:], alone[1])


@pytest.mark.parametrize("x", 10.0 ** np.arange(-8, 9))
def test_inverse_trigamma(x):
    assert special.polygamma(1, _inverse_trigamma(x)) == pytest.approx(x, rel=1e-6)

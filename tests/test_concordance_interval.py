"""concordance_interval against scikit-survival, slow jackknifes and simulation."""

import time as clock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import norm
from sksurv.metrics import concordance_index_censored

from skgex.evaluation import concordance_interval


def cohort(n, seed=0, ties=False, strength=1.0):
    """Return a target, a risk and a worse one that goes with it."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    time = rng.exponential(np.exp(-strength * true))
    limit = rng.exponential(2, size=n)
    risk = true + 0.7 * rng.normal(size=n)
    other = risk + rng.normal(size=n)
    event, time = time < limit, np.minimum(time, limit)
    if ties:
        time, risk, other = (np.round(part, 1) for part in (time, risk, other))
    y = np.empty(n, dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y, risk, other


def weighted_concordance(y, risk, weights):
    """Return C where each sample counts as often as its weight, pair by pair."""
    above = below = 0.0
    for i in range(len(y)):
        for j in range(len(y)):
            earlier = y["time"][i] < y["time"][j]
            tied = y["time"][i] == y["time"][j] and not y["event"][j]
            if i != j and y["event"][i] and (earlier or tied):
                pair = weights[i] * weights[j]
                below += pair
                above += pair * (0.5 if risk[i] == risk[j] else risk[i] > risk[j])
    return above / below


@settings(max_examples=40, deadline=None)
@given(n=st.integers(4, 80), seed=st.integers(0, 999), ties=st.booleans())
def test_the_index_is_that_of_scikit_survival(n, seed, ties):
    y, risk, other = cohort(n, seed, ties)
    y["event"][y["time"].argmin()] = True
    if len(set(y["time"])) < 2:
        return
    table = concordance_interval(y, risk, reference=other).set_index("quantity")
    found = [
        concordance_index_censored(y["event"], y["time"], part)
        for part in (risk, other)
    ]
    expected = [found[0][0], found[1][0], found[0][0] - found[1][0]]
    assert_allclose(table["concordance"], expected, atol=1e-12)
    n_pairs = sum(found[0][1:4])
    assert table["n_pairs"].tolist() == [n_pairs] * 3


@pytest.mark.parametrize("ties", [False, True])
def test_the_standard_error_is_that_of_the_infinitesimal_jackknife(ties):
    y, risk, other = cohort(25, 1, ties)
    step = 1e-5
    slopes = []
    for i in range(25):
        up, down = np.ones((2, 25))
        up[i] += step
        down[i] -= step
        slopes.append(
            [
                weighted_concordance(y, part, up) - weighted_concordance(y, part, down)
                for part in (risk, other)
            ]
        )
    slopes = np.array(slopes) / (2 * step)
    slopes = np.column_stack([slopes, slopes[:, 0] - slopes[:, 1]])
    expected = np.sqrt((slopes**2).sum(axis=0))
    table = concordance_interval(y, risk, reference=other)
    assert_allclose(table["std_error"], expected, rtol=1e-6)
    patients = np.arange(25) // 2
    sums = np.array([slopes[patients == p].sum(axis=0) for p in range(13)])
    table = concordance_interval(y, risk, reference=other, groups=patients)
    assert_allclose(table["std_error"], np.sqrt((sums**2).sum(axis=0)), rtol=1e-6)


def test_leaving_out_one_sample_at_a_time_gives_about_the_same():
    y, risk, other = cohort(200, 2)
    left_out = []
    for i in range(200):
        rest = np.arange(200) != i
        table = concordance_interval(y[rest], risk[rest], reference=other[rest])
        left_out.append(table["concordance"])
    jackknife = np.sqrt(199 / 200 * 200 * np.var(left_out, axis=0))
    table = concordance_interval(y, risk, reference=other)
    assert_allclose(table["std_error"], jackknife, rtol=0.02)


def test_intervals_are_those_of_the_formulas():
    y, risk, other = cohort(60, 3)
    table = concordance_interval(y, risk, reference=other, confidence_level=0.8)
    table = table.set_index("quantity")
    z = norm.ppf(0.9)
    row = table.loc["difference"]
    half = z * row["std_error"]
    assert_allclose(row[["low", "high"]], row["concordance"] + np.array([-half, half]))
    row = table.loc["risk"]
    c, limits = row["concordance"], row[["low", "high"]].astype(float)
    half = z * row["std_error"] / (c * (1 - c))
    assert_allclose(np.log(limits / (1 - limits)) - np.log(c / (1 - c)), [-half, half])
    alone = concordance_interval(y, risk, confidence_level=0.8)
    assert_allclose(alone.loc[0, list(table)].astype(float), row.astype(float))


def test_intervals_cover():
    """Of many cohorts, 95 % of intervals hold what holds for all samples."""
    y, risk, other = cohort(4000, 4)
    truth = concordance_interval(y, risk, reference=other)["concordance"]
    inside = []
    for seed in range(400):
        y, risk, other = cohort(80, 1000 + seed)
        table = concordance_interval(y, risk, reference=other)
        inside.append((table["low"] < truth) & (truth < table["high"]))
    # 0.95 within 3 standard errors of 400 cohorts, and the error of `truth`.
    assert np.all(np.abs(np.mean(inside, axis=0) - 0.95) < 0.035)


def test_ends_of_the_scale():
    y = np.array([(True, t) for t in range(1, 9)], dtype="?,f8")
    table = concordance_interval(y, -y["f1"], reference=y["f1"])
    assert table["concordance"].tolist() == [1, 0, 1]
    assert (table["std_error"] == 0).all()
    assert (table["low"] == table["high"]).all()
    same = concordance_interval(y, np.sin(y["f1"]), reference=np.sin(y["f1"]))
    assert same.loc[2, ["concordance", "std_error"]].tolist() == [0, 0]


def test_ten_thousand_samples_take_seconds():
    y, risk, _ = cohort(10_000, 5)
    start = clock.process_time()
    concordance_interval(y, risk)
    assert clock.process_time() - start < 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": np.arange(3.0)}, "y must be a structured array of an event"),
        ({"y": np.array([(2, 1.0)] * 3, "i4,f8")}, "swapped: 'f1' holds events"),
        ({"y": np.array([(2, 5.0)] * 3, "i4,f8")}, r"'f0' of y, must be True \(1\) or"),
        ({"y": np.array([(True, np.nan)] * 3, "?,f8")}, "times in y contain NaN: 3 of"),
        ({"y": np.array([(True, -1.0)] * 3, "?,f8")}, "some are negative: 3 of 3"),
        ({"y": np.array([(1, True)] * 3, "i4,?")}, "swapped: 'f1' holds events"),
        ({"y": np.array([(False, 1.0)] * 3, "?,f8")}, "no two samples that can be"),
        ({"risk": [1, 2]}, r"risk has shape \(2,\) for 3 samples"),
        ({"reference": [1, np.nan, 3]}, "reference is not finite for sample 1"),
        ({"confidence_level": 95}, r"confidence_level=95 must lie in \(0, 1\)"),
    ],
)
def test_bad_input_is_named(options, message):
    y = np.array([(True, 1.0), (True, 2.0), (False, 3.0)], dtype="?,f8")
    with pytest.raises(ValueError, match=message):
        concordance_interval(**{"y": y, "risk": [1, 2, 3], **options})

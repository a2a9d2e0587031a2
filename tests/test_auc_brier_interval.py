"""auc_interval and brier_interval against scikit-survival, jackknives, simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import norm
from sksurv.metrics import brier_score, cumulative_dynamic_auc, integrated_brier_score
from test_concordance_interval import cohort

from skgex.evaluation import auc_interval, brier_interval

COLUMNS = ["brier", "std_error", "low", "high"]


def usable(y, n_times=2):
    """Return times with cases and controls, or None."""
    first, last = y["time"][y["event"]].min(initial=np.inf), y["time"].max()
    if first >= last:
        return None
    return np.linspace(first, last, n_times + 1)[:-1]


def survival_of(risk, times):
    """Return probabilities that fall with the risk and with time."""
    return np.exp(-np.exp(0.5 * risk)[:, None] * times)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(6, 60),
    seed=st.integers(0, 999),
    ties=st.booleans(),
    apart=st.booleans(),
)
def test_values_are_those_of_scikit_survival(n, seed, ties, apart):
    y, risk, other = cohort(n, seed, ties)
    times = usable(y)
    train = cohort(4 * n, seed + 1, ties)[0] if apart else y
    if times is None or train["time"].max() <= y["time"].max():
        train = y
    # scikit-survival wants events of positive weight after the last time, too.
    y["event"][y["time"] == y["time"].max()] = False
    if times is None or not (y["event"] & (y["time"] <= times[0])).any():
        return
    own = None if train is y else train
    table = auc_interval(y, risk, times, y_train=own, reference=other)
    table = table.pivot(index="time", columns="quantity", values="auc")
    for name, values in {"risk": risk, "reference": other}.items():
        expected, mean = cumulative_dynamic_auc(train, y, values, times)
        assert_allclose(table[name], expected, atol=1e-12)
        whole = auc_interval(y, values, times, y_train=own, integrate=True)
        assert_allclose(whole["auc"], [mean], atol=1e-12)
    assert_allclose(table["difference"], table["risk"] - table["reference"])
    survival = survival_of(risk, times)
    table = brier_interval(y, survival, times, y_train=own)
    assert_allclose(table["brier"], brier_score(train, y, survival, times)[1])
    whole = brier_interval(y, survival, times, y_train=own, integrate=True)
    expected = integrated_brier_score(train, y, survival, times)
    assert_allclose(whole["brier"], expected)


def test_risks_may_differ_between_times():
    y, risk, other = cohort(50, 1)
    times = [0.3, 0.8]
    both = np.column_stack([risk, other])
    table = auc_interval(y, both, times)
    assert_allclose(table["auc"], cumulative_dynamic_auc(y, y, both, times)[0])
    alone = auc_interval(y, other, 0.8)
    assert_allclose(table.loc[1, "std_error"], alone.loc[0, "std_error"])


def slow_followed(y, weights, t):
    """Return the weighted probability of being followed up beyond t, time by time."""
    share = 1.0
    for s in np.unique(y["time"][~y["event"] & (y["time"] <= t)]):
        lost = weights[(y["time"] == s) & ~y["event"]].sum()
        here = (y["time"] > s) | ((y["time"] == s) & ~y["event"])
        share *= 1 - lost / weights[here].sum()
    return share


def slow_auc(y, risk, t, weights, train, train_weights):
    """Return the area where samples count by weights, pair by pair."""
    above = below = 0.0
    for i in np.flatnonzero(y["event"] & (y["time"] <= t)):
        own = weights[i] / slow_followed(train, train_weights, y["time"][i])
        for j in np.flatnonzero(y["time"] > t):
            below += own * weights[j]
            right = 0.5 if risk[i] == risk[j] else risk[i] > risk[j]
            above += own * weights[j] * right
    return above / below


def slow_brier(y, survival, t, weights, train, train_weights):
    """Return the weighted score, sample by sample."""
    total = 0.0
    for i in range(len(y)):
        if y["event"][i] and y["time"][i] <= t:
            share = slow_followed(train, train_weights, y["time"][i])
            total += weights[i] * survival[i] ** 2 / share
        elif y["time"][i] > t:
            share = slow_followed(train, train_weights, t)
            total += weights[i] * (1 - survival[i]) ** 2 / share
    return total / weights.sum()


def slow_mean_auc(y, risk, times, weights, train, train_weights):
    """Return the mean of areas, weighted by when events happen."""
    areas, shares, share = [], [], 1.0
    for t in times:
        areas.append(slow_auc(y, risk, t, weights, train, train_weights))
        shares.append(share)
        share = 1.0
        for s in np.unique(y["time"][y["event"] & (y["time"] <= t)]):
            died = weights[(y["time"] == s) & y["event"]].sum()
            share *= 1 - died / weights[y["time"] >= s].sum()
    fall = -np.diff([*shares, share])
    return fall @ np.array(areas) / fall.sum()


def slow_slopes(measure, y, predictions, t, train):
    """Return the derivatives of measures of both predictions by each weight."""
    step, n = 1e-5, len(y)
    slopes = []
    for i in range(n if train is None else n + len(train)):
        ends = []
        for sign in (1, -1):
            weights = np.ones(n + (0 if train is None else len(train)))
            weights[i] += sign * step
            own = weights[:n]
            other = (y, own) if train is None else (train, weights[n:])
            ends.append([measure(y, p, t, own, *other) for p in predictions])
        slopes.append(np.subtract(*ends) / (2 * step))
    slopes = np.array(slopes)
    return np.column_stack([slopes, slopes[:, 0] - slopes[:, 1]])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_standard_errors_are_those_of_the_infinitesimal_jackknife(ties, apart):
    y, risk, other = cohort(25, 3, ties)
    train = cohort(40, 4, ties)[0] if apart else None
    t = 0.5
    survival = [survival_of(part, np.array([t]))[:, 0] for part in (risk, other)]
    patients = np.arange(25) // 2
    for measure, call, predictions in [
        (slow_auc, auc_interval, (risk, other)),
        (slow_brier, brier_interval, survival),
    ]:
        slopes = slow_slopes(measure, y, predictions, t, train)
        expected = np.sqrt((slopes**2).sum(axis=0))
        options = {"reference": predictions[1], "y_train": train}
        found = call(y, predictions[0], t, **options)
        assert_allclose(found["std_error"], expected, rtol=1e-6)
        own, rest = slopes[:25], slopes[25:]
        sums = np.array([own[patients == p].sum(axis=0) for p in range(13)])
        expected = np.sqrt((sums**2).sum(axis=0) + (rest**2).sum(axis=0))
        found = call(y, predictions[0], t, groups=patients, **options)
        assert_allclose(found["std_error"], expected, rtol=1e-6)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_the_error_of_a_mean_area_is_that_of_the_jackknife(ties, apart):
    y, risk, other = cohort(25, 3, ties)
    train = cohort(40, 4, ties)[0] if apart else None
    times = np.array([0.3, 0.5, 0.9])
    slopes = slow_slopes(slow_mean_auc, y, (risk, other), times, train)
    table = auc_interval(y, risk, times, y_train=train, reference=other, integrate=True)
    assert list(table["quantity"]) == ["risk", "reference", "difference"]
    expected = np.sqrt((slopes**2).sum(axis=0))
    assert_allclose(table["std_error"], expected, rtol=1e-6)
    single = auc_interval(y, risk, 0.5, y_train=train, integrate=True)
    alone = auc_interval(y, risk, 0.5, y_train=train)
    assert_allclose(single.iloc[0, 1:].tolist(), alone.iloc[0, 2:6].tolist())


def test_follow_up_of_training_may_be_given_though_it_is_the_same():
    y, risk, _ = cohort(60, 5)
    alone, given = (auc_interval(y, risk, 0.5, y_train=t) for t in (None, y.copy()))
    assert alone.equals(given)


@pytest.mark.parametrize("apart", [False, True])
def test_the_integrated_score_is_a_mean_of_scores(apart):
    y, risk, other = cohort(60, 6)
    train = cohort(300, 7)[0] if apart else None
    times = np.array([0.2, 0.5, 0.6, 1.1])
    survival, reference = (survival_of(part, times) for part in (risk, other))
    whole = brier_interval(
        y, survival, times, y_train=train, reference=reference, integrate=True
    )
    weights = np.array([0.3, 0.4, 0.6, 0.5]) / 2 / 0.9
    for name, values in {"survival": survival, "reference": reference}.items():
        single = brier_interval(y, values, times, y_train=train)
        row = whole[whole["quantity"] == name].iloc[0]
        assert_allclose(row["brier"], weights @ single["brier"])
        # Scores of one cohort go together: no more uncertain than their mean error.
        assert row["std_error"] <= weights @ single["std_error"] + 1e-12
    equal = brier_interval(
        y, np.repeat(survival[:, 1:2], 4, axis=1), times[1:2] + np.arange(4) * 1e-9
    )
    same = brier_interval(y, survival[:, 1], times[1])
    assert_allclose(equal.iloc[:, 2:], same.iloc[[0] * 4, 2:], rtol=1e-6)


def test_intervals_are_those_of_the_formulas():
    y, risk, other = cohort(60, 8)
    z = norm.ppf(0.9)
    table = auc_interval(y, risk, 0.5, reference=other, confidence_level=0.8)
    own, _, lead = table.to_dict("records")
    odds = np.log(own["auc"] / (1 - own["auc"]))
    half = z * own["std_error"] / (own["auc"] * (1 - own["auc"]))
    limits = np.array([own["low"], own["high"]])
    assert_allclose(np.log(limits / (1 - limits)) - odds, [-half, half])
    half = z * lead["std_error"]
    assert_allclose([lead["low"], lead["high"]], lead["auc"] + np.array([-half, half]))
    survival = survival_of(risk, np.array([0.5]))
    (row,) = brier_interval(y, survival, 0.5, confidence_level=0.8).to_dict("records")
    half = z * row["std_error"] / row["brier"]
    limits = np.log([row["low"], row["high"]])
    assert_allclose(limits - np.log(row["brier"]), [-half, half])


def test_intervals_cover():
    """Of many cohorts, 95 % of intervals hold what holds without censoring."""
    t = np.array([0.5])
    y, risk, other = cohort(200_000, 9)
    # The draws of `cohort`, with all events seen.
    rng = np.random.default_rng(9)
    true = rng.normal(size=200_000)
    y["time"], y["event"] = rng.exponential(np.exp(-true)), True
    both = {auc_interval: (risk, other)}
    both[brier_interval] = survival_of(risk, t)[:, 0], survival_of(other, t)[:, 0]
    truth = np.array([c(y, a, t, reference=b).iloc[:, 2] for c, (a, b) in both.items()])
    inside = []
    for seed in range(300):
        y, risk, other = cohort(100, 1000 + seed)
        both[auc_interval] = risk, other
        both[brier_interval] = survival_of(risk, t)[:, 0], survival_of(other, t)[:, 0]
        tables = [c(y, a, t, reference=b) for c, (a, b) in both.items()]
        low, high = (np.array([table[n] for table in tables]) for n in ("low", "high"))
        inside.append((low < truth) & (truth < high))
    # 0.95 within 3 standard errors of 300 cohorts.
    assert np.all(np.abs(np.mean(inside, axis=0) - 0.95) < 0.038)


def test_ends_of_the_scale():
    y = np.array([(True, t) for t in range(1, 9)], dtype="?,f8")
    table = auc_interval(y, -y["f1"], 4, reference=y["f1"])
    assert table["auc"].tolist() == [1, 0, 1]
    assert (table["std_error"] == 0).all()
    right = brier_interval(y, y["f1"] > 4, 4)
    assert right[COLUMNS].to_numpy().tolist() == [[0, 0, 0, 0]]
    assert right[["n_cases", "n_controls"]].to_numpy().tolist() == [[4, 4]]


Y = np.array([(True, 1.0), (True, 2.0), (False, 3.0)], dtype="?,f8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": np.arange(3.0)}, "y must be a structured array of an event"),
        ({"y_train": np.arange(3.0)}, "y_train must be a structured array of an event"),
        (
            {"y_train": np.array([(2, 5.0)], "i4,f8")},
            "Of y_train: The event, fie",
        ),
        ({"risk": [1, 2]}, r"risk has shape \(2,\) for 3 samples and 1 times"),
        ({"risk": np.ones((3, 2))}, r"risk has shape \(3, 2\) for 3 samples and 1"),
        ({"reference": [1, np.nan, 3]}, "reference is not finite for sample 1"),
        ({"times": [2, 1]}, "times must be a number, or numbers that ascend"),
        ({"times": 0.5}, "Nobody in y had the event by time 0.5: give later"),
        ({"times": 3}, "Nobody in y is followed up after time 3: give ear.* before 3"),
        ({"y_train": Y[[0, 2]], "times": [1.5], "y": Y}, None),
        (
            {"y_train": np.array([(True, 0.5), (False, 1.5)], "?,f8"), "times": 2.5},
            "Nobody in y_train is followed up that long.* up to 0.5",
        ),
        ({"confidence_level": 95}, r"confidence_level=95 must lie in \(0, 1\)"),
    ],
)
def test_bad_input_is_named(options, message):
    options = {"y": Y, "risk": [1, 2, 3], "times": 1.5, **options}
    if message is None:
        assert len(auc_interval(**options)) == 1
        return
    with pytest.raises(ValueError, match=message):
        auc_interval(**options)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="survival must be probabilities"):
        brier_interval(Y, [0, 1, 1.1], 1.5)
    with pytest.raises(ValueError, match="reference must be probabilities"):
        brier_interval(Y, [0, 1, 1], 1.5, reference=[-0.1, 1, 1])
    with pytest.raises(ValueError, match="integrate=True needs two times"):
        brier_interval(Y, [0, 1, 1], 1.5, integrate=True)

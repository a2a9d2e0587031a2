"""FineTunedDiscreteHazard: its likelihood, its intercepts, and curves that cross."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sksurv.nonparametric import kaplan_meier_estimator
from survival_cohorts import as_data, as_surv, planted_cohort, without_network

from skgex import SCARF, FineTunedCoxPH, FineTunedDiscreteHazard
from skgex._survival._tasks import HazardTask
from skgex.nn import discrete_hazard_loss

X, Y = planted_cohort(90, 4, n_times=30)


def slow_loss(logits, interval, event):
    """Return the negative log likelihood of a sample, interval after interval."""
    likelihood = 1.0
    for k, logit in enumerate(logits):
        if k < interval:
            likelihood *= 1 - expit(logit)
        elif k == interval and event:
            likelihood *= expit(logit)
    return -np.log(likelihood)


def life_table(event, time, cuts, weight):
    """Return the hazards of intervals that end at the cuts.

    Of those who had the event there, or were followed up to its end, and those lost in
    between by the share of the interval that they lived.
    """
    hazards, start = [], 0.0
    for end in cuts:
        dead = event & (time > start) & (time <= end)
        lived = (time > end) | (~event & (time == end))
        at_risk = weight[dead | lived].sum()
        for i in np.flatnonzero(~event & (time > start) & (time < end)):
            at_risk += weight[i] * (time[i] - start) / (end - start)
        hazards.append(weight[dead].sum() / at_risk)
        start = end
    return np.array(hazards)


# The likelihood


@settings(deadline=None)
@given(
    n_intervals=st.integers(1, 5),
    seed=st.integers(0, 1000),
    spread=st.sampled_from([0.1, 3.0]),
)
def test_loss_written_out(n_intervals, seed, spread):
    rng = np.random.default_rng(seed)
    logits = spread * rng.normal(size=(20, n_intervals))
    event = rng.random(20) < 0.5
    interval = np.where(
        event, rng.integers(0, n_intervals, 20), rng.integers(0, n_intervals + 1, 20)
    )
    loss = discrete_hazard_loss(*map(torch.from_numpy, (logits, interval, event)))
    expected = [slow_loss(*row) for row in zip(logits, interval, event, strict=True)]
    assert_allclose(loss, expected, atol=1e-12)


def test_loss_of_certain_hazards_is_finite():
    logits = torch.tensor([[500.0, -500.0]] * 2, requires_grad=True)
    loss = discrete_hazard_loss(logits, torch.tensor([1, 0]), torch.tensor([1, 1]))
    assert_allclose(loss.detach(), [1000, 0])
    loss.sum().backward()
    assert logits.grad.isfinite().all()


def test_gradient_of_the_loss():
    logits = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    interval, event = torch.tensor([0, 3, 4, 2, 1, 0]), torch.arange(6) % 2
    assert torch.autograd.gradcheck(
        lambda values: discrete_hazard_loss(values, interval, event), (logits,)
    )


# Intervals


def test_interval_of_each_sample():
    event = np.array([1, 1, 0, 0, 0, 1, 0], bool)
    time = np.array([1.0, 2.0, 2.0, 1.5, 9.0, 0.5, 5.0])
    task = HazardTask(np.array([1.0, 2.0, 5.0]))
    # Censored at a cut, a sample has survived the interval that ends there.
    assert_array_equal(
        task.intervals(as_data(as_surv(event, time))), [0, 1, 2, 1, 3, 0, 3]
    )


@pytest.mark.parametrize("n_intervals", [1, 4, 10])
def test_intervals_share_the_events(n_intervals):
    X, y = planted_cohort(200, 4)
    model = without_network(FineTunedDiscreteHazard, n_intervals=n_intervals).fit(X, y)
    assert model.cuts_.shape == model.intercepts_.shape == (n_intervals,)
    times = y["time"][y["event"]]
    counts = np.histogram(times, np.append(0, model.cuts_ + 1e-9))[0]
    assert counts.sum() == len(times)
    assert np.ptp(counts) <= 2
    assert model.cuts_[-1] == times.max()


def test_fewer_intervals_where_events_share_their_times():
    y = as_surv(Y["event"], np.ceil(Y["time"] / 10))
    model = without_network(FineTunedDiscreteHazard).fit(X, y)
    assert_array_equal(model.cuts_, np.unique(y["time"][y["event"]]))


# Intercepts


def test_intercepts_expect_as_many_events_as_there_were():
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.2, 3, 90)
    data = as_data(Y, weight=weight)
    task = HazardTask(np.array([4.0, 9.0, 20.0, Y["time"][Y["event"]].max()]))
    logits = torch.from_numpy(3 * rng.normal(size=(90, 4)))
    total = logits + task.intercepts(logits, data)
    interval = task.intervals(data).numpy()
    for k in range(4):
        dead = (interval == k) & Y["event"]
        at_risk = (interval > k) | dead
        expected = (weight * expit(total[:, k].numpy()))[at_risk].sum()
        assert_allclose(expected, weight[dead].sum(), rtol=1e-9)
    # The lowest loss there is, as of that of Cox over the baseline.
    best = task.loss(torch.zeros(90), logits, data)
    assert_allclose(best, task.loss(torch.zeros(90), logits + 5, data))
    for shift in (-0.1, 0.1):
        moved = discrete_hazard_loss(total + shift, task.intervals(data), data.event)
        assert best < float((moved * data.weight).sum())


def test_without_informative_genes_it_is_a_life_table():
    weight = np.random.default_rng(0).uniform(0.2, 3, 90)
    model = without_network(FineTunedDiscreteHazard, alpha=1e12)
    model.fit(X, Y, sample_weight=weight)
    hazards = life_table(Y["event"], Y["time"], model.cuts_, weight)
    curves = model.predict_survival_function(X[:3], times=model.cuts_)
    assert_allclose(curves, np.tile(np.cumprod(1 - hazards), (3, 1)), atol=1e-6)
    logits = model.intercepts_ + model.head_.bias.detach().numpy()
    assert_allclose(expit(logits), hazards, atol=1e-6)


def test_curves_of_nobody_in_particular_are_near_those_of_kaplan_and_meier():
    X, y = planted_cohort(400, 4)
    model = without_network(FineTunedDiscreteHazard, alpha=1e12).fit(X, y)
    times, survival = kaplan_meier_estimator(y["event"], y["time"])
    expected = survival[np.searchsorted(times, model.cuts_[:-1])]
    found = model.predict_survival_function(X[:1], times=model.cuts_[:-1])[0]
    assert np.abs(found - expected).max() < 0.01
    # Without those who were lost in an interval it would be too grim.
    data = as_data(y)
    grim = HazardTask(model.cuts_).intercepts(torch.zeros(400, 10), data)
    grim = np.cumprod(1 - expit(grim.numpy()))[:-1]
    assert (found - grim)[-1] > 0.02


# Curves


def test_hazard_is_constant_within_intervals_and_zero_after_the_last():
    model = without_network(FineTunedDiscreteHazard, n_intervals=3).fit(X, Y)
    ends = np.append(0, model.cuts_)
    between = (ends[1:] + ends[:-1]) / 2
    predict = model.predict_cumulative_hazard_function
    at_ends = predict(X, times=ends)
    assert_allclose(predict(X, times=between), (at_ends[:, 1:] + at_ends[:, :-1]) / 2)
    last = Y["time"].max()
    if last > ends[-1]:
        assert_array_equal(predict(X, times=last)[:, 0], at_ends[:, -1])
    risk = model.predict(X)
    assert_allclose(risk, at_ends[:, 1:].sum(axis=1))


def test_events_at_time_zero_of_a_plain_target():
    times = np.repeat([0.0, 1.0, 2.0], 30)
    model = without_network(FineTunedDiscreteHazard).fit(X, times)
    assert_array_equal(model.cuts_, [0, 1, 2])
    curves = model.predict_survival_function(X, times=[0, 0.5, 1, 2])
    assert np.isfinite(curves).all()
    assert (np.diff(curves) <= 0).all()


def test_curves_can_cross():
    rng = np.random.default_rng(0)
    n = 300
    group = np.arange(n) % 2 == 0
    genes = rng.normal(size=(n, 10))
    genes[:, 0] = np.where(group, 2, -2) + 0.3 * genes[:, 0]
    # Half of one group die early and the others live on; of the other, all die late.
    early, late, very_late = (
        rng.uniform(*ends, n) for ends in [(0, 1), (2, 3), (4, 5)]
    )
    time = np.where(group, np.where(rng.random(n) < 0.5, early, very_late), late)
    y = as_surv(time < 4, time)
    options = {"alpha": 1e6, "cv": None, "max_epochs": 60, "lr": 0.02}
    embedder = SCARF(hidden_dims=(32,), max_epochs=5, random_state=0)
    options |= {"encoder_lr": 0.01, "random_state": 0}
    model = FineTunedDiscreteHazard(embedder, **options).fit(genes, y)
    survival = model.predict_survival_function(genes, times=[1.5, 3.5])
    one, other = survival[group].mean(axis=0), survival[~group].mean(axis=0)
    assert_allclose(one, 0.5, atol=0.15)
    assert_allclose(other, [1, 0], atol=0.15)
    # With proportional hazards they cannot.
    survival = (
        FineTunedCoxPH(embedder, **options)
        .fit(genes, y)
        .predict_survival_function(genes, return_array=True)
    )
    higher = survival[group].mean(axis=0) >= survival[~group].mean(axis=0)
    assert higher.all() or not higher[survival[0] < 1].any()

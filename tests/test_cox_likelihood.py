"""nn.CoxLikelihood against scikit-survival, a slow loop, and finite differences."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from numpy.testing import assert_allclose, assert_array_equal
from sksurv.linear_model.coxph import CoxPHOptimizer
from survival_oracles import slow_cox_loss

from skgex.nn import CoxLikelihood

TIES = pytest.mark.parametrize("ties", ["efron", "breslow"])


def follow_up(n, *, n_times=10, n_strata=1, seed=0, event_rate=0.6):
    """Return risks, and follow-up with many ties."""
    rng = np.random.default_rng(seed)
    return {
        "risk": rng.normal(size=n),
        "event": rng.random(n) < event_rate,
        "time": rng.integers(1, n_times + 1, n).astype(float),
        "strata": rng.integers(0, n_strata, n),
        "weight": rng.choice([0.0, 0.5, 1.0, 2.7], n),
    }


def likelihood(data, ties="efron", **options):
    tensors = {k: torch.as_tensor(v) for k, v in data.items() if k != "risk"}
    return CoxLikelihood(**tensors, ties=ties, **options)


def value_and_gradient(data, ties="efron", **options):
    """Return both as numpy would have them, by autograd."""
    risk = torch.tensor(data["risk"], dtype=torch.float64, requires_grad=True)
    loss = likelihood(data, ties, **options)(risk)
    loss.backward()
    return loss.item(), risk.grad.numpy()


def plain(data):
    """Leave strata and weights out."""
    return {name: data[name] for name in ("risk", "event", "time")}


@st.composite
def cohorts(draw):
    """Few samples: ties, strata without an event, weights of zero."""
    n = draw(st.integers(1, 12))

    def columns(values):
        return np.array(draw(st.lists(values, min_size=n, max_size=n)))

    return {
        "risk": columns(st.floats(-5, 5)),
        "event": columns(st.booleans()),
        "time": columns(st.integers(1, 4)).astype(float),
        "strata": columns(st.integers(0, 2)),
        "weight": columns(st.sampled_from([0.0, 0.3, 1.0, 2.0])),
    }


# Value


@TIES
@pytest.mark.parametrize("n_times", [5, 10**6])
def test_value_is_that_of_scikit_survival(ties, n_times):
    data = plain(follow_up(60, n_times=n_times))
    # A single feature with coefficient 1 is the risk.
    risk = data["risk"][:, None]
    optimizer = CoxPHOptimizer(risk, data["event"], data["time"], np.zeros(1), ties)
    expected = optimizer.nlog_likelihood(np.ones(1)) * 60
    assert likelihood(data, ties)(torch.tensor(data["risk"])).item() == pytest.approx(
        expected, rel=1e-12
    )


@TIES
@settings(deadline=None)
@given(data=cohorts())
def test_value_is_that_of_the_formula(ties, data):
    value, gradient = value_and_gradient(data, ties)
    assert_allclose(value, slow_cox_loss(**data, ties=ties), atol=1e-12)
    assert np.isfinite(gradient).all()
    unweighted = {**data, "weight": np.ones(len(data["time"]))}
    assert_allclose(
        value_and_gradient(unweighted, ties)[0], slow_cox_loss(**unweighted, ties=ties)
    )


def test_ties_differ_only_where_there_are_any():
    few = follow_up(80, n_times=6)
    values = [value_and_gradient(few, ties)[0] for ties in ("efron", "breslow")]
    assert values[0] < values[1] - 1
    none = follow_up(80, n_times=10**9)
    values = [value_and_gradient(none, ties)[0] for ties in ("efron", "breslow")]
    assert values[0] == values[1]


# Derivatives


@TIES
@pytest.mark.parametrize("n_strata", [1, 3])
@pytest.mark.parametrize("population", [None, 200])
def test_gradient_is_that_of_the_value(ties, n_strata, population):
    data = follow_up(25, n_strata=n_strata)
    loss = likelihood(data, ties, population=population)
    risk = torch.tensor(data["risk"], requires_grad=True)
    assert torch.autograd.gradcheck(loss, (risk,))
    # In single precision it is the same, rounded.
    single = risk.detach().float().requires_grad_()
    loss(single).backward()
    loss(risk).backward()
    assert single.grad.dtype == torch.float32
    assert_allclose(single.grad, risk.grad, atol=1e-5)


@TIES
@settings(deadline=None, max_examples=30)
@given(data=cohorts())
def test_gradient_by_finite_differences(ties, data):
    _, gradient = value_and_gradient(data, ties)
    steps = 1e-5 * np.eye(len(gradient))
    for slope, step in zip(gradient, steps, strict=True):
        up, down = (
            slow_cox_loss(**{**data, "risk": data["risk"] + s}, ties=ties)
            for s in (step, -step)
        )
        assert_allclose(slope, (up - down) / 2e-5, atol=1e-6)


@TIES
@pytest.mark.parametrize("population", [None, 200])
def test_hessian_is_the_slope_of_the_gradient(ties, population):
    data = follow_up(25, n_strata=3)
    loss, risk = (
        likelihood(data, ties, population=population),
        torch.tensor(data["risk"]),
    )
    product = loss.hessian_product(risk)
    eye = torch.eye(25, dtype=torch.float64)
    hessian = torch.stack([product(row) for row in eye])
    expected = torch.stack(
        [
            loss.value_and_gradient(risk + 1e-5 * row)[1]
            - loss.value_and_gradient(risk - 1e-5 * row)[1]
            for row in eye
        ]
    )
    assert_allclose(hessian, expected / 2e-5, atol=1e-8)
    assert_allclose(hessian, hessian.T, atol=1e-14)
    assert torch.linalg.eigvalsh(hessian).min() > -1e-12


# What does not matter


@TIES
def test_order_of_samples_and_names_of_strata(ties):
    data = follow_up(40, n_strata=3)
    value, gradient = value_and_gradient(data, ties)
    order = np.random.default_rng(1).permutation(40)
    shuffled = {name: values[order] for name, values in data.items()}
    shuffled["strata"] = np.array([7, -2, 3])[shuffled["strata"]]
    again, moved = value_and_gradient(shuffled, ties)
    assert_allclose(again, value, rtol=1e-13)
    assert_allclose(moved, gradient[order], atol=1e-13)


@TIES
def test_strata_are_fitted_side_by_side(ties):
    data = follow_up(40, n_strata=3)
    value, gradient = value_and_gradient(data, ties)
    total = 0
    for name in range(3):
        here = data["strata"] == name
        part = {key: values[here] for key, values in data.items() if key != "strata"}
        own, slope = value_and_gradient(part, ties)
        total += own
        assert_allclose(gradient[here], slope, atol=1e-13)
    assert_allclose(value, total, rtol=1e-13)


def test_risks_count_by_their_differences_within_strata():
    data = follow_up(40, n_strata=3)
    shifted = {**data, "risk": data["risk"] + np.array([-50, 0, 90])[data["strata"]]}
    for one, other in zip(
        value_and_gradient(data), value_and_gradient(shifted), strict=True
    ):
        assert_allclose(one, other, atol=1e-10)


@TIES
def test_extreme_risks_are_finite_and_exact(ties):
    data = plain(follow_up(60))
    data["risk"] = np.random.default_rng(0).uniform(-300, 300, 60)
    value, gradient = value_and_gradient(data, ties)
    assert_allclose(value, slow_cox_loss(**data, ties=ties), rtol=1e-12)
    assert np.isfinite(gradient).all()
    assert abs(gradient.sum()) < 1e-8


def test_a_risk_out_of_all_bounds_is_an_infinite_loss():
    # Not minus infinity, which a solver would take for the best solution of all.
    event, time = torch.tensor([True, False, False]), torch.tensor([2.0, 3.0, 1.0])
    loss = CoxLikelihood(event, time)
    assert loss(torch.tensor([-900.0, -950.0, 0.0])) == torch.inf
    assert loss(torch.tensor([-900.0, 0.0, 0.0])) == 900


@pytest.mark.parametrize("population", [None, 50])
def test_without_an_event_there_is_no_loss(population):
    data = {**follow_up(10), "event": np.zeros(10, bool)}
    value, gradient = value_and_gradient(data, population=population)
    assert value == 0
    assert_array_equal(gradient, 0)
    assert likelihood(data).n_events == 0

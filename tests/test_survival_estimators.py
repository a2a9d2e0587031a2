"""What both survival models learn: planted risks, few events, bad targets, rows."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from discovery import SURVIVAL, class_name, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import ShuffleSplit
from sksurv.nonparametric import kaplan_meier_estimator
from survival_cohorts import as_surv, planted_cohort, without_network

from skgex import SCARF
from skgex._survival import _base

X, Y = planted_cohort(120, 6)


@pytest.fixture(params=SURVIVAL, ids=class_name)
def Estimator(request):
    return request.param


def quick(Estimator, **parameters):
    """Return a model with a network that learns in a few epochs."""
    embedder = SCARF(hidden_dims=(32,), max_epochs=3, device="cpu", random_state=0)
    options = {"lr": 0.02, "encoder_lr": 0.01, "random_state": 0, "device": "cpu"}
    return Estimator(embedder, **{**options, **parameters})


# What is learnt


def test_prognostic_genes_predict_new_samples(Estimator):
    genes, y = planted_cohort(400, 40)
    model = quick(Estimator).fit(genes[:200], y[:200])
    assert model.score(genes[200:], y[200:]) > 0.75
    assert (np.sign(model.coef_[:3]) == [1, 1, -1]).all()
    assert abs(model.coef_[:3]).min() > 2 * abs(model.coef_[3:]).max()


def test_a_risk_that_is_not_linear_is_left_to_the_network(Estimator):
    genes, y = planted_cohort(500, 5, risk=lambda X: 3 * np.abs(X[:, 0]))
    train, test = slice(0, 300), slice(300, None)
    model = quick(Estimator, max_epochs=60).fit(genes[train], y[train])
    assert model.n_iter_ == 60 == len(model.history_)
    assert model.head_.weight.any()
    assert model.score(genes[test], y[test]) > 0.7
    linear = quick(Estimator, max_epochs=0).fit(genes[train], y[train])
    assert linear.score(genes[test], y[test]) < 0.6


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_believed(Estimator, seed):
    genes, y = planted_cohort(150, 30, risk=lambda X: 0 * X[:, 0], seed=seed)
    model = quick(Estimator, max_epochs=20, random_state=seed).fit(genes, y)
    assert model.n_iter_ == len(model.history_) == 0
    assert not model.head_.weight.any()
    assert abs(model.coef_).max() < 0.1
    median = np.median(y["time"])
    assert np.std(model.predict_survival_function(genes, times=median)) < 0.15


# Few events


def test_80_patients_with_24_events(Estimator):
    planted = partial(planted_cohort, risk=lambda X: X[:, :20].sum(axis=1) / 3)
    genes, y = planted(80, 500)
    rank = np.argsort(np.argsort(y["time"]))
    y = as_surv((rank % 3 == 0) & (rank < 72), y["time"])
    assert y["event"].sum() == 24
    model = quick(Estimator).fit(genes, y)
    new = 3 * np.random.default_rng(1).normal(size=(20, 500))
    survival = model.predict_survival_function(new, return_array=True)
    assert np.isfinite(model.predict(new)).all()
    assert np.isfinite(survival).all()
    assert survival.min() >= 0
    assert survival.max() <= 1
    # While most are under observation, others like them fare on average as by Kaplan
    # and Meier. They themselves look further apart than they are.
    others, _ = planted(500, 500, seed=1)
    times, expected = kaplan_meier_estimator(y["event"], y["time"])
    found = model.predict_survival_function(others, times=times[:40]).mean(axis=0)
    assert_allclose(found, expected[:40], atol=0.05)


def few_events(n_events):
    event = np.zeros(120, bool)
    event[np.argsort(Y["time"])[: 2 * n_events : 2]] = True
    return as_surv(event, Y["time"])


@pytest.mark.parametrize("n_events", [1, 2, 5])
def test_too_few_events_to_choose(Estimator, n_events):
    message = (
        rf"{n_events} event\(s\) are too few .*the strongest penalty is taken, and"
    )
    with pytest.warns(UserWarning, match=message):
        model = quick(Estimator).fit(X, few_events(n_events))
    assert model.alpha_ == model.alphas_[0] == model.alphas_.max()
    assert model.n_iter_ == 0
    assert model.gains_ is None
    assert np.isfinite(model.predict_survival_function(X, return_array=True)).all()


def test_a_given_penalty_needs_no_folds(Estimator):
    y = few_events(5)
    quick(Estimator, alpha=10.0, max_epochs=0).fit(X, y)
    # But there is nothing that could judge a network.
    with pytest.warns(UserWarning, match=r"5 event\(s\) are too few .*: no network"):
        model = quick(Estimator, alpha=10.0).fit(X, y)
    assert model.n_iter_ == 0
    trusted = quick(Estimator, alpha=10.0, cv=None, max_epochs=3).fit(X, y)
    assert trusted.n_iter_ == 3
    with pytest.raises(ValueError, match=r'alpha="cv" chooses .* cv=None has none'):
        quick(Estimator, cv=None).fit(X, y)


def test_fewer_folds_where_events_are_few(Estimator, folds):
    for n_events, n_folds in [(6, 2), (9, 3), (20, 3)]:
        quick(Estimator, max_epochs=0).fit(X, few_events(n_events))
        assert len(folds[-1]) == n_folds


# Bad targets


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (as_surv(np.zeros(120), Y["time"]), "All 120 samples of y are censored"),
        (as_surv(np.arange(120) == 119, np.arange(120) + 1), "No two samples of y can"),
        (as_surv(Y["event"], Y["time"] - Y["time"].min()), "zero or negative: 1 of"),
        (as_surv(Y["event"], -Y["time"]), "zero or negative: 120 of"),
        (as_surv(Y["event"], Y["time"] * np.nan), "times in y contain NaN"),
        (Y[["time", "event"]], r"fields of y are swapped: 'event' holds events"),
        (Y["event"], r"events \(bool\) without their times"),
        (np.c_[Y["event"], Y["time"]], r"1d array.*Surv\.from_arrays\(event=y"),
        (Y["time"].astype(str).astype("U9"), "Expected numbers in y"),
        (Y[:7], "inconsistent numbers of samples: X has 120, y has 7"),
    ],
    ids=lambda value: "" if isinstance(value, np.ndarray) else value[:24],
)
def test_bad_targets(Estimator, y, message):
    model = without_network(Estimator)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


def test_events_without_weight(Estimator):
    with pytest.raises(ValueError, match="sample_weight is zero for each sample that"):
        without_network(Estimator).fit(X, Y, sample_weight=1.0 - Y["event"])
    latest = np.argsort(Y["time"])[::-1]
    first = latest[Y["event"][latest]][0]
    weight = np.where(Y["time"] < Y["time"][first], 1.0, 0.0)
    weight[Y["event"] & (weight > 0)] = 0
    weight[first] = 1
    with pytest.raises(ValueError, match="No two samples of y can be compared"):
        without_network(Estimator).fit(X, Y, sample_weight=weight)


def test_targets_of_other_kinds_are_the_same(Estimator):
    expected = without_network(Estimator).fit(X, Y).predict(X)
    table = pd.DataFrame({"days": Y["time"], "dead": Y["event"]})
    for y in (table, Y.astype([("a", int), ("b", float)])):
        assert_array_equal(without_network(Estimator).fit(X, y).predict(X), expected)
    # Plain times all end with the event.
    plain = without_network(Estimator).fit(X, np.ceil(Y["time"] * 5))
    assert np.isfinite(plain.predict(X)).all()


# Rows


@pytest.fixture
def folds(monkeypatch):
    """Record the inner folds."""

    def make_folds(*args):
        made.append(original(*args))
        return made[-1]

    made, original = [], _base.make_folds
    monkeypatch.setattr(_base, "make_folds", make_folds)
    return made


def test_a_weight_of_zero_leaves_a_sample_out(Estimator):
    weight = np.where(np.arange(120) % 4 == 0, 0.0, 1.5)
    kept = weight > 0
    frozen = FrozenEstimator(SCARF(hidden_dims=(8,), max_epochs=1).fit(X))
    options = {"max_epochs": 5, "cv": 2, "alpha": "cv", "lr": 0.01}
    weighted = without_network(Estimator, **options).set_params(embedder=frozen)
    weighted.fit(X, Y, sample_weight=weight)
    fewer = without_network(Estimator, **options).set_params(embedder=frozen)
    fewer.fit(X[kept], Y[kept], sample_weight=weight[kept])
    for name in ("coef_", "alphas_", "gains_", "unique_times_", "event_times_"):
        assert_array_equal(getattr(weighted, name), getattr(fewer, name))
    assert_array_equal(weighted.predict(X), fewer.predict(X))
    assert_array_equal(
        weighted.predict_survival_function(X, return_array=True),
        fewer.predict_survival_function(X, return_array=True),
    )


def test_weights_are_repetitions_in_breslows_likelihood():
    weight = np.random.default_rng(0).integers(1, 4, 120)
    again = np.repeat(np.arange(120), weight)
    options = {"ties": "breslow", "scaling": "standard"}
    # The scale of genes is that of the samples, each of which counts once.
    genes = X / X[again].std(axis=0)
    model = without_network(**options, alpha=1e-6).fit(genes, Y, sample_weight=weight)
    repeated = without_network(**options, alpha=1e-6).fit(genes[again], Y[again])
    risk, other = model.predict(genes), repeated.predict(genes)
    assert_allclose(risk - risk.mean(), other - other.mean(), atol=1e-4)


def test_groups_stay_on_one_side_of_inner_folds(Estimator, folds):
    groups = np.random.default_rng(0).integers(0, 25, 120)
    quick(Estimator, max_epochs=0).fit(X, Y, groups=groups)
    assert len(folds[0]) == 3
    for train, test in folds[0]:
        assert not set(groups[train]) & set(groups[test])
        assert_array_equal(np.sort(np.r_[train, test]), np.arange(120))
    # Those of samples that count.
    weight = np.where(np.arange(120) % 3 == 0, 0.0, 1.0)
    quick(Estimator, max_epochs=0).fit(X, Y, sample_weight=weight, groups=groups)
    kept = groups[weight > 0]
    for train, test in folds[1]:
        assert not set(kept[train]) & set(kept[test])
        assert_array_equal(np.sort(np.r_[train, test]), np.arange(80))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        quick(Estimator).fit(X, Y, groups=groups[1:])


def test_folds_of_ones_own(Estimator, folds):
    halves = [(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))]
    for cv in (halves, ShuffleSplit(2, test_size=0.5, random_state=0)):
        model = quick(Estimator, cv=cv, max_epochs=2).fit(X, Y)
        assert len(folds[-1]) == 2
        assert model.gains_.max() > 0
    assert_array_equal(folds[0][0][1], np.arange(60, 120))
    weight = np.where(np.arange(120) < 30, 0.0, 1.0)
    quick(Estimator, cv=halves, max_epochs=0).fit(X, Y, sample_weight=weight)
    for part, expected in zip(folds[-1][0], [range(30), range(30, 90)], strict=True):
        assert_array_equal(part, expected)


def test_no_warning_in_everyday_use(Estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tiny(Estimator).fit(X, Y).predict_survival_function(X)

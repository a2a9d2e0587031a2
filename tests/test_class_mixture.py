"""The mixture of classes: against slow steps, scikit-learn, and data with a truth."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from skgex._finetune import _class_mixture, _sample_span
from skgex._finetune._class_mixture import fit_class_mixture

TEMPERATURE, SHRINKAGE = 3.0, 0.3


def clusters(n_samples=300, n_classes=3, distance=3.0, seed=0, dim=5):
    """Return samples of classes that are Gaussians, and their classes."""
    rng = np.random.default_rng(seed)
    centre = distance * rng.normal(size=(n_classes, dim)) / np.sqrt(dim)
    y = rng.integers(n_classes, size=n_samples)
    return centre[y] + rng.normal(size=(n_samples, dim)), y


def few_labels(y, n_each, seed=0):
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(y == k))[:n_each] for k in np.unique(y)]
    return np.sort(np.concatenate(rows))


def slow_steps(X, rows, target, weight, n_classes, n_steps):
    """Return log densities after steps written out sample by sample."""
    start = LogisticRegression(C=1.0, max_iter=300)
    start.fit(X[rows], target, sample_weight=weight / weight.mean())
    belongs = start.predict_proba(X)
    each = max(1.0, 0.5 * (len(X) - len(rows)) / len(rows))
    for _ in range(n_steps):
        size = np.ones(len(X))
        for row, y, w in zip(rows, target, weight, strict=True):
            belongs[row] = np.arange(n_classes) == y
            size[row] = each * w / weight.mean()
        means = [
            np.average(X, axis=0, weights=size * belongs[:, k])
            for k in range(n_classes)
        ]
        S = np.zeros((X.shape[1],) * 2)
        for i, x in enumerate(X):
            expected = sum(belongs[i, k] * means[k] for k in range(n_classes))
            S += size[i] * np.outer(x - expected, x - expected)
        S /= size.sum()
        S = (1 - SHRINKAGE) * S + SHRINKAGE * np.trace(S) / len(S) * np.eye(len(S))
        density = [multivariate_normal(m, S).logpdf(X) / TEMPERATURE for m in means]
        belongs = softmax(np.transpose(density), axis=1)
    return belongs


def probability(found, X):
    return softmax(X @ found.coef.T + found.intercept, axis=1)


@pytest.mark.parametrize("n_steps", [1, 4])
def test_steps_are_those_written_out(monkeypatch, n_steps):
    X, y = clusters(80)
    rows = few_labels(y, 4)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(rows))
    monkeypatch.setattr(_class_mixture, "_choose_steps", lambda *_: n_steps)
    found = fit_class_mixture(X, rows, y[rows], weight, 3)
    assert found.n_steps == n_steps
    slow = slow_steps(X, rows, y[rows], weight, 3, n_steps)
    assert_allclose(probability(found, X), slow, atol=1e-8)


def test_with_all_labels_it_is_linear_discriminant_analysis(monkeypatch):
    X, y = clusters(120)
    monkeypatch.setattr(_class_mixture, "_choose_steps", lambda *_: 3)
    found = fit_class_mixture(X, np.arange(120), y, np.ones(120), 3)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=SHRINKAGE).fit(X, y)
    # Theirs shrinks each class by itself, to a sphere whose sizes average ours.
    assert_allclose(found.coef * TEMPERATURE, theirs.coef_, rtol=1e-8)
    without_prior = theirs.intercept_ - np.log(theirs.priors_)
    assert_allclose(found.intercept * TEMPERATURE, without_prior, rtol=1e-8)


def vote_and_start(X, y, rows):
    """Return how often a vote is right on all samples, and the start alone."""
    found = fit_class_mixture(X, rows, y[rows], np.ones(len(rows)), y.max() + 1)
    start = LogisticRegression().fit(X[rows], y[rows])
    vote = start.predict_log_proba(X)
    if found.n_steps:
        vote = vote + np.log(probability(found, X))
    return (vote.argmax(axis=1) == y).mean(), start.score(X, y)


def test_unlabelled_samples_help_where_classes_are_clusters():
    gains = []
    for seed in range(10):
        X, y = clusters(400, distance=4.0, seed=seed, dim=10)
        vote, start = vote_and_start(X, y, few_labels(y, 2, seed))
        gains.append(vote - start)
    assert np.mean(gains) > 0.015
    assert min(gains) > -0.02


@pytest.mark.parametrize("seed", range(4))
def test_little_is_lost_where_clusters_are_not_the_classes(seed):
    # Two clusters far apart along the first axis; classes differ along the second.
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(400, 6)) * [1, 1, 0.3, 0.3, 0.3, 0.3]
    X[:, 0] += np.where(rng.random(400) < 0.5, 8, -8)
    y = (X[:, 1] > 0).astype(int)
    vote, start = vote_and_start(X, y, few_labels(y, 25))
    assert vote > start - 0.01


@pytest.mark.parametrize(
    ("right", "n_steps"),
    [
        ([0.5, 0.9, 0.7], 1),
        ([0.9, 0.5, 0.7], 0),
        ([0.5, 0.9, 0.9], 16),  # as good: more steps
        ([0.5, 0.7, 0.9], 16),
    ],
)
def test_the_number_of_steps_is_what_held_out_labels_like(monkeypatch, right, n_steps):
    # Component i is right of such a share of the held-out samples. Step i goes by it,
    # and is so sure of itself that the start, with which it votes, does not matter.
    y = np.tile([0, 1], 50)
    sign = np.where(np.arange(20)[:, None] < 20 * np.array(right), 1, -1)
    X = np.zeros((100, 3))
    X[80:] = sign * (2 * y[80:, None] - 1)

    def steps(*_):
        for i in np.minimum(range(17), 2):
            direction = 100.0**i * np.eye(3)[i]
            yield np.stack([-direction, direction]), np.zeros(2)

    folds = [(np.arange(80), np.arange(80, 100))]
    monkeypatch.setattr(_class_mixture, "_steps", steps)
    monkeypatch.setattr(_class_mixture, "_folds", lambda *_: folds)
    rows = np.arange(100)
    chosen = _class_mixture._choose_steps(X, rows, y, np.ones(100), 2, None)
    assert chosen == n_steps


def test_groups_are_not_split(monkeypatch):
    X, y = clusters(60)
    rows = few_labels(y, 10)
    groups = np.repeat(np.arange(15), 2)
    seen = []
    steps = _class_mixture._steps

    def spy(scores, rows, *arguments):
        seen.append(rows)
        return steps(scores, rows, *arguments)

    monkeypatch.setattr(_class_mixture, "_steps", spy)
    fit_class_mixture(X, rows, y[rows], np.ones(30), 3, groups)
    assert len(seen) > 2
    for fitted in seen[:-1]:
        inside = np.isin(rows, fitted)
        assert (inside[::2] == inside[1::2]).all()


@pytest.mark.parametrize("n_each", [1, 2], ids=["one label a class", "two"])
def test_classes_of_few_labels(n_each):
    X, y = clusters(100)
    rows = few_labels(y, n_each)
    if n_each == 2:
        rows = rows[1:]  # one class has a single label
    found = fit_class_mixture(X, rows, y[rows], np.ones(len(rows)), 3)
    assert found.coef.shape == (3, 5)
    assert np.isfinite(found.intercept).all()
    if n_each == 1:  # nothing can be held out
        assert found.n_steps == 16


@pytest.mark.parametrize("shape", [(30, 80), (80, 30)], ids=["wide", "long"])
@pytest.mark.parametrize("is_exact", [True, False])
def test_axes_are_those_of_most_variance(monkeypatch, shape, is_exact):
    monkeypatch.setattr(_sample_span, "_MAX_EXACT_AXES", 1000 if is_exact else 10)
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) * np.geomspace(10, 0.1, shape[1])
    X -= X.mean(axis=0)
    axes = _sample_span.principal_axes(X, 5)
    assert_allclose(axes.T @ axes, np.eye(5), atol=1e-6)
    expected = np.linalg.svd(X)[2][:5]
    assert_allclose(axes @ axes.T, expected.T @ expected, atol=1e-4)

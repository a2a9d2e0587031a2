"""Likelihoods of samples, against dense Gaussians and mixtures of them."""

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from skgex import GexBERT, GexImputer
from skgex._low_rank import (
    FactorAnalysis,
    FactorMixture,
    LowRankPrior,
    relative_likelihood,
)
from skgex.datasets import make_expression

FULL = make_expression(n_samples=900, n_genes=80, random_state=0)
TRAIN, NEW = FULL[:500], FULL[500:]


@pytest.fixture(scope="module")
def embedder():
    """Not to be fitted again."""
    return tiny(GexBERT, max_epochs=0).fit(TRAIN)


def holes(X, share, seed=0):
    hidden = np.random.default_rng(seed).random(X.shape) < share
    hidden[:, 0] = False
    return np.where(hidden, np.nan, X)


def problem(seed=0, n_genes=12, rank=4, n_leading=3, n_components=3):
    rng = np.random.default_rng(seed)
    model = (
        rng.normal(size=(n_genes, rank)),
        rng.uniform(0.3, 2, n_genes),
        rng.normal(size=n_genes),
    )
    roots = rng.normal(size=(n_components, n_leading, n_leading))
    covariance = roots @ roots.transpose(0, 2, 1) / n_leading + 0.3 * np.eye(n_leading)
    weight = rng.dirichlet(np.ones(n_components))
    mixture = weight, 2 * rng.normal(size=(n_components, n_leading)), covariance
    X = 2 * rng.normal(size=(20, n_genes))
    X[rng.random(X.shape) < 0.4] = np.nan
    return X, model, mixture


def tensors(*arrays):
    return [torch.tensor(array, dtype=torch.float32) for array in arrays]


def expected(x, loadings, noise, mean):
    """Return the mean of the log-likelihood, and the normal that has it."""
    seen = ~np.isnan(x)
    joint = (loadings @ loadings.T + np.diag(noise))[np.ix_(seen, seen)]
    size = seen.sum()
    entropy = 0.5 * (np.linalg.slogdet(joint)[1] + size * (1 + np.log(2 * np.pi)))
    return -entropy, multivariate_normal(mean[seen], joint).logpdf(x[seen])


def test_likelihood_is_that_of_the_joint_normal():
    X, model, _ = problem()
    found, count = relative_likelihood(
        LowRankPrior(FactorAnalysis(*tensors(*model))), *tensors(X)
    )
    assert_array_equal(count, (~np.isnan(X)).sum(axis=1))
    for i, x in enumerate(X):
        mean, loglik = expected(x, *model)
        assert_allclose(found[i] * count[i], loglik - mean, rtol=1e-4, atol=1e-3)


def test_likelihood_under_a_mixture_of_factors():
    X, model, mixture = problem()
    prior = LowRankPrior(
        FactorAnalysis(*tensors(*model)), FactorMixture(*tensors(*mixture))
    )
    found, count = relative_likelihood(prior, *tensors(X))
    loadings, noise, mean = model
    for i, x in enumerate(X):
        seen, parts = ~np.isnan(x), []
        for share, centre, own in zip(*mixture, strict=True):
            m, C = np.zeros(4), np.eye(4)
            m[:3], C[:3, :3] = centre, own
            W = loadings[seen]
            joint = W @ C @ W.T + np.diag(noise[seen])
            normal = multivariate_normal(mean[seen] + W @ m, joint)
            parts.append(np.log(share) + normal.logpdf(x[seen]))
        least = expected(x, *model)[0]
        assert_allclose(
            found[i] * count[i], logsumexp(parts) - least, rtol=1e-3, atol=5e-3
        )


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.85])
def test_of_samples_like_those_of_fit_a_share_is_below_a_quantile(embedder, share):
    quantile = embedder.score_samples(holes(NEW, share), as_quantile=True)
    for level, slack in ((0.05, 0.03), (0.2, 0.06), (0.5, 0.08)):
        assert abs(np.mean(quantile <= level) - level) < slack
    scores = embedder.score_samples(holes(NEW, share))
    complete = embedder.score_samples(NEW)
    spread = np.ptp(np.quantile(complete, [0.05, 0.95]))
    assert abs(np.median(scores) - np.median(complete)) < 0.15 * spread


def test_samples_unlike_those_of_fit_have_low_scores(embedder):
    rng = np.random.default_rng(0)
    like = embedder.score_samples(NEW)
    others = {
        "genes in another order": rng.permuted(NEW, axis=1),
        "another unit": 2 * NEW,
        "another platform": NEW + rng.normal(0, 2, size=NEW.shape[1]),
    }
    for X in others.values():
        assert np.median(embedder.score_samples(X)) < like.min()
        quantile = embedder.score_samples(X, as_quantile=True)
        assert np.median(quantile) < 0.01


def test_scores_of_a_sample_do_not_depend_on_the_others(embedder):
    X = holes(NEW[:6], 0.4)
    alone = [embedder.score_samples(x[None])[0] for x in X]
    assert_allclose(embedder.score_samples(X), alone, rtol=1e-4, atol=1e-4)


def test_errors_given_all_other_genes_are_those_of_the_joint_normal():
    X, model, _ = problem()
    prior = LowRankPrior(FactorAnalysis(*tensors(*model)))
    Z = tensors(X)[0]
    found = prior.standardised_errors(Z, prior(Z, with_covariance=True)).numpy()
    loadings, noise, mean = model
    for i, x in enumerate(X):
        seen = np.flatnonzero(~np.isnan(x))
        assert_array_equal(np.isnan(found[i]), np.isnan(x))
        joint = loadings @ loadings.T + np.diag(noise)
        for j in seen:
            others = seen[seen != j]
            gain = joint[j, others] @ np.linalg.inv(joint[np.ix_(others, others)])
            off = x[j] - mean[j] - gain @ (x - mean)[others]
            std = np.sqrt(joint[j, j] - gain @ joint[others, j])
            assert_allclose(found[i, j], off / std, rtol=2e-3, atol=2e-3)


def test_a_wrong_value_is_found_by_its_error(embedder):
    X = NEW[:20].copy()
    X[3, 7] += 12 * FULL[:, 7].std()
    scores, z = embedder.score_samples(X, return_z=True)
    assert np.unravel_index(np.abs(z).argmax(), z.shape) == (3, 7)
    assert scores[3] < embedder.score_samples(NEW[:20])[3]
    assert 0.7 < np.std(embedder.score_samples(NEW, return_z=True)[1]) < 1.4


def test_tables_keep_rows_and_genes():
    table = pd.DataFrame(TRAIN, columns=[f"g{i}" for i in range(80)])
    embedder = tiny(GexBERT, max_epochs=0).fit(table)
    _, z = embedder.score_samples(table.tail(4), return_z=True)
    assert list(z.columns) == list(table.columns)
    assert list(z.index) == list(table.tail(4).index)


def test_an_imputer_scores_by_the_genes_that_vary():
    X = holes(TRAIN, 0.2).astype(float)
    X[:, 5] = 3.0
    imputer = GexImputer(tiny(GexBERT, max_epochs=0), random_state=0).fit(X)
    new = np.where(np.arange(80) == 5, 3.0, holes(NEW, 0.3))
    scores, z = imputer.score_samples(new, return_z=True)
    varies = np.arange(80) != 5
    assert_array_equal(scores, imputer.embedder_.score_samples(new[:, varies]))
    assert np.isnan(z[:, 5]).all()
    assert_array_equal(np.isnan(z[:, varies]), np.isnan(new[:, varies]))
    quantile = imputer.score_samples(new, as_quantile=True)
    assert abs(np.mean(quantile <= 0.2) - 0.2) < 0.08


def test_without_a_likelihood_it_is_said_what_is_lacking(embedder):
    plain = tiny(GexBERT, prior=None, max_epochs=0).fit(TRAIN[:50])
    with pytest.raises(ValueError, match="prior='low_rank'"):
        plain.score_samples(NEW)
    few = tiny(GexBERT, max_epochs=0).fit(TRAIN[:3])
    with pytest.raises(ValueError, match="four samples"):
        few.score_samples(NEW)

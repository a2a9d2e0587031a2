"""Pretraining that goes on with a cohort of other genes."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal

from skgex import SCARF, VIME, GexBERT
from skgex.datasets import make_expression
from skgex.pretext import _base

rng = np.random.default_rng(0)
NAMES = np.array([f"G{i}" for i in range(40)])
ALL = pd.DataFrame(
    make_expression(n_samples=400, n_genes=40, n_factors=3, random_state=0),
    columns=NAMES,
)
OLD_GENES = NAMES[:30]
# Ten are gone, ten are new, and the order is another.
NEW_GENES = rng.permutation(NAMES[10:])
OLD, NEW, TEST = ALL[:200][OLD_GENES], ALL[200:350][NEW_GENES], ALL[350:]


def started(embedder, table, monkeypatch):
    """Return the embedder as it is after a warm start, before any step."""
    kept = {}

    def interrupted(self, standardizer, objective, *_):
        kept["model"] = standardizer, objective
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_base, "train_objective", interrupted)
        with pytest.raises(KeyboardInterrupt):
            embedder.set_params(warm_start=True).fit(table)
    new = deepcopy(embedder)
    new.standardizer_, new.objective_ = kept["model"]
    new.encoder_ = new.objective_.encoder.eval()
    new.n_features_in_ = table.shape[1]
    new.feature_names_in_ = table.columns.to_numpy(dtype=object)
    return new


def test_before_a_step_the_network_is_what_it_was(mlp_embedder, monkeypatch):
    """New genes say nothing yet, and those that are gone are not measured."""
    mlp_embedder.fit(OLD)
    new = started(mlp_embedder, NEW, monkeypatch)
    X = TEST[NEW_GENES]
    expected = mlp_embedder.transform(X.reindex(columns=OLD_GENES))
    assert_allclose(new.transform(X), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("max_epochs", [0, 5])
def test_before_a_step_shared_genes_are_restored_alike(max_epochs, monkeypatch):
    """From shared genes; new ones tell something from the start, by the prior."""
    gexbert = tiny(GexBERT, max_epochs=max_epochs).fit(OLD)
    new = started(gexbert, NEW, monkeypatch)
    shared = np.intersect1d(OLD_GENES, NEW_GENES)
    X = TEST[NEW_GENES].copy()
    X.loc[:, np.setdiff1d(NEW_GENES, OLD_GENES)] = np.nan
    X.loc[:, shared[::2]] = np.nan
    expected = gexbert.restore(X.reindex(columns=OLD_GENES), shared)
    found = new.restore(X, shared)
    if max_epochs:
        # The network is told of the factors that all genes, restored, stand for.
        assert np.square(found - expected).mean().mean() < 1e-3
    else:
        assert_allclose(found, expected, rtol=1e-4)


def test_pretraining_goes_on(embedder):
    embedder.fit(OLD)
    before = embedder.standardizer_.mean.clone()
    embedder.set_params(warm_start=True).fit(NEW)
    assert_array_equal(embedder.feature_names_in_, NEW_GENES)
    assert np.isfinite(embedder.transform(TEST[NEW_GENES])).all()
    # Shared genes keep their standardisation, new ones have that of the new cohort.
    mean = pd.Series(embedder.standardizer_.mean.numpy(), NEW_GENES)
    shared = np.intersect1d(OLD_GENES, NEW_GENES)
    assert_array_equal(mean[shared], pd.Series(before.numpy(), OLD_GENES)[shared])
    added = np.setdiff1d(NEW_GENES, OLD_GENES)
    assert_allclose(mean[added], NEW[added].mean(), rtol=1e-5)


def test_other_order_of_the_same_genes(embedder):
    embedder.set_params(max_epochs=0).fit(OLD)
    if not isinstance(embedder, GexBERT):
        embedder.set_params(normalization="layer").fit(OLD)
    expected = embedder.transform(OLD)
    turned = OLD[OLD_GENES[::-1]]
    embedder.set_params(warm_start=True).fit(turned)
    assert_allclose(embedder.transform(turned), expected, rtol=1e-4, atol=1e-5)


def test_an_interrupted_fit_leaves_the_genes(embedder, monkeypatch):
    embedder.fit(OLD)
    expected = embedder.transform(OLD)
    started(embedder, NEW, monkeypatch)
    assert embedder.n_features_in_ == 30
    assert_array_equal(embedder.transform(OLD), expected)


def test_first_fit_that_fails_learns_no_genes(embedder):
    with pytest.raises(ValueError, match="infinity"):
        embedder.fit(OLD.replace(OLD.iloc[0, 0], np.inf))
    assert not hasattr(embedder, "n_features_in_")


def test_no_shared_gene(embedder):
    embedder.fit(OLD)
    message = r"none of its 30 genes with the 30 .* it has 'g\d+', 'g\d+', 'g\d+', wh"
    with pytest.raises(ValueError, match=message):
        embedder.set_params(warm_start=True).fit(NEW.rename(columns=str.lower))


def test_another_unit_is_warned_about(embedder):
    embedder.fit(OLD)
    with pytest.warns(UserWarning, match="in another unit. Convert it, or put both"):
        embedder.set_params(warm_start=True).fit(100 + 10 * NEW)


def test_parameters_that_were_changed():
    scarf = tiny(SCARF).fit(OLD)
    scarf.set_params(warm_start=True, hidden_dims=(12, 8))
    with pytest.raises(ValueError, match=r"encoder.layers.0.weight has shape \(12, 30"):
        scarf.fit(NEW)


def test_heads_of_vime_follow_their_genes(monkeypatch):
    vime = tiny(VIME).fit(OLD)
    new = started(vime, NEW, monkeypatch)
    for head in ("mask_head", "feature_head"):
        for name in ("weight", "bias"):
            old = getattr(getattr(vime.objective_, head), name).detach()
            found = getattr(getattr(new.objective_, head), name).detach()
            for place, gene in enumerate(NEW_GENES):
                known = np.flatnonzero(OLD_GENES == gene)
                expected = old[known[0]] if len(known) else torch.zeros(found[0].shape)
                assert_array_equal(found[place], expected)


def test_ranges_of_uniform_replacement_are_those_of_the_new_cohort():
    scarf = tiny(SCARF, replacement="uniform").fit(OLD)
    scarf.set_params(warm_start=True).fit(NEW)
    low = scarf.standardizer_(torch.tensor(NEW.to_numpy())).amin(0)
    assert_allclose(scarf.objective_.corruption.low, low, rtol=1e-5)


def squared_error(gexbert, genes, hidden):
    X = TEST[genes].copy()
    X.loc[:, hidden] = np.nan
    restored = gexbert.restore(X)[hidden]
    return float(np.square(restored - TEST[hidden]).to_numpy().mean())


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_new_genes_are_restored(share):
    """From the factors of the old cohort, nearly as well as by a fit to the new one."""
    table = NEW.mask(rng.random(NEW.shape) < share)
    added = np.setdiff1d(NEW_GENES, OLD_GENES)
    gexbert = GexBERT(max_epochs=0, random_state=0)
    own = squared_error(gexbert.fit(table), NEW_GENES, added)
    gexbert.fit(OLD).set_params(warm_start=True).fit(table)
    assert squared_error(gexbert, NEW_GENES, added) < 1.1 * own
    spread = float(TEST[added].var(ddof=0).mean())
    assert own < 0.8 * spread


def test_loadings_of_new_genes_are_a_regression_on_the_factors(monkeypatch):
    """With a flat prior, and factors that are known, it is least squares."""
    gexbert = GexBERT(max_epochs=0, random_state=0).fit(OLD)
    new = started(gexbert, NEW, monkeypatch)
    model = gexbert.encoder_.prior.model
    shared = NEW[np.intersect1d(OLD_GENES, NEW_GENES)].reindex(columns=OLD_GENES)
    posterior = model.posterior(gexbert.standardizer_(torch.tensor(shared.to_numpy())))
    factors = np.c_[posterior.mean.numpy(), np.ones(len(NEW))].astype(float)
    second = factors.T @ factors
    rank = model.rank
    second[:rank, :rank] += len(NEW) * posterior.covariance[0].numpy()
    found = new.encoder_.prior.model
    old_loadings = model.loadings[:30][[g in NEW_GENES for g in OLD_GENES]].double()
    noise = model.noise[[g in NEW_GENES for g in OLD_GENES]].double()
    size = (old_loadings.square() / noise[:, None]).sum(0)
    size += 20 * model.uncertainty.diagonal()
    relevance = np.r_[np.minimum(20 / size.numpy(), 1e8), 1e-3]
    Z = new.standardizer_(torch.tensor(NEW.to_numpy())).numpy()
    spread = np.linalg.inv(second + np.diag(relevance))[:rank, :rank]
    scale = np.trace(spread) / float(model.uncertainty.trace())
    for gene in np.setdiff1d(NEW_GENES, OLD_GENES):
        place = list(NEW_GENES).index(gene)
        weights = np.linalg.solve(second + np.diag(relevance), factors.T @ Z[:, place])
        assert_allclose(found.loadings[place], weights[:rank], atol=1e-3)
        assert_allclose(found.mean[place], weights[rank], atol=1e-3)
        assert_allclose(found.uncertainty_scale[place], scale, rtol=1e-3)

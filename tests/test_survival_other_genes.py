"""Earlier survival models of other genes."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import EMBEDDERS, SURVIVAL, class_name, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from survival_cohorts import named_cohort, tuned, without_network

import skgex
from skgex import FineTunedCoxPH

BOTH = pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
GENES = [f"G{i}" for i in range(8)]


X, Y = named_cohort(90, 0)
OTHER_X, OTHER_Y = named_cohort(300, 1)
NEW = pd.DataFrame(np.random.default_rng(2).normal(size=(90, 2)), columns=[*"AB"])


@pytest.fixture(scope="module")
def before():
    return without_network(alpha=20.0).fit(OTHER_X, OTHER_Y)  # not to be fitted again


# Genes by name


@BOTH
def test_genes_in_another_order(Estimator, before):
    table = X[X.columns[::-1]]
    for prior_weight in ("cv", 0.7):
        model = tuned(before, Estimator, prior_weight=prior_weight).fit(table, Y)
        same = tuned(before, Estimator, prior_weight=prior_weight).fit(X, Y)
        assert_allclose(model.coef_[::-1], same.coef_, atol=1e-6)
        assert model.prior_weight_ == pytest.approx(same.prior_weight_, abs=1e-6)
        assert_allclose(model.predict(table), same.predict(X), atol=1e-5)


def test_the_same_genes_by_name_are_those_by_place(before):
    model = tuned(before).fit(X, Y)
    nameless = clone(before).fit(OTHER_X.to_numpy(), OTHER_Y)
    other = tuned(nameless).fit(X.to_numpy(), Y)
    assert_array_equal(model.coef_, other.coef_)
    assert_array_equal(model.predict(X), other.predict(X.to_numpy()))


@BOTH
@pytest.mark.parametrize("scaling", ["standard", "rank"])
def test_genes_that_lack_and_genes_that_are_new(Estimator, scaling):
    before = without_network(scaling=scaling).fit(OTHER_X, OTHER_Y)
    dumped = pickle.dumps(before)
    table = pd.concat([NEW["A"], X[["G5", "G1", "G0", "G7"]], NEW[["B"]]], axis=1)
    square = before.coef_**2
    lost = 100 * square[[2, 3, 4, 6]].sum() / square.sum()
    message = (
        r"X lacks 4 of the 8 genes of the earlier survival model, the first of them "
        rf"'G2'\. They are left out, with {lost:.2g} % of its squared coefficients\.$"
    )
    model = tuned(before, Estimator, scaling=scaling, prior_weight=2.0, alpha=3.0)
    with pytest.warns(UserWarning, match=message):
        model.fit(table, Y)
    own = without_network(Estimator, scaling=scaling, alpha=3.0).fit(table, Y)
    prior = np.array([0, *before.coef_[[5, 1, 0, 7]], 0])
    assert_allclose(model.coef_, own.coef_ + 2 * prior, atol=1e-6)
    assert pickle.dumps(before) == dumped


def test_units_do_not_matter_to_ranks():
    before = without_network(scaling="rank").fit(OTHER_X, OTHER_Y)
    table = X.drop(columns="G3")
    other = np.exp(3 + 2 * table)
    with pytest.warns(UserWarning, match="X lacks 1 of the 8 genes"):
        model = tuned(before, scaling="rank").fit(table, Y)
    with pytest.warns(UserWarning, match="X lacks 1 of the 8 genes"):
        again = tuned(before, scaling="rank").fit(other, Y)
    assert_allclose(model.coef_, again.coef_, atol=1e-4)
    assert_allclose(model.predict(table), again.predict(other), atol=1e-3)


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_a_network_takes_genes_that_lack_as_not_measured(Embedder, tmp_path):
    options = {"embedder": tiny(Embedder), "alpha": 5.0, "cv": None}
    network = tiny(FineTunedCoxPH, **options).fit(OTHER_X, OTHER_Y)
    table = pd.concat([NEW["A"], X[["G5", "G1", "G0", "G7"]]], axis=1)
    with pytest.warns(UserWarning, match=r"its network takes them as not measured\.$"):
        model = tuned(network, scaling="rank", prior_weight=1.0).fit(table, Y)
    aligned = table.reindex(columns=GENES)
    assert_allclose(model.transform(table), network.transform(aligned), atol=1e-6)
    # The file has all that is needed, and a model that starts from this one finds it.
    model.save(tmp_path / "model.safetensors")
    loaded = skgex.load(tmp_path / "model.safetensors")
    assert_array_equal(loaded.predict(table), model.predict(table))
    with pytest.warns(UserWarning, match="X lacks 1 of the 5 genes"):
        third = tuned(loaded, scaling="rank").fit(table.drop(columns="A"), Y)
    assert_allclose(third.transform(table.drop(columns="A")), model.transform(table))
    model.standardizer_[0].places[0] = 5
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="takes genes from beyond the 5 it has"):
        skgex.load(tmp_path / "model.safetensors")


@BOTH
def test_the_network_of_other_genes_is_trained_on(Estimator):
    options = {"alpha": 5.0, "cv": None}
    network = tiny(Estimator, **options).fit(OTHER_X, OTHER_Y)
    options |= {"embedder": FrozenEstimator(network), "prior_weight": 0.5}
    with pytest.warns(UserWarning, match="X lacks 2 of the 8 genes"):
        model = tiny(Estimator, **options).fit(X[GENES[:6]], Y)
    assert model.n_iter_ == 5
    assert model.score(X[GENES[:6]], Y) > 0.7
    first = next(network.encoder_.parameters())
    assert not torch.equal(next(model.encoder_.parameters()), first)


# What is refused


def test_genes_that_cannot_be_matched(before):
    model = tuned(before)
    none = X.rename(columns="ENSG{}".format)
    message = (
        r"shares none of its 8 genes with the 8 of the earlier survival model: it has "
        r"'ENSGG0', 'ENSGG1', 'ENSGG2', where that has 'G0', 'G1', 'G2'\. Bring .* "
        r"GeneAligner\(genes, mapping"
    )
    with pytest.raises(ValueError, match=message):
        model.fit(none, Y)
    with pytest.raises(ValueError, match=r"on 8 genes, but X has 7, .*without names"):
        model.fit(X.to_numpy()[:, :7], Y)


@BOTH
@pytest.mark.parametrize("scaling", ["standard", "rank"])
def test_other_scales_are_refused(Estimator, scaling):
    before = without_network(scaling=scaling).fit(OTHER_X, OTHER_Y)
    other = {"standard": "rank", "rank": "standard"}[scaling]
    message = f"scaling='{other}', but .* scaled by '{scaling}': set scaling='{scaling}"
    with pytest.raises(ValueError, match=message):
        tuned(before, Estimator, scaling=other).fit(X, Y)
    going_on = without_network(Estimator, scaling=scaling, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match=f"scaling='{other}', but the coefficients"):
        going_on.set_params(scaling=other).fit(X, Y)

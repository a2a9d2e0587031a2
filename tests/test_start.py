"""Embedders that start from fitted ones: what they learn, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from discovery import MLP_EMBEDDERS, class_name, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from starts import NEW, NEW_GENES, OLD, OLD_GENES, SHARED, assert_same_outputs, pair

from skgex import SCARF, VIME, GexBERT

# What is learnt


@pytest.mark.parametrize("Embedder", MLP_EMBEDDERS, ids=class_name)
def test_weights_of_shared_genes_are_those_of_the_start(Embedder):
    """And zero for new genes; all other weights are as they were."""
    old, new = pair(tiny(Embedder))
    new.set_params(max_epochs=0, random_state=5).fit(NEW)
    before = old.objective_.state_dict()
    for name, value in new.objective_.state_dict().items():
        if value.shape == before[name].shape:
            assert_array_equal(value, before[name])
            continue
        axis = value.shape.index(25)
        value, known = (np.moveaxis(t.numpy(), axis, 0) for t in (value, before[name]))
        for vector, gene in zip(value, NEW_GENES, strict=True):
            expected = known[OLD_GENES == gene] if gene in SHARED else [0 * known[0]]
            assert_array_equal(vector, expected[0])


def test_genes_in_another_order(mlp_embedder):
    old, new = pair(mlp_embedder)
    turned = OLD[OLD_GENES[::-1]]
    new.set_params(max_epochs=0, random_state=5).fit(turned)
    assert_allclose(new.transform(turned), old.transform(OLD), rtol=1e-4, atol=1e-5)
    # Arrays have genes in the order of the start.
    new.fit(OLD.to_numpy())
    assert_array_equal(new.transform(OLD.to_numpy()), old.transform(OLD))


def test_new_genes_say_nothing_until_they_have_learnt(mlp_embedder):
    old, new = pair(mlp_embedder)
    new.set_params(max_epochs=0).fit(NEW)
    expected = old.transform(NEW.reindex(columns=OLD_GENES))
    assert_allclose(new.transform(NEW), expected, rtol=1e-4, atol=1e-5)


def test_standardisation_of_shared_genes_is_that_of_the_start(mlp_embedder):
    old, new = pair(mlp_embedder)
    new.set_params(max_epochs=1).fit(NEW)
    for name, own in {"mean": NEW.mean(), "scale": NEW.std(ddof=0)}.items():
        found, known = (
            pd.Series(getattr(e.standardizer_, name).numpy(), e.feature_names_in_)
            for e in (new, old)
        )
        assert_array_equal(found[SHARED], known[SHARED])
        added = np.setdiff1d(NEW_GENES, SHARED)
        assert_allclose(found[added], own[added], rtol=1e-4)


def test_in_another_unit_standardisation_is_that_of_the_cohort(mlp_embedder):
    old, new = pair(mlp_embedder)
    with pytest.warns(UserWarning, match="seems to be in another unit") as caught:
        new.set_params(max_epochs=0).fit(100 + 10 * NEW)
    assert caught[0].filename == __file__
    assert_allclose(new.standardizer_.mean, 100 + 10 * NEW.mean(), rtol=1e-4)
    # Weights are those of the start all the same.
    Z = new.standardizer_.scale.numpy()
    assert_allclose(Z, 10 * NEW.std(ddof=0), rtol=1e-4)
    again = clone(new).fit(OLD)
    assert_array_equal(again.transform(OLD), old.transform(OLD))


def test_ranges_of_uniform_replacement_are_those_of_the_standardised_cohort():
    old, new = pair(tiny(SCARF, replacement="uniform"))
    shifted = NEW + NEW.std()
    new.fit(shifted)
    Z = (shifted.to_numpy() - new.standardizer_.mean.numpy()) / (
        new.standardizer_.scale.numpy()
    )
    assert_allclose(new.objective_.corruption.low, Z.min(0), atol=1e-5)
    assert_allclose(new.objective_.corruption.high, Z.max(0), atol=1e-5)
    assert old.objective_.corruption.low.shape == (30,)


def test_learning_goes_on(mlp_embedder):
    """From where it was, and away from there."""
    old, new = pair(mlp_embedder, max_epochs=20)
    first = [
        clone(new).set_params(start=start, lr=1e-4).fit(OLD).history_[0]["train_loss"]
        for start in (new.start, None)
    ]
    assert first[0] < first[1]
    assert np.abs(new.fit(OLD).transform(OLD) - old.transform(OLD)).max() > 1e-3


def test_the_start_is_left_as_it_was(embedder):
    old, new = pair(embedder)
    before = pickle.dumps(old)
    new.fit(NEW)
    new.transform(NEW)
    assert pickle.dumps(old) == before


def test_no_shared_gene_is_starting_afresh(embedder):
    _, new = pair(embedder)
    table = NEW.rename(columns=str.lower)
    with pytest.warns(UserWarning, match="shares none of its 25 genes") as caught:
        new.fit(table)
    assert caught[0].filename == __file__
    fresh = clone(new).set_params(start=None).fit(table)
    assert_same_outputs(new, fresh, table)


# What is refused


@pytest.mark.parametrize("kind", ["class", "bare", "other class"])
def test_what_is_no_start(embedder, kind):
    old, new = pair(embedder, max_epochs=0)
    other = tiny(VIME if isinstance(embedder, SCARF) else SCARF).fit(OLD)
    start = {"class": GexBERT, "bare": old, "other class": FrozenEstimator(other)}
    with pytest.raises(ValueError, match="start"):
        new.set_params(start=start[kind]).fit(NEW)
    if kind == "other class":
        name = class_name(type(embedder))
        with pytest.raises(ValueError, match=rf"around a fitted {name}, such as Froz"):
            new.fit(NEW)


def test_an_unfitted_start(embedder):
    with pytest.raises(NotFittedError):
        clone(embedder).set_params(start=FrozenEstimator(clone(embedder))).fit(NEW)


@pytest.mark.parametrize("which", ["old", "new"])
def test_values_that_are_not_standardised(embedder, which):
    _, new = pair(embedder, max_epochs=0, standardize=which != "old")
    new.set_params(standardize=which != "new")
    flags = "False for the start and True" if which == "old" else "True .* False"
    with pytest.raises(ValueError, match=f"standardize must be True .* {flags} here"):
        new.fit(NEW)


def test_genes_without_names(embedder):
    old, new = pair(embedder, max_epochs=0)
    with pytest.raises(ValueError, match=r"X has no names .* 30 genes .* 25 columns"):
        new.fit(NEW.to_numpy())
    nameless = clone(old).fit(OLD.to_numpy())
    with pytest.raises(ValueError, match="start has no names of genes, so that X"):
        new.set_params(start=FrozenEstimator(nameless)).fit(NEW)


def test_networks_of_another_size(mlp_embedder):
    _, new = pair(mlp_embedder)
    message = "layers.0.weight has shape .* start: give the embedder the parameters"
    with pytest.raises(ValueError, match=message):
        new.set_params(hidden_dims=(12, 8)).fit(NEW)

"""What holds for every embedder."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from torch import nn

from skgex._training import _fixed_blocks
from skgex.datasets import make_expression
from skgex.nn._dropout import Dropout

X = make_expression(n_samples=90, n_genes=30, random_state=0)
Y = (X[:, 0] > np.median(X[:, 0])).astype(int)


# Seeds


def test_same_seed_same_embedding(embedder):
    first = clone(embedder).fit_transform(X)
    torch.manual_seed(1)  # the caller's generators play no role
    np.random.seed(1)  # noqa: NPY002
    assert_array_equal(clone(embedder).fit_transform(X), first)
    embedder.set_params(random_state=np.random.RandomState(0))
    assert_array_equal(embedder.fit_transform(X), first)


def test_other_seed_other_embedding(embedder):
    first = clone(embedder).fit_transform(X)
    assert (embedder.set_params(random_state=1).fit_transform(X) != first).any()
    unseeded = [clone(embedder).set_params(random_state=None) for _ in range(2)]
    first, second = (e.fit_transform(X) for e in unseeded)
    assert (first != second).any()


def test_global_generators_are_left_alone(embedder, global_generators):
    embedder.set_params(n_iter_no_change=2).fit(X).transform(X)


# Learning


def learnable(embedder):
    """Return an embedder, and data of which it has much to learn in a few epochs."""
    if not hasattr(embedder, "prior"):
        return embedder, X
    # A prior knows linear data from the start, and a transformer needs many steps.
    options = {"n_samples": 90, "n_genes": 30, "n_factors": 1, "noise": 0.1}
    return embedder.set_params(prior=None), make_expression(**options, random_state=0)


def test_loss_falls(embedder):
    embedder, X = learnable(embedder)
    embedder.set_params(max_epochs=30).fit(X)
    losses = embedder.history_[:, "train_loss"]
    assert len(losses) == embedder.n_iter_ == 30
    assert np.mean(losses[-3:]) < 0.95 * np.mean(losses[:3])


def test_embedding_has_not_collapsed_and_knows_the_factors(embedder):
    expression, factors, _ = make_expression(
        n_samples=300, n_genes=60, return_factors=True, random_state=0
    )
    if hasattr(embedder, "hidden_dims"):  # else the defaults of the test will do
        embedder.set_params(max_epochs=40, hidden_dims=(64, 32))
    Z = embedder.fit_transform(expression[:200])
    shares = np.linalg.eigvalsh(np.cov(Z.T))
    shares /= shares.sum()
    assert 1 / (shares**2).sum() > 3  # effective number of dimensions; 5 factors
    readout = LinearRegression().fit(Z, factors[:200])
    assert readout.score(embedder.transform(expression[200:]), factors[200:]) > 0.6


def test_without_epochs_the_encoder_is_untrained_and_standardises(embedder):
    embedder.set_params(max_epochs=0)
    Z = embedder.fit_transform(X)
    assert embedder.n_iter_ == len(embedder.history_) == 0
    # Power-of-two units change no digit of a standardised value.
    assert_array_equal(clone(embedder).fit_transform(4 * X), Z)
    standardized = (X - X.mean(axis=0, dtype=float)) / X.std(axis=0, dtype=float)
    with torch.no_grad():
        by_hand = embedder.encoder_(torch.from_numpy(standardized).float())
    assert_allclose(Z, by_hand, atol=1e-4)


def test_units_do_not_matter(embedder):
    Z = clone(embedder).fit_transform(X)
    assert_array_equal(clone(embedder).fit_transform(0.5 * X), Z)


def test_standardisation_can_be_switched_off(embedder):
    embedder.set_params(standardize=False, clip=None).fit(X)
    assert_array_equal(embedder.standardizer_(torch.from_numpy(X)), X)


def test_batch_normalisation_knows_clean_profiles(mlp_embedder):
    mlp_embedder.set_params(batch_size=90).fit(X)
    layer, norm = list(mlp_embedder.encoder_.layers)[:2]
    with torch.no_grad():
        H = layer(mlp_embedder.standardizer_(torch.from_numpy(X)))
    assert_allclose(norm.running_mean, H.mean(0), rtol=1e-4, atol=1e-4)
    assert_allclose(norm.running_var, H.var(0), rtol=1e-4)


def test_early_stopping_stops_and_records_the_validation_loss(mlp_embedder):
    mlp_embedder.set_params(n_iter_no_change=1, max_epochs=300, lr=0.1).fit(X)
    valid = mlp_embedder.history_[:, "valid_loss"]
    assert len(valid) == mlp_embedder.n_iter_ < 300
    assert valid[-1] >= min(valid)
    assert np.argmin(valid) == len(valid) - 2


def test_warm_start_goes_on(embedder):
    embedder, X = learnable(embedder)
    embedder.set_params(max_epochs=30, warm_start=True).fit(X)
    first = embedder.history_[:, "train_loss"]
    second = embedder.fit(X).history_[:, "train_loss"]
    assert second[0] < (first[0] + first[-1]) / 2


def test_warm_start_keeps_weights_and_standardisation(embedder):
    embedder.fit(X)
    before = deepcopy((embedder.standardizer_, embedder.objective_))
    # Another cohort, in which each gene has another mean.
    embedder.set_params(warm_start=True, max_epochs=0).fit(X + 1)
    assert torch.equal(embedder.standardizer_.mean, before[0].mean)
    for name, value in before[1].named_parameters():
        assert torch.equal(embedder.objective_.get_parameter(name), value)


def test_warm_start_needs_the_same_genes(embedder):
    embedder.set_params(warm_start=True).fit(X)
    Z = embedder.transform(X)
    with pytest.raises(ValueError, match="30 features"):
        embedder.fit(X[:, 1:])
    assert_array_equal(embedder.transform(X), Z)


def test_without_warm_start_fit_forgets(embedder):
    Z = clone(embedder).fit_transform(X[:, :20])
    assert_array_equal(embedder.fit(X).fit(X[:, :20]).transform(X[:, :20]), Z)


# Samples and genes


def test_samples_do_not_depend_on_each_other(embedder):
    Z = embedder.fit_transform(X)
    order = np.random.default_rng(0).permutation(90)
    assert_allclose(embedder.transform(X[order]), Z[order], atol=1e-5)
    assert_allclose(embedder.transform(X[:1]), Z[:1], atol=1e-5)


def test_transform_works_by_batches(embedder, monkeypatch):
    Z = embedder.fit_transform(X)
    sizes = []
    embedder.encoder_.register_forward_hook(lambda m, args, out: sizes.append(len(out)))
    monkeypatch.setattr(_fixed_blocks, "_CPU_ROWS", 32)
    assert_allclose(embedder.transform(X), Z, atol=1e-5)
    assert sizes == [32, 32, 32]  # the last of 26 rows is filled up


def test_a_missing_gene_is_its_training_mean(mlp_embedder):
    mlp_embedder.fit(X)
    holes, filled = X[:5].copy(), X[:5].copy()
    for row, gene in [(0, 3), (1, 4), (1, 29), (4, 0)]:
        holes[row, gene], filled[row, gene] = np.nan, X[:, gene].mean(dtype=float)
    assert_allclose(
        mlp_embedder.transform(holes), mlp_embedder.transform(filled), atol=1e-4
    )


def test_missing_genes_are_accepted_anywhere(embedder):
    holes = make_expression(n_samples=90, n_genes=30, missing_rate=0.4, random_state=0)
    Z = embedder.fit(holes).transform(holes)
    assert np.isfinite(Z).all()
    assert all(np.isfinite(embedder.history_[:, "train_loss"]))
    assert_allclose(embedder.standardizer_.mean, np.nanmean(holes, axis=0), rtol=1e-5)


def test_constant_genes_are_kept_with_one_warning(embedder):
    constant = X.copy()
    constant[:, [4, 7]] = [0.1, 1e4]
    table = pd.DataFrame(constant, columns=[f"G{i}" for i in range(30)])
    with pytest.warns(UserWarning, match="constant") as record:
        embedder.fit(table)
    assert len(record) == 1
    assert str(record[0].message).startswith("2 gene(s) are constant in X, the first")
    assert "'G4'" in str(record[0].message)
    assert record[0].filename == __file__
    assert embedder.n_features_in_ == 30
    assert np.isfinite(embedder.transform(table)).all()


def test_extreme_values_are_clipped(embedder):
    embedder.set_params(clip=4.0).fit(X)
    extreme, at_clip = X[:2].copy(), X[:2].copy()
    extreme[0, 3], extreme[1, 5] = 1e30, -1e30
    at_clip[0, 3] = X[:, 3].mean() + 5 * X[:, 3].std()
    at_clip[1, 5] = X[:, 5].mean() - 5 * X[:, 5].std()
    assert_array_equal(embedder.transform(extreme), embedder.transform(at_clip))


@pytest.mark.parametrize("n_samples", [2, 3, 17])
def test_few_samples_make_a_small_batch(embedder, n_samples):
    Z = embedder.fit_transform(X[:n_samples])
    assert np.isfinite(Z).all()
    assert embedder.n_iter_ == embedder.max_epochs


@pytest.mark.parametrize("normalization", ["layer", "batch", None])
def test_options_reach_the_encoder(mlp_embedder, normalization):
    mlp_embedder.set_params(
        hidden_dims=[7, 5, 3], dropout=0.2, normalization=normalization
    )
    Z = mlp_embedder.fit_transform(X)
    assert Z.shape == (90, 3) == (90, mlp_embedder.encoder_.embedding_dim)
    kinds = [type(m) for m in mlp_embedder.encoder_.layers]
    assert kinds.count(Dropout) == 3
    assert kinds.count(nn.LayerNorm) == 3 * (normalization == "layer")
    assert kinds.count(nn.BatchNorm1d) == 3 * (normalization == "batch")

"""Standardisation and the multilayer perceptron."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler
from torch import nn

from skgex.datasets import make_expression
from skgex.nn import GeneStandardizer, MLPEncoder, projection_head
from skgex.nn._encoders import NORMALIZATIONS

NORMALIZATION = pytest.mark.parametrize("normalization", NORMALIZATIONS)


def make_encoder(n_genes=6, hidden_dims=(5, 4), **options):
    """Return an encoder in evaluation mode, with statistics that are not trivial."""
    encoder = MLPEncoder(n_genes, hidden_dims, **options)
    encoder(2 * torch.randn(50, n_genes) + 1)
    return encoder.eval()


def test_standardizer_is_the_scaler_of_scikit_learn():
    X = make_expression(n_samples=40, n_genes=30, missing_rate=0.2, random_state=0)
    scaler = StandardScaler().fit(X.astype(float))
    standardizer = GeneStandardizer(scaler.mean_, scaler.scale_)
    expected = scaler.transform(X.astype(float))
    assert_allclose(standardizer(torch.from_numpy(X)), expected, atol=2e-5)


def test_standardizer_keeps_the_digits_of_genes_far_from_zero():
    X = torch.tensor([[1e4 + 0.25], [1e4 - 0.25]])
    assert_array_equal(GeneStandardizer([1e4], [0.25])(X), [[1.0], [-1.0]])


@given(st.floats(0.5, 20))
def test_clip_bounds_the_z_scores(clip):
    X = torch.tensor([[-1e30, -1.0, 0.0], [1e30, 1.0, torch.nan]])
    Z = GeneStandardizer([0.0, 0.0, 0.0], [2.0, 2.0, 2.0], clip)(X)
    bound = np.float32(clip)
    expected = [[-bound, -0.5, 0], [bound, 0.5, np.nan]]
    assert_array_equal(Z, np.array(expected, np.float32))


def test_standardizer_leaves_its_input_alone():
    X = torch.full((2, 3), 7.0)
    GeneStandardizer([1.0] * 3, [2.0] * 3, clip=1.0)(X)
    assert_array_equal(X, np.full((2, 3), 7))


@NORMALIZATION
def test_a_missing_gene_is_read_as_its_mean(normalization):
    encoder = make_encoder(normalization=normalization)
    X = torch.randn(7, 6)
    X[2, 3] = X[4, :5] = torch.nan
    at_mean = torch.where(X.isnan(), 0.0, X)
    assert_array_equal(encoder(X).detach(), encoder(at_mean).detach())


@NORMALIZATION
@pytest.mark.parametrize("hidden_dims", [(4,), (7, 3), [5, 5, 2]])
def test_embedding_dim_is_the_width_of_the_last_layer(hidden_dims, normalization):
    encoder = make_encoder(6, hidden_dims, normalization=normalization)
    assert encoder.embedding_dim == hidden_dims[-1]
    assert encoder(torch.randn(3, 6)).shape == (3, hidden_dims[-1])
    widths = [m.out_features for m in encoder.modules() if isinstance(m, nn.Linear)]
    assert widths == list(hidden_dims)


@NORMALIZATION
def test_encoder_is_the_formula(normalization):
    encoder = make_encoder(6, (5,), normalization=normalization)
    X = torch.randn(4, 6)
    linear, norm, *_ = encoder.layers
    with torch.no_grad():
        H = X @ linear.weight.T + linear.bias
        if normalization == "batch":
            H = (H - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        elif normalization == "layer":
            H = (H - H.mean(1, keepdim=True)) / (
                H.var(1, correction=0, keepdim=True) + norm.eps
            ).sqrt()
        assert_allclose(encoder(X), H.clamp(min=0), atol=1e-5)


@NORMALIZATION
def test_samples_do_not_depend_on_each_other_in_evaluation(normalization):
    encoder = make_encoder(normalization=normalization, dropout=0.5)
    X = torch.randn(9, 6)
    together = encoder(X).detach()
    alone = torch.cat([encoder(row.unsqueeze(0)) for row in X]).detach()
    assert_allclose(alone, together, atol=1e-6)


def test_dropout_acts_in_training_only():
    encoder = make_encoder(6, (400,), dropout=0.3, normalization=None)
    X = torch.randn(50, 6)
    clean = encoder(X).detach()
    dropped = encoder.train()(X).detach()
    lost = (dropped == 0)[clean > 0].float().mean()
    assert lost == pytest.approx(0.3, abs=0.03)
    kept = (dropped > 0) & (clean > 0)
    assert_allclose(dropped[kept], clean[kept] / 0.7, rtol=1e-5)


def test_without_dropout_there_is_no_layer_for_it():
    with_dropout, without = (MLPEncoder(3, (2, 2), dropout=p) for p in (0.1, 0.0))
    assert sum(isinstance(m, nn.Dropout) for m in with_dropout.modules()) == 2
    assert not any(isinstance(m, nn.Dropout) for m in without.modules())


@pytest.mark.parametrize("normalization", [True, False])
def test_projection_head(normalization):
    head = projection_head(3, 5, 2, normalization=normalization)
    kinds = [type(m) for m in head]
    norm = nn.BatchNorm1d if normalization else nn.Identity
    assert kinds == [nn.Linear, norm, nn.ReLU, nn.Linear]
    assert head(torch.randn(4, 3)).shape == (4, 2)

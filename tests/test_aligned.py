"""Products with few outputs: the same bits wherever a row lies, as plain ones."""

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from skgex._training._aligned import aligned

SIZE = 64


@pytest.mark.parametrize("n_outputs", [1, 2, 3, 5, 8, 15, 16, 40])
@pytest.mark.parametrize("n_inputs", [1, 33, 150, 160, 1526])
def test_a_row_has_the_same_bits_in_all_places(n_inputs, n_outputs):
    torch.manual_seed(0)
    layer = nn.Linear(n_inputs, n_outputs)
    X = torch.randn(SIZE, n_inputs)
    with torch.inference_mode(), aligned(layer):
        found = layer(X)
        for row in range(0, SIZE, 7):
            everywhere = layer(X[[row] * SIZE])
            assert torch.equal(everywhere, found[[row] * SIZE])
    assert_allclose(
        found,
        (X.double() @ layer.weight.double().T).detach() + layer.bias.detach(),
        atol=1e-4,
    )


class Factors(nn.Module):
    """Products as with the factors of genes."""

    def __init__(self, n_genes, rank):
        super().__init__()
        self.loadings = torch.randn(n_genes, rank)
        self.mean = torch.randn(n_genes)

    def forward(self, X):
        factors = X @ self.loadings
        gram = self.loadings.T.mm(self.loadings) / len(self.mean)
        again = torch.bmm(factors[None], gram[None])[0]
        return torch.addmm(self.mean, again, self.loadings.T)


@pytest.mark.parametrize("rank", [1, 2, 5, 10, 15, 16, 40])
@pytest.mark.parametrize("n_genes", [7, 15, 33, 160])
def test_a_sample_has_the_same_factors_in_all_places(n_genes, rank):
    torch.manual_seed(0)
    model = Factors(n_genes, rank)
    X = torch.randn(SIZE, n_genes)
    with torch.inference_mode(), aligned(model):
        found = model(X)
        for row in range(0, SIZE, 7):
            everywhere = model(X[[row] * SIZE])
            assert torch.equal(everywhere, found[[row] * SIZE])
    with torch.inference_mode():
        assert_allclose(found, model(X), rtol=1e-4, atol=1e-4 * found.abs().max())


def test_modules_without_such_layers_are_left_alone():
    with aligned(nn.Sequential(nn.Linear(32, 2), nn.Linear(33, 64))) as mode:
        assert mode is None

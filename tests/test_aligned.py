"""Linear layers of few outputs: the same bits wherever a row lies, as plain ones."""

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


def test_modules_without_such_layers_are_left_alone():
    with aligned(nn.Sequential(nn.Linear(32, 2), nn.Linear(33, 64))) as mode:
        assert mode is None

"""A device without enough memory: smaller blocks, or an error that says what to do."""

import numpy as np
import pytest
import torch
from discovery import EMBEDDERS, class_name, tiny
from torch import nn

from skgex._training import _net, apply_by_batches, resolve_device
from skgex.datasets import make_expression

CPU = torch.device("cpu")
X = make_expression(n_samples=90, n_genes=30, random_state=0)
MESSAGE = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total of 4 GiB"


class Full(nn.Module):
    """Doubles as many rows as memory holds, and counts the calls of each size."""

    def __init__(self, n_rows, n_calls=0):
        super().__init__()
        self.n_rows, self.n_calls, self.sizes = n_rows, n_calls, []

    def forward(self, X):
        self.sizes.append(len(X))
        if len(X) > self.n_rows and len(self.sizes) > self.n_calls:
            raise torch.OutOfMemoryError(MESSAGE)
        return 2 * X


@pytest.mark.parametrize("n_calls", [0, 1])  # at once, or after a block
def test_all_rows_are_computed_in_smaller_blocks(n_calls):
    module = Full(17, n_calls)
    np.testing.assert_array_equal(apply_by_batches(module, X, CPU), 2 * X)
    assert module.sizes == [64] * (1 + n_calls) + [32] + [16] * 6


def test_a_sample_that_does_not_fit():
    with pytest.raises(
        MemoryError, match=r"A single sample needs more memory .*2.00 GiB"
    ):
        apply_by_batches(Full(0), X, CPU)


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_training_names_the_batch_size(Embedder, monkeypatch):
    def infer(self, batch, **_):
        raise torch.OutOfMemoryError(MESSAGE)

    monkeypatch.setattr(_net.ObjectiveNet, "infer", infer)
    message = (
        r"Training with 45 samples in a batch needs more memory than device='cpu' has "
        r"free: Tried to allocate 2\.00 GiB\. Lower `batch_size`, or"
    )
    with pytest.raises(MemoryError, match=message):
        tiny(Embedder, n_iter_no_change=None, batch_size=64).fit(X)


def test_devices_without_double_precision_are_refused():
    for device in ("mps", "mps:0", torch.device("mps")):
        with pytest.raises(ValueError, match=r"device='mps.*single precision only"):
            resolve_device(device)
    with pytest.raises(ValueError, match="use device='cpu'"):
        tiny(EMBEDDERS[0], device="mps").fit(X)

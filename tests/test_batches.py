"""Batches, splits, seeds, devices, and statistics over batches."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from objectives import make_batches
from torch import nn

from skgex._training import (
    Batches,
    RowReader,
    recalibrate_batch_norm,
    resolve_device,
    split_validation,
)
from skgex.nn import MLPEncoder
from skgex.nn._draws import draws_from, uniform

CPU = torch.device("cpu")


# Batches


@given(st.integers(2, 100), st.integers(2, 40), st.booleans())
def test_an_epoch_is_every_row_once_in_batches_of_nearly_equal_size(n, size, shuffle):
    batches = make_batches(n, size, n_genes=1, shuffle=shuffle)
    batches.reader = RowReader(np.arange(n, dtype=np.float32)[:, None])
    for _ in range(2):
        parts = [X[:, 0] for (X,) in batches]
        sizes = [len(part) for part in parts]
        assert len(sizes) == len(batches)
        assert max(sizes) - min(sizes) <= 1
        assert min(sizes) >= 2
        # Pairs of an odd number of rows: one batch has three.
        assert max(sizes) <= size + (size == 2 and n % 2)
        assert sorted(torch.cat(parts).tolist()) == list(range(n))


def test_shuffled_epochs_differ_and_others_do_not():
    for shuffle in (True, False):
        batches = make_batches(shuffle=shuffle)
        first, second = (torch.cat([X for (X,) in batches]) for _ in range(2))
        assert torch.equal(first, second) is not shuffle


def test_targets_go_with_their_rows():
    X = np.arange(20, dtype=np.float32)[:, None]
    y = torch.arange(20) ** 2
    rows = torch.tensor([3, 5, 8, 13, 19])
    batches = Batches(RowReader(X), rows, 2, lambda X: -X, (y, 2 * y), shuffle=True)
    for X_batch, y_batch, doubled in batches:
        assert_array_equal(X_batch[:, 0] ** 2, y_batch)
        assert_array_equal(doubled, 2 * y_batch)
        assert (X_batch <= 0).all()


# Splits, seeds, devices


@given(
    st.lists(st.integers(0, 8), min_size=10, max_size=60).filter(
        lambda groups: len(set(groups)) > 3
    ),
    st.floats(0.1, 0.6),
    st.integers(0, 2**32),
)
def test_a_group_is_never_split(groups, fraction, seed):
    fit, valid = split_validation(len(groups), fraction, seed, groups=groups)
    assert torch.equal(torch.cat([fit, valid]).sort().values, torch.arange(len(groups)))
    assert len(fit)
    assert len(valid)
    groups = torch.tensor(groups)
    assert not set(groups[fit].tolist()) & set(groups[valid].tolist())


def test_classes_keep_their_proportion():
    y = np.repeat([0, 1], [90, 10])
    _, valid = split_validation(100, 0.2, 0, y=y)
    assert np.bincount(y[valid]).tolist() == [18, 2]
    _, again = split_validation(100, 0.2, 0, y=y)
    assert_array_equal(valid, again)


def test_seeds_are_local():
    before = torch.get_rng_state()
    draws = []
    for _ in range(2):
        with draws_from(5):
            draws.append(uniform((3,)))
    assert torch.equal(*draws)
    assert torch.equal(torch.get_rng_state(), before)


def test_devices(monkeypatch):
    assert resolve_device("cpu") == resolve_device(CPU) == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == CPU
    with pytest.raises(ValueError, match="device='gpu' is not a torch device; use"):
        resolve_device("gpu")
    with pytest.raises(ValueError, match=r"device='cuda:1'.*use device='auto'"):
        resolve_device("cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    # Tensors name their device with its number.
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda:1")
    assert resolve_device("cuda:0") == torch.device("cuda:0")
    with pytest.raises(ValueError, match=r"device='cuda:2'.* not at hand"):
        resolve_device("cuda:2")


# Batch normalisation


def test_recalibration_is_the_moments_of_clean_activations():
    encoder = MLPEncoder(4, (5,))
    linear, norm, *_ = encoder.layers
    encoder(100 * torch.randn(30, 4))  # far away from what follows
    batches = make_batches(40, 10)
    recalibrate_batch_norm(encoder, batches)
    with torch.no_grad():
        H = linear(torch.cat([X for (X,) in batches])).reshape(4, 10, 5)
    assert_allclose(norm.running_mean, H.mean((0, 1)), rtol=1e-5, atol=1e-6)
    assert_allclose(norm.running_var, H.var(1).mean(0), rtol=1e-5)
    assert norm.momentum == nn.BatchNorm1d(1).momentum
    assert not encoder.training


def test_recalibration_leaves_other_encoders_alone():
    encoder = MLPEncoder(4, (5,), normalization="layer")
    before = deepcopy(encoder.state_dict())
    recalibrate_batch_norm(encoder, make_batches())
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name])

"""The training core against plain loops, formulas and scripted losses."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from objectives import Corrupted, Linear, Scripted, make_batches
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback
from torch import nn

from skgex._training import (
    train,
)
from skgex._training._net import MAX_GRADIENT_NORM
from skgex.nn._draws import draws_from

CPU = torch.device("cpu")


def run(objective, batches=None, **options):
    options = {"max_epochs": 5, "lr": 0.1, "device": CPU, **options}
    return train(objective, batches or make_batches(), **options)


class Recorder(Callback):
    """Record learning rates and gradient norms of every step."""

    def __init__(self):
        self.rates, self.norms = [], []

    def on_grad_computed(self, net, named_parameters, **kwargs):
        self.rates.append([group["lr"] for group in net.optimizer_.param_groups])
        grads = [p.grad for _, p in named_parameters if p.grad is not None]
        self.norms.append(float(nn.utils.get_total_norm(grads)))


# Steps


def learning_rate(step, n_steps, lr):
    """Warm up over the first tenth, then fall to zero along a cosine."""
    warm_up = max(1, n_steps / 10)
    if step < warm_up:
        return lr * (step + 1) / (warm_up + 1)
    share = (step - warm_up) / (n_steps - warm_up)
    return lr * math.cos(share * math.pi / 2) ** 2


@pytest.mark.parametrize(("max_epochs", "batch_size"), [(40, 10), (7, 20), (1, 4)])
def test_learning_rate_follows_the_schedule(max_epochs, batch_size):
    recorder = Recorder()
    batches = make_batches(20, batch_size)
    run(
        Linear(),
        batches,
        max_epochs=max_epochs,
        lr=0.5,
        encoder_lr=0.2,
        weight_decay=0.1,
        callbacks=[recorder],
    )
    n_steps = max_epochs * len(batches)
    expected = [learning_rate(step, n_steps, 1) for step in range(n_steps)]
    # Encoder and head, each with its weights and its biases.
    peaks = [0.2, 0.2, 0.5, 0.5]
    assert_allclose(recorder.rates, np.outer(expected, peaks), rtol=1e-6, atol=1e-9)


def test_training_is_the_plain_loop():
    objective = Linear()
    plain = deepcopy(objective)
    weights = [plain.encoder.weight, plain.head.weight]
    biases = [plain.encoder.bias, plain.head.bias]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "weight_decay": 0.3}, {"params": biases}], weight_decay=0
    )
    history, step, n_steps = [], 0, 6 * 3
    for _ in range(6):
        total = 0
        for (X,) in make_batches():
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, n_steps, 0.05)
            optimizer.zero_grad()
            loss = plain(X)
            loss.backward()
            optimizer.step()
            step += 1
            total += len(X) * loss.item()
        history.append(total / 20)
    got = run(objective, max_epochs=6, lr=0.05, weight_decay=0.3)
    assert_allclose(got[:, "train_loss"], history, rtol=1e-5)
    for name, value in plain.state_dict().items():
        assert_allclose(objective.state_dict()[name], value, rtol=1e-4, atol=1e-6)


def test_no_tensor_is_kept_for_each_step():
    """Between large tensors it would keep their memory from being used again."""

    class Count(Callback):
        def on_batch_end(self, net, training, **_):
            values = [v for row in net.history[-1]["batches"] for v in row.values()]
            assert not any(torch.is_tensor(value) for value in values)

    batches = make_batches()
    run(Linear(), batches, valid_batches=batches, callbacks=[Count()])


def test_explosive_gradients_are_scaled_down_and_others_left_alone():
    norms = {}
    for scale in (1e-3, 1e4):
        torch.manual_seed(0)
        objective = Linear(scale=scale)
        (X,) = next(iter(make_batches()))
        objective(X).backward()
        grads = [p.grad.clone() for p in objective.parameters()]
        norms[scale] = nn.utils.get_total_norm(grads).item()
        recorder = Recorder()
        run(objective, max_epochs=1, callbacks=[recorder])
        expected = min(norms[scale], MAX_GRADIENT_NORM)
        assert recorder.norms[0] == pytest.approx(expected, rel=1e-4)
    assert norms[1e-3] < MAX_GRADIENT_NORM < norms[1e4]


def test_after_step_is_told_the_progress():
    class Progress(Linear):
        def after_step(self, progress):
            seen.append(progress)

    seen = []
    run(Progress(), max_epochs=2)
    assert_allclose(seen, np.arange(1, 7) / 6)


# Validation and stopping


def test_best_weights_are_restored_and_patience_is_kept():
    valid = [3, 2, 1, 1.5, 1.2, 1, 0.5]
    objective = Scripted([1.0] * 7, valid)
    one = make_batches(batch_size=20)
    history = run(objective, one, valid_batches=one, max_epochs=7, patience=3)
    assert_allclose(history[:, "valid_loss"], valid[:6])
    assert objective.epoch == 3


def test_without_patience_the_last_weights_stay():
    objective = Scripted([1.0] * 5)
    history = run(objective, make_batches(batch_size=20))
    assert len(history) == objective.epoch == 5
    assert "valid_loss" not in history[0]


def test_restored_weights_have_the_best_validation_loss():
    class Drifting(Corrupted):
        @torch.no_grad()
        def after_step(self, progress):
            self.head.bias += 0.1 * (progress > 0.6)

    objective = Drifting()
    valid = make_batches(12)
    history = run(objective, valid_batches=valid, max_epochs=9, patience=9, seed=7)
    with draws_from(7), torch.no_grad():
        losses = [(len(X), objective(X).item()) for (X,) in valid]
    loss = sum(n * loss for n, loss in losses) / 12
    assert loss == pytest.approx(min(history[:, "valid_loss"]), rel=1e-6)
    assert loss < 0.9 * history[-1, "valid_loss"]


def test_validation_corruptions_are_the_same_in_every_epoch():
    history = run(Corrupted(), valid_batches=make_batches(12), lr=1e-30, patience=9)
    assert len(set(history[:, "valid_loss"])) == 1
    assert len(set(history[:, "train_loss"])) == 5


def test_training_ends_in_evaluation_mode():
    objective = Linear()
    run(objective)
    assert not any(module.training for module in objective.modules())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_loss_that_is_not_finite_at_once_is_an_error(bad, part):
    losses = {"train": [1.0], "valid": [1.0], part: [bad]}
    one = make_batches(batch_size=20)
    with pytest.raises(ValueError, match=r"epoch 1 with lr=0\.1; lower `lr`"):
        run(Scripted(*losses.values()), one, valid_batches=one, patience=2)


@pytest.mark.parametrize("patience", [None, 3])
def test_a_loss_that_is_not_finite_later_keeps_the_finite_weights(patience):
    objective = Scripted([1.0, 0.9, math.nan, 0.8], [1.0, 0.9, 1.0, 0.8])
    one = make_batches(batch_size=20)
    valid = None if patience is None else one
    with pytest.warns(ConvergenceWarning, match=r"epoch 3 with lr=0\.1.*were kept"):
        history = run(objective, one, valid_batches=valid, patience=patience)
    assert len(history) == 3
    assert objective.epoch == 2

"""Callbacks of skorch that cannot work here are named, with the remedy."""

import numpy as np
import pytest
import torch
from discovery import tiny
from skorch import callbacks

from skgex import SCARF, FineTunedClassifier

X = np.random.default_rng(0).standard_normal((60, 20)).astype(np.float32)


def fit(*given, **parameters):
    return tiny(SCARF, callbacks=list(given), max_epochs=2, **parameters).fit(X)


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (callbacks.EpochScoring("accuracy"), "EpochScoring, .*ScoringMonitor"),
        (callbacks.BatchScoring("accuracy"), "BatchScoring, .*ScoringMonitor"),
        (callbacks.LRScheduler("StepLR", step_size=1), "LRScheduler, .*peak by `lr`"),
        (callbacks.LRScheduler, "LRScheduler, .*peak by `lr`"),
        (callbacks.InputShapeSetter(), "InputShapeSetter, .*leave it out"),
        (callbacks.PassthroughScoring, "class PassthroughScoring.* give an instance"),
        (("KeepWeights", callbacks.EpochTimer()), "names a callback 'KeepWeights'"),
        ((3, callbacks.EpochTimer()), "names a callback 3: names must be strings"),
    ],
)
def test_refused_before_training(callback, message):
    with pytest.raises(ValueError, match=f"callbacks .*{message}"):
        tiny(FineTunedClassifier, callbacks=[callback]).fit(X, np.arange(60) % 2)


def test_two_of_one_name():
    timer = callbacks.EpochTimer()
    with pytest.raises(ValueError, match=r"names a callback 'a': .*no two the same"):
        fit(("a", timer), ("a", callbacks.EpochTimer()))


@pytest.mark.parametrize(
    "callback", [callbacks.EarlyStopping(), callbacks.Checkpoint()]
)
def test_a_validation_loss_that_is_not_there(callback):
    message = r"callbacks holds \w+, which failed in on_epoch_end: .*n_iter_no_change"
    with pytest.raises(ValueError, match=message):
        fit(callback)


def test_with_early_stopping_it_is_there():
    stop = callbacks.EarlyStopping(sink=lambda _: None)
    fitted = fit(stop, n_iter_no_change=2, validation_fraction=0.3)
    assert len(fitted.history_) == 2


def test_arguments_that_skorch_cannot_use():
    wrong = callbacks.ParamMapper("encoder*", fn="unknown", at=1)
    message = r"ParamMapper, which failed in on_epoch_begin: .*look at its arguments"
    with pytest.raises(ValueError, match=message):
        fit(wrong)


class Fails(callbacks.Callback):
    def on_epoch_end(self, net, **_):
        raise LookupError("valid_loss of the user")


def test_errors_of_the_users_own_are_left_alone():
    with pytest.raises(LookupError, match="valid_loss of the user"):
        fit(Fails())


class SwitchesOff(callbacks.Callback):
    def on_epoch_begin(self, net, **_):
        torch.set_grad_enabled(False)


@pytest.mark.parametrize("callback", [callbacks.Freezer("*"), SwitchesOff()])
def test_nothing_left_to_train(callback):
    with pytest.raises(ValueError, match=r"No weight is left to train: .*`callbacks`"):
        fit(callback)
    assert torch.is_grad_enabled()


def test_some_weights_may_be_frozen():
    class Look(callbacks.Callback):
        def on_train_begin(self, net, **_):
            self.before = net.module_.encoder.layers[0].weight.detach().clone()

    look = Look()
    fitted = fit(look, callbacks.Freezer("encoder.layers.0.*"))
    np.testing.assert_array_equal(
        fitted.encoder_.layers[0].weight.detach(), look.before
    )


class StopsWithAnyName(callbacks.Callback):
    def on_epoch_end(this, net, **_):
        raise KeyboardInterrupt


def test_a_callback_stops_whatever_it_calls_itself():
    assert len(fit(StopsWithAnyName()).history_) == 1

"""What cannot work is named, with the remedy, and a fit that diverged says so."""

import signal
import time

import numpy as np
import pandas as pd
import pytest
import skorch.callbacks
import torch
from discovery import (
    EMBEDDERS,
    FINE_TUNED,
    SURVIVAL,
    TRAINED,
    class_name,
    make_target,
    tiny,
    with_network,
)
from sklearn.exceptions import ConvergenceWarning

from skgex import SCARF, VIME, FineTunedClassifier, FineTunedRegressor, GexBERT
from skgex._training import check_callbacks
from skgex._training._callbacks import KeepWeights, raised_by_callback

X = np.random.default_rng(0).standard_normal((60, 20)).astype(np.float32)
CLASSES = np.arange(60) % 2
EACH = pytest.mark.parametrize("Estimator", TRAINED, ids=class_name)


def fit(estimator, X=X, y=None):
    target = make_target(type(estimator), CLASSES, X[:, 0]) if y is None else y
    return estimator.fit(X, target)


@EACH
@pytest.mark.parametrize("device", ["meta", torch.device("meta"), "xla"])
def test_devices_that_compute_nothing(Estimator, device):
    with pytest.raises(ValueError, match=r"device='(meta|xla)'.* use 'auto', 'cpu'"):
        fit(tiny(Estimator, device=device))


@EACH
@pytest.mark.parametrize("wrong", [3, "EpochTimer", None, ("name", 3), int])
def test_callbacks_that_are_none(Estimator, wrong):
    # Before anything is trained: the embedder inside would draw, and take its time.
    with pytest.raises(ValueError, match=r"callbacks holds .*not a callback of skorch"):
        fit(tiny(Estimator, callbacks=[wrong], max_epochs=0))


def test_callbacks_as_skorch_takes_them():
    kinds = [skorch.callbacks.EpochTimer, skorch.callbacks.EpochTimer()]
    check_callbacks([*kinds, *zip("ab", kinds, strict=True)])
    check_callbacks(None)
    assert len(tiny(SCARF, callbacks=kinds[1:]).fit(X).history_) == 5


@pytest.mark.parametrize("clip", [10**30, 1e300])
def test_a_bound_beyond_single_precision_bounds_nothing(clip):
    found, expected = (tiny(SCARF, clip=c).fit(X).transform(X) for c in (clip, 1e30))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "embedder",
    [
        tiny(SCARF, temperature=10**30),
        tiny(VIME, alpha=10**30),
        tiny(GexBERT, n_heads=True),
    ],
    ids=["temperature", "alpha", "n_heads"],
)
def test_numbers_that_torch_does_not_take(embedder):
    assert np.isfinite(embedder.set_params(max_epochs=1).fit(X).transform(X)).all()


@pytest.mark.parametrize(
    "covariates", [np.array(2), torch.tensor(2)], ids=["np", "torch"]
)
def test_covariates_without_a_dimension(covariates):
    with pytest.raises(ValueError, match=r"covariates has .*: give names or positions"):
        fit(tiny(FineTunedClassifier, covariates=covariates))


# Fits that diverge


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("Estimator", FINE_TUNED + SURVIVAL, ids=class_name)
@pytest.mark.parametrize("rates", [{"lr": 1e9}, {"encoder_lr": 1e9}], ids=str)
def test_a_diverged_network_is_refused_or_finite(Estimator, rates):
    estimator = tiny(Estimator, **{**with_network(Estimator), **rates}, max_epochs=3)
    try:
        answer = fit(estimator).predict(X)
        assert np.isfinite(estimator.transform(X)).all()
    except ValueError as error:
        assert f"`{next(iter(rates))}`" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(answer).all()


def test_the_encoder_is_named_if_it_is_what_diverges():
    message = r"encoder_lr=1e\+09; lower `encoder_lr`, or"
    with pytest.warns(ConvergenceWarning, match=message):
        fit(FineTunedClassifier(tiny(SCARF), encoder_lr=1e9, max_epochs=3))


@pytest.mark.parametrize(
    ("embedder", "message"),
    [
        (
            VIME(alpha=1e300),
            "alpha=1e\\+300 and lr=0.001; lower `alpha`, or lower `lr`",
        ),
        (SCARF(temperature=1e-300), "raise `temperature`, or lower `lr`"),
    ],
    ids=["alpha", "temperature"],
)
def test_what_may_have_made_a_loss_explode_is_named(embedder, message):
    with pytest.raises(ValueError, match=message):
        embedder.set_params(max_epochs=2).fit(X)


@EACH
def test_a_decay_that_would_make_weights_grow(Estimator):
    estimator = tiny(Estimator, **{"weight_decay": 1e30, **with_network(Estimator)})
    with pytest.raises(ValueError, match=r"weight_decay=1e\+30 .*lower `weight_decay`"):
        fit(estimator)


def test_weights_that_are_not_finite_are_not_kept():
    class Spoil(skorch.callbacks.Callback):
        def on_epoch_end(self, net, **_):
            if len(net.history) == 2:
                net.module_.encoder.layers[0].weight.data[0, 0] = torch.nan

    scarf = tiny(SCARF, callbacks=[Spoil()])
    # The weights of the second epoch were looked at before the callback spoils them.
    with pytest.warns(UserWarning, match="not finite in epoch 3 .*were kept"):
        scarf.fit(X)
    assert np.isfinite(scarf.transform(X)).all()


# Data


@pytest.mark.parametrize("Estimator", EMBEDDERS, ids=class_name)
def test_two_columns_of_one_gene(Estimator):
    table = pd.DataFrame(X, columns=["TP53", "TP53", *range(18)]).rename(columns=str)
    with pytest.raises(ValueError, match=r"2 columns of the gene 'TP53': keep one"):
        tiny(Estimator).fit(table)


@pytest.mark.parametrize("Estimator", EMBEDDERS, ids=class_name)
def test_tensors_that_require_gradients(Estimator):
    tensor = torch.from_numpy(X.copy()).requires_grad_()
    with pytest.raises(ValueError, match=r"X\.detach\(\)"):
        tiny(Estimator).fit(tensor)
    found, expected = (tiny(Estimator).fit(data) for data in (tensor.detach(), X))
    np.testing.assert_array_equal(found.transform(X), expected.transform(X))


@pytest.mark.parametrize("Estimator", FINE_TUNED + SURVIVAL, ids=class_name)
def test_targets_and_weights_that_require_gradients(Estimator):
    tensor = torch.ones(60, requires_grad=True)
    with pytest.raises(ValueError, match=r"y is a tensor that .* give y\.detach\(\)"):
        fit(tiny(Estimator), y=tensor)
    target = make_target(Estimator, CLASSES, X[:, 0])
    with pytest.raises(ValueError, match=r"give sample_weight\.detach\(\)"):
        tiny(Estimator).fit(X, target, sample_weight=tensor)


@pytest.mark.parametrize("Estimator", EMBEDDERS, ids=class_name)
def test_values_beyond_single_precision(Estimator):
    wide = X.astype(float)
    wide[3, 5] = 1e200
    with pytest.raises(ValueError, match=r"infinity: sample 3, gene 5.*beyond 3e38"):
        tiny(Estimator).fit(wide)


def test_labels_that_are_none():
    y = np.array(["a", "b"] * 30, dtype=object)
    y[4:9] = None
    with pytest.raises(
        ValueError, match=r"y is None for 5 samples, sample 4 the first"
    ):
        tiny(FineTunedClassifier).fit(X, y)


@pytest.mark.parametrize("freeze", [False, True])
def test_one_labelled_sample(freeze):
    y = np.full(60, np.nan)
    y[7] = 1.0
    regressor = tiny(FineTunedRegressor, unlabeled=np.nan, freeze=freeze)
    with pytest.raises(ValueError, match=r"Only sample 7 is labelled.*`unlabeled`"):
        regressor.fit(X, y)
    y[8] = 2.0
    assert np.isfinite(regressor.fit(X, y).predict(X)).all()


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf])
def test_class_weights_that_are_none(weight):
    classifier = tiny(FineTunedClassifier, class_weight={0: 1, 1: weight})
    with pytest.raises(ValueError, match=r"class_weight has .* for class 1; "):
        classifier.fit(X, CLASSES)


def test_class_weights_that_leave_nothing():
    classifier = tiny(FineTunedClassifier, class_weight={0: 0, 1: 0})
    with pytest.raises(ValueError, match=r"class_weight=.* leaves no sample a weight"):
        classifier.fit(X, CLASSES)


@pytest.mark.parametrize("value", [1e300, -1e200])
def test_targets_too_large_to_square(value):
    y = X[:, 0].astype(float)
    y[3] = value
    with pytest.raises(ValueError, match=r"y has -?1e\+[23]00, whose square is too"):
        tiny(FineTunedRegressor).fit(X, y)


# Ctrl-C


class Busy(skorch.callbacks.Callback):
    """Is at work when the user interrupts."""

    def on_epoch_end(self, net, **_):
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.01)


class Computing(Busy):
    """The same, in the middle of a call."""

    def on_epoch_end(self, net, **_):
        sum(map(interrupt_once, range(100)))


def interrupt_once(number):
    if number == 50:
        signal.raise_signal(signal.SIGINT)
    return number


@pytest.fixture
def _interruptible():
    """Python's own handler, which a shell takes away from what runs behind it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("Callback", [Busy, Computing])
def test_ctrl_c_inside_a_callback_raises(Callback):
    scarf = tiny(SCARF, callbacks=[Callback()])
    with pytest.raises(KeyboardInterrupt):
        scarf.fit(X)
    assert not hasattr(scarf, "encoder_")


def test_a_statement_of_a_callback_is_skorchs_way_to_stop():
    class Stop(skorch.callbacks.Callback):
        def on_epoch_end(self, net, **_):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    assert len(tiny(SCARF, callbacks=[Stop()]).fit(X).history_) == 2


def test_the_core_itself_does_not_stop_so():
    class Own(KeepWeights):
        def stop(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        Own(None).stop()
    assert not raised_by_callback(caught.value)

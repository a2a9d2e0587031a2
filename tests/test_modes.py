"""What a caller has set in torch has no part in what is computed, and stays set."""

import subprocess
import sys
from contextlib import contextmanager
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import LEARNERS, class_name, make_target, tiny, with_network
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator

import skgex
from skgex import GexBERT
from skgex.datasets import make_expression

X = make_expression(n_samples=60, n_genes=20, random_state=0).astype(np.float32)
X[::7, 3] = np.nan
TABLE = pd.DataFrame(X, columns=[f"G{i}" for i in range(20)])
CLASSES = np.arange(60) % 2
ANSWERS = (
    *("transform", "predict", "predict_proba", "predict_survival_function"),
    *("restore", "attention", "embed_genes", "score_samples", "score"),
)


@contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        yield
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device():
    torch.set_default_device("meta")
    try:
        yield
        assert torch.get_default_device().type == "meta"
    finally:
        torch.set_default_device(None)


MODES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "bfloat16": partial(torch.autocast, "cpu", torch.bfloat16),
    "float16": partial(torch.autocast, "cpu", torch.float16),
    "float64": default_dtype,
    "meta": default_device,
}
EACH_MODE = pytest.mark.parametrize("mode", MODES.values(), ids=list(MODES))
EACH = pytest.mark.parametrize("Estimator", LEARNERS, ids=class_name)


def make(Estimator, **parameters):
    return tiny(Estimator, **with_network(Estimator), **parameters)


def fitted(estimator):
    return estimator.fit(X, make_target(type(estimator), CLASSES, X[:, 0]))


def answers(estimator):
    """Return what a fitted estimator says of the samples, by method."""
    found = {}
    for name in ANSWERS:
        if not hasattr(estimator, name):
            continue
        target = make_target(type(estimator), CLASSES, X[:, 0])
        arguments = [X] if name != "score" else [X, target]
        said = getattr(estimator, name)(*arguments)
        if name == "predict_survival_function":
            said = np.stack([curve.y for curve in said])
        found[name] = np.asarray(said)
        assert found[name].dtype in (np.float32, np.float64, np.int64)
    return found


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert values.dtype == other[name].dtype
        assert_array_equal(values, other[name])


@cache
def without(Estimator):
    """Return what is fitted outside of any mode, and its answers."""
    estimator = fitted(make(Estimator))
    return estimator, answers(estimator)


@EACH
@EACH_MODE
def test_a_fit_is_what_it_is_without(mode, Estimator):
    with mode():
        estimator = fitted(make(Estimator))
    assert_same(answers(estimator), without(Estimator)[1])
    for part in ("objective_", "encoder_", "head_", "linear_"):
        module = getattr(estimator, part, None) or torch.nn.Module()
        for tensor in module.parameters():
            assert tensor.dtype == torch.float32
            assert tensor.device.type == "cpu"
            assert not tensor.is_inference()


@EACH
@EACH_MODE
def test_a_fitted_estimator_answers_as_without(mode, Estimator, tmp_path):
    estimator, expected = without(Estimator)
    with mode():
        assert_same(answers(estimator), expected)
        if hasattr(estimator, "save"):
            estimator.save(tmp_path / "model.safetensors")
            loaded = skgex.load(tmp_path / "model.safetensors")
            assert_same(answers(loaded), expected)


SOME = TABLE.iloc[:, ::2]


def trained(prior):
    start = make(GexBERT, prior=prior).fit(TABLE)
    options = {"start": FrozenEstimator(start), "prior": prior}
    embedder = make(GexBERT, **options).fit(TABLE)
    return embedder.set_params(warm_start=True, start=None).fit(SOME)


@cache
def trained_without(prior):
    return trained(prior).transform(SOME)


@EACH_MODE
@pytest.mark.parametrize("prior", ["low_rank", None])
def test_pretraining_goes_on_from_what_was_fitted_in_a_mode(mode, prior):
    with mode():
        found = trained(prior)
    assert_array_equal(found.transform(SOME), trained_without(prior))


def test_a_fit_inside_another_mode_leaves_it():
    with torch.no_grad():
        fitted(make(GexBERT, max_epochs=1))
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        fitted(make(GexBERT, max_epochs=1))
        assert torch.is_inference_mode_enabled()
    with torch.autocast("cpu", torch.bfloat16):
        fitted(make(GexBERT, max_epochs=1))
        assert torch.is_autocast_enabled("cpu")


FORKED = """
import os, signal, torch
torch.set_num_threads(2)
from skgex import SCARF
from skgex.datasets import make_expression
X = make_expression(n_samples=300, n_genes=300, random_state=0)
model = SCARF(max_epochs=1, random_state=0).fit(X)
expected = model.transform(X)
if hasattr(os, "fork"):
    child = os.fork()
    if child == 0:
        signal.alarm(100)
        os._exit(0 if abs(model.transform(X) - expected).max() < 1e-4 else 1)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_process_does_not_wait_for_threads_of_its_parent():
    # OpenMP waited forever: subprocess.TimeoutExpired.
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=120)

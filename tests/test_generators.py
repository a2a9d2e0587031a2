"""What is drawn is each fit's own, whoever else draws in the same process."""

import ast
import threading
from pathlib import Path

import numpy as np
import pytest
import skorch.callbacks
import torch
from discovery import (
    EMBEDDERS,
    LEARNERS,
    TRAINED,
    class_name,
    make_target,
    takes,
    tiny,
    with_network,
)
from numpy.testing import assert_array_equal
from torch import nn

import skgex
from skgex import GexBERT, GexImputer
from skgex._persistence._classes import class_name as stored_name
from skgex._persistence._classes import find_class
from skgex.datasets import load_pretrained, make_expression
from skgex.nn._draws import (
    Draws,
    draws_from,
    generator,
    integers,
    normal,
    permutation,
    random_int16,
    uniform,
)
from skgex.nn._dropout import Dropout
from skgex.nn._layers import linear

ROOT = Path(skgex.__file__).parent
X = make_expression(n_samples=60, n_genes=20, random_state=0).astype(np.float32)
X[::7, 3] = np.nan
CLASSES = np.arange(60) % 2
# Functions of torch and methods of tensors that draw, and what only a generator may do.
DRAWING = {
    *("rand", "randn", "randint", "randperm", "bernoulli", "normal", "multinomial"),
    *("poisson", "rand_like", "randn_like", "randint_like", "normal_", "uniform_"),
    *("random_", "bernoulli_", "exponential_", "geometric_", "cauchy_", "log_normal_"),
    *("kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_"),
    *("trunc_normal_", "orthogonal_"),
}
GLOBAL = {
    *("manual_seed", "fork_rng", "seed", "set_rng_state", "default_generator"),
    *("dropout", "alpha_dropout", "svd_lowrank", "pca_lowrank", "Linear", "Dropout"),
    *("Embedding", "MultiheadAttention", "distributions", "scaled_dot_product"),
}


def of_torch(node):
    """Whether an expression begins with torch, its nn or its functional."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in ("torch", "nn", "F")


def careless_draws(source):
    """Yield what draws from a global generator, or moves it, in some source code."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = node.func.attr
        method = name.endswith("_") and name in DRAWING
        if (method or (of_torch(node.func) and name in DRAWING)) and not any(
            word.arg == "generator" for word in node.keywords
        ):
            yield name
        if of_torch(node.func) and name in GLOBAL:
            yield name


def test_no_draw_of_the_package_is_without_a_generator():
    found = {
        str(path.relative_to(ROOT)): list(careless_draws(path.read_text()))
        for path in ROOT.rglob("*.py")
    }
    assert not {path: names for path, names in found.items() if names}


def test_the_reader_of_draws_reads():
    source = (
        "torch.rand(3); X.normal_(); nn.Linear(2, 3); torch.manual_seed(0)\n"
        "torch.rand(3, generator=g); X.normal_(generator=g); rng.random(3)"
    )
    assert sorted(careless_draws(source)) == [
        "Linear",
        "manual_seed",
        "normal_",
        "rand",
    ]


# One fit beside others


def outcome(estimator):
    """Return all that is learnt, as arrays."""
    estimator.fit(X, make_target(type(estimator), CLASSES, X[:, 0]))
    arrays = [estimator.transform(X)] if hasattr(estimator, "transform") else []
    for part in ("objective_", "encoder_", "head_", "linear_"):
        if getattr(estimator, part, None) is not None:
            state = getattr(estimator, part).state_dict()
            arrays += [value.numpy() for value in state.values()]
    return arrays


def beside_others(make, n_threads=3):
    """Return what fits learn that run in threads at once."""
    found = [None] * n_threads
    ready = threading.Barrier(n_threads)

    def run(place):
        ready.wait()
        found[place] = outcome(make())

    threads = [threading.Thread(target=run, args=[i]) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def drawing(Estimator):
    """Return an estimator that draws all it can, dropout as well."""
    more = {"dropout": 0.2} if takes(Estimator, "dropout") else {}
    return tiny(Estimator, **more, **with_network(Estimator))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("Estimator", TRAINED, ids=class_name)
def test_fits_in_threads_are_those_that_run_alone(Estimator, global_generators):
    alone = outcome(drawing(Estimator))
    for found in beside_others(lambda: drawing(Estimator)):
        for mine, its in zip(alone, found, strict=True):
            assert_array_equal(mine, its)


@pytest.mark.parametrize("Estimator", LEARNERS, ids=class_name)
def test_the_global_generators_have_no_part(Estimator):
    found = []
    for seed in range(2):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
        found.append(outcome(tiny(Estimator)))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    for first, second in zip(*found, strict=True):
        assert_array_equal(first, second)


class Drawing(skorch.callbacks.Callback):
    """Draws itself, from torch's generator and numpy's."""

    def on_batch_end(self, net, **_):
        torch.rand(3)
        np.random.rand(3)  # noqa: NPY002


@pytest.mark.parametrize("Estimator", TRAINED, ids=class_name)
def test_callbacks_and_lines_that_are_printed_have_no_part(Estimator, capsys):
    watched = {"callbacks": [Drawing()], "verbose": 1}
    one, other = (
        outcome(drawing(Estimator).set_params(**more)) for more in ({}, watched)
    )
    for first, second in zip(one, other, strict=True):
        assert_array_equal(first, second)
    assert "train_loss" in capsys.readouterr().out


@pytest.mark.parametrize("Estimator", EMBEDDERS, ids=class_name)
def test_another_seed_draws_otherwise(Estimator):
    first, second = (
        drawing(Estimator).set_params(random_state=seed, standardize=False)
        for seed in (0, 1)
    )
    assert (outcome(first)[0] != outcome(second)[0]).any()


def test_posterior_draws_in_threads_are_those_that_run_alone(global_generators):
    def make():
        return GexImputer(tiny(GexBERT), sample_posterior=True, random_state=0)

    alone = outcome(make())[0]
    for found in beside_others(make):
        assert_array_equal(found[0], alone)


# What is drawn


def test_generators_repeat_and_are_handed_back():
    assert generator() is None
    with draws_from(3):
        outer = generator()
        first = uniform((4,))
        with draws_from(3):
            assert torch.equal(uniform((4,)), first)
        assert generator() is outer
        assert not torch.equal(uniform((4,)), first)
    assert generator() is None


def test_what_is_kept_is_drawn_aside():
    draws = Draws(3)
    drawn = torch.rand(3, generator=draws.generator(torch.device("cpu")))
    aside = [torch.rand(3, generator=draws.aside("cpu")) for _ in range(2)]
    assert torch.equal(*aside)
    assert not torch.equal(aside[0], drawn)


def test_draws_have_their_distributions():
    with draws_from(0):
        assert uniform((20000,)).mean() == pytest.approx(0.5, abs=0.01)
        assert normal((20000,)).std() == pytest.approx(1, abs=0.02)
        counts = integers(5, (20000,)).bincount(minlength=5) / 20000
        assert_array_equal(permutation(50).sort().values, np.arange(50))
        bits = random_int16((20001,)).double()
    assert counts.numpy() == pytest.approx(np.full(5, 0.2), abs=0.02)
    assert bits.mean() == pytest.approx(0, abs=600)
    assert bits.std() == pytest.approx(2**16 / 12**0.5, rel=0.02)


def test_linear_layers_start_as_those_of_torch():
    with draws_from(0):
        ours = linear(50, 4000)
    theirs = nn.Linear(50, 4000)
    for name in ("weight", "bias"):
        mine, its = (getattr(layer, name) for layer in (ours, theirs))
        assert mine.std().item() == pytest.approx(its.std().item(), rel=0.03)
        assert mine.abs().max().item() == pytest.approx(50**-0.5, rel=0.01)
        assert mine.requires_grad


def test_files_of_earlier_versions_get_dropout_that_draws_from_the_fit():
    assert find_class("torch.Dropout") is Dropout
    assert find_class(stored_name(Dropout)) is Dropout
    parts = load_pretrained("gexbert-tcga90").objective_.modules()
    kinds = {type(part) for part in parts if isinstance(part, nn.Dropout)}
    assert kinds == {Dropout}


@pytest.mark.parametrize("p", [0.0, 0.2, 0.9])
def test_dropout_keeps_the_mean(p):
    layer, ones = Dropout(p), torch.ones(200, 300, requires_grad=True)
    with draws_from(0):
        out = layer(ones)
    out.sum().backward()
    assert sorted(set(out.unique().tolist())) == pytest.approx(
        [1.0] if not p else [0.0, 1 / (1 - p)]
    )
    assert out.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(ones.grad, out)
    assert torch.equal(layer.eval()(ones), ones)

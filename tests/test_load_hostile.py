"""Files that were made to harm: refused in bounded memory, never a part of a model."""

import json
import os
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load_file
from saved_files import header_of, rewrite, write_back
from sklearn.frozen import FrozenEstimator

from skgex import SCARF, GexImputer, load
from skgex._persistence._classes import _own_classes, is_public
from skgex.datasets import make_expression

X = make_expression(n_samples=30, n_genes=12, random_state=0)
N = 2**20


@pytest.fixture(scope="module")
def scarf():
    return SCARF(hidden_dims=(8, 4), max_epochs=0, random_state=0).fit(X)


@pytest.fixture
def saved(scarf, tmp_path):
    scarf.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def repeated(kind, dtype="float32"):
    """Name one array many times."""

    def edit(header, arrays):
        arrays["zz"] = np.zeros(N, dtype)
        node = {"$": kind, "of": ["zz", "float32", [N], [0]], "trained": False}
        header["estimator"]["state"]["more"] = [
            {**node, "id": 1000 + i} for i in range(300)
        ]

    return edit


def one_long_name(header, _):
    names = ["A"] * 4000 + ["B" * 100_000]
    node = {"$": "objects", "of": names, "shape": [len(names)], "dtype": "str"}
    header["estimator"]["state"]["feature_names_in_"] = node


def many_small_dicts(header, _):
    header["estimator"]["state"]["more"] = [{"": []}] * N


@pytest.mark.parametrize(
    "edit",
    [
        *(repeated(kind) for kind in ("array", "tensor", "parameter")),
        repeated("tensor", "float16"),
        one_long_name,
        many_small_dicts,
    ],
    ids=["array", "tensor", "parameter", "half precision", "long name", "dicts"],
)
def test_what_unfolds_is_refused_in_bounded_memory(saved, edit):
    rewrite(saved, edit)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"model\.safetensors.*would unfold to more"):
        load(saved)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * saved.stat().st_size + 2**26


def test_estimators_that_hold_each_other_are_walked_once(saved):
    def edit(header, _):
        inner = header["estimator"]["state"]
        for i in range(40):  # each holds the last one twice: 2^40 ways to the first
            node = {"$": "object", "id": 500 + i, "class": "skgex.SCARF"}
            again = {"$": "again", "of": 500 + i}
            inner["a_"], inner["b_"] = {**node, "state": {}}, again
            inner = inner["a_"]["state"]
        inner["device"] = "cpu"
        inner["round_"] = {"$": "again", "of": 500}

    rewrite(saved, edit)
    assert load(saved, device="cpu").transform(X).shape == (30, 4)


@pytest.mark.parametrize("deep", ["[" * 9999, '{"$":"tuple","of":[' * 300])
def test_what_is_nested_deeply(saved, deep):
    ends = "".join({"[": "]", "{": "}"}.get(mark, "") for mark in reversed(deep))
    header = json.loads(header_of(saved)["header"])
    header["estimator"]["state"]["more"] = "HERE"
    text = json.dumps(header).replace('"HERE"', deep + ends)
    write_back(saved, text, load_file(saved))
    with pytest.raises(ValueError, match="nested too deeply"):
        load(saved)


@pytest.mark.parametrize("position", [-1, 625, 10**6])
def test_a_generator_that_would_read_beyond_its_memory(tmp_path, position):
    path = tmp_path / "model.safetensors"
    imputer = GexImputer(
        random_state=np.random.RandomState(0), sample_posterior=True
    ).fit(X)
    imputer.save(path)

    def edit(header, _):
        header["estimator"]["state"]["random_state"]["of"][2] = position

    rewrite(path, edit)
    with pytest.raises(ValueError, match="random generator is out of range"):
        load(path)


def test_only_estimators_that_users_know_are_returned(saved):
    internal = [name for name, cls in _own_classes().items() if not is_public(cls)]
    assert "skgex.MLPEncoder" in internal
    for name in ["sklearn.FrozenEstimator", "skgex.LogCPM", *internal]:
        node = {"$": "object", "id": 0, "class": name, "state": {}, "training": False}
        node |= {"parameters": {}, "buffers": {}, "modules": {}}
        rewrite(saved, lambda header, _, node=node: header.update({"estimator": node}))
        with pytest.raises(ValueError, match=r"Cannot load .*model\.safetensors"):
            load(saved)
    assert not is_public(FrozenEstimator)


def test_an_estimator_without_what_fit_learnt(saved):
    def edit(header, _):
        state = header["estimator"]["state"]
        header["estimator"]["state"] = {k: v for k, v in state.items() if k[-1] != "_"}

    rewrite(saved, edit)
    with pytest.raises(ValueError, match=r"not valid, the file is damaged or was not"):
        load(saved)


@pytest.mark.parametrize("unit", [5, ["TPM"], {"$": "code"}])
def test_a_unit_that_is_no_text(saved, unit):
    rewrite(saved, lambda header, _: header.update({"unit": unit}))
    with pytest.raises(ValueError, match=r"not valid.*a unit of type"):
        load(saved)


def test_an_array_of_text_with_something_else(saved):
    def edit(header, _):
        node = {"$": "objects", "of": [["a"] * 9], "shape": [1], "dtype": "str"}
        header["estimator"]["state"]["more"] = node

    rewrite(saved, edit)
    with pytest.raises(ValueError, match="array of text holds something else"):
        load(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(saved, value):
    def edit(header, arrays):
        node = next(nodes_of(header, "parameter"))
        arrays[node["of"][0]] = np.full_like(arrays[node["of"][0]], value)

    rewrite(saved, edit)
    with pytest.raises(ValueError, match=r"model\.safe.*weights that are NaN or inf"):
        load(saved)


def nodes_of(part, kind):
    """Yield the descriptions of one kind in a header."""
    if isinstance(part, dict) and part.get("$") == kind:
        yield part
    if isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from nodes_of(inner, kind)


@pytest.mark.parametrize("path", [None, 1.5, True, []], ids=str)
def test_what_is_no_path(path):
    with pytest.raises(ValueError, match="a path is needed, not"):
        load(path)


def test_a_number_is_not_what_the_system_has_open(tmp_path):
    with open(tmp_path / "mine", "w") as file:
        with pytest.raises(ValueError, match="a path is needed"):
            load(file.fileno())
        file.write("still open")


def test_devices_are_not_waited_for():
    with pytest.raises(ValueError, match="it is a device or a pipe, and no file"):
        load(os.devnull)

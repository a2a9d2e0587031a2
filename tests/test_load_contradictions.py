"""Files with a true checksum whose parts contradict each other are refused."""

import numpy as np
import pandas as pd
import pytest
from saved_files import rewrite

from skgex import SCARF, FineTunedClassifier, load
from skgex.datasets import make_expression

X = make_expression(n_samples=30, n_genes=12, random_state=0)
TABLE = pd.DataFrame(X).add_prefix("gene")


@pytest.fixture(scope="module")
def tuned():
    embedder = SCARF(hidden_dims=(8, 4), max_epochs=0)
    tuned = FineTunedClassifier(embedder, max_epochs=0, random_state=0)
    return tuned.fit(TABLE, np.arange(30) % 2)


@pytest.fixture
def saved(tuned, tmp_path):
    tuned.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def names(*genes):
    node = {"$": "objects", "of": genes, "shape": [len(genes)], "dtype": "object"}
    return lambda state, _: state.update(feature_names_in_=node)


def number(n_genes):
    return lambda state, _: state.update(n_features_in_=n_genes)


def standardizer(state):
    return state["standardizer_"]


def layer(place):
    return lambda state: state["encoder_"]["modules"]["layers"]["modules"][place]


def replaced(part, kind, name, make):
    """Put what `make` returns of an array in its place."""

    def edit(state, arrays):
        of = part(state)[kind][name]["of"]
        arrays["zz"] = np.ascontiguousarray(make(arrays[of[0]]))
        of[0], of[2] = "zz", [*arrays["zz"].shape]

    return edit


def without(part, kind, name):
    return lambda state, _: part(state)[kind].pop(name)


def shorter(values):
    return values[:-1]


def unknown(values):
    return np.full_like(values, np.nan)


def without_a_class(state, arrays):
    replaced(lambda state: {"all": state}, "all", "classes_", shorter)(state, arrays)


def other_axes(state, _):
    layer("0")(state)["parameters"]["weight"]["of"][3] = [0, -1]


def negative_clip(state, _):
    standardizer(state)["state"]["clip"] = -1.0


EDITS = {
    "one name less": (names(*"abcdefghijk"), "of 12 genes, of which 11 have a name"),
    "a name twice": (names(*"abcdefghijka"), "of 12 genes, of which 11 have a name"),
    "no number": (number(None), "a FineTunedClassifier with None genes"),
    "one gene more": (number(13), "of 13 genes, of which 12 have a name"),
    "no gene": (number(0), "a FineTunedClassifier with 0 genes"),
    "genes in words": (number("12"), "a FineTunedClassifier with '12' genes"),
    "short mean": (
        replaced(standardizer, "buffers", "mean", shorter),
        r"standardizer_.mean of a FineTunedClassifier is of 11 genes, not 12",
    ),
    "NaN mean": (
        replaced(standardizer, "buffers", "mean", unknown),
        r"standardizer_.mean of a FineTunedClassifier has NaN",
    ),
    "no mean": (without(standardizer, "buffers", "mean"), "has no attribute 'mean'"),
    "negative clip": (negative_clip, "values are clipped at -1.0"),
    "short bias": (
        replaced(layer("0"), "parameters", "bias", shorter),
        r"bias of a Linear has shape \(7,\), not \(8,\)",
    ),
    "no bias": (without(layer("0"), "parameters", "bias"), "has no attribute 'bias'"),
    "short variance": (
        replaced(layer("1"), "buffers", "running_var", shorter),
        r"running_var of a BatchNorm1d has shape \(7,\), not \(8,\)",
    ),
    "NaN variance": (
        replaced(layer("1"), "buffers", "running_var", unknown),
        "running_var of a BatchNorm1d has NaN",
    ),
    "no activation": (
        lambda state, _: state["encoder_"]["modules"]["layers"]["modules"].pop("2"),
        "layers have the places 0, 1, 3",
    ),
    "one class less": (without_a_class, "1 classes, and 2 outputs"),
    "other axes": (other_axes, r"has no axes \[0, -1\]"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_contradiction_is_refused(saved, edit):
    change, message = EDITS[edit]
    rewrite(saved, lambda header, arrays: change(header["estimator"]["state"], arrays))
    with pytest.raises(ValueError, match=rf"Cannot load .*model\.safe.*{message}"):
        load(saved)


def test_a_parameter_of_another_version_is_named(saved, tuned):
    rewrite(saved, lambda header, _: header["estimator"]["state"].update(novel=3))
    with pytest.warns(UserWarning, match="not know the parameter 'novel' of FineTuned"):
        loaded = load(saved)
    np.testing.assert_array_equal(
        loaded.predict_proba(TABLE), tuned.predict_proba(TABLE)
    )

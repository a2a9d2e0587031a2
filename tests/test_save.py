"""One file for a fitted estimator: what comes back is what was saved, or an error."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import ESTIMATORS, class_name, make_target, tiny, with_network
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file
from saved_files import header_of, rewrite, write_back
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from skorch.callbacks import Callback

import skgex
from skgex import SCARF, VIME, FineTunedClassifier, GexBERT, GexImputer, load
from skgex._persistence._classes import PACKAGE, _own_classes
from skgex.datasets import make_expression

SAVED = [E for E in ESTIMATORS if hasattr(E, "save")]
NAMES = [f"G{i}" for i in range(24)]
TABLE = pd.DataFrame(
    make_expression(n_samples=60, n_genes=24, random_state=0), columns=NAMES
)
CLASSES = np.array(["a", "b", "c"])[np.arange(60) % 3]
METHODS = [
    "transform",
    "predict",
    "predict_proba",
    "restore",
    "attention",
    "predict_survival_function",
]


def fitted(Estimator, **parameters):
    estimator = tiny(Estimator, **with_network(Estimator), **parameters)
    target = make_target(Estimator, CLASSES, TABLE["G0"].to_numpy())
    return estimator.fit(TABLE, target)


def outputs(estimator, X=TABLE):
    """Return what all methods make of some samples."""
    found = {}
    for method in METHODS:
        if hasattr(estimator, method):
            options = {"return_array": True} if "survival" in method else {}
            found[method] = np.asarray(getattr(estimator, method)(X, **options))
    return found


def assert_same_outputs(first, second):
    first, second = outputs(first), outputs(second)
    assert first.keys() == second.keys() != set()
    for method, found in first.items():
        assert_array_equal(second[method], found)


@pytest.fixture(scope="module")
def scarf():
    return fitted(SCARF)  # not to be fitted again


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def saved(scarf, path):
    scarf.save(path, unit="log2(TPM + 1)")
    return path


@pytest.mark.parametrize("Estimator", SAVED, ids=class_name)
def test_round_trip(Estimator, path):
    estimator = fitted(Estimator)
    estimator.save(path)
    loaded = load(path)
    assert type(loaded) is Estimator
    assert_same_outputs(estimator, loaded)
    assert vars(loaded).keys() == vars(estimator).keys() | {"unit_"}
    assert_array_equal(loaded.feature_names_in_, NAMES)
    flat = loaded.get_params(deep=False)
    for name, value in estimator.get_params(deep=False).items():
        assert repr(flat[name]) == repr(value)
    # And once more: nothing is lost on the way.
    loaded.save(path)
    assert_same_outputs(estimator, load(path))


def test_all_but_selectors_and_preprocessors_can_be_saved():
    names = {"BYOL", "GexBERT", "GexImputer", "GeneRestorer", "SCARF", "VIME"}
    names |= {"FineTunedClassifier", "FineTunedRegressor", "FineTunedCoxPH"}
    assert names | {"FineTunedDiscreteHazard"} <= {E.__name__ for E in SAVED}


@pytest.mark.parametrize("Estimator", [GexBERT, FineTunedClassifier], ids=class_name)
def test_identical_predictions_in_a_fresh_process(Estimator, path, tmp_path):
    estimator = fitted(Estimator)
    estimator.save(path)
    TABLE.to_pickle(tmp_path / "X.pkl")
    code = (
        "import sys, numpy as np, pandas as pd, torch; torch.set_num_threads(1); "
        "import skgex; folder = sys.argv[1]; "
        "loaded = skgex.load(folder + '/model.safetensors'); "
        "out = loaded.transform(pd.read_pickle(folder + '/X.pkl')); "
        "np.save(folder + '/out.npy', out)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert_array_equal(np.load(tmp_path / "out.npy"), estimator.transform(TABLE))


def test_pretraining_goes_on_from_a_file(scarf, saved):
    loaded = load(saved)
    assert loaded.objective_.encoder is loaded.encoder_
    first = pickle.loads(pickle.dumps(scarf)).set_params(warm_start=True).fit(TABLE)
    second = loaded.set_params(warm_start=True).fit(TABLE)
    assert_array_equal(first.transform(TABLE), second.transform(TABLE))
    # Weights are the loaded estimator's own: another one does not see them change.
    assert_array_equal(load(saved).transform(TABLE), scarf.transform(TABLE))


def test_loaded_weights_start_fine_tuning(scarf, saved):
    first, second = (
        tiny(FineTunedClassifier, embedder=FrozenEstimator(embedder), max_epochs=2)
        for embedder in (scarf, load(saved))
    )
    first.fit(TABLE, CLASSES), clone(second).fit(TABLE, CLASSES)
    assert_same_outputs(first, second.fit(TABLE, CLASSES))


def test_a_frozen_embedder_is_saved_inside_of_its_user(scarf, path):
    model = FineTunedClassifier(FrozenEstimator(scarf), max_epochs=1, random_state=0)
    model.fit(TABLE, CLASSES).save(path)
    loaded = load(path)
    assert isinstance(loaded.embedder, FrozenEstimator)
    assert_same_outputs(loaded.embedder.estimator, scarf)
    assert_same_outputs(loaded, model)


def test_history_keeps_its_type(scarf, saved):
    history = load(saved).history_
    assert history == scarf.history_
    assert history[:, "train_loss"] == scarf.history_[:, "train_loss"]


def test_unit_and_versions_are_in_the_header(scarf, saved):
    assert load(saved).unit_ == "log2(TPM + 1)"
    assert not hasattr(scarf, "unit_")
    header = json.loads(header_of(saved)["header"])
    assert header["class"] == "skgex.SCARF"
    assert header["versions"]["skgex"] == skgex.__version__
    load(saved).save(saved)
    assert load(saved).unit_ == "log2(TPM + 1)"
    with pytest.raises(ValueError, match="unit=3 must be a str"):
        scarf.save(saved, unit=3)


def test_draws_go_on_where_they_were(path):
    imputer = fitted(GexImputer, sample_posterior=True, random_state=3)
    holed = TABLE.mask(np.random.default_rng(0).random(TABLE.shape) < 0.3)
    imputer.transform(holed)
    imputer.save(path)
    assert_array_equal(load(path).transform(holed), imputer.transform(holed))


def test_random_state_may_be_an_instance(path):
    random_state = np.random.RandomState(7)
    fitted(SCARF, random_state=random_state).save(path)
    assert load(path).random_state.randint(9999) == random_state.randint(9999)


def test_output_containers_are_kept(scarf, path):
    named = pickle.loads(pickle.dumps(scarf)).set_output(transform="pandas")
    named.save(path)
    assert list(load(path).transform(TABLE).columns[:2]) == ["scarf0", "scarf1"]


def test_files_are_hardly_larger_than_the_weights(path):
    X = pd.DataFrame(make_expression(n_samples=60, n_genes=2000, random_state=0))
    X.columns = [f"ENSG{i:011d}" for i in range(2000)]
    for estimator in (SCARF(max_epochs=1), GexBERT(max_epochs=1)):
        estimator.fit(X).save(path)
        tensors = estimator.objective_.state_dict() | (
            {f"own {k}": v for k, v in estimator.standardizer_.state_dict().items()}
        )
        n_bytes = {v.data_ptr(): v.nbytes for v in tensors.values()}
        assert path.stat().st_size <= 1.05 * sum(n_bytes.values())


def test_equal_arrays_are_saved_once(scarf, path):
    model = FineTunedClassifier(FrozenEstimator(scarf), freeze=True, max_epochs=1)
    model.fit(TABLE, CLASSES).save(path)
    arrays = load_file(path).values()
    assert sum(a.shape == (16, 24) for a in arrays) == 1
    loaded = load(path)
    own, other = loaded.encoder_, loaded.embedder.estimator.encoder_
    # But are not shared after loading.
    assert own.layers[0].weight is not other.layers[0].weight


def test_a_model_of_a_device_that_is_not_here(path, monkeypatch):
    scarf = fitted(SCARF)
    scarf.device = "cuda"
    model = fitted(FineTunedClassifier)
    model.embedder = FrozenEstimator(scarf)
    model.save(path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="device='cuda' of the saved SCARF"):
        loaded = load(path)
    assert loaded.embedder.estimator.device == "auto"
    assert loaded.device == "cpu"
    assert load(path, device="auto").device == "auto"


def test_callbacks_are_left_out_with_a_warning(path):
    scarf = fitted(SCARF, callbacks=[Callback()])
    with pytest.warns(UserWarning, match="SCARF: callbacks are not saved"):
        scarf.save(path)
    assert load(path).callbacks is None
    assert scarf.callbacks


def test_an_unfitted_estimator_is_refused(path):
    with pytest.raises(NotFittedError):
        SCARF().save(path)
    assert not path.exists()


def test_estimators_of_others_are_refused(path, scarf):
    class MyVIME(VIME):
        pass

    with pytest.raises(ValueError, match="MyVIME cannot be saved: only what is part"):
        fitted(MyVIME).save(path)
    odd = pickle.loads(pickle.dumps(scarf))
    odd.encoder_.layers.append(torch.nn.Tanh())
    with pytest.raises(ValueError, match="Tanh cannot be saved"):
        odd.save(path)
    odd = pickle.loads(pickle.dumps(scarf)).set_params(temperature=1j)
    with pytest.raises(ValueError, match=r"SCARF.temperature is 1j, a complex"):
        odd.save(path)
    assert not path.exists()


def test_an_interrupted_write_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(KeyboardInterrupt):
        load(saved).save(saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        load(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("content", [b"", b"\x80\x04N.", b"{}" * 20])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a safetensors file, or was cut short"):
        load(path)


def test_other_safetensors_files_are_refused(path):
    save_file({"a": np.ones(3)}, path)
    with pytest.raises(ValueError, match="not written by the save method"):
        load(path)


def test_a_newer_format_is_refused(saved):
    metadata = header_of(saved) | {"format_number": "2"}
    save_file(load_file(saved), saved, metadata)
    with pytest.raises(ValueError, match=r"number 2, and this version .* up to 1"):
        load(saved)


@pytest.mark.parametrize(
    "name", ["skgex.Nothing", "os.system", "torch.Transformer", "skgex.load"]
)
def test_unknown_classes_are_refused(saved, name):
    rewrite(saved, lambda header, _: header["estimator"].update({"class": name}))
    with pytest.raises(ValueError, match=f"holds '{name}', which this version"):
        load(saved)


def test_wrong_shapes_are_refused(saved):
    def shorten(header, arrays):
        name = max(arrays, key=lambda name: arrays[name].size)
        arrays[name] = arrays[name][:, 1:].copy()

    rewrite(saved, shorten)
    with pytest.raises(ValueError, match=r"array a\d+ is float32 of shape \(16, 23\)"):
        load(saved)


def test_layers_that_are_not_of_their_size_are_refused(saved):
    def widen(header, _):
        layers = header["estimator"]["state"]["encoder_"]["modules"]["layers"]
        layers["modules"]["0"]["state"]["in_features"] = 25

    rewrite(saved, widen)
    with pytest.raises(ValueError, match=r"Linear has shape \(16, 24\), not \(16, 25"):
        load(saved)


@pytest.mark.parametrize("node", [{"$": "code"}, {"$": "again", "of": 99}, {}])
def test_headers_without_sense_are_refused(saved, node):
    rewrite(saved, lambda header, _: header.update({"estimator": node}))
    with pytest.raises(ValueError, match=r"Cannot load .*: its content is not valid"):
        load(saved)


def test_what_is_no_estimator_is_refused(saved):
    encoder = json.loads(header_of(saved)["header"])["estimator"]["state"]["encoder_"]
    for node, kind in [(encoder, "MLPEncoder"), (5, "int"), ([], "list")]:
        rewrite(saved, lambda header, _, node=node: header.update({"estimator": node}))
        with pytest.raises(ValueError, match=f"it holds a {kind}, no estimator"):
            load(saved)


def test_deep_headers_do_not_exhaust_the_stack(saved):
    deep = '{"estimator":' + "[" * 10**5 + "]" * 10**5 + "}"
    write_back(saved, deep, load_file(saved))
    with pytest.raises(ValueError, match=r"not valid.*nested too deeply"):
        load(saved)


@pytest.fixture(scope="module")
def content(scarf, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "model.safetensors"
    scarf.save(path)
    return path, path.read_bytes(), scarf.transform(TABLE)


def test_every_change_of_a_value_is_noticed(content):
    path, before, _ = content
    start = 8 + int.from_bytes(before[:8], "little")
    for place in range(start, len(before), 101):
        after = bytearray(before)
        after[place] ^= 1
        path.write_bytes(after)
        with pytest.raises(ValueError, match="does not match its checksum"):
            load(path)


def test_a_change_of_a_parameter_is_noticed(content):
    path, before, _ = content
    after = before.replace(rb"\"temperature\":0.3", rb"\"temperature\":0.4")
    assert after != before
    path.write_bytes(after)
    with pytest.raises(ValueError, match="does not match its checksum"):
        load(path)


@given(data=st.data())
def test_damaged_files_never_load_as_another_model(content, data):
    path, before, expected = content
    after = bytearray(before)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(after) - 1))
        after[place] ^= data.draw(st.integers(1, 255))
    check_damaged(path, bytes(after), expected)


@given(data=st.data())
def test_files_that_were_cut_or_grew_never_load_as_another_model(content, data):
    path, before, expected = content
    start, stop = sorted(
        data.draw(st.lists(st.integers(0, len(before)), min_size=2, max_size=2))
    )
    added = data.draw(st.binary(max_size=20))
    if before[:start] + added + before[stop:] != before:
        check_damaged(path, before[:start] + added + before[stop:], expected)


def check_damaged(path, after, expected):
    path.write_bytes(after)
    try:
        loaded = load(path)
    except ValueError:
        return
    # Such as another kind of white space in the padding of the header.
    assert_array_equal(loaded.transform(TABLE), expected)


def test_names_in_files_are_unambiguous():
    names = [E.__name__ for E in ESTIMATORS]
    assert {f"{PACKAGE}.{name}" for name in names} <= _own_classes().keys()
    own = _all_subclasses(torch.nn.Module)
    own = [cls for cls in own if cls.__module__.startswith("skgex.")]
    assert len({cls.__name__ for cls in own}) == len(own)
    assert not {cls.__name__ for cls in own} & set(names)


def _all_subclasses(cls):
    return {cls, *(s for sub in cls.__subclasses__() for s in _all_subclasses(sub))}


def test_half_precision_halves_large_arrays_alone(tmp_path):
    wide = make_expression(n_samples=40, n_genes=600, random_state=0)
    embedder = VIME(max_epochs=1, random_state=0).fit(wide)
    paths = [tmp_path / "whole.safetensors", tmp_path / "half.safetensors"]
    for path, half in zip(paths, [False, True], strict=True):
        embedder.save(path, half_precision=half)
    arrays = load_file(paths[1]).values()
    assert {str(a.dtype) for a in arrays if a.size >= 2**17} == {"float16"}
    assert {str(a.dtype) for a in arrays if a.size < 2**17} >= {"float32"}
    assert paths[1].stat().st_size < 0.7 * paths[0].stat().st_size
    loaded = load(paths[1])
    weight = next(p for p in loaded.encoder_.parameters() if p.numel() >= 2**17)
    whole = next(p for p in embedder.encoder_.parameters() if p.numel() >= 2**17)
    assert weight.dtype == torch.float32
    assert_array_equal(weight.detach(), whole.detach().half().float())
    np.testing.assert_allclose(
        loaded.transform(wide), embedder.transform(wide), atol=0.02
    )


def test_what_half_precision_cannot_hold_stays_whole(tmp_path):
    embedder = GexBERT(prior=None, max_epochs=0, embedding_dim=8, n_heads=2)
    embedder.fit(TABLE)
    large = torch.full((2**17,), 1e6)
    embedder.objective_.register_buffer("large", large)
    embedder.save(tmp_path / "file.safetensors", half_precision=True)
    assert_array_equal(load(tmp_path / "file.safetensors").objective_.large, large)

"""What holds on each device of the machine; without a GPU that is the CPU."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import EMBEDDERS, SURVIVAL, class_name, make_follow_up, tiny
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skgex import FineTunedClassifier, load
from skgex._training import RowReader
from skgex.datasets import make_cohort

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

cohort = make_cohort(n_samples=120, n_genes=40, n_classes=2, random_state=0)
X, y = cohort.data, cohort.target


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_fitted_embedders_hold_cpu_tensors_and_embed_anywhere(
    Embedder, device, tmp_path
):
    embedder = tiny(Embedder).set_params(device=device).fit(X)
    tensors = [*embedder.objective_.state_dict().values()]
    tensors += embedder.standardizer_.state_dict().values()
    assert {tensor.device.type for tensor in tensors} == {"cpu"}
    assert not embedder.encoder_.training
    embedding = embedder.transform(X)
    embedder.save(tmp_path / "model.safetensors")
    for loaded in (
        pickle.loads(pickle.dumps(embedder)).set_params(device="cpu"),
        load(tmp_path / "model.safetensors", device="cpu"),
    ):
        np.testing.assert_allclose(loaded.transform(X), embedding, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_pretraining_goes_on_with_other_genes(Embedder, device):
    table = pd.DataFrame(X, columns=[f"G{i}" for i in range(40)])
    embedder = tiny(Embedder, device=device, warm_start=True).fit(table.iloc[:, :30])
    embedder.fit(table.iloc[:, 10:])
    assert np.isfinite(embedder.transform(table.iloc[:, 10:])).all()
    tensors = embedder.objective_.state_dict().values()
    assert {tensor.device.type for tensor in tensors} == {"cpu"}


@pytest.mark.parametrize("freeze", [False, True])
def test_fine_tuning_learns(device, freeze):
    embedder = tiny(EMBEDDERS[0]).set_params(device=device).fit(X)
    classifier = FineTunedClassifier(
        FrozenEstimator(embedder),
        freeze=freeze,
        max_epochs=20,
        lr=1e-2,
        device=device,
        random_state=0,
    )
    again = clone(classifier).fit(X, y).predict_proba(X)
    assert classifier.fit(X, y).score(X, y) > 0.8
    np.testing.assert_allclose(classifier.predict_proba(X), again, atol=1e-3)


@pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
@pytest.mark.parametrize("freeze", [False, True])
def test_survival_is_learnt_and_predicted_anywhere(Estimator, freeze, device):
    follow_up = make_follow_up(cohort.factors[:, 0])
    options = {"alpha": 5.0, "cv": None, "freeze": freeze, "device": device}
    for batch_size in ("auto", 32):
        model = tiny(Estimator, batch_size=batch_size, **options).fit(X, follow_up)
        modules = (model.linear_, model.standardizer_, model.encoder_, model.head_)
        for module in modules:
            assert {value.device.type for value in module.state_dict().values()} == {
                "cpu"
            }
        assert model.score(X, follow_up) > 0.7
        survival = model.predict_survival_function(X, return_array=True)
        loaded = pickle.loads(pickle.dumps(model)).set_params(device="cpu")
        on_cpu = loaded.predict_survival_function(X, return_array=True)
        np.testing.assert_allclose(on_cpu, survival, atol=1e-3)
    judged = tiny(Estimator, freeze=freeze, device=device).fit(X, follow_up)
    assert judged.score(X, follow_up) > 0.7


def test_data_larger_than_the_device_are_streamed(device, monkeypatch):
    whole = tiny(EMBEDDERS[0]).set_params(device=device).fit(X)
    monkeypatch.setattr(RowReader, "_fits_on_device", lambda self: False)
    streamed = tiny(EMBEDDERS[0]).set_params(device=device).fit(X)
    np.testing.assert_allclose(
        streamed.history_[:, "train_loss"], whole.history_[:, "train_loss"], rtol=1e-2
    )


def test_a_processor_by_its_number_is_the_processor():
    # Tensors are on "cpu", which torch takes for another device than "cpu:0".
    one, two = (
        tiny(EMBEDDERS[0]).set_params(device=name, random_state=0).fit_transform(X)
        for name in ("cpu", "cpu:0")
    )
    np.testing.assert_array_equal(one, two)

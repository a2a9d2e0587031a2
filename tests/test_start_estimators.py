"""Embedders with a start as estimators of scikit-learn: copies, files, tables."""

import pickle

import polars as pl
import pytest
from discovery import FINE_TUNED, SURVIVAL, class_name, make_target, tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from starts import NEW, OLD, assert_same_outputs, pair

from skgex import SCARF, load

Y = (NEW["G20"] > NEW["G20"].median()).to_numpy().astype(int)


def test_copies(embedder):
    old, new = pair(embedder)
    assert clone(new).start.estimator is old
    assert new.get_params()["start__estimator"] is old
    new.fit(NEW)
    again = pickle.loads(pickle.dumps(new))
    refitted = clone(again).fit(NEW)
    assert_same_outputs(again, new)
    assert_same_outputs(refitted, new)


def test_files_hold_what_came_out(embedder, tmp_path):
    _, new = pair(embedder)
    new.fit(NEW).save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.start is None
    assert new.start is not None
    assert_same_outputs(again, new)


def test_a_warm_start_goes_on_from_itself(embedder):
    old, new = pair(embedder)
    new.fit(NEW).set_params(warm_start=True, max_epochs=0)
    before = pickle.loads(pickle.dumps(new))
    # Neither the start nor another one has a say any more.
    for start in (new.start, FrozenEstimator(clone(old).fit(OLD[::2]))):
        assert_same_outputs(new.set_params(start=start).fit(NEW), before)


def test_output_containers(embedder):
    _, new = pair(embedder)
    Z, name = new.fit_transform(NEW), class_name(type(embedder)).lower()
    for kind, table in {"pandas": NEW, "polars": pl.from_pandas(NEW)}.items():
        frame = clone(new).set_output(transform=kind).fit_transform(table)
        assert list(frame.columns) == [f"{name}{i}" for i in range(Z.shape[1])]
        assert_array_equal(frame, Z)


@pytest.mark.parametrize("Estimator", FINE_TUNED + SURVIVAL, ids=class_name)
def test_fine_tuning_takes_such_an_embedder_as_it_is(Estimator):
    _, new = pair(tiny(SCARF))
    y = make_target(Estimator, Y, NEW["G20"].to_numpy())
    first = tiny(Estimator, embedder=new, max_epochs=1).fit(NEW, y)
    frozen = FrozenEstimator(clone(new).fit(NEW))
    second = tiny(Estimator, embedder=frozen, max_epochs=1).fit(NEW, y)
    assert_allclose(first.predict(NEW), second.predict(NEW), rtol=1e-5)

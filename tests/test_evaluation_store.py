"""Results of protocols that are kept in a folder, and what is told meanwhile."""

import pickle
import re
from functools import partial

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgex
from skgex import SCARF, GexBERT
from skgex.datasets import make_cohort
from skgex.evaluation import (
    cohort_size_curve,
    label_efficiency_curve,
    missingness_curve,
    panel_size_curve,
    transfer_matrix,
)
from skgex.evaluation._store import Store, digest

MODEL = {"a": GaussianNB()}
OPTIONS = {"rates": [0.3], "cv": 3}


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(n_samples=60, n_genes=10, n_classes=2, random_state=0)


class Counting(SimpleImputer):
    n_fits = 0
    stop_after = np.inf

    def fit(self, X, y=None):
        if Counting.n_fits >= Counting.stop_after:
            raise KeyboardInterrupt
        Counting.n_fits += 1
        return super().fit(X)


@pytest.fixture(autouse=True)
def counts():
    Counting.n_fits, Counting.stop_after = 0, np.inf
    return Counting


def test_what_was_interrupted_goes_on(cohort, counts, tmp_path):
    models = {"mean": Counting(), "median": Counting(strategy="median")}
    counts.stop_after = 4
    with pytest.raises(KeyboardInterrupt):
        missingness_curve(models, cohort.data, cache_dir=tmp_path, **OPTIONS)
    counts.stop_after = np.inf
    one = missingness_curve(models, cohort.data, cache_dir=tmp_path, **OPTIONS)
    assert counts.n_fits == 6
    two = missingness_curve(models, cohort.data, cache_dir=tmp_path, **OPTIONS)
    assert counts.n_fits == 6
    assert_frame_equal(two, one)
    without = missingness_curve(models, cohort.data, **OPTIONS)
    assert_frame_equal(
        without.drop(columns="fit_seconds"), one.drop(columns="fit_seconds")
    )


def test_other_estimators_data_and_seeds_are_other_results(cohort, counts, tmp_path):
    X, y = cohort.data, cohort.target
    options = {"cache_dir": tmp_path, "sizes": [20], "n_draws": 2}
    runs = [
        lambda: cohort_size_curve({"a": counts()}, X, **options),
        lambda: cohort_size_curve({"a": counts(strategy="median")}, X, **options),
        lambda: cohort_size_curve({"a": counts()}, X * 2, **options),
        lambda: cohort_size_curve({"a": counts()}, X, groups=y, **options),
        lambda: cohort_size_curve({"a": counts()}, X, random_state=5, **options),
        lambda: cohort_size_curve({"a": counts()}, X, rate=0.3, **options),
        lambda: cohort_size_curve(
            {"a": make_pipeline(counts(), LogisticRegression())}, X, y, **options
        ),
        lambda: missingness_curve(
            {"a": counts()}, X, rates=[0.5], cv=2, cache_dir=tmp_path
        ),
    ]
    for i, run in enumerate(runs):
        first = run()
        assert counts.n_fits == 2 * (i + 1)
        assert_frame_equal(run(), first)
        assert counts.n_fits == 2 * (i + 1)


def test_one_more_draw_is_all_that_is_computed(cohort, counts, tmp_path):
    for n_draws in (2, 3):
        cohort_size_curve(
            {"a": counts()}, cohort.data, sizes=[9], n_draws=n_draws, cache_dir=tmp_path
        )
    assert counts.n_fits == 3


def test_steps_without_labels_are_not_fitted_for_what_is_kept(cohort, counts, tmp_path):
    model = make_pipeline(counts(), StandardScaler(), LogisticRegression())
    run = {
        fractions: label_efficiency_curve(
            {"a": model},
            cohort.data,
            cohort.target,
            fractions=fractions,
            n_splits=2,
            cache_dir=tmp_path,
        )
        for fractions in [(0.2, 1.0), (1.0, 0.2), (0.2, 0.5, 1.0)]
    }
    assert counts.n_fits == 4
    first, last = run[0.2, 1.0], run[0.2, 0.5, 1.0]
    same = last[last["fraction"] != 0.5].reset_index(drop=True)
    assert_frame_equal(first, same)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_failures_are_tried_again(cohort, counts, tmp_path, monkeypatch):
    def fit(self, X, y=None):
        raise RuntimeError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(Counting, "fit", fit)
        table = missingness_curve(
            {"a": counts()}, cohort.data, cache_dir=tmp_path, **OPTIONS
        )
    assert table["error"].isna().all()
    assert not list(tmp_path.iterdir())
    table = missingness_curve(
        {"a": counts()}, cohort.data, cache_dir=tmp_path, **OPTIONS
    )
    assert table["error"].notna().all()


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut short", b"no file of ours"])
def test_a_damaged_file_is_written_anew(cohort, counts, tmp_path, damage):
    one = missingness_curve({"a": counts()}, cohort.data, cache_dir=tmp_path, **OPTIONS)
    path = sorted(tmp_path.iterdir())[0]
    path.write_bytes(damage)
    two = missingness_curve({"a": counts()}, cohort.data, cache_dir=tmp_path, **OPTIONS)
    assert counts.n_fits == 4
    assert len(list(tmp_path.iterdir())) == 3
    assert_frame_equal(one.drop(columns="fit_seconds"), two.drop(columns="fit_seconds"))


PROTOCOLS = {
    "scores": partial(cohort_size_curve, MODEL, sizes=[20], n_draws=1),
    "errors": lambda X, _, **options: cohort_size_curve(
        {"a": SimpleImputer()}, X, sizes=[20], n_draws=1, **options
    ),
    "holes": lambda X, _, **options: missingness_curve(
        {"a": SimpleImputer()}, X, rates=[0.3], cv=2, **options
    ),
    "labels": partial(label_efficiency_curve, MODEL, fractions=[1.0], n_splits=1),
    "panels": partial(panel_size_curve, MODEL, sizes=[3], cv=2, selector=SelectKBest()),
    "cohorts": lambda X, y, **options: transfer_matrix(
        MODEL, {"b": (X, y)}, cv=2, **options
    ),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_with_other_names_is_written_anew(cohort, tmp_path, protocol):
    """As of a version that measured something else."""

    def run():
        table = PROTOCOLS[protocol](cohort.data, cohort.target, cache_dir=tmp_path)
        return table.drop(columns="fit_seconds", errors="ignore")

    first = run()
    for path in tmp_path.iterdir():
        np.savez(path, other=np.zeros(3))
    assert_frame_equal(run(), first)
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert_frame_equal(run(), first)
    assert files == {path: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize("Model", [GexBERT, SCARF])
def test_a_fitted_network_is_known_by_its_content(cohort, tmp_path, Model):
    model = Model(max_epochs=1, random_state=0).fit(cohort.data)
    same = pickle.loads(pickle.dumps(model))
    assert digest(FrozenEstimator(model)) == digest(FrozenEstimator(same))
    model.save(tmp_path / "model")
    loaded = [digest(skgex.load(tmp_path / "model")) for _ in range(2)]
    assert loaded[0] == loaded[1]
    next(same.encoder_.parameters()).data[0] += 1
    assert digest(FrozenEstimator(model)) != digest(FrozenEstimator(same))


def test_what_cannot_be_told_apart_is_refused(tmp_path):
    store = Store(tmp_path, (np.zeros(3),))
    with pytest.raises(ValueError, match="cache_dir needs estimators and scores that"):
        store.path(lambda y: y)


def test_verbose_prints_a_line_for_each_result(cohort, tmp_path, capsys):
    options = {"rates": [0.3], "cv": 2, "cache_dir": tmp_path}
    missingness_curve({"near": KNNImputer()}, cohort.data, **options)
    assert not capsys.readouterr().out
    models = {"near": KNNImputer(), "mean": SimpleImputer()}
    missingness_curve(models, cohort.data, verbose=1, **options)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "[1/4] near, mcar, rate 0.3, split 0: kept"
    assert re.fullmatch(r"\[4/4\] mean, mcar, rate 0.3, split 1: \d+\.\d s", lines[3])

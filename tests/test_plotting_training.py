"""Losses by epoch, of every estimator that trains a network."""

import numpy as np
import pytest
from discovery import EMBEDDERS, class_name, tiny
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skgex
from skgex import SCARF, FineTunedClassifier, GexBERT, GexImputer
from skgex.plotting import TrainingCurveDisplay

X = np.random.default_rng(0).normal(size=(40, 12)).astype(np.float32)
Y = np.arange(40) % 2


@pytest.mark.parametrize("Embedder", EMBEDDERS, ids=class_name)
def test_losses_are_those_of_the_history(Embedder):
    embedder = tiny(Embedder, n_iter_no_change=5).fit(X)
    display = TrainingCurveDisplay.from_estimator(embedder)
    history = embedder.history_
    for line, name in zip(display.lines_, ["train_loss", "valid_loss"], strict=True):
        assert_array_equal(line.get_xdata(), np.arange(1, len(history) + 1))
        assert_array_equal(line.get_ydata(), history[:, name])
    texts = [label.get_text() for label in display.labels_]
    assert texts == ["training", "validation"]
    losses = history[:, "valid_loss"]
    if display.best_epoch:
        assert display.best_epoch == 1 + np.argmin(losses)
        assert display.best_epoch == history[display.best_epoch - 1]["epoch"]
    assert set(display.best_.get_xdata()) == {display.best_epoch}


def test_the_mark_is_at_the_weights_that_were_kept():
    embedder = tiny(SCARF, n_iter_no_change=3, max_epochs=12, lr=0.05).fit(X)
    display = TrainingCurveDisplay.from_estimator(embedder)
    epochs = display.best_epoch
    assert 1 < epochs < 12
    assert f"kept: epoch {epochs}" in [t.get_text() for t in display.ax_.texts]
    # The loss of what was kept is the lowest one, over the same corruptions.
    assert display.valid_loss[epochs - 1] == min(display.valid_loss)


def test_if_training_did_not_help_the_start_is_marked():
    embedder = tiny(GexBERT, n_iter_no_change=3, lr=0.5).fit(X)
    start = tiny(GexBERT, max_epochs=0).fit(X)
    # Nothing was learnt here: what is kept is the start.
    assert_array_equal(embedder.restore(X), start.restore(X))
    display = TrainingCurveDisplay.from_estimator(embedder)
    assert display.best_epoch == 0
    assert set(display.best_.get_xdata()) == {0}
    assert "kept: the start" in [t.get_text() for t in display.ax_.texts]


def test_without_early_stopping_nothing_is_marked():
    embedder = tiny(SCARF).fit(X)
    display = TrainingCurveDisplay.from_estimator(embedder)
    assert len(display.lines_) == 1
    assert (display.valid_loss, display.best_epoch, display.best_) == (None,) * 3


def test_the_history_is_found_inside_of_others(tmp_path):
    scarf = tiny(SCARF).fit(X)
    tuned = tiny(FineTunedClassifier, embedder=FrozenEstimator(scarf)).fit(X, Y)
    imputer = GexImputer(tiny(GexBERT)).fit(X)
    pipe = make_pipeline(tiny(SCARF), LogisticRegression()).fit(X, Y)
    search = GridSearchCV(tiny(FineTunedClassifier), {"lr": [0.1]}, cv=2).fit(X, Y)
    path = tmp_path / "scarf.safetensors"
    scarf.save(path)
    for estimator, own in [
        (FrozenEstimator(scarf), scarf),
        (skgex.load(path), scarf),
        (tuned, tuned),
        (imputer, imputer.embedder_),
        (pipe, pipe[0]),
        (search, search.best_estimator_),
    ]:
        display = TrainingCurveDisplay.from_estimator(estimator)
        assert_array_equal(display.train_loss, own.history_[:, "train_loss"])


def test_where_nothing_was_trained_that_is_said():
    with pytest.raises(ValueError, match="SCARF has no epochs to draw"):
        TrainingCurveDisplay.from_estimator(tiny(SCARF, max_epochs=0).fit(X))
    with pytest.raises(ValueError, match="LogisticRegression has no epochs"):
        TrainingCurveDisplay.from_estimator(LogisticRegression().fit(X, Y))
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(SCARF())


def test_keywords_are_passed_on():
    display = TrainingCurveDisplay([3.0, 2, 1], valid_loss=[3.0, 2, 2.5], best_epoch=2)
    display.plot(line_kw={"lw": 4}, best_kw={"c": "red"}, label_kw={"fontsize": 7})
    assert {line.get_linewidth() for line in display.lines_} == {4}
    assert display.best_.get_color() == "red"
    assert {label.get_fontsize() for label in display.labels_} == {7}
    ticks = display.ax_.get_xticks()
    assert (ticks == ticks.round()).all()
    assert ticks.max() <= 3

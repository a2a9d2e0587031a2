"""Callbacks of skorch and of scikit-learn, and what stops a fit."""

import numpy as np
import pytest
from discovery import (
    EMBEDDERS,
    LEARNERS,
    RESTORERS,
    SELECTORS,
    SURVIVAL,
    TRAINED,
    class_name,
    make_target,
    tiny,
    with_network,
)
from numpy.testing import assert_array_equal
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, EarlyStopping

from skgex import SCARF, FineTunedClassifier
from skgex._training._callbacks import FitTask, KeepWeights
from skgex._training._net import ObjectiveNet
from skgex.datasets import make_cohort

COHORT = make_cohort(n_samples=60, n_genes=20, random_state=0)
# A score test has no steps to report.
EVERY_ESTIMATOR = pytest.mark.parametrize(
    "Estimator", [e for e in LEARNERS if e not in SELECTORS], ids=class_name
)
TRAINED_ESTIMATOR = pytest.mark.parametrize("Estimator", TRAINED, ids=class_name)


def data(Estimator):
    return COHORT.data, make_target(Estimator, COHORT.target, COHORT.factors[:, 0])


def trained(Estimator, **parameters):
    """Return an instance whose own network is trained, whether it helps or not."""
    return tiny(Estimator, **with_network(Estimator), **parameters)


class StopAfter:
    """A callback of scikit-learn that asks to stop after some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs
        self.estimators = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        if context.task_name != "epoch":
            return False
        self.estimators.append(fitted_estimator)
        return context.task_id + 1 == self.n_epochs


# skorch


@TRAINED_ESTIMATOR
def test_skorch_callbacks_see_the_history(Estimator):
    class Watch(Callback):
        def on_epoch_end(self, net, **kwargs):
            losses.append(net.history[-1, "train_loss"])

    losses = []
    estimator = trained(Estimator, callbacks=[Watch()]).fit(*data(Estimator))
    assert losses == estimator.history_[:, "train_loss"]
    assert len(losses) == estimator.n_iter_ == estimator.max_epochs


@TRAINED_ESTIMATOR
def test_skorch_callbacks_stop_the_way_they_do_in_skorch(Estimator):
    # No loss is lower by its whole size: none after the first counts as better.
    stop = EarlyStopping("train_loss", patience=2, threshold=1, sink=lambda _: None)
    estimator = trained(Estimator, callbacks=[stop]).fit(*data(Estimator))
    check_is_fitted(estimator)
    assert estimator.n_iter_ == 3 < estimator.max_epochs


def test_verbose_prints_a_line_for_each_epoch(capsys):
    tiny(SCARF, verbose=1).fit(COHORT.data)
    lines = capsys.readouterr().out.strip().splitlines()
    assert "train_loss" in lines[0]
    assert len(lines) == 2 + 5
    tiny(SCARF).fit(COHORT.data)
    assert not capsys.readouterr().out


# Ctrl-C


def press_ctrl_c(monkeypatch, step):
    """Have the user press Ctrl-C in the given step of a fit."""

    def infer(net, *args, **kwargs):
        steps.append(step)
        if len(steps) == step:
            raise KeyboardInterrupt
        return original(net, *args, **kwargs)

    steps, original = [], ObjectiveNet.infer
    monkeypatch.setattr(ObjectiveNet, "infer", infer)


@pytest.mark.parametrize("step", [1, 7, 20])
@EVERY_ESTIMATOR
def test_ctrl_c_leaves_an_unfitted_estimator(Estimator, step, monkeypatch):
    estimator = tiny(Estimator)
    press_ctrl_c(monkeypatch, step)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(*data(Estimator))
    with pytest.raises(NotFittedError):
        estimator.transform(COHORT.data)


@TRAINED_ESTIMATOR
def test_ctrl_c_in_a_warm_start_leaves_the_last_weights(Estimator, monkeypatch):
    estimator = trained(Estimator, warm_start=True).fit(*data(Estimator))
    before = estimator.transform(COHORT.data)
    press_ctrl_c(monkeypatch, 11)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(*data(Estimator))
    assert_array_equal(estimator.transform(COHORT.data), before)


@pytest.mark.parametrize("method", ["on_epoch_begin", "on_epoch_end"])
@pytest.mark.parametrize("Owner", [KeepWeights, FitTask])
def test_ctrl_c_in_the_book_keeping_is_not_a_request_to_stop(
    Owner, method, monkeypatch
):
    def interrupted(self, net, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(Owner, method, interrupted)
    with pytest.raises(KeyboardInterrupt):
        tiny(SCARF).fit(COHORT.data)


# scikit-learn


@TRAINED_ESTIMATOR
def test_scikit_learn_callbacks_stop_training(Estimator):
    stop = StopAfter(3)
    X, y = data(Estimator)
    estimator = trained(Estimator).set_callbacks(stop).fit(X, y)
    assert len(estimator.history_) == estimator.n_iter_ == 3
    # What the callback was given at the last epoch is what came out, but that batch
    # normalisation is recomputed after the training of an embedder.
    last = stop.estimators[-1]
    assert type(last) is Estimator
    if Estimator not in EMBEDDERS:
        assert_array_equal(last.transform(X), estimator.transform(X))
    for name, value in last.encoder_.named_parameters():
        assert_array_equal(value.detach(), estimator.encoder_.get_parameter(name).data)


@TRAINED_ESTIMATOR
def test_what_callbacks_are_given_is_theirs(Estimator):
    X, y = data(Estimator)
    expected = trained(Estimator).fit(X, y).transform(X)
    keep = StopAfter(99)
    estimator = trained(Estimator).set_callbacks(keep).fit(X, y)
    # Snapshots neither change the training nor change with it.
    assert_array_equal(estimator.transform(X), expected)
    first, second = (e.transform(X) for e in keep.estimators[:2])
    assert (first != second).any()


@EVERY_ESTIMATOR
def test_progress_bar(Estimator, capsys):
    tiny(Estimator).set_callbacks(ProgressBar()).fit(*data(Estimator))
    shown = capsys.readouterr().out
    assert class_name(Estimator) in shown
    assert "100%" in shown


def test_progress_bar_through_search_and_pipeline(capsys):
    pipeline = make_pipeline(tiny(SCARF), LogisticRegression())
    search = GridSearchCV(pipeline, {"scarf__corruption_rate": [0.3, 0.6]}, cv=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None))
    search.fit(COHORT.data, COHORT.target)
    shown = capsys.readouterr().out
    for name in ("GridSearchCV", "Pipeline", "SCARF"):
        assert name in shown


def test_scoring_monitor_has_a_row_for_each_epoch():
    monitor = ScoringMonitor(scoring="accuracy")
    classifier = tiny(FineTunedClassifier, max_epochs=8, linear_weight=0)
    classifier.set_callbacks(monitor).fit(COHORT.data, COHORT.target)
    log = monitor.get_logs().data_as_pandas
    scores = log[log.task_name == "epoch"].accuracy
    assert len(scores) == 8
    assert scores.iloc[-1] > scores.iloc[0]
    final = classifier.score(COHORT.data, COHORT.target)
    assert scores.iloc[-1] == final
    assert np.isclose(log.accuracy.iloc[0], final)


@pytest.mark.parametrize("Estimator", SURVIVAL, ids=class_name)
def test_scoring_monitor_of_survival(Estimator):
    monitor = ScoringMonitor(scoring={"score": lambda fitted, X, y: fitted.score(X, y)})
    X, y = data(Estimator)
    estimator = trained(Estimator, max_epochs=8).set_params(alpha=1e6)
    estimator.set_callbacks(monitor).fit(X, y)
    log = monitor.get_logs().data_as_pandas
    scores = log[log.task_name == "epoch"].score
    assert len(scores) == 8
    assert scores.iloc[-1] > scores.iloc[0]
    assert scores.iloc[-1] == pytest.approx(estimator.score(X, y), abs=0.01)


@pytest.mark.parametrize("Estimator", RESTORERS, ids=class_name)
def test_callbacks_reach_the_embedder_that_restores(Estimator):
    stop = StopAfter(3)
    stop.max_propagation_depth = None
    estimator = tiny(Estimator).set_callbacks(stop).fit(COHORT.data)
    assert np.isfinite(estimator.transform(COHORT.data)).all()

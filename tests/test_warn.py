"""Warnings point to the line of the user that called the package."""

import linecache
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import skorch
import torch
from discovery import FINE_TUNED, SURVIVAL, class_name, make_target, tiny
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sksurv.metrics import as_concordance_index_ipcw_scorer
from starts import NEW, OLD, pair
from survival_cohorts import as_surv, named_cohort, tuned, without_network

from skgex import (
    SCARF,
    EventStratifiedKFold,
    FineTunedClassifier,
    FineTunedDiscreteHazard,
    LabeledKFold,
    TopVarianceGenes,
    UnivariateCoxSelector,
    gene_attributions,
    load,
)
from skgex._survival import _elastic_net, _ridge_path
from skgex._warn import warn_caller
from skgex.evaluation import (
    cohort_size_curve,
    label_efficiency_curve,
    panel_size_curve,
    transfer_matrix,
)
from skgex.io import read_expression
from skgex.plotting import (
    LabelEfficiencyDisplay,
    RiskGroupsDisplay,
    SurvivalCalibrationDisplay,
)

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(np.exp2(RNG.normal(8, 2, size=(40, 60)))).astype(float)
CLASSES = np.repeat(["a", "b"], 20)
X, Y = named_cohort(90, seed=0)
DEAD = X.assign(died=Y["event"].astype(float))
LATE = as_surv([True] * 20 + [False] * 20, np.arange(1.0, 41))


class Fails(LogisticRegression):
    def fit(self, X, y):
        raise RuntimeError("not today")


class Spoil(skorch.callbacks.Callback):
    def on_epoch_end(self, net, **_):
        if len(net.history) == 2:
            net.module_.encoder.layers[0].weight.data[0, 0] = torch.nan


def assert_points_here(caught, call):
    """Each warning is of a line of this file, on which something is called."""
    assert caught
    for warning in caught:
        assert warning.filename == __file__
        assert call in linecache.getline(__file__, warning.lineno)


# Fits: through the decorators of scikit-learn and of the package


@pytest.mark.parametrize("Estimator", [SCARF, *FINE_TUNED, *SURVIVAL], ids=class_name)
def test_counts(Estimator):
    y = make_target(Estimator, CLASSES, np.arange(40.0))
    with pytest.warns(UserWarning, match="Values are counts") as caught:
        tiny(Estimator).fit(COUNTS, y)
    assert_points_here(caught, ".fit(COUNTS")


def few_events():
    return as_surv(np.arange(90) < 4, Y["time"])


def earlier_model():
    return tuned(without_network().fit(X, Y)), X.drop(columns=["G1"]), Y


def started(data):
    return pair(tiny(SCARF))[1], data


FITS = {
    "constant": lambda: (tiny(SCARF), X.assign(G1=1.0)),
    "constant, survival": lambda: (without_network(max_epochs=1), X.assign(G1=1), Y),
    "spoilt": lambda: (tiny(SCARF, callbacks=[Spoil()]), X),
    "another unit": lambda: started(100 + 10 * NEW),
    "other genes": lambda: started(NEW.rename(columns=str.lower)),
    "again": lambda: (tiny(SCARF, warm_start=True).fit(OLD), 100 + 10 * NEW),
    "mark": lambda: (tiny(FineTunedClassifier, unlabeled="?"), X[:40], CLASSES),
    "few events": lambda: (without_network(alpha="cv", cv=3), X, few_events()),
    "few events, hazard": lambda: (
        without_network(FineTunedDiscreteHazard, alpha="cv", cv=3),
        X,
        few_events(),
    ),
    "earlier model": earlier_model,
    "covariate": lambda: (without_network(covariates=["died"]), DEAD, Y),
    "column": lambda: (without_network(), X, Y[:, None]),
    "column, classes": lambda: (tiny(FineTunedClassifier), X[:40], CLASSES[:, None]),
    "column, selector": lambda: (UnivariateCoxSelector(k=2), X, Y[:, None]),
    "k": lambda: (TopVarianceGenes(k=9), X),
    "k, selector": lambda: (UnivariateCoxSelector(k=9), X, Y),
}


@pytest.mark.parametrize("what", FITS)
def test_fits(what):
    estimator, *data = FITS[what]()
    with pytest.warns(Warning, match=".") as caught:
        estimator.fit(*data)
    assert_points_here(caught, "estimator.fit(*data)")


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_penalised_fits_that_do_not_converge(l1_ratio, monkeypatch):
    monkeypatch.setattr(_elastic_net, "_MAX_STEPS", 1)
    monkeypatch.setattr(_ridge_path, "_MAX_NEWTON", 1)
    model = without_network(l1_ratio=l1_ratio, alpha=0.1)
    with pytest.warns(Warning, match="did not converge") as caught:
        model.fit(X, Y)
    assert_points_here(caught, "model.fit(X, Y)")


# Through other packages


def test_meta_estimators():
    constant, model = X.assign(G1=1.0), tiny(SCARF)
    target = np.resize(["a", "b"], 90)
    pipe = make_pipeline(StandardScaler(), model, LogisticRegression())
    with pytest.warns(UserWarning, match="constant") as caught:
        pipe.fit(constant, target)
    assert_points_here(caught, "pipe.fit(constant, target)")
    search = GridSearchCV(pipe, {"scarf__lr": [0.01]}, cv=2)
    with pytest.warns(UserWarning, match="constant") as caught:
        search.fit(constant, target)
    assert_points_here(caught, "search.fit(constant, target)")
    with pytest.warns(UserWarning, match="constant") as caught:
        cross_val_score(pipe, constant, target, cv=2)
    assert_points_here(caught, "cross_val_score(pipe")
    scorer = as_concordance_index_ipcw_scorer(without_network(covariates=["died"]))
    with pytest.warns(UserWarning, match="next to nothing of covariate") as caught:
        scorer.fit(DEAD, Y)
    assert_points_here(caught, "scorer.fit(DEAD, Y)")


# Functions and other methods


def failing(function, *data, **options):
    models = {"lr": Fails(), "pca": make_pipeline(PCA(2), Fails())}
    return lambda: function(models, *data, **options)


TWO = {"p": (X[:40], CLASSES), "q": (X[40:80], CLASSES)}
RESULTS = pd.DataFrame({"estimator": list("aabb"), "fraction": [0.1, 1.0] * 2})
RESULTS = RESULTS.assign(n_labeled=[4, 40] * 2, score=[1, 0, 1, np.nan])
EARLY = np.arange(40) < 20
FUNCTIONS = {
    "labels": failing(label_efficiency_curve, X[:40], CLASSES, n_splits=1),
    "panels": failing(panel_size_curve, X[:40], CLASSES, sizes=[2], cv=2),
    "transfer": failing(transfer_matrix, TWO, cv=2),
    "cohort size": failing(cohort_size_curve, X[:40], CLASSES, sizes=[10], n_draws=1),
    "absent class": lambda: label_efficiency_curve(
        {"dummy": DummyClassifier()}, X[:20], np.arange(20), n_splits=1
    ),
    "mark": lambda: next(LabeledKFold(2, unlabeled="?").split(X[:40], CLASSES)),
    "column": lambda: next(EventStratifiedKFold(2).split(X, Y[:, None])),
    "column, score": lambda: without_network().fit(X, Y).score(X, Y[:, None]),
    "own groups": lambda: without_network().fit(X, Y).predict_risk_group(X),
    "attributions": lambda: gene_attributions(
        tiny(FineTunedClassifier, linear_weight=0, max_epochs=60, lr=0.1).fit(
            X[:40], CLASSES
        ),
        X[:40],
        target="b",
        n_steps=1,
    ),
    "results": lambda: LabelEfficiencyDisplay.from_results(RESULTS),
    "outcome": lambda: RiskGroupsDisplay.from_groups(LATE, LATE["event"]),
    "own risks": lambda: RiskGroupsDisplay.from_predictions(
        LATE, RNG.normal(size=40), train_risk=np.linspace(-9, 9, 40)
    ),
    "empty group": lambda: RiskGroupsDisplay.from_groups(
        LATE, np.arange(40) % 2, names=[0, 1, 2]
    ),
    "nobody": lambda: SurvivalCalibrationDisplay.from_predictions(
        as_surv(np.arange(40) % 2 == 0, 1.0 + np.arange(40)), 0.9 - 0.8 * EARLY, 39
    ),
}


@pytest.mark.parametrize("what", FUNCTIONS)
def test_functions(what):
    with pytest.warns(Warning, match=".") as caught:
        FUNCTIONS[what]()
    for warning in caught:
        assert warning.filename == __file__


def test_files(tmp_path, monkeypatch):
    scarf = tiny(SCARF, callbacks=[skorch.callbacks.Callback()]).fit(X)
    with pytest.warns(UserWarning, match="callbacks are not saved") as caught:
        scarf.save(tmp_path / "scarf.skgex")
    assert_points_here(caught, "scarf.save(")
    scarf.set_params(device="cuda", callbacks=None).save(tmp_path / "cuda.skgex")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="device='cuda'") as caught:
        load(tmp_path / "cuda.skgex")
    assert_points_here(caught, "load(tmp_path")
    table = tmp_path / "table.tsv"
    table.write_text("gene\ts1\ts2\nTP53\t1.5\t2.5\n\t3.5\t4.5\nMYC\t1.5\t3.5\n")
    with pytest.warns(UserWarning, match="has no name") as caught:
        read_expression(table)
    assert_points_here(caught, "read_expression(table)")


# The function


def test_without_a_line_outside_it_is_the_first_one():
    """As where a process or a thread runs nothing but the package."""
    told = []

    def inside(name):
        space = {"__name__": name, "warn_caller": warn_caller}
        exec("def run():\n    warn_caller('told')", space)
        return space["run"]

    @contextmanager
    def context():
        told.append(1)
        warn_caller("told")
        yield

    with pytest.warns(UserWarning, match="told") as caught:
        inside("sklearn.base")()
    assert_points_here(caught, 'inside("sklearn.base")()')
    with pytest.warns(UserWarning, match="told") as caught, context():
        pass
    assert caught[0].filename == __file__
    # A package of the user whose name begins alike is the user's.
    with pytest.warns(UserWarning, match="told") as caught:
        inside("skgex_of_mine")()
    assert caught[0].filename == "<string>"

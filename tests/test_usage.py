"""What the documentation promises to work as written."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.callback import ProgressBar
from sklearn.dummy import DummyClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline

from skgex import SCARF, FineTunedClassifier
from skgex.datasets import make_cohort

COHORT = make_cohort(n_samples=60, n_genes=20, replicate_rate=0.5, random_state=0)
X, y, GROUPS = COHORT.data, COHORT.target, COHORT.groups


@pytest.fixture(scope="module")
def pretrained():
    return SCARF(max_epochs=5, random_state=0).fit(X)  # not to be fitted again


def test_pipeline_of_a_filter_an_embedder_and_a_classifier():
    pipeline = make_pipeline(
        SelectKBest(k=10), SCARF(max_epochs=50), LogisticRegression()
    )
    assert pipeline.fit(X, y).score(X, y) > 0.8
    assert pipeline[1].n_features_in_ == 10


def test_search_over_folds_of_patients():
    pipe = make_pipeline(SCARF(max_epochs=1), LogisticRegression())
    search = GridSearchCV(
        pipe,
        {"scarf__corruption_rate": [0.1, 0.3], "scarf__lr": [1e-4, 1e-3]},
        cv=StratifiedGroupKFold(5),
    )
    search.fit(X, y, groups=GROUPS)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda pretrained: FineTunedClassifier(),
        lambda pretrained: FineTunedClassifier(SCARF()),
        lambda pretrained: FineTunedClassifier(SCARF(), unlabeled=-1),
        lambda pretrained: FineTunedClassifier(FrozenEstimator(pretrained)),
        lambda pretrained: FineTunedClassifier(SCARF(max_epochs=0)),
    ],
    ids=["default", "pretrain", "unlabelled", "frozen", "scratch"],
)
def test_fine_tuned_classifiers(make, pretrained):
    classifier = make(pretrained)
    known = y if classifier.unlabeled is None else np.where(GROUPS % 4, y, -1)
    classifier.fit(X, known)
    assert_array_equal(classifier.classes_, [0, 1, 2])
    assert classifier.score(X, y) > 0.8


def test_pretraining_goes_on_with_another_cohort():
    pretrained = SCARF(max_epochs=5, random_state=0).fit(X)
    before = pretrained.transform(X)
    other_cohort = make_cohort(n_samples=40, n_genes=20, random_state=1).data
    pretrained.set_params(warm_start=True).fit(other_cohort)
    assert (pretrained.transform(X) != before).any()


def test_callbacks_of_scikit_learn(capsys):
    embedder = SCARF(max_epochs=3)
    embedder.set_callbacks(ProgressBar())
    embedder.fit(X)
    assert "SCARF" in capsys.readouterr().out


def test_output_as_a_table():
    table = pd.DataFrame(X, index=COHORT.sample_names, columns=COHORT.feature_names)
    frame = SCARF(max_epochs=1).set_output(transform="pandas").fit_transform(table)
    assert list(frame.columns[:2]) == ["scarf0", "scarf1"]
    assert_array_equal(frame.index, COHORT.sample_names)


def test_cross_validation_beats_chance():
    cohort = make_cohort(n_samples=200, n_genes=50, random_state=0)
    classifier = FineTunedClassifier(SCARF(max_epochs=20), max_epochs=20)
    scores, chance = (
        cross_val_score(
            model,
            cohort.data,
            cohort.target,
            groups=cohort.groups,
            cv=StratifiedGroupKFold(3),
        )
        for model in (classifier, DummyClassifier())
    )
    assert scores.mean() > chance.mean() + 0.3


def test_a_gene_that_was_not_measured_is_no_obstacle(pretrained):
    table = pd.DataFrame(X, columns=COHORT.feature_names)
    embedder = SCARF(max_epochs=5, random_state=0).fit(table)
    other_lab = table.drop(columns="gene3")[COHORT.feature_names[:3][::-1].tolist()]
    aligned = other_lab.reindex(columns=embedder.feature_names_in_)
    means = table.mean().to_frame().T.loc[[0] * 60].reset_index(drop=True)
    filled = aligned.fillna(means)
    assert_allclose(embedder.transform(aligned), embedder.transform(filled), atol=1e-4)

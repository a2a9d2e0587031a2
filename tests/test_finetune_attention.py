"""Attention of encoders that were fine-tuned."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from discovery import ESTIMATORS, FINE_TUNED, class_name, is_survival, make_target, tiny
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator

import skgex
from skgex import SCARF, GexBERT
from skgex.datasets import make_cohort

COHORT = make_cohort(n_samples=40, n_genes=20, random_state=0)
X = COHORT.data.astype(np.float32)
HOLES = np.random.default_rng(0).random(X.shape) < 0.2
GIVEN = np.where(HOLES, np.nan, X)
HEADS = [*FINE_TUNED, *(E for E in ESTIMATORS if is_survival(E))]
EACH = pytest.mark.parametrize("Estimator", HEADS, ids=class_name)
ROLLOUT = pytest.mark.parametrize("rollout", [False, True], ids=["last", "rollout"])


@pytest.fixture(scope="module")
def embedder():
    return tiny(GexBERT, prior=None).fit(X)


def fitted(Estimator, embedder, table=X, **parameters):
    estimator = tiny(Estimator, embedder=FrozenEstimator(embedder), **parameters)
    return estimator.fit(table, make_target(Estimator, COHORT.target, X[:, 0]))


@EACH
@ROLLOUT
def test_a_frozen_encoder_attends_as_before(Estimator, embedder, rollout):
    found = fitted(Estimator, embedder, freeze=True).attention(GIVEN, rollout=rollout)
    assert_array_equal(found, embedder.attention(GIVEN, rollout=rollout), strict=True)


@EACH
def test_it_is_that_of_the_tuned_encoder(Estimator, embedder):
    model = fitted(Estimator, embedder, encoder_lr=0.1)
    with_its_weights = deepcopy(embedder)
    with_its_weights.encoder_ = model.encoder_
    found = model.attention(GIVEN)
    assert_array_equal(found, with_its_weights.attention(GIVEN), strict=True)
    assert_array_equal(np.isnan(found), HOLES)
    np.testing.assert_allclose(np.nanmean(found, axis=1), 1, rtol=1e-5)


def test_tuning_changes_it(embedder):
    model = fitted(skgex.FineTunedClassifier, embedder, encoder_lr=0.1)
    assert np.nanmax(abs(model.attention(X) - embedder.attention(X))) > 1e-4


def test_covariates_have_no_column(embedder):
    table = pd.DataFrame(np.c_[X[:, :1], COHORT.target, X[:, 1:]])
    table.columns = ["G0", "age", *(f"G{i}" for i in range(1, 20))]
    genes = table.drop(columns="age")
    embedder = tiny(GexBERT, prior=None).fit(genes)
    model = fitted(
        skgex.FineTunedClassifier, embedder, table, covariates="age", freeze=True
    )
    assert_array_equal(model.attention(table), embedder.attention(genes))


@EACH
def test_only_networks_over_genes_have_it(Estimator, embedder):
    assert hasattr(Estimator(GexBERT()), "attention")
    assert hasattr(Estimator(FrozenEstimator(embedder)), "attention")
    assert not hasattr(Estimator(), "attention")
    model = fitted(Estimator, tiny(SCARF).fit(X))
    with pytest.raises(AttributeError, match="attention") as error:
        model.attention(X)
    assert "use the embedder GexBERT" in str(error.value.__cause__)


def test_a_fitted_one_is_asked_for_its_encoder(embedder):
    """Not for the parameter, which may have been set since, or be a tuned one."""
    model = fitted(skgex.FineTunedClassifier, embedder)
    assert hasattr(model.set_params(embedder=SCARF()), "attention")
    again = fitted(skgex.FineTunedRegressor, model, freeze=True)
    assert_array_equal(again.attention(X), model.attention(X))

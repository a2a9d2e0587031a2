"""The weights that ship with the package."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgex
from skgex import SCARF, FineTunedCoxPH, GexBERT
from skgex.datasets import load_breast_nki, load_pretrained, load_tcga_pancancer

COHORT = load_tcga_pancancer(as_frame=True)
SOME = np.random.default_rng(0).permutation(5044)[:800]


@pytest.mark.parametrize(
    ("name", "Embedder"), [("scarf-tcga90", SCARF), ("gexbert-tcga90", GexBERT)]
)
def test_weights_are_of_the_shipped_cohort(name, Embedder):
    embedder = load_pretrained(name)
    assert type(embedder) is Embedder
    assert list(embedder.feature_names_in_) == list(COHORT.data.columns)
    assert embedder.unit_ == COHORT.unit
    assert embedder.random_state is None
    assert embedder.get_params()["start"] is None  # younger than the file
    mean = COHORT.data.mean().to_numpy()
    np.testing.assert_allclose(embedder.standardizer_.mean, mean, rtol=1e-4)
    X, y = COHORT.data.iloc[SOME], COHORT.target.iloc[SOME]
    common = y.isin(y.value_counts().index[:8])
    model = make_pipeline(
        FrozenEstimator(embedder), StandardScaler(), LogisticRegression(C=0.01)
    )
    assert cross_val_score(model, X[common], y[common], cv=3).mean() > 0.9


def test_shipped_gexbert_restores_hidden_genes():
    embedder = load_pretrained("gexbert-tcga90")
    X = COHORT.data.iloc[SOME[:200]]
    hidden = np.random.default_rng(1).random(X.shape) < 0.5
    error = embedder.restore(X.mask(hidden)) - X
    scale = embedder.standardizer_.scale.numpy()
    found = np.sqrt(np.square(error / scale).to_numpy()[hidden].mean())
    # The mean of each gene has an error of one.
    assert found < 0.75


def test_other_names_are_refused():
    with pytest.raises(ValueError, match="'scarf-tcga90'"):
        load_pretrained("scarf")


def test_pan_cancer_prior_is_a_start_for_another_platform():
    pretrained = load_pretrained("gexbert-tcga")
    assert type(pretrained) is GexBERT
    assert pretrained.random_state is None
    # Which patients it was fitted to is not in the file.
    assert len(pretrained.encoder_.prior.seen) == 0
    X = load_breast_nki(as_frame=True).data
    shared = X.columns.intersection(pretrained.feature_names_in_)
    assert len(shared) > 300
    X = X[shared[:150]]
    hidden = np.random.default_rng(0).random(X.shape) < 0.4
    cohort, rest = X[:25], X.mask(hidden)[25:]
    kept = {"max_epochs": 0, "random_state": 0}
    own = GexBERT(**kept).fit(cohort)
    adapted = GexBERT(start=FrozenEstimator(pretrained), **kept).fit(cohort)
    errors = [
        np.nanmean((model.restore(rest) - X[25:])[hidden[25:]] ** 2)
        for model in (own, adapted)
    ]
    assert adapted.start_weight_[0] > 0
    assert errors[1] < 0.93 * errors[0]


def test_pan_cancer_survival_is_a_start_for_another_platform():
    pytest.importorskip("sksurv")
    pretrained = load_pretrained("cox-tcga")
    assert pretrained.n_features_in_ == 1526
    nki = load_breast_nki(as_frame=True)
    known = np.isfinite(nki.survival["time"])
    X, y = nki.data[known], nki.survival[known]
    start = FrozenEstimator(pretrained)
    model = FineTunedCoxPH(start, max_epochs=0, prior_weight=1.0, random_state=0)
    with pytest.warns(UserWarning, match="1451 of"):
        model.fit(X[:60], y[:60])
    assert model.score(X[60:], y[60:]) > 0.6


def test_the_files_are_small():
    files = (Path(skgex.datasets.__file__).parent / "data").glob("*")
    assert sum(file.stat().st_size for file in files) < 11.7e6

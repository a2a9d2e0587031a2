"""The weights that ship with the package."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import SCARF, GexBERT
from skgex.datasets import load_pretrained, load_tcga_pancancer

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

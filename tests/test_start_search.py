"""A search chooses what an embedder starts from."""

import pytest
from discovery import EMBEDDERS, tiny
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from starts import NEW, OLD, pair

from skgex import SCARF

Y = (NEW["G20"] > NEW["G20"].median()).to_numpy().astype(int)


@pytest.mark.parametrize(
    ("Embedder", "n_jobs"), [*((Embedder, 1) for Embedder in EMBEDDERS), (SCARF, 2)]
)
def test_a_search_chooses_a_start(Embedder, n_jobs):
    old, new = pair(tiny(Embedder, max_epochs=1))
    other = FrozenEstimator(clone(old).fit(OLD[::2]))
    grid = {"embedder__start": [None, new.start, other]}
    pipeline = Pipeline([("embedder", clone(old)), ("head", LogisticRegression())])
    options = {"cv": 2, "n_jobs": n_jobs, "error_score": "raise", "refit": False}
    search = GridSearchCV(pipeline, grid, **options).fit(NEW, Y)
    for i, start in enumerate(grid["embedder__start"][:2]):
        alone = clone(pipeline).set_params(embedder__start=start)
        expected = cross_val_score(alone, NEW, Y, cv=2).mean()
        assert_allclose(search.cv_results_["mean_test_score"][i], expected)
    assert search.best_params_["embedder__start"] in grid["embedder__start"]

"""Parameters of an embedder that is None: the error says what to write."""

import numpy as np
import pytest
from discovery import LEARNERS, TINY, class_name, takes
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skgex
from skgex import SCARF, FineTunedClassifier, GexBERT, GexImputer

WITH_EMBEDDER = [e for e in LEARNERS if takes(e, "embedder")]
X = np.random.default_rng(0).normal(size=(24, 10))


@pytest.mark.parametrize("Estimator", WITH_EMBEDDER, ids=class_name)
def test_the_error_says_what_to_write(Estimator):
    name = Estimator.__name__
    with pytest.raises(ValueError, match="'embedder__max_epochs' cannot be set") as e:
        make_pipeline(Estimator(None)).set_params(
            **{f"{name.lower()}__embedder__max_epochs": 3}
        )
    written = str(e.value).split("Write ")[1].split(", or another")[0]
    given = eval(written, vars(skgex))  # what it says can be written
    assert given.set_params(embedder__max_epochs=3).embedder.max_epochs == 3


@pytest.mark.parametrize("Estimator", WITH_EMBEDDER, ids=class_name)
def test_an_embedder_may_come_with_its_parameters(Estimator):
    embedder = GexBERT()
    estimator = Estimator(None).set_params(
        embedder__max_epochs=3, embedder=embedder, **{}
    )
    assert estimator.embedder is embedder
    assert embedder.max_epochs == 3
    assert estimator.set_params(embedder=None, random_state=1).random_state == 1
    with pytest.raises(ValueError, match="cannot be set"):
        estimator.set_params(embedder=None, embedder__max_epochs=3)
    with pytest.raises(ValueError, match="Invalid parameter 'epochs'"):
        estimator.set_params(epochs=3)


@pytest.mark.parametrize(
    "estimator", [FineTunedClassifier(), GexImputer()], ids=["classifier", "imputer"]
)
def test_a_search_ends_with_that_error(estimator):
    search = GridSearchCV(
        clone(estimator), {"embedder__max_epochs": [0, 1]}, cv=2, scoring=lambda *_: 0
    )
    with pytest.raises(ValueError, match=r"Write \w+\(\w+\(\)\), or another embedder"):
        search.fit(X, np.arange(24) % 2)


def test_a_search_over_embedders_and_their_parameters():
    tiny = {name: TINY[name] for name in ("hidden_dims", "batch_size")}
    search = GridSearchCV(
        FineTunedClassifier(max_epochs=1),
        {"embedder": [SCARF(**tiny)], "embedder__max_epochs": [0, 1]},
        cv=2,
    )
    search.fit(X, np.arange(24) % 2)
    assert search.best_params_["embedder__max_epochs"] in (0, 1)

"""A fitted embedder, and a cohort of other genes that is to start from it."""

import numpy as np
import pandas as pd
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skgex import GexBERT
from skgex.datasets import make_expression

NAMES = np.array([f"G{i}" for i in range(40)])
ALL = pd.DataFrame(
    make_expression(n_samples=160, n_genes=40, n_factors=3, random_state=0),
    columns=NAMES,
)
OLD_GENES = NAMES[:30]
# Fifteen are gone, ten are new, and the order is another.
NEW_GENES = np.random.default_rng(0).permutation(NAMES[15:])
OLD, NEW = ALL[:100][OLD_GENES], ALL[100:][NEW_GENES]
SHARED = np.intersect1d(OLD_GENES, NEW_GENES)


def pair(embedder, **parameters):
    """Return a fitted embedder, and one that is to start from it."""
    parameters = {"max_epochs": 2, **parameters}
    if not isinstance(embedder, GexBERT):
        # Moments of batch normalisation are those of the new cohort.
        parameters = {"normalization": "layer", **parameters}
    old = clone(embedder).set_params(**parameters).fit(OLD)
    return old, clone(old).set_params(start=FrozenEstimator(old))


def outputs(embedder, X):
    found = [embedder.transform(X)]
    return [*found, embedder.restore(X)] if hasattr(embedder, "restore") else found


def assert_same_outputs(one, other, X=NEW):
    for first, second in zip(outputs(one, X), outputs(other, X), strict=True):
        assert_array_equal(first, second)

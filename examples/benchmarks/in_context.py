"""GeneICL (arXiv 2610.08694) as a rival, where `geneicl` can be imported.

It is a network pretrained on synthetic tasks that reads the labelled rows, of at most
ten classes. torch and numpy are all it needs: `pip install --no-deps geneicl`.
"""

from functools import cache
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator

WHY_NOT = ""
try:
    import geneicl
except ImportError as error:
    WHY_NOT = f"GeneICL is left out: {error}; pip install --no-deps geneicl"

MAX_CLASSES = 10
ALL = (0, 1, 2)  # the numbers of its checkpoints


@cache
def checkpoint(mode, number):
    path = Path(geneicl.CKPT).with_name(f"trm_segmented8_s{number}.pt")
    return geneicl.GeneICL(mode, ckpt=path, device="cpu")


class InContextClassifier(BaseEstimator):
    """The mean of probabilities over checkpoints, each of one pass or its 24."""

    def __init__(self, checkpoints=ALL, ensemble_seed=None):
        self.checkpoints = checkpoints
        self.ensemble_seed = ensemble_seed

    def fit(self, X, y):
        self.X_, self.y_, self.classes_ = np.asarray(X), np.asarray(y), np.unique(y)
        return self

    def predict(self, X):
        probability = 0
        for number in self.checkpoints:
            model = checkpoint("classification", number)
            model.ensemble_seed = self.ensemble_seed
            model.fit(self.X_, self.y_.astype(str))
            probability = probability + model.predict_proba(np.asarray(X))
        return model.classes_[probability.argmax(axis=1)]


class InContextCox(BaseEstimator):
    """The mean of log hazard ratios over checkpoints."""

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return self

    def predict(self, X):
        risk = 0
        for number in ALL:
            model = checkpoint("survival", number)
            model.ensemble_seed = None
            model.fit(self.X_, self.y_["time"], event=self.y_["event"])
            risk = risk + model.predict(X)
        return risk / len(ALL)

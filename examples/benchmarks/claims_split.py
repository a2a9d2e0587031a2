"""Splits, and what is fitted once in each of them, for `claims.py`."""

from typing import NamedTuple

import numpy as np
from label_efficiency import METHODS, simple_models
from sklearn.base import clone
from transfer_data import draw_labelled
from transfer_models import tuned

from skgex import BYOL, SCARF, VIME


def published():
    """Return the methods as in :doc:`/user_guide/pretraining`."""
    network = {"hidden_dims": (256,) * 4, "dropout": 0.2, "weight_decay": 0}
    slow = {"lr": 1e-4, **network}
    return {
        "SCARF, published": SCARF(
            0.3, 1.0, replacement="uniform", batch_size=256, max_epochs=1000, **slow
        ),
        "VIME, published": VIME(
            0.3, 2.0, lr=1e-3, batch_size=32, max_epochs=500, **network
        ),
        "BYOL, published": BYOL(
            0.3, 0.9, projection_dims=(4096, 256), batch_size=32, max_epochs=50, **slow
        ),
    }


class Split(NamedTuple):
    """One split of a set into training and test samples."""

    X: np.ndarray
    y: np.ndarray
    train: np.ndarray
    test: np.ndarray
    seed: int
    n_components: int
    n_draws: int
    fitted: dict

    def score(self, model, share, Z=None):
        """Return the accuracy with a share of the labels, mean over draws of them.

        Z is read in place of X, if it is given.
        """
        Z, found = self.X if Z is None else Z, []
        for draw in range(self.n_draws if share < 1 else 1):
            rng = np.random.default_rng([self.seed, draw])
            rows = draw_labelled(self.y, self.train, share, rng)
            model = clone(model).fit(Z[rows], self.y[rows])
            found.append(100 * model.score(Z[self.test], self.y[self.test]))
        return np.mean(found)

    def pretrained(self, name, n=None, **settings):
        """Fit a method to n random training samples, once for all parts."""
        key = (name, n, *settings.items())
        if key not in self.fitted:
            order = np.random.default_rng([self.seed, 1]).permutation(self.train)
            embedder = METHODS[name]() if name in METHODS else published()[name]
            embedder.set_params(random_state=self.seed, **settings)
            self.fitted[key] = embedder.fit(self.X[np.sort(order[:n])])
        return self.fitted[key]

    def baselines(self, shares):
        """Yield the scores of simple models and of networks from scratch."""
        for name, pipeline in simple_models(self.n_components).items():
            Z = pipeline[:-1].fit(self.X[self.train]).transform(self.X)
            for share in shares:
                score = self.score(pipeline[-1], share, Z)
                yield {"model": name, "share": share, "score": score}
        scratch = self.pretrained("SCARF", max_epochs=0)
        for name, head in {"": "probe", ", random head": "random"}.items():
            for share in shares:
                model = tuned(scratch, self.seed).set_params(head_init=head)
                row = {"model": f"scratch{name}", "share": share}
                yield row | {"score": self.score(model, share)}

"""What restores genes of a cohort of which few rows are known, for `few_rows.py`.

Each has `fit(draw, start)` and `restore(X)`, which returns NaN for genes that the
method knows nothing of.
"""

import hashlib
import warnings
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from few_rows_data import LIMIT, read_pretraining
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer
from sklearn.linear_model import Lasso, RidgeCV

from skgex import GexBERT, load
from skgex.datasets import load_pretrained

N_NEIGHBOURS = 10
# Twice as many samples are 1 to 2 % better on tcga_agilent, and take twice as long.
N_MIXED = 500
ALPHAS = (0.02, 0.05, 0.1, 0.2, 0.5)
# Rows of the cohort by which alpha is chosen.
N_CHOICE = 15


def prior_alone(**settings):
    return GexBERT(max_epochs=0, random_state=0, **settings)


class Start:
    """What is pretrained, once it is asked for: the model, and its samples."""

    def __init__(self, X, path=None):
        self.X = X
        self.genes = X.columns
        self.path = path
        self.ridge = lru_cache(maxsize=1)(self._ridge)

    @cached_property
    def model(self):
        if self.path is not None and self.path.exists():
            return load(self.path)
        model = prior_alone().fit(self.X)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            model.save(self.path)
        return model

    @property
    def mean(self):
        return self.model.standardizer_.mean.numpy()

    @property
    def scale(self):
        return self.model.standardizer_.scale.numpy()

    @cached_property
    def rows(self):
        """The samples in standard deviations."""
        return np.clip((self.X.to_numpy() - self.mean) / self.scale, -LIMIT, LIMIT)

    def _ridge(self, measured, hidden):
        """Fit ridge regression from some genes, by their places, to others."""
        ridge = RidgeCV(np.logspace(0, 6, 13), alpha_per_target=True)
        return ridge.fit(self.rows[:, measured], self.rows[:, hidden])


class Shipped(Start):
    """The weights that ship with the package; their samples do not."""

    def __init__(self):
        self.model = load_pretrained("gexbert-tcga")
        self.genes = pd.Index(self.model.feature_names_in_)


@lru_cache(maxsize=2)
def pretrained(data, patients, quick, cache):
    """Return what is pretrained without some patients."""
    path = None
    if cache is not None:
        key = f"{quick} {sorted(patients)}".encode()
        path = cache / f"start-{hashlib.sha1(key).hexdigest()[:12]}.skgex"
    return Start(read_pretraining(data, patients, quick), path)


class OwnRows:
    def make(self, start):
        return prior_alone()

    def fit(self, draw, start):
        self.embedder = self.make(start).fit(draw.fit, groups=draw.patients)
        return self

    def restore(self, X):
        return self.embedder.restore(X).to_numpy()


class Adapted(OwnRows):
    def __init__(self, weight="auto"):
        self.weight = weight

    def make(self, start):
        frozen = FrozenEstimator(start.model)
        return prior_alone(start=frozen, start_weight=self.weight)


class Standardised:
    """Restores some genes, in standard deviations of the rows of the cohort."""

    def fit(self, draw, start):
        self.start = start
        self.genes = self.choose(draw)
        few = draw.fit.to_numpy()[:, self.genes]
        self.mean, self.std = np.nanmean(few, axis=0), np.nanstd(few, axis=0)
        self.learn(few, start.genes.get_indexer(draw.fit.columns[self.genes]))
        return self

    def choose(self, draw):
        return draw.known

    def learn(self, few, places):
        self.places = places
        self.rows = self.start.rows[:, places]

    def restore(self, X):
        Z = (X.to_numpy()[:, self.genes] - self.mean) / self.std
        # Nothing is known of a sample of which no shared gene is left.
        some = ~np.isnan(Z).all(axis=1)
        expected = np.zeros_like(Z)
        expected[some] = self.expected(np.clip(Z[some], -LIMIT, LIMIT))
        restored = np.full(X.shape, np.nan)
        restored[:, self.genes] = self.mean + self.std * expected
        return restored


class Frozen(Standardised):
    """The pretrained model, in units that it knows."""

    def learn(self, few, places):
        self.places = places

    def expected(self, Z):
        start, places = self.start, self.places
        X = np.full((len(Z), len(start.genes)), np.nan, dtype=np.float32)
        mean, scale = start.mean[places], start.scale[places]
        X[:, places] = mean + scale * Z
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return (start.model.restore(X, places) - mean) / scale


class FrozenRaw(Frozen):
    """The same, centred by the cohort, with the scale of pretraining."""

    def learn(self, few, places):
        super().learn(few, places)
        self.std = self.start.scale[places]


class Neighbours(Standardised):
    """The mean of the nearest samples of pretraining, by the genes measured."""

    def expected(self, Z):
        rows = self.rows
        measured = ~np.isnan(Z)
        distance = measured @ (rows**2).T - 2 * np.where(measured, Z, 0) @ rows.T
        nearest = np.argpartition(distance, N_NEIGHBOURS - 1, axis=1)
        return rows[nearest[:, :N_NEIGHBOURS]].mean(axis=1)


class OwnNeighbours(Neighbours):
    """`KNNImputer`, or without holes in the cohort the same in less time."""

    def choose(self, draw):
        return np.ones(len(draw.known), dtype=bool)

    def learn(self, few, places):
        self.rows = np.clip((few - self.mean) / self.std, -LIMIT, LIMIT)

    def expected(self, Z):
        if np.isnan(self.rows).any():
            return KNNImputer(n_neighbors=N_NEIGHBOURS).fit(self.rows).transform(Z)
        return super().expected(Z)


class SampleLasso(Standardised):
    """Each sample a sparse mixture of samples of pretraining (Mancuso et al., 2020).

    With an intercept. Alpha has the least error where half of the values of some rows
    of the cohort are hidden.
    """

    def learn(self, few, places):
        super().learn(few, places)
        rng = np.random.default_rng(0)
        self.rows = self.rows[rng.permutation(len(self.rows))[:N_MIXED]]
        some = ((few - self.mean) / self.std)[:N_CHOICE]
        hidden = rng.random(some.shape) < 0.5
        holed = np.where(hidden, np.nan, some)
        errors = {}
        for self.alpha in ALPHAS:
            error = (self.expected(holed) - some)[hidden]
            errors[self.alpha] = np.nanmean(error**2)
        self.alpha = min(errors, key=errors.get)

    def expected(self, Z):
        lasso = Lasso(alpha=self.alpha, tol=1e-3)
        restored = np.zeros_like(Z)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for z, row in zip(Z, restored, strict=True):
                measured = ~np.isnan(z)
                if measured.any():
                    lasso.fit(self.rows[:, measured].T, z[measured].astype(np.float32))
                    row[:] = lasso.predict(self.rows.T)
        return restored


class Ridge(Standardised):
    """From the genes of a panel to the others, learnt from the pretraining samples."""

    def expected(self, Z):
        hidden = np.isnan(Z).all(axis=0)
        ridge = self.start.ridge(
            tuple(self.places[~hidden]), tuple(self.places[hidden])
        )
        expected = Z.copy()
        expected[:, hidden] = ridge.predict(np.nan_to_num(Z[:, ~hidden]))
        return expected


class GeneMean(OwnNeighbours):
    def expected(self, Z):
        return np.zeros_like(Z)


OURS = {"own rows": OwnRows, "frozen": Frozen, "adapted": Adapted}
METHODS = {
    **OURS,
    "frozen, raw": FrozenRaw,
    "gene mean": GeneMean,
    "KNN own": OwnNeighbours,
    "KNN pretraining": Neighbours,
    "SampleLASSO": SampleLasso,
    "ridge pretraining": Ridge,
}
PANEL_ONLY = ["ridge pretraining"]
NEEDS_SHARED = ["frozen", "frozen, raw", "KNN pretraining", "SampleLASSO", *PANEL_ONLY]


def make(name):
    """Return a method; "adapted, 30" has that weight of the start."""
    if name in METHODS:
        return METHODS[name]()
    return Adapted(float(name.removeprefix("adapted, ")))

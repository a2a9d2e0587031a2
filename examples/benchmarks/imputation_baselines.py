"""What GexBERT is measured against in the imputation benchmarks.

Each has `fit(train, groups)` and `impute(X, includes_train=False)`; X is NaN where
values are to be filled in. With `includes_train`, the training rows are part of X.
"""

import warnings

import numpy as np
import torch
from sklearn import decomposition
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import BayesianRidge
from sklearn.model_selection import GroupShuffleSplit
from torch import nn

from skgex._low_rank import FactorAnalysis


class GeneMean:
    def fit(self, train, groups):
        self.mean = np.nanmean(train, axis=0)
        return self

    def impute(self, X, includes_train=False):
        return np.where(np.isnan(X), self.mean, X)


class Lowest(GeneMean):
    """The lowest value that was measured of a gene."""

    def fit(self, train, groups):
        self.mean = np.nanmin(train, axis=0)
        return self


class KNN:
    def fit(self, train, groups):
        self.imputer = KNNImputer(n_neighbors=10).fit(train)
        return self

    def impute(self, X, includes_train=False):
        return self.imputer.transform(X)


class Transductive:
    """Imputers that complete the training rows and the others as one table."""

    def fit(self, train, groups):
        self.train = train
        return self

    def impute(self, X, includes_train=False):
        n_train = len(self.train)
        if includes_train:
            # Training rows are completed without the others, as by all methods.
            others = self.complete(X, n_train)[n_train - len(X) :]
            return np.vstack([self.complete(X[:n_train], 0), others])
        return self.complete(np.vstack([self.train, X]), n_train)[-len(X) :]


class Chained(Transductive):
    """Chained equations: on complete training rows they would learn from no holes."""

    def __init__(self, n_rounds=3, max_rows=1500):
        self.n_rounds = n_rounds
        self.max_rows = max_rows

    def complete(self, table, n_train):
        rows = np.random.default_rng(0).permutation(n_train)[: self.max_rows]
        table = np.vstack([table[np.sort(rows)], table[n_train:]])
        imputer = IterativeImputer(
            BayesianRidge(),
            n_nearest_features=50,
            max_iter=self.n_rounds,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return imputer.fit_transform(table)


class SoftImpute(Transductive):
    """Singular values thresholded softly, again and again (Mazumder et al., 2010).

    The threshold with the least error on a tenth of the measured values of the rows
    to complete is taken; each solution is where the next starts.
    """

    thresholds = (0.3, 0.2, 0.14, 0.1, 0.07, 0.05, 0.035, 0.025)

    def __init__(self, n_rounds=10, max_rank=200):
        self.n_rounds = n_rounds
        self.max_rank = max_rank

    def complete(self, table, n_train):
        rng = np.random.default_rng(0)
        known = ~np.isnan(table)
        check = known & (rng.random(table.shape) < 0.1)
        check[:n_train] = False
        best, n_best = np.inf, 1
        for n, low_rank in enumerate(self._path(table, known & ~check), start=1):
            error = np.mean((low_rank - table)[check] ** 2)
            if error > best:
                break
            best, n_best = error, n
        *_, low_rank = self._path(table, known, n_best)
        return np.where(known, table, low_rank)

    def _path(self, table, known, n_thresholds=None):
        """Yield the solution for one threshold after the other."""
        measured = np.where(known, table, 0)
        rank = min(self.max_rank, *table.shape)
        rng = np.random.default_rng(0)
        V = rng.standard_normal((table.shape[1], rank)).astype(measured.dtype)
        low_rank = np.zeros_like(measured)
        largest = None
        for share in self.thresholds[:n_thresholds]:
            for _ in range(self.n_rounds):
                filled = np.where(known, measured, low_rank)
                U = np.linalg.qr(filled @ V)[0]
                left, size, V = np.linalg.svd(U.T @ filled, full_matrices=False)
                V = V.T
                largest = largest or size[0]
                size = np.maximum(size - share * largest, 0)
                low_rank = ((U @ left) * size) @ V.T
            yield low_rank


class SoftImputeOneTable(SoftImpute):
    """Soft-impute that completes training and test rows in one pass."""

    def impute(self, X, includes_train=False):
        return self.complete(X, 0)


class FactorPosterior:
    """Factor analysis by maximum likelihood; the posterior in double precision.

    The rank has the least error where half of the values of a fifth of the training
    rows are hidden. Holes in training are filled by the mean: scikit-learn's factor
    analysis takes none.
    """

    def __init__(self, ranks=(10, 25, 50, 100, 150, 200, 300), max_iter=50):
        self.ranks = ranks
        self.max_iter = max_iter

    def fit(self, train, groups):
        splitter = GroupShuffleSplit(1, test_size=0.2, random_state=0)
        rows, others = next(splitter.split(train, groups=groups))
        known = ~np.isnan(train[others])
        hidden = np.random.default_rng(0).random(known.shape) < 0.5
        held_out = np.where(hidden, np.nan, train[others])
        errors = {}
        for rank in self.ranks:
            if rank < min(len(rows), train.shape[1]):
                self._learn(train[rows], rank)
                error = (self.impute(held_out) - train[others])[hidden & known]
                errors[rank] = np.mean(error**2)
        self.rank = min(errors, key=errors.get)
        self._learn(train, self.rank, iterated_power=10)
        return self

    def _learn(self, train, rank, iterated_power=3):
        filled = np.where(np.isnan(train), np.nanmean(train, axis=0), train)
        model = decomposition.FactorAnalysis(
            rank,
            max_iter=self.max_iter,
            svd_method="randomized",
            iterated_power=iterated_power,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(filled)
        noise = np.maximum(model.noise_variance_, 1e-3)
        parts = model.components_.T.copy(), noise, model.mean_
        parts = [torch.from_numpy(part).double() for part in parts]
        self.model = FactorAnalysis(*parts)

    def impute(self, X, includes_train=False):
        filled = X.copy()
        for start in range(0, len(X), 64):
            Z = torch.from_numpy(X[start : start + 64]).double()
            expected = self.model.expected(self.model.posterior(Z).mean)
            filled[start : start + 64] = torch.where(Z.isnan(), expected, Z).numpy()
        return filled


class MaskedAutoencoder:
    """A multilayer perceptron that reads values and mask, and restores hidden ones."""

    def __init__(self, max_epochs=60, batch_size=64, lr=1e-3):
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr

    def fit(self, train, groups):
        torch.manual_seed(0)
        self.network = self._make(train.shape[1])
        X = torch.from_numpy(train)
        steps = self.max_epochs * -(-len(X) // self.batch_size)
        optimizer = torch.optim.AdamW(self.network.parameters(), weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.lr, steps)
        for _ in range(self.max_epochs):
            for batch in torch.randperm(len(X)).split(self.batch_size):
                optimizer.zero_grad()
                self._loss(X[batch]).backward()
                optimizer.step()
                schedule.step()
        return self

    def _make(self, n_genes):
        layers, width = [], 2 * n_genes
        for size in (512, 128, 512):
            layers += [nn.Linear(width, size), nn.ReLU()]
            width = size
        return nn.Sequential(*layers, nn.Linear(width, n_genes))

    def _loss(self, X):
        known = ~X.isnan()
        rate = torch.empty(len(X), 1).uniform_(0.05, 0.95)
        shown = known & (torch.rand(X.shape) > rate)
        restored = self._restore(X, shown)
        return (restored - X)[known & ~shown].square().mean()

    def _restore(self, X, shown):
        return self.network(torch.cat([torch.where(shown, X, 0), shown.float()], 1))

    @torch.no_grad()
    def impute(self, X, includes_train=False):
        Z = torch.from_numpy(X)
        return torch.where(Z.isnan(), self._restore(Z, ~Z.isnan()), Z).numpy()


BASELINES = {
    "gene mean": GeneMean,
    "KNN-10": KNN,
    "chained equations": Chained,
    "soft-impute": SoftImpute,
    "FA posterior": FactorPosterior,
    "masked autoencoder": MaskedAutoencoder,
}

"""Cohorts with planted risks."""

import numpy as np
import pandas as pd
import torch
from sklearn.frozen import FrozenEstimator

from skgex import SCARF, FineTunedCoxPH
from skgex._survival._data import SurvivalData


def as_surv(event, time):
    """Return a target of scikit-survival."""
    y = np.empty(len(time), [("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


def planted_cohort(n, n_genes, *, risk=None, censoring=1.5, n_times=None, seed=0):
    """Return genes, the first of which have to do with survival, and follow-up.

    Parameters
    ----------
    risk : callable or None
        Returns the log risk of genes; by default the sum of two, less another.
    censoring : float
        Mean time of censoring, relative to that of the event without risk.
    n_times : int or None
        Round times, so that there are about so many of them, and ties.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_genes))
    log_risk = X[:, :3] @ [1, 1, -1] if risk is None else risk(X)
    time = rng.exponential(np.exp(-log_risk))
    censored = rng.exponential(censoring, n)
    y = as_surv(time <= censored, np.minimum(time, censored))
    if n_times:
        y["time"] = np.ceil(np.argsort(np.argsort(y["time"])) * n_times / n) + 1
    return X, y


def named_cohort(n, seed, **options):
    """Return a table of the genes G0 to G7, and follow-up."""
    values, y = planted_cohort(n, 8, seed=seed, **options)
    columns = [f"G{i}" for i in range(8)]
    return pd.DataFrame(values.astype(np.float32), columns=columns), y


def as_data(y, strata=None, weight=None):
    """Return follow-up as the solvers take it."""
    n = len(y)
    columns = [
        y["event"],
        y["time"],
        np.zeros(n, int) if strata is None else strata,
        np.ones(n) if weight is None else weight,
    ]
    return SurvivalData(*(torch.from_numpy(values.copy()) for values in columns))


def without_network(Estimator=FineTunedCoxPH, **parameters):
    """Return an unfitted model of the linear part alone, quick to fit."""
    options = {"alpha": 1.0, "cv": None, "scaling": "standard", "max_epochs": 0}
    options |= {"device": "cpu", "random_state": 0}
    embedder = SCARF(hidden_dims=(8,), max_epochs=0, device="cpu")
    return Estimator(embedder, **{**options, **parameters})


def tuned(before, Estimator=FineTunedCoxPH, **parameters):
    """Return an unfitted model that starts from another, and chooses in folds."""
    model = without_network(Estimator, **{"alpha": "cv", "cv": 3, **parameters})
    return model.set_params(embedder=FrozenEstimator(before))

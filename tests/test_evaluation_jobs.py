"""What experiments send to other processes and clusters."""

import pickle

import numpy as np
import pytest
from discovery import tiny
from joblib import Parallel
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skgex import GexBERT
from skgex.datasets import make_expression
from skgex.evaluation import (
    _jobs,
    cohort_size_curve,
    label_efficiency_curve,
    missingness_curve,
    panel_size_curve,
)

X = make_expression(n_samples=60, n_genes=400, random_state=0)
Y = np.arange(60) % 2
LINEAR = make_pipeline(PCA(2), LogisticRegression())
EXPERIMENTS = {
    "labels": lambda: label_efficiency_curve({"linear": LINEAR}, X, Y, n_splits=2),
    "cohorts": lambda: cohort_size_curve(
        {"linear": LINEAR}, X, Y, sizes=[10, 20], n_draws=2, test_size=0.1
    ),
    "restored": lambda: cohort_size_curve(
        {"prior": tiny(GexBERT, max_epochs=0)}, X, sizes=[20], n_draws=2, test_size=0.1
    ),
    "panels": lambda: panel_size_curve(
        {"linear": LINEAR}, X, Y, sizes=[5, 9], selector=SelectKBest(f_classif)
    ),
    "holes": lambda: missingness_curve(
        {"mean": SimpleImputer()}, X, rates=[0.1, 0.2], cv=2
    ),
}


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_the_table_goes_beside_the_jobs(experiment, monkeypatch):
    """Dask sends once what is an argument, but each time what is within one."""
    expected = experiment()
    sent = []

    class Spy(Parallel):
        def __call__(self, calls):
            calls = list(calls)
            sent.extend(args for _, args, _ in calls)
            return super().__call__(calls)

    monkeypatch.setattr(_jobs, "Parallel", Spy)
    found = experiment()
    assert len(sent) > 1
    for job, _, _, *data in sent:
        assert len(pickle.dumps(job)) < X.nbytes / 2
        assert data[0] is sent[0][3]
        assert_array_equal(data[0], X)
    seconds = [name for name in found if name.endswith("seconds")]
    for name in found.columns.drop(seconds):
        assert_array_equal(found[name], expected[name])

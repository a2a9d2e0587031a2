"""What is said of a sample is the same, bit for bit, whoever else is in the call."""

import inspect
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from discovery import (
    ESTIMATORS,
    class_name,
    is_fine_tuned,
    is_survival,
    make_target,
    takes,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import (
    check_methods_sample_order_invariance,
    check_methods_subset_invariance,
)

import skgex
from skgex.datasets import make_expression

N = 70  # more than are computed at a time
METHODS = [
    "transform",
    "predict",
    "predict_proba",
    "predict_survival_function",
    "predict_cumulative_hazard_function",
    "restore",
    "embed_genes",
    "attention",
    "score_samples",
]
OPTIONS = {
    "predict_survival_function": [{"return_array": True}],
    "predict_cumulative_hazard_function": [{"return_array": True}],
    "restore": [{"return_std": True, "keep_measured": False}],
    "embed_genes": [{"genes": np.arange(9)}],
    "attention": [{"rollout": True}],
    "score_samples": [{"return_z": True}],
}
# Rows of a call, and which of them is looked at: alone, in pairs, in sevens, in
# reversed order.
CALLS = [
    ([37], 0),
    ([66, 37], 1),
    ([3, 14, 15, 37, 65, 69, 21], 3),
    (list(range(N))[::-1], N - 1 - 37),
]


def make_tables():
    """Return profiles of fit, and new ones with holes of many kinds."""
    X = make_expression(N, 150, n_factors=12, random_state=0)
    X = X.astype(np.float32) + 3
    rng = np.random.default_rng(0)
    fitted = np.where(rng.random(X.shape) < 0.05, np.nan, X).astype(np.float32)
    new = fitted + np.float32(0.01)
    new[:20] = X[:20] + np.float32(0.01)  # complete
    new[20:50, 60:110] = np.nan  # a block, and others
    new[50:55, 3:] = np.nan  # hardly any gene
    return fitted, new


FITTED, NEW = make_tables()
CLASSES = np.where(np.arange(N) % 3 > 0, "a", "b")
VALUES = np.nan_to_num(FITTED[:, :10], nan=3.0).mean(1).astype(np.float64)


def by_default(Estimator, **parameters):
    """Return an estimator with its default widths, and few epochs of training."""
    if takes(Estimator, "max_epochs"):
        parameters = {"max_epochs": 1, **parameters}
    if is_fine_tuned(Estimator) or is_survival(Estimator):
        parameters["embedder"] = by_default(skgex.SCARF)
    elif takes(Estimator, "embedder"):
        parameters["embedder"] = by_default(skgex.GexBERT)
    if takes(Estimator, "random_state"):
        parameters["random_state"] = 0
    if Estimator in (skgex.TopVarianceGenes, skgex.UnivariateCoxSelector):
        parameters["k"] = "all"
    return Estimator(**parameters)


def fit(estimator, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        y = make_target(type(estimator), CLASSES, VALUES)
        return estimator.fit(X) if y is None else estimator.fit(X, y)


def tables_for(Estimator):
    """Return training data and new samples that an estimator takes."""
    if Estimator is skgex.LogCPM:
        counts = np.random.default_rng(0).poisson(50, (N, 150))
        return counts, counts
    if not Estimator().__sklearn_tags__().input_tags.allow_nan:
        return np.nan_to_num(FITTED, nan=3.0), np.nan_to_num(NEW, nan=3.0)
    if Estimator is skgex.GeneRestorer:
        names = [f"G{i}" for i in range(FITTED.shape[1])]
        return tuple(pd.DataFrame(X, columns=names) for X in (FITTED, NEW))
    return FITTED, NEW


def train_decoder(estimator):
    """Let a decoder correct what the prior expects, though it has hardly learnt."""
    for part in (estimator, getattr(estimator, "embedder_", None)):
        if isinstance(part, skgex.GexBERT):
            with torch.no_grad():
                out = part.objective_.decoder.out.weight
                out.copy_(torch.linspace(-0.1, 0.1, out.numel()))
    return estimator


def rows_of(X, rows):
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def check_alone_or_in_company(function, X):
    """Check that a sample has the same outputs in all calls."""
    outputs = as_arrays(function(X))
    for rows, place in CALLS:
        found = as_arrays(function(rows_of(X, rows)))
        for part, expected in zip(found, outputs, strict=True):
            np.testing.assert_array_equal(part[place], expected[37], strict=True)
    # Samples with other holes, by themselves.
    for row in (0, 52, 69):
        found = as_arrays(function(rows_of(X, [row])))
        for part, expected in zip(found, outputs, strict=True):
            np.testing.assert_array_equal(part[0], expected[row], strict=True)


def as_arrays(output):
    return [np.asarray(p) for p in (output if isinstance(output, tuple) else [output])]


def check_all_methods(estimator, *tables):
    threads = torch.get_num_threads()
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            for method in METHODS:
                if not hasattr(estimator, method):
                    continue
                for options in OPTIONS.get(method, [{}]):
                    function = partial(getattr(estimator, method), **options)
                    for X in tables:
                        check_alone_or_in_company(function, X)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("Estimator", ESTIMATORS, ids=class_name)
def test_a_sample_alone_and_in_company(Estimator):
    X, new = tables_for(Estimator)
    estimator = train_decoder(fit(by_default(Estimator), X))
    # Samples of the fit itself, with holes, are known again.
    check_all_methods(estimator, new, *([X] if Estimator is skgex.GexImputer else []))


@pytest.mark.parametrize(
    "parameters",
    [
        {"prior": None},
        {"embedding_dim": 12, "n_heads": 3, "n_genes_per_step": 74, "pooling": "mean"},
        {"value_encoder": "bins", "pooling": "summary", "standardize": False},
        {"n_genes_per_step": 16},
    ],
    ids=["no prior", "small", "bins", "some panels"],
)
def test_other_networks_over_genes(parameters):
    embedder = by_default(skgex.GexBERT, n_iter_no_change=None, **parameters)
    embedder = train_decoder(fit(embedder, FITTED))
    for method in ("transform", "restore", "attention"):
        check_alone_or_in_company(getattr(embedder, method), NEW)


@pytest.mark.parametrize("Estimator", ESTIMATORS, ids=class_name)
@pytest.mark.parametrize(
    "check",
    [check_methods_subset_invariance, check_methods_sample_order_invariance],
    ids=["subset", "order"],
)
@pytest.mark.filterwarnings("ignore")
def test_checks_of_scikit_learn_with_default_widths(Estimator, check):
    assert "name" in inspect.signature(check).parameters
    check(Estimator.__name__, by_default(Estimator))

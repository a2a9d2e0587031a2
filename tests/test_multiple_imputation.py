"""Multiple imputation by simulation: intervals by Rubin's rules cover the truth.

Regression coefficients of outcomes, each on a gene of which two values in five are
missing, completely at random or depending on another gene, in data of which other
values are missing too. The outcomes are columns of the table that is completed: with
noise of their own each tells of an interval, and one fit does for all of a table.
"""

import warnings

import numpy as np
import pytest
from discovery import tiny
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer

from skgex import GexBERT, GexImputer

N_SETS, N_OUTCOMES, N_DRAWS = 14, 8, 10
N_SAMPLES, N_GENES, RANK = 200, 16, 2
SLOPE = 0.5


def simulate(seed, mechanism):
    """Return a table with holes: genes, the first ones asked about, then outcomes."""
    rng = np.random.default_rng(seed)
    loadings = 1.2 * rng.normal(size=(RANK, N_GENES)) / np.sqrt(RANK)
    X = rng.normal(size=(N_SAMPLES, RANK)) @ loadings
    X += 0.7 * rng.normal(size=X.shape)
    asked = slice(N_OUTCOMES)
    outcomes = SLOPE * X[:, asked] + rng.normal(size=(N_SAMPLES, N_OUTCOMES))
    lost = np.full((N_SAMPLES, 1), 0.4)
    if mechanism == "MAR":
        lost = 1 / (1 + np.exp(0.4 - 1.2 * X[:, [N_OUTCOMES]]))
    table = np.column_stack([X, outcomes])
    table[:, asked][rng.random((N_SAMPLES, N_OUTCOMES)) < lost] = np.nan
    others = table[:, N_OUTCOMES + 1 : N_GENES]
    others[rng.random(others.shape) < 0.1] = np.nan
    return table


def slopes(table):
    """Return coefficients by least squares, and their squared standard errors."""
    pairs = zip(table.T[:N_OUTCOMES], table.T[N_GENES:], strict=True)
    found = [stats.linregress(gene, outcome) for gene, outcome in pairs]
    return [line.slope for line in found], [line.stderr**2 for line in found]


def pooled(estimates, variances):
    """Return estimate, standard error and degrees of freedom by Rubin's rules."""
    within, between = np.mean(variances), np.var(estimates, ddof=1)
    between *= 1 + 1 / len(estimates)
    total = within + between
    old = (len(estimates) - 1) * (total / between) ** 2
    complete = N_SAMPLES - 2
    observed = (complete + 1) / (complete + 3) * complete * within / total
    return np.mean(estimates), np.sqrt(total), 1 / (1 / old + 1 / observed)


def draws_of_gex(table, seed):
    imputer = GexImputer(
        tiny(GexBERT, max_epochs=0), sample_posterior=True, random_state=seed
    )
    imputer.fit(table)
    return [imputer.transform(table) for _ in range(N_DRAWS)]


def draws_of_chained_equations(table, seed):
    """Fewer data sets and draws: it is here to see that the test is fair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [
            IterativeImputer(
                sample_posterior=True, max_iter=4, random_state=100 * seed + n
            ).fit_transform(table)
            for n in range(N_DRAWS // 2)
        ]


def coverage(draws, mechanism, n_sets):
    """Return the share of 95 % intervals that hold the truth, and the mean error."""
    held, errors = [], []
    for seed in range(n_sets):
        completed = draws(simulate(seed, mechanism), seed)
        found = np.array([slopes(table) for table in completed])
        for outcome in range(N_OUTCOMES):
            estimate, error, freedom = pooled(*found[:, :, outcome].T)
            errors.append(estimate - SLOPE)
            held.append(abs(errors[-1]) < stats.t.ppf(0.975, freedom) * error)
    return np.mean(held), np.mean(errors)


@pytest.mark.slow
@pytest.mark.parametrize("mechanism", ["MCAR", "MAR"])
def test_intervals_cover_the_coefficient(mechanism):
    # Of 100 intervals 95 are expected, and between 89 and 99 with probability .99.
    share, error = coverage(draws_of_gex, mechanism, N_SETS)
    assert 0.89 <= share <= 0.99
    assert abs(error) < 0.1 * SLOPE


@pytest.mark.slow
def test_chained_equations_pass_the_same_test():
    share, error = coverage(draws_of_chained_equations, "MCAR", 6)
    assert share >= 0.85
    assert abs(error) < 0.1 * SLOPE


def test_errors_of_samples_go_together_by_what_is_learnt():
    """The mean of a gene is known from its measured values, and no better."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 10))
    X[:30, 0] = np.nan
    imputer = GexImputer(
        tiny(GexBERT, max_epochs=0), sample_posterior=True, random_state=0
    ).fit(X)
    means = [imputer.transform(X)[:30, 0].mean() for _ in range(300)]
    # 30 independent draws around a mean that 30 values tell: 1 / 30 each.
    assert 0.7 < np.var(means) / (2 / 30) < 1.6

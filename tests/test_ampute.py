"""ampute: how many values it hides, which, and what that depends on."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression

from skgex.datasets import make_expression
from skgex.evaluation import ampute

MECHANISMS = ["mcar", "mar", "mnar", "censoring", "block", "panel"]
ALL = pytest.mark.parametrize("mechanism", MECHANISMS)


@ALL
@settings(max_examples=20, deadline=None)
@given(
    n_samples=st.integers(2, 40),
    n_genes=st.integers(4, 30),
    rate=st.floats(0.01, 0.7),
    missing=st.sampled_from([0, 0.2]),
    seed=st.integers(0, 99),
)
def test_the_share_is_exact_and_no_sample_is_empty(
    mechanism, n_samples, n_genes, rate, missing, seed
):
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(n_samples, n_genes)), 1)
    X[rng.random(X.shape) < missing] = np.nan
    measured = ~np.isnan(X)
    try:
        holed = ampute(X, rate, mechanism, random_state=seed)
    except ValueError:  # too few of them can be hidden
        reject()
    shown = ~np.isnan(holed)
    assert (measured & ~shown).sum() == round(rate * measured.sum())
    assert_array_equal(holed[shown], X[shown])
    assert_array_equal(shown.any(axis=1), measured.any(axis=1))
    assert_array_equal(ampute(X, rate, mechanism, random_state=seed), holed)


@ALL
def test_containers_stay_what_they_are(mechanism):
    X = make_expression(30, 12, random_state=0).astype(np.float32)
    holed = ampute(X, 0.3, mechanism, random_state=0)
    assert holed.dtype == np.float32
    assert not np.isnan(X).any()
    genes = [f"g{i}" for i in range(12)]
    frame = pd.DataFrame(X, [f"S{i}" for i in range(30)], genes)
    of_frame = ampute(frame, 0.3, mechanism, random_state=0)
    pd.testing.assert_frame_equal(
        of_frame, pd.DataFrame(holed, frame.index, genes), check_exact=True
    )
    of_polars = ampute(pl.DataFrame(X, genes), 0.3, mechanism, random_state=0)
    assert isinstance(of_polars, pl.DataFrame)
    assert of_polars.columns == genes
    assert_array_equal(of_polars.to_numpy(), holed)
    whole = ampute(np.arange(60).reshape(10, 6), 0.3, mechanism, random_state=0)
    assert whole.dtype == np.float64


@pytest.mark.parametrize("mechanism", ["mcar", "mnar", "panel"])
def test_more_is_hidden_at_a_higher_rate(mechanism):
    X = make_expression(50, 40, random_state=0)
    low, high = (ampute(X, rate, mechanism, random_state=3) for rate in (0.2, 0.6))
    assert np.isnan(high)[np.isnan(low)].all()


def test_generators_go_on():
    X = make_expression(20, 10, random_state=0)
    rng = np.random.RandomState(0)
    first, second = (ampute(X, 0.4, random_state=rng) for _ in range(2))
    assert_array_equal(first, ampute(X, 0.4, random_state=0))
    assert not np.array_equal(first, second, equal_nan=True)


@pytest.fixture(scope="module")
def correlated():
    """Many samples of a few genes, each of which tells of the others."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 1)) + 0.8 * rng.normal(size=(20_000, 5))
    return (X - X.mean(axis=0)) / X.std(axis=0)


def coefficients(X, hidden):
    """Return what a logistic regression finds that a hole depends on, and its error."""
    model = LogisticRegression(C=np.inf, tol=1e-8).fit(X, hidden)
    p = model.predict_proba(X)[:, 1]
    Z = np.column_stack([np.ones(len(X)), X])
    covariance = np.linalg.inv((Z * (p * (1 - p))[:, None]).T @ Z)
    return model.coef_[0], np.sqrt(np.diag(covariance))[1:]


@pytest.mark.parametrize("slope", [1.0, 2.0])
def test_mar_depends_on_a_measured_gene_and_on_nothing_else(correlated, slope):
    X = correlated
    hidden = np.isnan(ampute(X, 0.3, "mar", slope=slope, random_state=1))
    has_holes = hidden.any(axis=0)
    assert has_holes.sum() == 3  # of five genes round(0.35 * 5) are drivers
    for gene in np.flatnonzero(has_holes):
        found, error = coefficients(X, hidden[:, gene])
        driver = np.argmax(found)
        assert not has_holes[driver]
        expected = slope * (np.arange(5) == driver)
        assert np.all(np.abs(found - expected) < 4 * error)
        # Not so if the driver is not known: own values are other ones then.
        assert X[hidden[:, gene], gene].mean() > 0.2


@pytest.mark.parametrize(("mechanism", "own"), [("mnar", -2.0), ("mcar", 0.0)])
def test_mnar_depends_on_the_own_value_and_mcar_on_nothing(correlated, mechanism, own):
    hidden = np.isnan(ampute(correlated, 0.3, mechanism, random_state=1))
    for gene in range(5):
        found, error = coefficients(correlated, hidden[:, gene])
        assert np.all(np.abs(found - own * (np.arange(5) == gene)) < 4 * error)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.6])
def test_what_is_below_a_limit_is_censored(rate):
    X = np.random.default_rng(0).normal(5, 2, size=(300, 80))
    hidden = np.isnan(ampute(X, rate, "censoring", random_state=0))
    assert np.all(
        np.where(hidden, X, -np.inf).max(axis=0)
        < np.where(hidden, np.inf, X).min(axis=0)
    )
    shares = hidden.mean(axis=0)
    if rate < 0.5:  # Beta(2, 2), of a width of two rates
        assert shares.std() == pytest.approx(2 * rate * np.sqrt(0.05), rel=0.2)
    assert shares.max() < 1


def test_equal_values_are_censored_together():
    X = np.random.default_rng(0).normal(size=(200, 40)).clip(min=-0.5)
    X[:, 3] = 1.0
    hidden = np.isnan(ampute(X, 0.3, "censoring", random_state=0))
    floor = X == X.min(axis=0)
    share = (hidden & floor).sum(axis=0) / floor.sum(axis=0)
    assert ((share > 0) & (share < 1)).sum() <= 1
    assert not hidden[:, 3].any()


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.8])
def test_a_block_has_the_same_share_of_samples_and_of_genes(rate):
    hidden = np.isnan(ampute(np.ones((50, 61)), rate, "block", random_state=0))
    rows, genes = hidden.any(axis=1), hidden.any(axis=0)
    assert rows.mean() == pytest.approx(np.sqrt(rate), abs=0.5 / 50)
    assert genes.mean() == pytest.approx(np.sqrt(rate), abs=2 / 61)
    whole = hidden[rows].all(axis=0)
    assert genes.sum() - whole.sum() <= 1


@pytest.mark.parametrize(
    ("rate", "n_panels"), [(0.2, 3), (0.5, 3), (0.75, 4), (0.9, 10)]
)
def test_each_gene_is_on_one_of_the_panels(rate, n_panels):
    hidden = np.isnan(ampute(np.ones((80, 100)), rate, "panel", random_state=0))
    panels = np.unique(hidden, axis=0, return_counts=True)
    assert len(panels[1]) == n_panels
    assert panels[1].max() - panels[1].min() <= 1
    assert_array_equal(panels[0].sum(axis=1), 100 * rate)
    assert not hidden.all(axis=0).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0}, r"rate=0 must lie in \(0, 1\)"),
        ({"rate": "half"}, r"rate='half' must lie"),
        ({"mechanism": "MCAR"}, r"mechanism='MCAR' must be one of \['mcar', 'mar'"),
        ({"slope": np.inf}, "slope=inf must be a number"),
        ({"rate": 0.9}, "rate=0.9 is 36 of the 40 .* 'mcar' can hide 30 of them"),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ampute(np.ones((10, 4)), **{"rate": 0.5, **options})

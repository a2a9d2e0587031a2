"""GexImputer as a drop-in for the imputers of scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.impute.tests import test_common as of_scikit_learn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgex import SCARF, GexBERT, GexImputer
from skgex.datasets import make_cohort, make_expression

FULL = make_expression(n_samples=90, n_genes=20, random_state=0)
HOLES = np.random.default_rng(0).random(FULL.shape) < 0.25
X = np.where(HOLES, np.nan, FULL)
NAMES = [f"G{i}" for i in range(20)]
TABLE = pd.DataFrame(X, columns=NAMES, index=[f"S{i}" for i in range(90)])


def imputer(**parameters):
    """Return an imputer that stands on the prior alone, which is quick."""
    embedder = tiny(GexBERT, max_epochs=0, batch_size=64)
    return GexImputer(**{"embedder": embedder, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def pretrained():
    return tiny(GexBERT).fit(TABLE)  # not to be fitted again


# scikit-learn's own tests, for an estimator that is not in its list


@pytest.mark.parametrize("marker", [np.nan, -1, 0])
def test_scikit_learn_indicator(marker):
    of_scikit_learn.test_imputers_add_indicator(marker, GexImputer(random_state=0))


@pytest.mark.parametrize("add_indicator", [True, False])
def test_scikit_learn_tables(add_indicator):
    own = GexImputer(random_state=0)
    of_scikit_learn.test_imputers_pandas_na_integer_array_support(own, add_indicator)
    of_scikit_learn.test_imputers_feature_names_out_pandas(own, add_indicator)


def test_scikit_learn_missing_value_in_test_array():
    of_scikit_learn.test_imputation_missing_value_in_test_array(GexImputer())


@pytest.mark.parametrize("keep_empty_features", [True, False])
def test_scikit_learn_keep_empty_features(keep_empty_features):
    of_scikit_learn.test_keep_empty_features(GexImputer(), keep_empty_features)


@pytest.mark.parametrize("value", [np.nan, 1])
def test_scikit_learn_indicator_always_exists(value):
    name = "test_imputation_adds_missing_indicator_if_add_indicator_is_true"
    getattr(of_scikit_learn, name)(GexImputer(random_state=0), value)


def test_every_dense_test_of_scikit_learn_is_called():
    dense = {name for name in dir(of_scikit_learn) if name.startswith("test_")}
    # Six above; the seventh is for sparse input, which we refuse.
    assert len(dense - {"test_imputers_add_indicator_sparse"}) == 6


# Values


def test_missing_values_are_restored_and_better_than_by_others():
    many = make_expression(n_samples=300, n_genes=40, random_state=0)
    holes = np.random.default_rng(1).random(many.shape) < 0.3
    given = np.where(holes, np.nan, many)
    errors = [
        np.square(other.fit_transform(given) - many)[holes].mean()
        for other in (imputer(), KNNImputer(n_neighbors=10), SimpleImputer())
    ]
    assert errors[0] < 0.8 * errors[1] < 0.8 * errors[2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_measured_values_are_returned_bit_for_bit(dtype):
    values = (X * np.pi).astype(dtype)
    imputed = imputer().fit_transform(values)
    assert imputed.dtype == dtype
    assert_array_equal(imputed[~HOLES], values[~HOLES])
    assert np.isfinite(imputed).all()


def test_large_integers_are_exact():
    counts = np.random.default_rng(0).integers(0, 2**53, (40, 6))
    counts[::4, 2] = -1
    imputed = imputer(missing_values=-1).fit_transform(counts)
    assert imputed.dtype == np.float64
    assert_array_equal(imputed[counts != -1].astype(int), counts[counts != -1])
    assert (imputed[counts == -1] != -1).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_in_and_out(library):
    table = TABLE if library == "pandas" else pl.from_pandas(TABLE)
    expected = imputer().fit(X).transform(X)
    frame = imputer().set_output(transform=library).fit(table).transform(table)
    assert type(frame) is type(table)
    assert list(frame.columns) == NAMES
    # Sums over columns, and over rows, differ by rounding.
    assert_allclose(frame.to_numpy(), expected, rtol=1e-5)
    if library == "pandas":
        assert list(frame.index) == list(TABLE.index)


@pytest.mark.parametrize("marker", [-1, 0, pd.NA, np.nan])
def test_any_marker_gives_the_same_values(marker):
    values = pd.DataFrame(X).astype("Float32") if marker is pd.NA else X
    if isinstance(marker, int):
        values = np.where(HOLES, marker, FULL)
    found = imputer(missing_values=marker).fit_transform(values)
    assert_allclose(found, imputer().fit_transform(X), rtol=1e-6)


def test_nan_beside_another_marker_is_refused():
    with pytest.raises(ValueError, match=r"NaN, but missing .* missing_values=-1"):
        imputer(missing_values=-1).fit(X)
    fitted = imputer(missing_values=-1).fit(FULL)
    with pytest.raises(ValueError, match=r"NaN, but missing .* missing_values=-1"):
        fitted.transform(X)


def test_infinity_names_the_gene():
    bad = TABLE.copy()
    bad.iloc[4, 7] = np.inf
    with pytest.raises(ValueError, match="infinity: sample 4, gene 'G7'"):
        imputer().fit(bad)


# Genes


@pytest.mark.parametrize("keep", [True, False])
def test_genes_without_any_value_in_fit(keep):
    table = TABLE.copy()
    table[["G3", "G11"]] = np.nan
    fitted = imputer(keep_empty_features=keep).fit(table)
    frame = fitted.set_output(transform="pandas").transform(TABLE)
    names = [n for n in NAMES if keep or n not in ("G3", "G11")]
    assert list(frame.columns) == names == list(fitted.get_feature_names_out())
    assert np.isnan(fitted.statistics_[[3, 11]]).all()
    if keep:
        assert (frame[["G3", "G11"]].to_numpy()[HOLES[:, [3, 11]]] == 0).all()
    # The others are as if these had never been there.
    without = imputer().fit(table.drop(columns=["G3", "G11"]))
    expected = without.transform(TABLE.drop(columns=["G3", "G11"]))
    others = frame.drop(columns=["G3", "G11"], errors="ignore")
    assert_allclose(others, expected, rtol=1e-5)


def test_genes_that_were_complete_in_fit_may_be_missing_later():
    fitted = imputer(add_indicator=True).fit(FULL[:60])
    new = FULL[60:].copy()
    new[:, :10] = np.nan
    found = fitted.transform(new)
    assert found.shape == (30, 20)  # nothing was missing in fit
    error, baseline = (
        np.square(values - FULL[60:])[:, :10].mean()
        for values in (found, FULL[:60].mean(axis=0))
    )
    assert error < 0.7 * baseline


def test_indicator_marks_what_was_missing():
    fitted = imputer(add_indicator=True).fit(TABLE)
    found = fitted.transform(TABLE)
    assert_array_equal(found[:, 20:], HOLES[:, fitted.indicator_.features_])
    assert list(fitted.get_feature_names_out()[20:22]) == [
        "missingindicator_G0",
        "missingindicator_G1",
    ]


def test_constant_genes_keep_their_value_without_a_warning():
    constant = X.copy()
    constant[:, 5] = np.where(HOLES[:, 5], np.nan, 7)
    assert_array_equal(imputer().fit_transform(constant)[:, 5], 7)
    constant = np.where(HOLES, np.nan, np.arange(20.0))
    found = imputer().fit(constant)
    assert found.embedder_ is None
    assert_array_equal(found.transform(constant), np.tile(np.arange(20), (90, 1)))


def test_samples_without_any_value_get_the_means():
    empty = X.copy()
    empty[[0, 50]] = np.nan
    fitted = imputer().fit(empty)
    found = fitted.transform(empty)
    assert_allclose(found[[0, 50]], np.tile(np.nanmean(empty, axis=0), (2, 1)), 1e-5)
    others = np.delete(empty, [0, 50], axis=0)
    expected = imputer().fit(others).transform(others)
    assert_allclose(np.delete(found, [0, 50], axis=0), expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(20, 5), (3, 4), (2, 2), (1, 3)])
def test_small_data_with_the_default_embedder(shape):
    values = X[: shape[0], : shape[1]].copy()
    values[0, 0] = np.nan
    assert np.isfinite(GexImputer(random_state=0).fit_transform(values)).any()


def test_samples_do_not_depend_on_each_other(monkeypatch):
    fitted = imputer().fit(X)
    together = fitted.transform(X)
    assert_allclose(fitted.transform(X[7:8]), together[7:8], atol=1e-4)
    monkeypatch.setattr("skgex._impute._fill_in._BLOCK_VALUES", 100)
    assert_allclose(fitted.transform(X), together, atol=1e-4)


# Embedders


def test_pretrained_weights_are_used_as_they_are(pretrained):
    expected = pretrained.restore(TABLE)
    before = pickle.dumps(pretrained)
    fitted = GexImputer(FrozenEstimator(pretrained)).fit(TABLE[:30])
    assert fitted.embedder_ is pretrained
    assert_allclose(fitted.transform(TABLE), expected, atol=1e-5)
    assert pickle.dumps(pretrained) == before
    other = TABLE[NAMES[::-1]]
    with pytest.raises(ValueError, match=r"gene 'G0' in column 0, where X has 'G19'"):
        GexImputer(FrozenEstimator(pretrained)).fit(other)
    # A gene that these samples lack altogether is restored as well.
    lacking = TABLE.assign(G2=np.nan)
    found = GexImputer(FrozenEstimator(pretrained)).fit_transform(lacking)
    assert_allclose(found[:, 2], pretrained.restore(lacking, ["G2"])["G2"], atol=1e-5)


def test_other_embedders_are_refused():
    message = r"(?s)embedder=SCARF.* is not a GexBERT, which can restore genes"
    for embedder in (SCARF(), FrozenEstimator(tiny(SCARF).fit(X))):
        with pytest.raises(ValueError, match=message):
            GexImputer(embedder).fit(X)


def test_the_embedder_is_a_parameter_and_the_seed_serves_it():
    embedder = tiny(GexBERT, max_epochs=1, random_state=None)
    first, second = (GexImputer(embedder, random_state=0).fit(X) for _ in range(2))
    assert not hasattr(embedder, "encoder_")
    assert_array_equal(first.transform(X), second.transform(X))
    loaded = pickle.loads(pickle.dumps(first))
    assert_array_equal(loaded.transform(X), first.transform(X))
    assert not hasattr(clone(first), "embedder_")


def test_groups_reach_the_embedder(seen):
    embedder = tiny(GexBERT, n_iter_no_change=2, validation_fraction=0.2)
    groups = np.repeat(np.arange(15), 6)
    empty = X.copy()
    empty[0] = np.nan
    GexImputer(embedder).fit(empty, groups=groups)
    rows, valid_rows = seen["parts"]
    # Without the empty sample.
    assert not set(groups[1:][rows]) & set(groups[1:][valid_rows])
    assert len(rows) + len(valid_rows) == 89


def test_search_in_a_pipeline():
    cohort = make_cohort(n_samples=60, n_genes=12, missing_rate=0.2, random_state=0)
    pipeline = make_pipeline(imputer(), StandardScaler(), LogisticRegression())
    grid = {"geximputer__embedder__clip": [4.0, 10.0]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2, error_score="raise")
    search.fit(cohort.data, cohort.target)
    assert search.best_score_ > 0.7  # three classes

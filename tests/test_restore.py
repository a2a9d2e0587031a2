"""GeneRestorer: a partial panel in, the panel and restored genes out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skgex import SCARF, GeneRestorer, GexBERT
from skgex.datasets import make_expression

NAMES = [f"G{i}" for i in range(20)]
TABLE = pd.DataFrame(
    make_expression(n_samples=100, n_genes=20, random_state=0), columns=NAMES
)
NEW = TABLE[80:]
# Some genes of the embedder in another order, and a column that it does not know.
PANEL = NEW[NAMES[11::-1]].assign(age=np.arange(20.0))


@pytest.fixture(scope="module")
def pretrained():
    return tiny(GexBERT).fit(TABLE[:80])  # not to be fitted again


@pytest.fixture
def restorer(pretrained):
    restorer = GeneRestorer(FrozenEstimator(pretrained))
    return restorer.set_output(transform="pandas")


def test_columns_are_aligned_by_name(restorer, pretrained):
    frame = restorer.fit_transform(PANEL)
    assert list(frame.columns) == [*PANEL.columns, *NAMES[12:]]
    assert_array_equal(frame[PANEL.columns], PANEL)
    assert list(frame.index) == list(NEW.index)
    aligned = PANEL.reindex(columns=NAMES)
    assert_array_equal(frame[NAMES], pretrained.restore(aligned))
    # Restored, in the units of the training data.
    error = np.square(frame[NAMES[12:]] - NEW[NAMES[12:]]).mean().mean()
    assert error < 0.7 * np.square(NEW[NAMES[12:]] - TABLE[:80].mean()).mean().mean()


def test_order_of_the_panel_does_not_matter(restorer):
    first = restorer.fit_transform(PANEL)
    second = clone(restorer).fit_transform(PANEL[PANEL.columns[::-1]])
    assert_allclose(second[first.columns], first, atol=1e-5)


def test_genes_are_appended_in_their_order_and_once(restorer):
    restorer.set_params(genes=["G15", "G3", "G13", "G15"])
    frame = restorer.fit_transform(PANEL)
    assert list(frame.columns[13:]) == ["G15", "G13"] == list(restorer.genes_)
    everything = clone(restorer).set_params(genes=None).fit_transform(PANEL)
    assert_allclose(frame[["G15", "G13"]], everything[["G15", "G13"]], atol=1e-5)
    assert list(clone(restorer).set_params(genes=[]).fit(PANEL).genes_) == []


def test_missing_values_are_restored_in_known_columns_only(restorer, pretrained):
    holes = PANEL.copy()
    holes.iloc[3, [0, 12]] = np.nan
    frame = restorer.fit(PANEL).transform(holes)
    assert np.isnan(frame.loc[83, "age"])
    assert frame.drop(columns="age").notna().all(axis=None)
    expected = pretrained.restore(holes.reindex(columns=NAMES))
    assert_array_equal(frame[NAMES], expected)
    assert frame.loc[83, "G11"] != PANEL.loc[83, "G11"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_digits_are_kept(restorer, dtype):
    panel = (PANEL * 1.1).astype(dtype)
    frame = restorer.fit_transform(panel)
    assert (frame.dtypes == dtype).all()
    assert_array_equal(frame[panel.columns], panel)


def test_polars(restorer):
    expected = restorer.fit_transform(PANEL)
    frame = clone(restorer).set_output(transform="polars")
    frame = frame.fit_transform(pl.from_pandas(PANEL))
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == list(expected.columns)
    assert_array_equal(frame, expected)


def test_names_out(restorer):
    restorer.fit(PANEL)
    expected = [*PANEL.columns, *NAMES[12:]]
    assert list(restorer.get_feature_names_out()) == expected
    with pytest.raises(ValueError, match="input_features is not equal"):
        restorer.get_feature_names_out(NAMES[:13])


# What is refused


def test_unknown_genes_are_named(restorer):
    message = r"genes has 2 that the embedder does not know, the first being 'TP53'"
    with pytest.raises(ValueError, match=message):
        restorer.set_params(genes=["G3", "TP53", "MYC"]).fit(PANEL)


def test_too_few_shared_genes_are_counted(restorer):
    few = NEW[NAMES[:7]].assign(age=1.0, sex=0.0)
    message = r"shares 7 of its 9 columns with the 20 genes .* min_shared_genes=8"
    with pytest.raises(ValueError, match=message):
        restorer.fit(few)
    assert restorer.set_params(min_shared_genes=7).fit_transform(few).shape == (20, 22)
    with pytest.raises(ValueError, match=r"shares 0 of its 2 columns.*'age', 'sex'"):
        clone(restorer).fit(few[["age", "sex"]])


def test_a_sample_without_any_known_gene_is_still_restored_or_refused(restorer):
    restorer.fit(PANEL)
    empty = PANEL.copy()
    empty.iloc[2] = np.nan
    with pytest.raises(ValueError, match="NaN in every gene of sample 2"):
        restorer.transform(empty)
    # With its age alone it is what the embedder knows of all samples.
    empty.iloc[2, 12] = 50.0
    frame = restorer.transform(empty)
    assert frame.notna().all(axis=None)


def test_arrays_without_names_have_all_genes_in_their_order(pretrained):
    holes = NEW.to_numpy().copy()
    holes[:, 5] = np.nan
    restorer = GeneRestorer(FrozenEstimator(pretrained)).fit(holes)
    assert_array_equal(
        restorer.transform(holes),
        pretrained.restore(pd.DataFrame(holes, columns=NAMES)),
    )
    assert len(restorer.genes_) == 0
    for values, genes in [(holes[:, 1:], None), (holes, ["G3"])]:
        message = "X has no names of genes.*all 20 genes.*genes=None.*Give tables"
        with pytest.raises(ValueError, match=message):
            clone(restorer).set_params(genes=genes).fit(values)
    nameless = GeneRestorer(FrozenEstimator(tiny(GexBERT).fit(TABLE.to_numpy())))
    with pytest.raises(ValueError, match="the embedder has no names of genes"):
        nameless.fit(PANEL)


def test_other_embedders_are_refused():
    with pytest.raises(ValueError, match=r"SCARF.* is not a GexBERT"):
        GeneRestorer(SCARF()).fit(PANEL)


# Embedders


def test_an_embedder_that_is_not_frozen_is_fitted_on_the_panel():
    embedder = tiny(GexBERT, max_epochs=1, random_state=None)
    holes = TABLE.mask(np.random.default_rng(0).random(TABLE.shape) < 0.2)
    restorer = GeneRestorer(embedder, random_state=3).fit(holes)
    assert not hasattr(embedder, "encoder_")
    assert len(restorer.genes_) == 0
    expected = tiny(GexBERT, max_epochs=1, random_state=None)
    expected.set_params(random_state=restorer.embedder_.random_state)
    assert_array_equal(restorer.transform(holes), expected.fit(holes).restore(holes))
    again = clone(restorer).fit(holes)
    assert_array_equal(again.transform(holes), restorer.transform(holes))


def test_before_a_classifier_in_a_pipeline(restorer):
    y = (NEW["G17"] > NEW["G17"].median()).astype(int)
    pipeline = make_pipeline(restorer, LogisticRegression(max_iter=1000))
    panel = PANEL.drop(columns="age")
    assert pipeline.fit(panel, y).score(panel, y) > 0.7
    assert list(pipeline[0].get_feature_names_out()) == [*panel, *NAMES[12:]]

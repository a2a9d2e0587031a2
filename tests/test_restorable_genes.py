"""Genes that a cohort lacks are restored from what a start knows of them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cohorts import draw, gexbert_of, make_truth, names_of
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skgex import GeneRestorer, GexBERT, load

TRUTH = make_truth(n_genes=50, rank=4)
NAMES = names_of(50)
PANEL, OTHERS = NAMES[::-1][:30], NAMES[:20]
rng = np.random.default_rng(0)
MEAN, SCALE = rng.normal(8, 2, 50), rng.uniform(0.5, 2, 50)


def random(shape):
    return np.random.default_rng(3).random(shape)


def table(n, seed):
    """Return samples with all genes, in their units."""
    X = MEAN + SCALE * draw(n, TRUTH, seed)
    return pd.DataFrame(X.astype(np.float32), columns=NAMES)


NEW = table(300, 99)
COHORT = table(30, 1)[PANEL]


def adapted(cohort=COHORT, **parameters):
    start = FrozenEstimator(gexbert_of(TRUTH, MEAN, SCALE))
    return tiny(GexBERT, **{"max_epochs": 0, "start": start, **parameters}).fit(cohort)


@pytest.fixture(scope="module")
def gexbert():
    return adapted()  # not to be fitted again


def best_prediction(X, asked=OTHERS):
    """Return the mean of some genes given others, by dense Gaussian algebra."""
    loadings, noise = TRUTH
    covariance = loadings @ loadings.T + np.diag(noise)
    places = {name: i for i, name in enumerate(NAMES)}
    asked, given = ([places[name] for name in genes] for genes in (asked, X.columns))
    Z = (X.to_numpy() - MEAN[given]) / SCALE[given]
    weights = np.linalg.solve(
        covariance[np.ix_(given, given)], covariance[given][:, asked]
    )
    return MEAN[asked] + SCALE[asked] * (Z @ weights)


def in_deviations(values, genes=OTHERS):
    places = [int(name[1:]) for name in genes]
    return float(np.sqrt(np.square(np.asarray(values) / SCALE[places]).mean()))


def test_others_are_restored_nearly_as_well_as_by_the_true_model(gexbert):
    best = best_prediction(NEW[PANEL])
    found = gexbert.restore(NEW[PANEL], OTHERS)
    error = in_deviations(best - NEW[OTHERS])
    assert error < 0.8
    assert in_deviations(found - NEW[OTHERS]) < 1.05 * error
    assert in_deviations(found - best) < 0.3 * error


def test_others_are_restored_from_what_is_measured(gexbert):
    few = NEW[PANEL].copy()
    few[PANEL[::2]] = np.nan
    best = best_prediction(NEW[PANEL[1::2]])
    found = gexbert.restore(few, OTHERS)
    error = in_deviations(best - NEW[OTHERS])
    assert in_deviations(found - NEW[OTHERS]) < 1.06 * error


@pytest.mark.parametrize("holes", [False, True])
def test_intervals_cover_what_they_should(gexbert, holes):
    X = NEW[PANEL].mask(random((300, 30)) < (0.5 if holes else 0))
    mean, std = gexbert.restore(X, OTHERS, return_std=True)
    assert (std > 0).all(axis=None)
    covered = ((mean - NEW[OTHERS]).abs() < 1.645 * std).to_numpy()
    assert 0.8 < covered.mean() < 0.97
    # Fewer measured genes, less certainty.
    complete = gexbert.restore(NEW[PANEL], OTHERS, return_std=True)[1]
    assert (std.mean() > complete.mean()).all() == holes


# What is asked for, and how


def test_genes_that_can_be_restored(gexbert):
    assert list(gexbert.restorable_genes_) == [*PANEL, *OTHERS]
    assert gexbert.n_features_in_ == 30
    everything = adapted(COHORT.join(table(30, 1)[OTHERS]))
    assert_array_equal(everything.restorable_genes_, everything.feature_names_in_)
    plain = tiny(GexBERT, max_epochs=0).fit(COHORT.to_numpy())
    assert_array_equal(plain.restorable_genes_, np.arange(30))


@pytest.mark.parametrize("max_epochs", [0, 2])
def test_own_and_other_genes_in_any_order(gexbert, max_epochs):
    if max_epochs:
        gexbert = adapted(max_epochs=max_epochs, lr=1e-2)
    X, asked = NEW[PANEL], [OTHERS[3], PANEL[7], OTHERS[0], PANEL[0], OTHERS[3]]
    options = {"return_std": True, "keep_measured": False}
    found = gexbert.restore(X, asked, **options)
    own = gexbert.restore(X, [PANEL[7], PANEL[0]], **options)
    others = gexbert.restore(X, [OTHERS[3], OTHERS[0]], **options)
    everything = gexbert.restore(X, gexbert.restorable_genes_, **options)
    for part, mine, rest, whole in zip(found, own, others, everything, strict=True):
        assert list(part.columns) == asked
        assert list(part.index) == list(X.index)
        # Products of other sizes are rounded otherwise.
        assert_allclose(part.iloc[:, [1, 3]], mine, rtol=1e-5)
        assert_allclose(part.iloc[:, [0, 2]], rest, rtol=1e-5)
        assert_allclose(part, whole[asked], rtol=1e-5)
    # Positions go on behind the last gene of the cohort.
    places = [33, 7, 30, 0, 33]
    for part, again in zip(found, gexbert.restore(X, places, **options), strict=True):
        assert list(again.columns) == asked
        assert_array_equal(again, part)


def test_measured_values_are_kept(gexbert):
    X = NEW[PANEL].copy()
    X.iloc[::2, 5] = np.nan
    asked = [PANEL[5], OTHERS[1]]
    mean, std = gexbert.restore(X, asked, return_std=True)
    loose, spread = gexbert.restore(X, asked, return_std=True, keep_measured=False)
    hole = np.arange(300) % 2 == 0
    assert_array_equal(mean.iloc[:, 0], X[asked[0]].where(~hole, loose.iloc[:, 0]))
    assert_array_equal(std.iloc[:, 0], np.where(hole, spread.iloc[:, 0], 0))
    assert_array_equal(mean.iloc[:, 1], loose.iloc[:, 1])
    assert_array_equal(std.iloc[:, 1], spread.iloc[:, 1])


def test_without_genes_those_of_the_cohort_are_returned(gexbert):
    assert list(gexbert.restore(NEW[PANEL]).columns) == list(PANEL)


def test_tables_arrays_and_digits(gexbert):
    expected = gexbert.restore(NEW[PANEL], OTHERS)
    frame = gexbert.restore(pl.from_pandas(NEW[PANEL]), OTHERS)
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == list(OTHERS)
    assert_array_equal(frame, expected)
    double = NEW[PANEL].astype(np.float64)
    assert (gexbert.restore(double, OTHERS).dtypes == np.float64).all()


def test_what_cannot_be_restored(gexbert):
    message = "genes has 1 .* the first being 'TP53'; only genes of restorable_genes_"
    with pytest.raises(ValueError, match=message):
        gexbert.restore(NEW[PANEL], [*OTHERS, "TP53"])
    with pytest.raises(ValueError, match="genes has 50, but positions are betw"):
        gexbert.restore(NEW[PANEL], [49, 50])
    # The network has no vector of a gene that it was never given.
    with pytest.raises(ValueError, match="'G0'; only genes of feature_names_in_"):
        gexbert.embed_genes(NEW[PANEL], [PANEL[0], "G0"])
    with pytest.raises(ValueError, match="genes has 30, but positions are betw"):
        gexbert.embed_genes(NEW[PANEL], [30])


# In which units


def test_means_are_restored_from_those_of_the_cohort():
    """A cohort of one kind of samples has other means, in genes that it lacks too."""
    loadings, noise = TRUTH
    shift = loadings @ np.array([2.0, 0, 0, 0])
    draws = np.random.default_rng(3).normal(size=(200, 54))
    Z = (draws[:, :4] * [0.1, 1, 1, 1]) @ loadings.T + shift
    Z += np.sqrt(noise) * draws[:, 4:]
    cohort = pd.DataFrame(MEAN + SCALE * Z, columns=NAMES)
    other = adapted(cohort[PANEL]).encoder_.prior.other
    truth, found = shift[:20], (other.mean.numpy() - MEAN[:20]) / SCALE[:20]
    assert np.abs(truth).max() > 0.8
    assert_allclose(found, truth, atol=0.2)
    assert_allclose(found, best_means(cohort[PANEL].mean()), atol=0.02)


def best_means(means):
    best = best_prediction(means.to_frame().T)[0]
    return (best - MEAN[:20]) / SCALE[:20]


def test_spread_follows_that_of_the_cohort():
    calm = MEAN + 0.5 * (table(60, 1) - MEAN)
    other = adapted(calm[PANEL]).encoder_.prior.other
    assert_allclose(other.scale, 0.5 * SCALE[:20], rtol=0.1)


def test_in_another_unit_moments_are_those_of_the_start():
    with pytest.warns(UserWarning, match="seems to be in another unit"):
        gexbert = adapted(100 + 10 * COHORT)
    assert_allclose(gexbert.encoder_.prior.other.mean, MEAN[:20], rtol=1e-6)
    assert_allclose(gexbert.encoder_.prior.other.scale, SCALE[:20], rtol=1e-6)
    # Only what goes together is used, and that is the same.
    found = gexbert.restore(100 + 10 * NEW[PANEL], OTHERS)
    error = in_deviations(best_prediction(NEW[PANEL]) - NEW[OTHERS])
    assert in_deviations(found - NEW[OTHERS]) < 1.15 * error


# Elsewhere


@pytest.mark.parametrize("genes", [None, ["G7", "G45", "G2"]])
@pytest.mark.parametrize("frozen", [False, True])
def test_restorer_appends_what_a_panel_lacks(gexbert, frozen, genes):
    embedder = FrozenEstimator(gexbert) if frozen else clone(gexbert)
    restorer = GeneRestorer(embedder, genes).set_output(transform="pandas")
    holes = NEW[PANEL].mask(random((300, 30)) < 0.1)
    restorer.fit(COHORT)
    found = restorer.transform(holes)
    appended = list(OTHERS) if genes is None else ["G7", "G2"]
    assert list(restorer.genes_) == appended
    assert list(found.columns) == [*PANEL, *appended]
    assert_allclose(found, gexbert.restore(holes, found.columns), rtol=1e-5)


def test_restorer_names_genes_that_no_start_has(gexbert):
    with pytest.raises(ValueError, match="does not know, the first being 'TP53'"):
        GeneRestorer(clone(gexbert), ["G0", "TP53"]).fit(COHORT)


def test_files_keep_them(gexbert, tmp_path):
    gexbert.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert_array_equal(again.restorable_genes_, gexbert.restorable_genes_)
    pairs = (e.restore(NEW[PANEL], [*OTHERS, "G40"], True) for e in (gexbert, again))
    for one, other in zip(*pairs, strict=True):
        assert_array_equal(one, other)

"""Genes that a cohort lacks, of several starts, of chains of them, of warm starts."""

import json

import numpy as np
import pandas as pd
import pytest
from cohorts import draw, gexbert_of, make_truth, names_of
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from saved_files import header_of
from sklearn.frozen import FrozenEstimator

from skgex import GeneRestorer, GexBERT, load
from skgex.nn import GeneStandardizer

TRUTH, LIKE_IT = make_truth(50, 4), make_truth(50, 4, own_rank=2, own_share=0.1)
UNLIKE = make_truth(50, 4, seed=6)
NAMES = names_of(50)
PANEL = NAMES[::-1][:30]  # G49 to G20
rng = np.random.default_rng(0)
MEAN, SCALE = rng.normal(8, 2, 50), rng.uniform(0.5, 2, 50)


def table(n, seed, genes=PANEL):
    X = MEAN + SCALE * draw(n, TRUTH, seed)
    return pd.DataFrame(X.astype(np.float32), columns=NAMES)[list(genes)]


NEW = table(200, 99, NAMES)


def knowing(genes, truth=TRUTH):
    """Return a GexBERT that has learnt a factor model of some genes."""
    places = [int(name[1:]) for name in genes]
    parts = [part[places] for part in truth]
    gexbert = gexbert_of(parts, MEAN[places], SCALE[places])
    gexbert.feature_names_in_ = np.array(genes, dtype=object)
    return gexbert


def fit(cohort, *starts, **parameters):
    starts = [FrozenEstimator(start) for start in starts]
    start = starts[0] if len(starts) == 1 else starts
    return tiny(GexBERT, max_epochs=0, start=start, **parameters).fit(cohort)


def kept_as_its_own(gexbert):
    """Return a GexBERT that was fitted to what another one kept beside its genes."""
    other, own = gexbert.encoder_.prior.other, gexbert.standardizer_
    names = [*gexbert.feature_names_in_, *other.names]
    again = knowing(NAMES[: len(names)])
    again.feature_names_in_ = np.array(names, dtype=object)
    again.encoder_.prior = other.prior
    mean, scale = np.r_[own.mean, other.mean], np.r_[own.scale, other.scale]
    again.standardizer_ = GeneStandardizer(mean, scale, gexbert.clip)
    return again


def assert_same_restored(one, other, genes, X=NEW[PANEL]):
    first, second = (e.restore(X, genes, return_std=True) for e in (one, other))
    assert_allclose(first[0], second[0], rtol=1e-5)
    # Standard deviations are calibrated by the genes of each.
    ratio = first[1] / second[1]
    assert_allclose(ratio, np.full(ratio.shape, ratio.iloc[0, 0]), rtol=1e-4)


def assert_survives(gexbert, tmp_path, X=NEW[PANEL]):
    gexbert.save(tmp_path / "model")
    again, genes = load(tmp_path / "model"), gexbert.restorable_genes_
    assert_array_equal(again.restorable_genes_, genes)
    pairs = (e.restore(X, genes, return_std=True) for e in (gexbert, again))
    for one, other in zip(*pairs, strict=True):
        assert_array_equal(one, other)


def near_best(gexbert, genes, given=PANEL):
    """Whether genes are restored nearly as well as by the true model of all genes."""
    loadings, noise = TRUTH
    covariance = loadings @ loadings.T + np.diag(noise)
    at, seen = ([int(name[1:]) for name in part] for part in (genes, given))
    Z = (NEW.to_numpy() - MEAN) / SCALE
    weights = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[seen][:, at])
    best = np.square(Z[:, seen] @ weights - Z[:, at]).mean()
    off = (gexbert.restore(NEW[list(given)], genes) - NEW[genes]) / SCALE[at]
    return np.square(off.to_numpy()).mean() < 1.1 * best


# Several starts

FIRST, SECOND = NAMES[10:], np.r_[NAMES[:15], NAMES[20:]]


@pytest.mark.parametrize("holes", [False, True])
def test_each_gene_is_restored_by_the_first_of_the_heaviest(holes, tmp_path):
    cohort, X = table(30, 1), NEW[PANEL]
    if holes:
        X = X.mask(np.random.default_rng(3).random(X.shape) < 0.3)
    a, b = knowing(FIRST), knowing(SECOND, LIKE_IT)
    both = fit(cohort, a, b, start_weight=50.0)
    assert_array_equal(both.start_weight_, [25, 25])
    assert list(both.restorable_genes_) == [*PANEL, *NAMES[10:20], *NAMES[:10]]
    alone = [fit(cohort, start, start_weight=25.0) for start in (a, b)]
    assert_same_restored(both, alone[0], NAMES[10:20], X)
    assert_same_restored(both, alone[1], NAMES[:10], X)
    assert_survives(both, tmp_path, X)


def test_of_a_start_that_was_left_out_its_own_genes_are_kept():
    cohort, a, wrong = table(30, 1), knowing(FIRST), knowing(SECOND, UNLIKE)
    both = fit(cohort, wrong, a)
    weight = both.start_weight_[1]
    assert both.start_weight_[0] == 0 < weight
    assert list(both.restorable_genes_) == [*PANEL, *NAMES[10:20], *NAMES[:10]]
    assert_same_restored(both, fit(cohort, a, start_weight=weight), NAMES[10:20])
    # As where nothing can be held out.
    assert_same_restored(both, fit(cohort, wrong, start_weight=100.0), NAMES[:10])


def test_restorer_appends_genes_of_all_starts():
    gexbert = fit(table(30, 1), knowing(FIRST), knowing(SECOND))
    restorer = GeneRestorer(FrozenEstimator(gexbert)).set_output(transform="pandas")
    found = restorer.fit(table(30, 1)).transform(NEW[PANEL])
    assert list(found.columns) == list(gexbert.restorable_genes_)
    assert_allclose(found, gexbert.restore(NEW[PANEL], found.columns), rtol=1e-5)
    assert near_best(gexbert, NAMES[:20])


# Chains


@pytest.mark.parametrize("genes", [PANEL, PANEL[:20]], ids=["same", "fewer"])
def test_what_a_start_kept_is_restored_by_the_model_that_knows_it(genes, tmp_path):
    b = fit(table(40, 1), knowing(NAMES))
    c = fit(table(30, 2, genes), b, start_weight=40.0)
    gone = [name for name in PANEL if name not in genes]
    assert list(c.restorable_genes_) == [*genes, *gone, *NAMES[:20]]
    X, again = NEW[list(genes)], kept_as_its_own(b)
    assert_same_restored(
        c, fit(table(30, 2, genes), again, start_weight=40.0), NAMES[:20], X
    )
    assert near_best(c, NAMES[:20], genes)
    assert_survives(c, tmp_path, X)


def test_long_chains_from_files(tmp_path):
    chain = knowing(NAMES)
    for step, n_genes in enumerate([40, 30, 20]):
        chain.save(tmp_path / "model")
        genes = NAMES[::-1][:n_genes]
        chain = fit(table(40, step, genes), load(tmp_path / "model"))
    assert set(chain.restorable_genes_) == set(NAMES)
    assert len(chain.restorable_genes_) == 50
    assert near_best(chain, NAMES[:30], genes)
    assert_survives(chain, tmp_path, NEW[genes])


def test_kept_genes_that_are_measured_again():
    b = fit(table(40, 1), knowing(NAMES))
    genes = [*PANEL, *NAMES[10:20]]
    c = fit(table(30, 2, genes), b)
    assert list(c.restorable_genes_) == [*genes, *NAMES[:10]]
    # They tell something of those that are still missing.
    assert near_best(c, NAMES[:10], genes)


@pytest.mark.parametrize("measured", [0, 8])
def test_kept_genes_of_another_unit(measured):
    """The unit of c is that of b, which kept genes in the unit of a."""
    with pytest.warns(UserWarning, match="seems to be in another unit"):
        b = fit(100 + 10 * table(40, 1), knowing(NAMES))
    c = fit(100 + 10 * table(40, 2, [*NAMES[:measured], *PANEL]), b)
    other = c.encoder_.prior.other
    assert other.names == list(NAMES[measured:20])
    off = (other.mean.numpy() - MEAN[measured:20]) / SCALE[measured:20]
    assert np.abs(off).max() < 0.5
    assert_allclose(other.scale, SCALE[measured:20], rtol=0.2)


# Warm starts


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_a_warm_start_keeps_what_could_be_restored(several, new, tmp_path):
    starts = [knowing(FIRST[:-5]), knowing(SECOND[:-5])][: 1 + several]
    gexbert = fit(table(40, 1, PANEL[5:]), *starts)
    before = [*gexbert.restorable_genes_]
    # Twelve are gone, four were kept and are measured now, and some may be new.
    genes = [*NAMES[12:16], *PANEL[17:], *PANEL[: 5 * new]]
    X = NEW[genes].copy()
    X[[*NAMES[12:16], *PANEL[: 5 * new]]] = np.nan
    asked = [name for name in before if name not in genes]
    options = {"return_std": True}
    expected = gexbert.restore(X.reindex(columns=PANEL[5:]), asked, **options)
    gexbert.set_params(warm_start=True).fit(table(40, 2, genes))
    assert list(gexbert.restorable_genes_) == [*genes, *asked]
    mean, std = gexbert.restore(X, asked, **options)
    assert_allclose(mean, expected[0], rtol=1e-4)
    ratio = std / expected[1]
    assert_allclose(ratio, np.full(ratio.shape, ratio.iloc[0, 0]), rtol=1e-3)
    assert near_best(gexbert, NAMES[16:20], genes)
    assert_survives(gexbert, tmp_path, NEW[genes])
    # And the next one as well, be it with the same genes.
    gexbert.fit(table(40, 3, genes))
    assert list(gexbert.restorable_genes_) == [*genes, *asked]


def test_draws_of_a_warm_start_are_what_they_were():
    """What is kept takes none of the draws that training needs."""
    found = []
    for start in (None, FrozenEstimator(knowing(NAMES))):
        gexbert = tiny(GexBERT, max_epochs=1).fit(table(40, 1))
        if start is not None:
            gexbert.encoder_.prior.other = fit(
                table(40, 1), start.estimator
            ).encoder_.prior.other
        genes = [*NAMES[15:20], *PANEL]
        gexbert.set_params(warm_start=True).fit(table(40, 2, genes))
        found.append(gexbert.transform(NEW[genes]))
    assert_array_equal(*found)


# Files


def test_one_start_is_saved_as_it_always_was(tmp_path):
    fit(table(30, 1), knowing(NAMES)).save(tmp_path / "model")
    header = json.loads(header_of(tmp_path / "model")["header"])
    found = []

    def look(node):
        if isinstance(node, dict):
            if "OtherGenes" in str(node.get("class")):
                found.append(node)
            node = list(node.values())
        for part in node if isinstance(node, list) else []:
            look(part)

    look(header)
    (other,) = found
    assert other["class"] == "skgex.OtherGenes"
    assert other["buffers"].keys() == {"mean", "scale"}
    assert other["modules"].keys() == {"prior"}
    assert other["state"].keys() == {"names"}

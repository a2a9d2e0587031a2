"""Intervals of what is filled in where it was fitted: fits again, with more holes."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from cohorts import draw, gexbert_of, make_truth, names_of
from discovery import tiny
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator

from skgex import GexBERT, GexImputer, load
from skgex._low_rank import MoreHoles, draw_more_holes
from skgex._training import RowReader
from skgex.pretext import _fit_again, _gexbert
from skgex.pretext._calibrate import calibrate_seen

N_GENES = 300
# So many factors that the loadings of each sample's own genes lean towards it.
BEFORE = make_truth(N_GENES, rank=60)
TRUTH = make_truth(N_GENES, rank=60, own_rank=20)
START = FrozenEstimator(gexbert_of(BEFORE))


def table(n, seed, missing):
    """Return a cohort, which of its values are missing, and the rest of them."""
    full = pd.DataFrame(draw(n, TRUTH, seed), columns=names_of(N_GENES))
    holes = np.random.default_rng(seed).random(full.shape) < missing
    return full, holes, full.mask(holes)


def fit(X, start=START, **parameters):
    return tiny(GexBERT, **{"max_epochs": 0, "start": start, **parameters}).fit(X)


def coverage(gexbert, full, holes, scale=1.0):
    mean, std = gexbert.restore(full.mask(holes), return_std=True)
    off = (mean - full).abs().to_numpy()
    return (off < 1.645 * scale * std.to_numpy())[holes].mean()


# What is hidden


@given(
    st.integers(1, 30), st.integers(1, 30), st.sampled_from([0, 0.3, 0.9, 1]), st.data()
)
def test_genes_and_samples_keep_values(n, n_genes, missing, data):
    torch.manual_seed(data.draw(st.integers(0, 99)))
    measured = torch.rand(n, n_genes) >= missing
    hidden = draw_more_holes(measured)
    assert not (hidden & ~measured).any()
    left = measured & ~hidden
    assert (left.sum(0) >= measured.sum(0).clamp(max=2)).all()
    assert (2 * left.sum(1) >= measured.sum(1)).all()


def test_values_are_hidden_as_others_are_missing():
    torch.manual_seed(0)
    samples, genes = torch.rand(400, 1) * 0.6, torch.rand(300) * 0.4
    measured = torch.rand(400, 300) > samples + genes
    hidden = draw_more_holes(measured)
    assert hidden[measured].float().mean() == pytest.approx(0.1, abs=0.01)
    lacking = (~measured).float()
    rate = (lacking.mean(1, keepdim=True) + lacking.mean(0))[measured]
    bins = (rate * 8).long()
    for number in bins.unique():
        own = bins == number
        if own.sum() > 4000:
            expected = 0.1 * rate[own].mean() / rate.mean()
            found = hidden[measured][own].float().mean()
            assert float(found) == pytest.approx(float(expected), rel=0.1)
    assert number - bins.min() > 5
    # Nothing tells where to hide values of a complete table.
    assert not draw_more_holes(torch.ones(9, 9, dtype=torch.bool)).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_reader_with_more_holes(dtype):
    X = np.random.default_rng(0).normal(size=(23, 7)).astype(dtype)
    hidden = np.random.default_rng(1).random(X.shape) < 0.4
    reader, expected = RowReader(X), np.where(hidden, np.nan, X)
    holed = MoreHoles(reader, torch.from_numpy(hidden))
    assert (len(holed), holed.shape, holed.device) == (23, X.shape, reader.device)
    chunks = list(holed.chunks(size=10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 3]
    assert_array_equal(torch.cat(chunks), expected)
    rows = [5, 5, 22, 0]
    assert_array_equal(holed.take(torch.tensor(rows)), expected[rows].astype("f"))
    assert_array_equal(reader.take(torch.arange(23)), X.astype("f"))


# What is learnt of it


@pytest.mark.parametrize(("n", "missing"), [(20, 0.5), (60, 0.3), (60, 0.5)])
def test_intervals_cover_in_the_fit_as_elsewhere(n, missing):
    inside, before, new = [], [], []
    for seed in range(3):
        full, holes, X = table(n, seed + 1, missing)
        gexbert = fit(X)
        inside.append(coverage(gexbert, full, holes))
        factor = float(gexbert.objective_.seen_calibration)
        before.append(coverage(gexbert, full, holes, 1 / factor))
        new.append(coverage(gexbert, *table(100, 99, missing)[:2]))
    assert np.mean(before) < np.mean(inside) - 0.015
    assert np.mean(inside) == pytest.approx(0.9, abs=0.025)
    assert 0.87 < np.mean(new) < 0.95


@pytest.mark.parametrize("start", [None, START])
def test_only_deviations_of_its_own_samples_are_others(start, monkeypatch):
    full, _, X = table(20, 1, 0.3)
    new = table(50, 99, 0.3)[2]
    rows = pd.concat([new, X])
    found = fit(X, start)
    monkeypatch.setattr(_gexbert, "fit_again", lambda *_: [])
    plain = fit(X, start)
    assert float(plain.objective_.seen_calibration) == 1
    assert_array_equal(found.restore(rows), plain.restore(rows))
    std, before = (g.restore(rows, return_std=True)[1] for g in (found, plain))
    assert_array_equal(std[:50], before[:50])
    factor = float(found.objective_.seen_calibration)
    assert abs(factor - 1) > 0.002
    assert_allclose(std[50:], factor * before[50:], rtol=1e-5)
    # Of the same samples with all genes nothing was filled in.
    for other in full[:5], X[X["G7"].notna()][:5].assign(G7=np.nan):
        std, before = (
            g.restore(other, return_std=True, keep_measured=False)[1]
            for g in (found, plain)
        )
        assert_array_equal(std, before)


def test_the_network_is_the_same(monkeypatch):
    X = table(30, 1, 0.3)[2]
    found = fit(X, None, max_epochs=2)
    monkeypatch.setattr(_gexbert, "fit_again", lambda *_: [])
    plain = fit(X, None, max_epochs=2)
    assert_array_equal(found.transform(X), plain.transform(X))
    assert found.objective_.calibration == plain.objective_.calibration
    assert found.objective_.seen_calibration > 1


def test_the_factor_is_a_quantile_of_errors(monkeypatch):
    kept = []

    def keep(objective):
        kept.append([(again.hidden, again.view) for again in objective.again])
        priors = [again.prior for again in objective.again]
        calibrate_seen(objective)
        scale = float(objective.calibration)
        for i, prior in enumerate(priors):
            hidden, view = kept[-1][i]
            assert prior.has_seen(view).all()
            expected = prior(view, with_covariance=True, left_out=True)
            std = scale * sum(prior.variance(view, expected)).sqrt()
            genes = objective.again[i].genes
            off = (expected.values[:, genes] - hidden) / std[:, genes]
            ratios.append(off[~hidden.isnan()].abs().numpy())

    ratios = []
    monkeypatch.setattr("skgex.pretext._restoration.calibrate_seen", keep)
    gexbert = fit(table(20, 1, 0.3)[2])
    ratio = np.sort(np.concatenate(ratios))
    n = len(ratio)
    expected = ratio[round(0.9 * n) - 1] / 1.6448536
    expected = (n * expected + 20) / (n + 20)
    assert_allclose(float(gexbert.objective_.seen_calibration), expected, rtol=1e-4)
    assert len(ratios) == len(kept[0]) > 1
    assert len(gexbert.objective_.again) == 0


@pytest.mark.parametrize("missing", [0, 0.3])
def test_complete_tables_and_large_ones_take_no_more_time(missing, monkeypatch):
    if missing:
        monkeypatch.setattr(_fit_again, "_MAX_ROWS", 19)
    monkeypatch.setattr(_fit_again, "fit_prior", None)
    gexbert = fit(table(20, 1, missing)[2])
    assert float(gexbert.objective_.seen_calibration) == 1


@pytest.mark.parametrize("n", [3, 4, 5])
@pytest.mark.filterwarnings("ignore:.* constant in X")
def test_a_handful_of_samples(n):
    X = table(n, 1, 0.3)[2].dropna(axis=1, how="all")
    gexbert = fit(X)
    std = gexbert.restore(X, return_std=True)[1]
    assert np.isfinite(std).all(axis=None)
    assert (std.to_numpy()[X.isna()] > 0.1).all()


def test_what_varies_in_one_value_only():
    X = np.zeros((6, 3), np.float32)
    X[[0, 1, 2], [0, 1, 2]] = 1
    X[5, 1] = np.nan
    assert np.isfinite(fit(X, None).restore(X, return_std=True)).all()


# Where it is kept


def test_saved_and_copied(tmp_path):
    X = table(20, 1, 0.3)[2]
    gexbert = fit(X)
    factor = float(gexbert.objective_.seen_calibration)
    gexbert.save(tmp_path / "model")
    expected = gexbert.restore(X, return_std=True)[1]
    for copy in load(tmp_path / "model"), pickle.loads(pickle.dumps(gexbert)):
        assert_array_equal(copy.restore(X, return_std=True)[1], expected)
    # Going on leaves the prior and what is known of it as they were.
    gexbert.set_params(warm_start=True).fit(X)
    assert float(gexbert.objective_.seen_calibration) == factor


def test_files_of_earlier_versions_do_not_have_it(tmp_path):
    X = table(20, 1, 0.3)[2]
    gexbert = fit(X)
    expected, std = gexbert.restore(X, return_std=True)
    factor = float(gexbert.objective_.seen_calibration)
    del gexbert.objective_.seen_calibration, gexbert.objective_._modules["again"]
    gexbert.save(tmp_path / "model")
    for model in gexbert, load(tmp_path / "model"):
        found = model.restore(X, return_std=True)
        assert_array_equal(found[0], expected)
        assert_allclose(found[1], std / factor, rtol=1e-5)


def test_draws_are_as_wide():
    X = table(20, 1, 0.3)[2]
    gexbert = fit(X)
    _, std = gexbert.restore(X, return_std=True)
    imputer = GexImputer(
        FrozenEstimator(gexbert), sample_posterior=True, random_state=0
    )
    imputer.fit(X)
    drawn = np.stack([imputer.transform(X) for _ in range(100)])
    holes = X.isna().to_numpy()
    # Draws are of what is learnt, too: means and noise of few samples.
    ratio = drawn.std(axis=0)[holes] / std.to_numpy()[holes]
    assert 0.95 < np.median(ratio) < 1.3


def test_a_start_of_the_same_network_brings_no_factor():
    names = names_of(N_GENES)
    start = tiny(GexBERT, max_epochs=2).fit(table(60, 5, 0.3)[2][names])
    start.objective_.seen_calibration.fill_(9.0)
    gexbert = fit(table(20, 1, 0.0)[2], FrozenEstimator(start))
    assert float(gexbert.objective_.seen_calibration) == 1

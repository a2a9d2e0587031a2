"""GexBERT: what it restores, embeds and attends to."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from discovery import tiny
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skgex import FineTunedClassifier, GexBERT
from skgex._training import _fixed_blocks
from skgex.datasets import make_cohort, make_expression
from skgex.pretext import _gexbert

X = make_expression(n_samples=90, n_genes=30, random_state=0)
HOLES = np.random.default_rng(0).random(X.shape) < 0.3
GIVEN = np.where(HOLES, np.nan, X)
NAMES = [f"G{i}" for i in range(30)]
TABLE = pd.DataFrame(GIVEN, columns=NAMES, index=[f"S{i}" for i in range(90)])


@pytest.fixture(scope="module", params=["low_rank", None])
def fitted(request):
    """GexBERT, with and without its prior; not to be fitted again."""
    return tiny(GexBERT, prior=request.param, batch_size=64).fit(X)


@pytest.fixture(scope="module")
def named():
    return tiny(GexBERT, batch_size=64).fit(TABLE)  # not to be fitted again


# Embedding


def test_embedding_depends_on_the_sample_alone(fitted, monkeypatch):
    Z = fitted.transform(GIVEN)
    assert_array_equal(fitted.transform(GIVEN), Z)
    assert_array_equal(fitted.transform(GIVEN[::-1])[::-1], Z)
    assert_array_equal(fitted.transform(GIVEN[4:5]), Z[4:5])
    monkeypatch.setattr(_fixed_blocks, "_WORK_BYTES", 1)  # one row at a time
    assert_allclose(fitted.transform(GIVEN), Z, atol=1e-4)


def test_any_pattern_of_missing_genes(fitted):
    one = np.full((30, 30), np.nan)
    np.fill_diagonal(one, X[:30].diagonal())  # sample i has gene i alone
    for values in (one, GIVEN, X):
        assert np.isfinite(fitted.transform(values)).all()
        assert np.isfinite(fitted.restore(values)).all()
        assert np.isfinite(fitted.embed_genes(values)).all()
    together = np.vstack([one, X])
    assert_allclose(fitted.transform(together)[:30], fitted.transform(one), atol=1e-4)


@pytest.mark.parametrize("value_encoder", ["continuous", "bins"])
@pytest.mark.parametrize("pooling", ["concat", "summary", "mean"])
def test_pooling_of_what_was_read(pooling, value_encoder):
    options = {"pooling": pooling, "value_encoder": value_encoder, "max_epochs": 1}
    embedder = tiny(GexBERT, n_genes_per_step=60, batch_size=64, **options).fit(X)
    Z = embedder.transform(GIVEN)
    assert Z.shape == (90, 64 if pooling == "concat" else 8)
    # All genes fit into one panel: the blocks by hand, for one sample.
    encoder, z = embedder.encoder_, embedder.standardizer_(torch.tensor(GIVEN[:1]))
    found, seen = encoder.expect(z), torch.from_numpy(~HOLES[:1]).nonzero()[:, 1][None]
    exists = torch.ones_like(seen, dtype=torch.bool)
    tokens = torch.cat(
        [
            encoder.summary_tokens(1, found.linear),
            encoder.gene_tokens(z, found.values, seen, exists),
        ],
        dim=1,
    )
    for block in encoder.blocks:
        tokens = block(tokens)
    parts = {"concat": tokens[:, :8].flatten(1), "summary": tokens[:, :8].mean(1)}
    expected = parts.get(pooling, tokens[:, 8:].mean(1))
    assert_allclose(Z[:1], expected.detach(), atol=1e-4)


def test_panels_hold_each_measured_gene_once(fitted):
    encoder = fitted.encoder_
    assert encoder.panel_size == 8  # of 30 genes
    Z = torch.from_numpy(GIVEN)
    counts = torch.zeros(Z.shape)
    for panel, exists in encoder.panels(Z):
        assert panel.shape[1] <= 8
        counts.scatter_add_(1, panel, exists.float())
    assert_array_equal(counts, ~HOLES)


def test_with_a_prior_a_bounded_number_of_panels_is_embedded(fitted, monkeypatch):
    monkeypatch.setattr(_gexbert, "MAX_PANELS", 2)
    prior = fitted.prior
    bounded = tiny(GexBERT, prior=prior, batch_size=64).fit(X)
    n_read = 30 if prior is None else 16
    assert bounded.encoder_.n_read == n_read
    read = bounded.encoder_.order[:n_read].numpy()
    # The others matter by what the prior makes of them: a sample that lacks those that
    # are read reads others.
    lacking = X[:5].copy()
    lacking[:, read[:8]] = np.nan
    assert np.abs(bounded.transform(lacking) - bounded.transform(X[:5])).max() > 0.01
    # What is restored and attended to does not hang on the bound.
    assert_array_equal(bounded.restore(GIVEN), fitted.restore(GIVEN))
    assert_array_equal(bounded.attention(GIVEN), fitted.attention(GIVEN))


def test_random_panels_hold_measured_genes_only(fitted):
    candidates = torch.from_numpy(~HOLES)
    candidates[0] = False
    genes, exists = fitted.encoder_.random_panel(candidates, 9)
    for row in range(90):
        drawn = genes[row][exists[row]]
        assert len(set(drawn.tolist())) == len(drawn) == min(9, candidates[row].sum())
        assert candidates[row, drawn].all()


# Restoring


def test_units(fitted):
    restored, std = fitted.restore(GIVEN, return_std=True)
    scaled = clone(fitted).fit(4 * X)
    found, found_std = scaled.restore(4 * GIVEN, return_std=True)
    assert_allclose(found, 4 * restored, rtol=1e-5)
    assert_allclose(found_std, 4 * std, rtol=1e-4)


def test_measured_values_are_kept_unless_asked(fitted):
    restored, std = fitted.restore(GIVEN, return_std=True)
    assert_array_equal(restored[~HOLES], X[~HOLES])
    assert (std[~HOLES] == 0).all()
    assert (std[HOLES] > 0).all()
    free, free_std = fitted.restore(GIVEN, return_std=True, keep_measured=False)
    assert_array_equal(free[HOLES], restored[HOLES])
    assert_array_equal(free_std[HOLES], std[HOLES])
    assert (free[~HOLES] != X[~HOLES]).all()
    assert (free_std > 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_digits_are_kept(fitted, dtype):
    values = (GIVEN * np.pi).astype(dtype)
    restored = fitted.restore(values)
    assert restored.dtype == dtype
    assert_array_equal(restored[~HOLES], values[~HOLES])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_in_and_out(named, library):
    table = TABLE if library == "pandas" else pl.from_pandas(TABLE)
    frames = named.restore(table, return_std=True)
    chosen = named.restore(table, ["G9", "G2"])
    for frame, genes in [*((f, NAMES) for f in frames), (chosen, ["G9", "G2"])]:
        assert type(frame) is type(table)
        assert list(frame.columns) == genes
        if library == "pandas":
            assert list(frame.index) == list(TABLE.index)
    assert_array_equal(chosen.to_numpy(), frames[0].to_numpy()[:, [9, 2]])


def test_genes_by_name_and_by_position(named, fitted):
    expected = named.restore(TABLE)[["G9", "G2"]]
    assert_array_equal(named.restore(TABLE, [9, 2]), expected)
    assert_array_equal(named.restore(TABLE, np.array(["G9", "G2"])), expected)
    vectors = named.embed_genes(TABLE)
    assert_allclose(named.embed_genes(TABLE, ["G9"]), vectors[:, [9]], atol=1e-5)
    for genes, message in [
        (["G9", "TP53"], "genes has 1 that .* not fitted to, the first being 'TP53'"),
        ([3, 30], "genes has 30, but positions are between 0 and 29"),
        ([-1], "genes has -1, but positions"),
    ]:
        with pytest.raises(ValueError, match=message):
            named.restore(TABLE, genes)
    with pytest.raises(ValueError, match="array without names; give positions"):
        fitted.restore(GIVEN, ["G9"])


def test_many_genes_are_asked_for_in_parts(fitted, monkeypatch):
    expected = fitted.restore(GIVEN, keep_measured=False)
    monkeypatch.setattr("skgex.pretext._restored_genes._GENES_AT_ONCE", 7)
    found = fitted.restore(GIVEN, keep_measured=False)
    assert_allclose(found, expected, atol=1e-4)


def test_without_epochs_the_prior_restores():
    embedder = tiny(GexBERT, max_epochs=0, batch_size=64).fit(X)
    Z = embedder.standardizer_(torch.from_numpy(GIVEN))
    values = embedder.encoder_.prior(Z).values.numpy()
    expected = values * X.std(axis=0) + X.mean(axis=0)
    restored = embedder.restore(GIVEN, keep_measured=False)
    assert_allclose(restored, expected, rtol=1e-5)


def test_without_epochs_and_prior_the_mean_restores():
    embedder = tiny(GexBERT, max_epochs=0, prior=None).fit(X)
    restored = embedder.restore(GIVEN, keep_measured=False)
    assert_allclose(restored, np.tile(X.mean(axis=0, dtype=float), (90, 1)), rtol=1e-5)


def hidden_error(embedder, values):
    holes = np.random.default_rng(7).random(values.shape) < 0.5
    restored = embedder.restore(np.where(holes, np.nan, values))
    return np.square(restored - values)[holes].mean()


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_loss_without_a_prior_asks_for_all_hidden_genes(missing):
    objective = tiny(GexBERT, prior=None, max_epochs=1).fit(X).objective_.train()
    objective.n_genes_per_step = 60  # at most 30 of a sample are given, and 30 asked
    encoder, decoder = objective.encoder, objective.decoder
    Z = torch.randn(7, 30)
    Z[torch.rand(7, 30) < missing] = torch.nan
    torch.manual_seed(1)
    with torch.no_grad():
        found = objective._error(Z, None, 0.5)
        torch.manual_seed(1)
        hidden = objective.hide(Z, 0.5, None)[0]
        view = Z.masked_fill(hidden, torch.nan)
        both, common, count = 0.0, 0.0, 0
        for z, v in zip(Z, view, strict=True):
            seen = (~v.isnan()).nonzero().T
            known = encoder.expect(v[None])[1]
            panel = [(seen, torch.ones_like(seen, dtype=torch.bool))]
            summary, _ = encoder.read(v[None], None, known, panel)
            for g in (v.isnan() & ~z.isnan()).nonzero()[:, 0].tolist():
                shared = decoder.common(summary, encoder.gene)[0, g]
                own = decoder(summary, encoder.gene[[g]])[0, 0]
                both += (shared + own - z[g]) ** 2
                common += (shared - z[g]) ** 2
                count += 1
    assert_allclose(found, (both + common) / (2 * count), rtol=1e-4)


def test_the_network_learns_without_a_prior():
    # One factor, which each gene shows with its own sign.
    rng = np.random.default_rng(0)
    signs = np.sign(rng.normal(size=12))
    values = rng.normal(size=(300, 1)) * signs + 0.3 * rng.normal(size=(300, 12))
    values = values.astype(np.float32)
    options = {"prior": None, "lr": 2e-2, "max_epochs": 25, "batch_size": 32}
    embedder = tiny(GexBERT, embedding_dim=16, **options).fit(values[:200])
    assert hidden_error(embedder, values[200:]) < 0.6 * values.var()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.99])
def test_what_is_hidden_without_a_prior_is_drawn_for_each_sample(share):
    objective = tiny(GexBERT, prior=None, max_epochs=0).fit(X).objective_
    hidden, expected, linear = objective.hide(torch.randn(500, 30), share, None)
    assert expected is None
    assert linear is None
    counts = hidden.sum(1)
    assert counts.min() >= 1
    assert counts.max() <= 29
    # One is always hidden and one never; the others by chance, within 4 sigma.
    expected_share = (1 + 28 * share) / 30
    assert abs(hidden.float().mean() - expected_share) < 0.02
    assert (hidden[1:] != hidden[:-1]).any(1).all() or share != 0.3
    assert_allclose(hidden.float().mean(0), expected_share, atol=0.09)
    assert hidden[:, :2].float().std(0).min() > 0
    assert objective.hide(torch.randn(4, 1), share, None)[0].sum() == 0


def test_default_settings_learn_without_a_prior():
    # The same; given six genes, a tenth of the variance remains at best.
    rng = np.random.default_rng(0)
    signs = np.sign(rng.normal(size=12))
    values = rng.normal(size=(600, 1)) * signs + 0.3 * rng.normal(size=(600, 12))
    values = values.astype(np.float32)
    embedder = GexBERT(prior=None, random_state=0).fit(values[:500])
    assert hidden_error(embedder, values[500:]) < 0.33 * values.var()


# Attention and gene embeddings


@pytest.mark.parametrize("rollout", [False, True])
def test_attention_has_mean_one_over_measured_genes(fitted, rollout):
    attention = fitted.attention(GIVEN, rollout=rollout)
    assert_array_equal(np.isnan(attention), HOLES)
    assert_allclose(np.nanmean(attention, axis=1), 1, rtol=1e-5)
    assert (attention[~HOLES] >= 0).all()
    assert attention[~HOLES].std() > 0.01


def test_embedded_genes_are_what_the_decoder_reads(fitted):
    vectors = torch.from_numpy(fitted.embed_genes(GIVEN))
    objective = fitted.objective_
    Z = fitted.standardizer_(torch.from_numpy(GIVEN))
    encoder, decoder = objective.encoder, objective.decoder
    with torch.no_grad():
        expected, known = encoder.expect(Z)[:2]
        summary, _ = encoder.read(Z, expected, known, encoder.panels(Z))
        correction = decoder.out(vectors)[:, :, 0]
        if expected is None:
            correction += decoder.common(summary, encoder.gene)
        else:
            correction += expected
    expected = correction.numpy() * X.std(axis=0) + X.mean(axis=0)
    restored = fitted.restore(GIVEN, keep_measured=False)
    assert_allclose(restored, expected, atol=1e-4)
    assert_array_equal(fitted.gene_embeddings_, fitted.encoder_.gene.detach())
    assert fitted.gene_embeddings_.shape == (30, 8)


# As an estimator


def test_pickles_carry_no_priors_of_folds(fitted):
    objective = pickle.loads(pickle.dumps(fitted)).objective_
    assert len(objective.fold_priors) == 0
    assert objective.fold is None


def test_same_seed_same_restoration(global_generators):
    first, second = (tiny(GexBERT, max_epochs=1).fit(X) for _ in range(2))
    assert_array_equal(first.restore(GIVEN), second.restore(GIVEN))
    assert_array_equal(first.attention(GIVEN), second.attention(GIVEN))


@pytest.mark.parametrize("n_samples", [2, 3, 5, 9, 30])
def test_early_stopping_with_few_samples(n_samples):
    embedder = tiny(GexBERT, n_iter_no_change=2, max_epochs=3).fit(X[:n_samples])
    assert "valid_loss" in embedder.history_[0]
    assert np.isfinite(embedder.restore(GIVEN)).all()
    groups = np.arange(n_samples) // 2
    embedder.fit(X[:n_samples], groups=groups)
    assert np.isfinite(embedder.transform(GIVEN)).all()


def test_training_that_fails_ends_at_the_start():
    options = {"batch_size": 32, "n_iter_no_change": 2, "validation_fraction": 0.3}
    start = tiny(GexBERT, **options, max_epochs=0).fit(X)
    end = tiny(GexBERT, **options, max_epochs=9, lr=30.0).fit(X)
    assert end.n_iter_ == 2
    assert_array_equal(end.restore(GIVEN), start.restore(GIVEN))
    assert_array_equal(end.transform(GIVEN), start.transform(GIVEN))


@pytest.mark.parametrize(
    "rate",
    [0.0, 1.0, 1, (0.5, 0.2), (0.0, 0.5), (0.2, 1.0), (0.1, 0.2, 0.3), ("a",) * 2],
)
def test_bad_mask_rates(rate):
    with pytest.raises(ValueError, match="mask_rate"):
        tiny(GexBERT, mask_rate=rate).fit(X)


@pytest.mark.parametrize("rate", [0.5, (0.2, 0.8), [0.3, 0.3], np.array([0.15, 0.85])])
def test_mask_rates(rate):
    embedder = tiny(GexBERT, mask_rate=rate, max_epochs=1, batch_size=64).fit(X)
    assert embedder.objective_.mask_rate == tuple(np.broadcast_to(rate, 2))


def test_width_that_heads_do_not_divide():
    message = "embedding_dim=10 must be a multiple of n_heads=4"
    with pytest.raises(ValueError, match=message):
        tiny(GexBERT, embedding_dim=10, n_heads=4).fit(X)


@pytest.mark.parametrize("frozen", [True, False])
def test_fine_tuning(frozen):
    cohort = make_cohort(n_samples=90, n_genes=30, missing_rate=0.1, random_state=0)
    embedder = tiny(GexBERT, max_epochs=1, batch_size=64)
    if frozen:
        embedder = FrozenEstimator(embedder.fit(cohort.data))
    classifier = tiny(FineTunedClassifier, embedder=embedder, max_epochs=20)
    classifier.fit(cohort.data, cohort.target)
    assert classifier.score(cohort.data, cohort.target) > 0.8

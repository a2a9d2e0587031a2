"""Attention, value encoders and the decoder against slow code."""

from statistics import NormalDist

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import FactorAnalysis, GeneCurves, LowRankPrior
from skgex.nn import GeneDecoder, GeneTransformer, ValueEncoder, gene_attention
from skgex.nn._draws import draws_from
from skgex.nn._gene_transformer import N_SUMMARY
from skgex.nn._transformer import Attention, TransformerBlock


def naive_attention(attention, tokens, context, mask):
    """Return what is read, and the weights, by loops over samples, heads and tokens."""
    dim = tokens.shape[-1]
    size = dim // attention.n_heads
    key_weight, value_weight = attention.key_value.weight.split(dim)
    key_bias, value_bias = attention.key_value.bias.split(dim)
    read = torch.zeros(tokens.shape)
    weights = torch.zeros(len(tokens), tokens.shape[1], context.shape[1])
    for i in range(len(tokens)):
        query = tokens[i] @ attention.query.weight.T + attention.query.bias
        key = context[i] @ key_weight.T + key_bias
        value = context[i] @ value_weight.T + value_bias
        exists = [t for t in range(context.shape[1]) if mask is None or mask[i, t]]
        for h in range(attention.n_heads):
            own = slice(h * size, (h + 1) * size)
            for t in range(tokens.shape[1]):
                scores = [float(query[t, own] @ key[c, own]) for c in exists]
                odds = np.exp(np.array(scores) / size**0.5)
                for c, share in zip(exists, odds / odds.sum(), strict=True):
                    read[i, t, own] += share * value[c, own]
                    weights[i, t, c] += share / attention.n_heads
    return attention.out[0](read), weights


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6), st.booleans())
@torch.no_grad()
def test_attention_by_loops(n_heads, n_tokens, n_context, masked):
    attention = Attention(4 * n_heads, n_heads).eval()
    tokens = torch.randn(2, n_tokens, 4 * n_heads)
    context = torch.randn(2, n_context, 4 * n_heads)
    mask = torch.rand(2, n_context) < 0.5 if masked else None
    if masked:
        mask[:, 0] = True
    read, weights = naive_attention(attention, tokens, context, mask)
    assert_allclose(attention(tokens, context, mask), read, atol=1e-5)
    found = attention.weights(tokens, context, mask)
    assert_allclose(found, weights, atol=1e-5)
    assert_allclose(found.sum(-1), 1, rtol=1e-5)


@torch.no_grad()
def test_block_is_pre_norm_on_a_residual_stream():
    block = TransformerBlock(8, 2).eval()
    tokens, context = torch.randn(3, 5, 8), torch.randn(3, 4, 8)

    def norm(x):
        return (x - x.mean(-1, keepdim=True)) / (
            x.var(-1, correction=0, keepdim=True) + 1e-5
        ).sqrt()

    for given_context in (None, context):
        normed = norm(tokens)
        source = normed if given_context is None else given_context
        read, _ = naive_attention(block.attention, normed, source, None)
        middle = tokens + read
        _, wide, _, narrow, _ = block.feed_forward
        expected = middle + narrow(torch.nn.functional.gelu(wide(norm(middle))))
        assert_allclose(block(tokens, given_context), expected, atol=1e-4)


# Values


def quantiles(n_bins):
    return [NormalDist().inv_cdf((i + 0.5) / n_bins) for i in range(n_bins)]


@given(st.lists(st.floats(-8, 8, width=32), min_size=1), st.integers(2, 20))
@torch.no_grad()
def test_continuous_values_are_interpolated(values, n_bins):
    encoder = ValueEncoder("continuous", n_bins, 3)
    found = encoder(torch.tensor(values)).numpy()
    knots, vectors = np.array(quantiles(n_bins)), encoder.vectors.numpy()
    for value, vector in zip(values, found, strict=True):
        inside = np.clip(value, knots[0], knots[-1])
        expected = np.array([np.interp(inside, knots, v) for v in vectors.T])
        # Beyond the last knots the last piece goes on.
        end = 0 if value < knots[0] else -2
        slope = (vectors[end + 1] - vectors[end]) / (knots[end + 1] - knots[end])
        expected = expected + (value - inside) * slope
        assert_allclose(vector, expected, atol=1e-3)


@given(st.lists(st.floats(-8, 8, width=32), min_size=1), st.integers(2, 20))
@torch.no_grad()
def test_bins_are_those_of_the_nearest_centre(values, n_bins):
    encoder = ValueEncoder("bins", n_bins, 3)
    found = encoder(torch.tensor(values))
    distance = np.abs(np.array(values)[:, None] - quantiles(n_bins))
    nearest = encoder.vectors[torch.from_numpy(distance.argmin(axis=1))]
    # Halfway between two centres either is as near.
    tie = np.sort(distance, axis=1)
    clear = tie[:, 1] - tie[:, 0] > 1e-5
    assert_array_equal(found[clear], nearest[clear])


def test_values_that_are_near_have_near_vectors_to_begin_with():
    encoder = ValueEncoder("continuous", 16, 32)
    near, far = encoder(torch.tensor([0.0, 0.1])), encoder(torch.tensor([0.0, 2.0]))
    assert near.diff(dim=0).norm() < 0.2 * far.diff(dim=0).norm()


# The decoder, and what is read of attention


def make_encoder(prior, **options):
    model = FactorAnalysis(torch.randn(10, 3), torch.ones(10))
    prior = LowRankPrior(model) if prior else None
    return GeneTransformer(10, 8, n_heads=2, prior=prior, **options).eval()


@pytest.mark.parametrize("prior", [False, True])
@torch.no_grad()
def test_an_untrained_decoder_corrects_nothing(prior):
    encoder = make_encoder(prior)
    decoder, summary = GeneDecoder(encoder, 2, 2), torch.randn(4, N_SUMMARY, 8)
    expected = torch.randn(4, 10) if prior else None
    assert_array_equal(decoder(summary, encoder.gene, expected), np.zeros((4, 10)))
    assert decoder.vectors(summary, encoder.gene, expected).shape == (4, 10, 8)


@torch.no_grad()
def test_genes_that_are_asked_for_do_not_see_each_other():
    encoder = make_encoder(True)
    decoder, summary = GeneDecoder(encoder, 2, 2), torch.randn(4, N_SUMMARY, 8)
    expected = torch.randn(4, 10)
    together = decoder.vectors(summary, encoder.gene, expected)
    alone = decoder.vectors(summary, encoder.gene[[3]], expected[:, [3]])
    assert_allclose(alone, together[:, [3]], atol=1e-5)


@pytest.mark.parametrize("rollout", [False, True])
@pytest.mark.parametrize("prior", [False, True])
@torch.no_grad()
def test_attention_of_the_summary_by_hand(rollout, prior):
    encoder = make_encoder(prior, n_layers=2, panel_size=8)
    Z = torch.randn(1, 10)
    Z[0, [2, 7]] = torch.nan
    seen = (~Z[0].isnan()).nonzero().T
    expected, known = encoder.expect(Z)[:2]
    exists = torch.ones_like(seen, dtype=torch.bool)
    genes = encoder.gene_tokens(Z, expected, seen, exists)
    tokens = torch.cat([encoder.summary_tokens(1, known), genes], 1)
    flow, last = torch.eye(tokens.shape[1]), None
    for block in encoder.blocks:
        normed = block.norm(tokens)
        _, weights = naive_attention(block.attention, normed, normed, None)
        last = weights[0]
        flow = (last + torch.eye(len(last))) / 2 @ flow
        tokens = block(tokens)
    share = (flow if rollout else last)[:N_SUMMARY, N_SUMMARY:].mean(0)
    by_hand = np.full(10, np.nan)
    by_hand[seen[0]] = share / share.mean()
    assert_allclose(gene_attention(encoder, Z, rollout)[0], by_hand, rtol=1e-4)


@torch.no_grad()
def test_summary_tokens_start_from_the_sum_of_genes_without_a_prior():
    encoder = make_encoder(False, panel_size=9)
    Z = torch.randn(3, 10)
    Z[0, [2, 7]] = torch.nan
    Z[1] = torch.nan
    _, known = encoder.expect(Z)
    start = encoder.summary_tokens(3, known)
    for i in range(3):
        measured = (~Z[i].isnan()).nonzero()[:, 0].tolist()
        total = sum((Z[i, g] * encoder.gene[g] for g in measured), torch.zeros(8))
        total = total / 0.1 / max(1, len(measured)) ** 0.5
        tokens = encoder.factors.weight @ total + encoder.factors.bias
        assert_allclose(start[i], encoder.start + tokens.view(N_SUMMARY, 8), atol=1e-5)


@torch.no_grad()
def test_summary_tokens_know_nothing_where_all_genes_are_read_together():
    encoder = make_encoder(False, panel_size=10)
    assert encoder.expect(torch.randn(3, 10)) == (None, None)
    start = encoder.summary_tokens(3, None)
    assert_array_equal(start, encoder.start.expand(3, -1, -1))


@torch.no_grad()
def test_summaries_of_panels_are_averaged_by_their_genes():
    encoder = make_encoder(True, panel_size=4)
    Z = torch.randn(1, 10)
    found = encoder.expect(Z)
    total = 0
    panels = list(encoder.panels(Z))
    assert [panel.shape[1] for panel, _ in panels] == [4, 4, 2]
    for panel, exists in panels:
        summary, _ = encoder.read(Z, found.values, found.linear, [(panel, exists)])
        total = total + panel.shape[1] / 10 * summary
    assert_allclose(encoder(Z), total.flatten(1), atol=1e-5)


def wide_encoder(max_panels, **options):
    """Return an encoder of 60 genes that reads four at a time, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = FactorAnalysis(torch.randn(60, 3), torch.ones(60))
        prior = LowRankPrior(model, curves=GeneCurves(torch.randn(60, 2, 5)))
    with draws_from(0):
        options = {"prior": prior, "panel_size": 4, "max_panels": max_panels, **options}
        return GeneTransformer(60, 8, n_heads=2, **options).eval()


def wide_profiles():
    Z = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 60))).float()
    Z[1, ::3] = torch.nan
    Z[2, 5:] = torch.nan  # hardly any gene
    Z[3, :] = torch.nan
    return Z


@pytest.mark.parametrize("pooling", ["concat", "mean"])
@torch.no_grad()
def test_of_many_genes_the_first_ones_are_read(pooling):
    encoder, Z = wide_encoder(2, pooling=pooling), wide_profiles()
    found = encoder.expect(Z)
    for i, z in enumerate(Z):
        first = [g for g in encoder.order.tolist() if not z[g].isnan()][:8]
        panels = []
        for panel in torch.tensor(first).long()[None].split(4, dim=1):
            panels.append((panel, torch.ones_like(panel, dtype=torch.bool)))
        parts = (part[i : i + 1] for part in (Z, found.values, found.linear))
        by_hand = encoder.pool(*encoder.read(*parts, panels))
        assert_allclose(encoder(Z)[i], by_hand[0], atol=1e-5)
        assert_allclose(encoder(Z[i : i + 1])[0], by_hand[0], atol=1e-5)


@torch.no_grad()
def test_a_bound_beyond_all_genes_changes_no_bit():
    Z = wide_profiles()
    expected = wide_encoder(None)(Z)
    for max_panels in (15, 16):
        assert_array_equal(wide_encoder(max_panels)(Z), expected)
    # Without a prior nothing else knows what is not read.
    expected = wide_encoder(None, prior=None)(Z)
    assert_array_equal(wide_encoder(2, prior=None)(Z), expected)


@torch.no_grad()
def test_encoders_of_earlier_versions_read_all_genes():
    encoder, Z = wide_encoder(2), wide_profiles()
    del encoder.max_panels
    assert_array_equal(encoder(Z), wide_encoder(None)(Z))


@torch.no_grad()
def test_what_is_expected_of_some_genes_is_that_of_all():
    prior, Z = wide_encoder(2).prior, wide_profiles()
    parts = torch.tensor([7, 0, 33]), torch.tensor([2, 59])
    some = torch.cat(parts)
    found, expected = prior(Z, genes=parts), prior(Z)
    assert_allclose(found.values, expected.values[:, some], atol=1e-6)
    assert_allclose(found.linear, expected.linear[:, some], atol=1e-6)
    first = prior(Z, genes=parts[:1])
    assert_array_equal(first.values, found.values[:, :3])
    assert_array_equal(first.linear, found.linear[:, :3])

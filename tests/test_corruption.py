"""Views: how much is corrupted, where, and with what."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import stats

from skgex.nn import GeneCorruption, swap_genes
from skgex.nn._corruption import exact_mask
from skgex.nn._draws import bernoulli_mask, draws_from

# A true statement about chance fails one of these tests once in some million seeds.
SIGMAS = 5
P_VALUE = 1e-6


def numbered(n, d):
    """Return a matrix whose entries tell where they come from: row * d + column."""
    return torch.arange(float(n * d)).reshape(n, d)


def draw_uniform(rate, low, high, **options):
    return GeneCorruption(
        rate, "uniform", low=torch.tensor(low), high=torch.tensor(high), **options
    )


# How much


GENES = st.one_of(st.integers(1, 200), st.sampled_from([32767, 32768, 32769, 65536]))


@given(st.integers(0, 100), GENES, st.integers(1, 20))
def test_exact_mask_has_the_floor_of_rate_times_genes(percent, d, n):
    # In decimal arithmetic: 0.29 * 100 is 28.999999999999996 in floating point.
    count = exact_mask((n, d), percent / 100).sum(1)
    assert_array_equal(count, np.full(n, percent * d // 100))


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.3, 0.5, 0.6, 0.97])
def test_bernoulli_mask_has_its_rate(rate):
    n, d = 1000, 1001
    mask = bernoulli_mask((n, d), rate).double()
    sigma = (rate * (1 - rate)) ** 0.5
    assert abs(mask.mean() - rate) < SIGMAS * sigma / (n * d) ** 0.5 + 2**-17
    # Entries are independent: counts have the variance of a binomial distribution.
    for counts, size, n_counts in ((mask.sum(1), d, n), (mask.sum(0), n, d)):
        spread = SIGMAS * (2 / n_counts + 1 / (size * sigma**2 * n_counts)) ** 0.5
        assert counts.var() / (size * sigma**2) == pytest.approx(1, abs=spread)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("rate", "share"), [(0, 0.0), (0.0, 0.0), (1, 1.0)])
def test_rates_of_zero_and_one(rate, share, exact):
    X = numbered(9, 31)
    view, mask = GeneCorruption(rate, exact=exact)(X)
    assert mask.float().mean() == share
    assert (view != X).float().mean() == share


@pytest.mark.parametrize("exact", [True, False])
def test_every_gene_is_equally_likely_to_be_selected(exact):
    n_draws, d, rate = 4000, 23, 0.4
    make_mask = exact_mask if exact else bernoulli_mask
    counts = sum(make_mask((1, d), rate)[0].long() for _ in range(n_draws))
    p = int(rate * d) / d if exact else rate
    sigma = (n_draws * p * (1 - p)) ** 0.5
    assert ((counts - n_draws * p).abs() < SIGMAS * sigma).all()


def test_every_subset_of_genes_is_equally_likely():
    subsets = torch.stack([exact_mask((1, 5), 0.4)[0] for _ in range(4000)])
    _, counts = torch.unique(subsets, dim=0, return_counts=True)
    assert len(counts) == 10  # 5 over 2
    assert stats.chisquare(counts).pvalue > P_VALUE


def test_samples_of_a_batch_have_different_subsets():
    mask = exact_mask((64, 1000), 0.5)
    assert len(torch.unique(mask, dim=0)) > 55  # 64 offsets out of 1000


# With what


@pytest.mark.parametrize("exact", [True, False])
def test_values_come_from_the_same_gene_of_another_sample(exact):
    n, d = 12, 40
    X = numbered(n, d)
    view, mask = swap_genes(X, 0.5, exact=exact)
    row, gene = (view // d).long(), (view % d).long()
    assert_array_equal(gene, torch.arange(d).expand(n, d))
    assert_array_equal(row != torch.arange(n).unsqueeze(1), mask)


def test_every_other_sample_is_an_equally_likely_source():
    n, d = 8, 7000
    view, _ = swap_genes(numbered(n, d), 1.0)
    for sample, sources in enumerate((view // d).long()):
        counts = sources.bincount(minlength=n)
        assert counts[sample] == 0
        others = np.delete(counts.numpy(), sample)
        assert stats.chisquare(others).pvalue > P_VALUE


def test_marginals_are_kept():
    X = torch.randn(500, 20).exp() * torch.arange(1, 21)
    view, mask = swap_genes(X, 0.4)
    everything, _ = swap_genes(X, 1.0)
    # All genes swapped is a permutation of each gene.
    assert_array_equal(everything.sort(0).values, X.sort(0).values)
    for gene in range(20):
        swapped = view[mask[:, gene], gene]
        assert stats.ks_2samp(swapped, X[:, gene]).pvalue > P_VALUE


def test_co_expression_is_broken():
    n, d = 1000, 40
    X = torch.randn(n, 1).expand(n, d) + 0.1 * torch.randn(n, d)
    view, _ = swap_genes(X, 1.0)
    pairs = torch.triu_indices(d, d, 1).unbind()
    before, after = (torch.corrcoef(Z.T)[pairs] for Z in (X, view))
    assert before.min() > 0.95
    # Two genes share all their sources with probability 1 / (n - 1).
    assert (after.abs() > SIGMAS / n**0.5).float().mean() < 0.02
    assert abs(after.median()) < SIGMAS / n**0.5
    # Nor does the view remember the sample it stands for.
    with_origin = torch.corrcoef(torch.cat([X.T, view.T]))[:d, d:]
    assert (with_origin.abs() > SIGMAS / n**0.5).float().mean() < 0.02


def test_two_genes_share_a_source_by_chance_only():
    n, d = 6, 5000
    corruption = GeneCorruption(1.0)
    X = numbered(n, d)
    batches = [(corruption(X)[0] // d)[0].long() for _ in range(3)]
    share = [batch[1:] == batch[:-1] for batch in batches]
    p = 1 / (n - 1)
    sigma = (p * (1 - p) / d) ** 0.5
    for pairs in share:
        assert pairs.float().mean() == pytest.approx(p, abs=SIGMAS * sigma)
    # Pairs that share a source in one batch do so in the next by chance again.
    again = share[1][share[0]].float()
    assert again.mean() == pytest.approx(p, abs=SIGMAS * sigma / p**0.5)


def test_uniform_replacements_are_uniform_in_the_range():
    low, high = [-3.0, 0.0, 5.0], [-1.0, 0.5, 5.0]
    X = torch.full((20000, 3), 100.0)
    view, mask = draw_uniform(0.5, low, high)(X)
    for gene in range(3):
        values = view[mask[:, gene], gene].numpy()
        assert low[gene] <= values.min()
        assert values.max() <= high[gene]
        if low[gene] < high[gene]:
            scaled = (values - low[gene]) / (high[gene] - low[gene])
            assert stats.kstest(scaled, "uniform").pvalue > P_VALUE
    assert (view[~mask] == 100).all()
    independent = torch.corrcoef(view[mask[:, :2].all(1), :2].T)[0, 1]
    assert abs(independent) < SIGMAS / 4000**0.5


# Missing genes

PATTERNS = st.tuples(
    st.integers(2, 12), st.integers(1, 15), st.floats(0, 1), st.integers(0, 2**16)
)


@pytest.mark.parametrize("replacement", ["marginal", "uniform"])
@pytest.mark.parametrize("exact", [True, False])
@given(PATTERNS, st.floats(0, 1))
def test_missing_genes_are_neither_source_nor_target(replacement, exact, pattern, rate):
    n, d, missing_rate, seed = pattern
    torch.manual_seed(seed)
    X = numbered(n, d)
    X[torch.rand(n, d) < missing_rate] = torch.nan
    before = X.clone()
    ranges = {"low": torch.zeros(d), "high": torch.ones(d)}
    corruption = GeneCorruption(rate, replacement, exact=exact, **ranges)
    view, mask = corruption(X)
    assert_array_equal(X, before)
    assert_array_equal(view.isnan(), X.isnan())
    assert not mask[X.isnan()].any()
    assert_array_equal(view[~mask], X[~mask])
    if replacement == "marginal":
        for row, gene in mask.nonzero().tolist():
            others = np.delete(X[:, gene].numpy(), row)
            assert view[row, gene].item() in others
    else:
        assert ((view[mask] >= 0) & (view[mask] <= 1)).all()


def test_missing_genes_lower_the_rate_and_nothing_else():
    X = torch.randn(300, 200)
    hidden, shown = torch.randperm(300).chunk(2)
    X[hidden, :100] = torch.nan
    view, mask = swap_genes(X, 0.5)
    # Where all is measured the rate holds; where half is, half of the sources are.
    for part, rate in ((mask[:, 100:], 0.5), (mask[shown, :100], 0.25)):
        assert part.float().mean() == pytest.approx(rate, abs=0.02)
    assert (view != X)[:, 100:][mask[:, 100:]].all()


# State


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_views_have_the_type_of_the_batch(dtype):
    X = numbered(4, 6).to(dtype)
    for corruption in (GeneCorruption(0.5), draw_uniform(0.5, [0.0] * 6, [1.0] * 6)):
        view, mask = corruption(X)
        assert view.dtype == dtype
        assert mask.dtype == torch.bool
        assert view is not X


def test_batches_differ_and_seeds_repeat():
    corruption, X = GeneCorruption(0.5), numbered(8, 50)
    first, second = corruption(X)[0], corruption(X)[0]
    assert (first != second).any()
    views = []
    for _ in range(2):
        with draws_from(3):
            views.append(GeneCorruption(0.5)(X)[0])
    assert_array_equal(*views)


def test_a_single_sample_is_refused():
    with pytest.raises(ValueError, match="single sample"):
        swap_genes(torch.ones(1, 3), 0.5)


def test_pickles_do_not_carry_the_shifts():
    corruption = GeneCorruption(0.5)
    empty = len(pickle.dumps(corruption))
    corruption(numbered(50, 100))
    assert corruption._shifts
    assert len(pickle.dumps(corruption)) == empty
    copy = pickle.loads(pickle.dumps(corruption))
    assert copy._shifts == {}
    copy(numbered(50, 100))
    corruption.clear()
    assert not corruption._shifts


def test_memory_is_bounded_over_batches_of_many_sizes():
    corruption = GeneCorruption(0.5)
    for n in range(2, 30):
        corruption(numbered(n, 10))
        assert sum(s.index.numel() for s in corruption._shifts.values()) <= 4 * 30 * 20

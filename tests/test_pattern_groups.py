"""Groups of samples and genes by what was measured: against numpy, and known groups."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skgex._low_rank import pattern_groups
from skgex._low_rank._pattern_groups import MAX_GROUPS


def groups_of(missing, n_blocks=1):
    """Return the groups of samples with such holes, read a block at a time."""
    Z = torch.zeros(missing.shape).masked_fill(torch.from_numpy(missing), torch.nan)
    groups = pattern_groups(Z.chunk(n_blocks))
    return groups._make(part.numpy() for part in groups)


def check_shares(groups, missing):
    """Check what is told of the groups by a loop over them."""
    assert len(groups.row_group) == len(missing)
    assert len(groups.gene_group) == missing.shape[1]
    n_rows = np.bincount(groups.row_group, minlength=len(groups.share))
    assert_array_equal(groups.n_rows, n_rows)
    assert (n_rows > 0).all()
    n_gene_groups = groups.gene_share.shape[1]
    assert np.unique(groups.gene_group).tolist() == list(range(n_gene_groups))
    for number, share in enumerate(groups.share):
        own = ~missing[groups.row_group == number]
        assert_allclose(share, own.mean(0), atol=1e-5)
        for genes in range(n_gene_groups):
            expected = own[:, groups.gene_group == genes].mean()
            assert_allclose(groups.gene_share[number, genes], expected, atol=1e-5)


def same_parts(first, second):
    """Whether two labels put the same things together."""
    first, second = np.asarray(first), np.asarray(second)
    pairs = len(set(zip(first.tolist(), second.tolist(), strict=True)))
    return pairs == len(set(first.tolist())) == len(set(second.tolist()))


@given(
    st.integers(1, 60),
    st.integers(1, 40),
    st.integers(1, MAX_GROUPS),
    st.integers(1, 3),
    st.integers(0, 99),
)
@example(60, 40, MAX_GROUPS, 3, 0)
def test_few_patterns_are_groups(n, n_genes, n_patterns, n_blocks, seed):
    rng = np.random.default_rng(seed)
    patterns = rng.random((n_patterns, n_genes)) < 0.4
    missing = patterns[rng.integers(0, n_patterns, n)]
    groups = groups_of(missing, n_blocks)
    check_shares(groups, missing)
    _, expected = np.unique(missing, axis=0, return_inverse=True)
    assert same_parts(groups.row_group, expected)
    assert np.isin(groups.share, [0, 1]).all()
    if len(np.unique(missing, axis=1).T) <= MAX_GROUPS:
        _, expected = np.unique(missing, axis=1, return_inverse=True)
        assert same_parts(groups.gene_group, expected)
        assert_allclose(groups.gene_share, groups.gene_share.round(), atol=1e-6)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_holes_at_random_are_one_group(share, seed):
    torch.manual_seed(seed)
    missing = np.random.default_rng(seed).random((300, 200)) < share
    groups = groups_of(missing)
    check_shares(groups, missing)
    assert len(groups.n_rows) == 1
    assert groups.gene_share.shape[1] == 1


@pytest.mark.parametrize("share", [0.05, 0.2])
@pytest.mark.parametrize("n_cohorts", [2, 3])
def test_panels_with_holes_at_random_are_groups(n_cohorts, share):
    rng = np.random.default_rng(0)
    cohort, part = rng.integers(0, n_cohorts, 400), rng.integers(0, n_cohorts, 300)
    missing = cohort[:, None] == part
    missing |= rng.random(missing.shape) < share
    torch.manual_seed(0)
    groups = groups_of(missing, 3)
    check_shares(groups, missing)
    for found, expected in ((groups.row_group, cohort), (groups.gene_group, part)):
        # Groups are halved: one of three may have become two.
        assert n_cohorts <= found.max() + 1 <= 4
        pairs = np.unique(np.stack([found, expected]), axis=1)
        assert_array_equal(pairs[0], np.arange(found.max() + 1))


def test_some_samples_are_enough_to_find_groups(monkeypatch):
    monkeypatch.setattr("skgex._low_rank._pattern_groups._CLUSTER_ROWS", 64)
    rng = np.random.default_rng(0)
    cohort = rng.integers(0, 2, 500)
    missing = cohort[:, None] == np.arange(100) % 2
    missing |= rng.random(missing.shape) < 0.1
    torch.manual_seed(0)
    groups = groups_of(missing, 5)
    check_shares(groups, missing)
    assert same_parts(groups.row_group, cohort)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (17, 17), (40, 40)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_tiny_tables_have_groups(shape, share):
    missing = np.random.default_rng(0).random(shape) < share
    check_shares(groups_of(missing), missing)

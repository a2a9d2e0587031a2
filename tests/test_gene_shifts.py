"""Values of other samples, by one shift for each gene, beside the plain formula."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgex.nn._draws import draws_from, generator_aside, integers
from skgex.nn._gene_shifts import GeneShifts

CPU = torch.device("cpu")


@given(
    # More samples make blocks of fewer genes; at most 512 genes make a block.
    n=st.one_of(st.integers(2, 9), st.sampled_from([255, 700, 5000])),
    d=st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 600])),
    seed=st.integers(0, 10),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_each_gene_comes_from_the_sample_its_shift_says(n, d, seed, dtype):
    X = torch.arange(n * d).view(n, d).to(dtype)
    with draws_from(seed):
        shift = torch.randint(1, n, (2 * d,), generator=generator_aside())
        start = int(integers(d))
    expected = torch.empty_like(X)
    for j, by in enumerate(shift[start : start + d].tolist()):
        expected[:, j] = X[:, j].roll(-by)  # sample i has the value of sample i + by
    for table in (X, X.T.contiguous().T, X.repeat(2, 2)[:n, :d]):
        with draws_from(seed):
            found = GeneShifts(n, d, CPU).take(table)
        assert_array_equal(found, expected)


def test_some_rows_are_those_of_all():
    X = torch.randn(90, 1100, generator=torch.Generator().manual_seed(0))
    rows = slice(30, 61)
    with draws_from(0):
        expected = GeneShifts(*X.shape, CPU).take(X)[rows]
    with draws_from(0):
        assert_array_equal(GeneShifts(*X.shape, CPU).take(X, rows), expected)


def test_missing_values_stay_in_their_gene():
    """The block holds values of the genes before, which must not come to light."""
    X = torch.ones(40, 1500)
    X[:, ::7] = np.nan
    shifts = GeneShifts(*X.shape, CPU)
    for _ in range(5):
        assert_array_equal(shifts.take(X), X)

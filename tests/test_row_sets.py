"""Rows that are computed a few at a time, and equal ones once."""

import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgex.nn import _row_sets
from skgex.nn._row_sets import by_row_sets, runs

# Columns in which rows differ: among the first that are looked at, and after them.
PLACES = (0, _row_sets._FIRST - 1, _row_sets._FIRST, 2 * _row_sets._FIRST - 1)
kinds = st.sampled_from([None, *PLACES])


def rows_that_differ(where):
    """Return rows that differ from the row of zeros in one column, or in none."""
    Z = torch.zeros(len(where), 2 * _row_sets._FIRST)
    Z[:, 1] = torch.nan
    for row, place in zip(Z, where, strict=True):
        if place is not None:
            row[place] = 1
    return Z


@given(st.lists(kinds, min_size=1, max_size=20))
@example([None, None, PLACES[2], PLACES[2], PLACES[3]])  # the same in the first columns
@example([PLACES[2]] * 20)
@example([PLACES[0], PLACES[1]])
def test_runs_of_equal_rows(where):
    first, run = runs(rows_that_differ(where))
    expected = [i for i in range(len(where)) if i == 0 or where[i] != where[i - 1]]
    assert first.tolist() == expected
    assert [where[first[r]] for r in run] == where
    assert (np.diff(run) >= 0).all()


@given(st.lists(kinds, min_size=1, max_size=20))
def test_rows_are_told_by_a_key(where):
    key = rows_that_differ(where)
    Z, other = torch.tensor([PLACES.index(p) if p else 9.0 for p in where]), key[:, 0]
    n_rows = []

    def double(Z, other, nothing):
        assert nothing is None
        n_rows.append(len(Z))
        return 2 * Z[:, None] + other[:, None]

    found = by_row_sets(double, Z, other, None, key=key)
    assert_array_equal(found[:, 0], 2 * Z + other)
    assert set(n_rows) == {_row_sets._CPU_ROWS}
    assert sum(n_rows) < len(runs(key)[0]) + _row_sets._CPU_ROWS

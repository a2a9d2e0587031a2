"""Warnings that are left out, in threads too."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from skgex._training import quiet


def test_only_those_of_the_kind():
    with quiet(UserWarning, "known"):
        warnings.warn("known to all", stacklevel=1)
        with pytest.warns(UserWarning, match="other"):
            warnings.warn("other", stacklevel=1)


def test_contexts_that_overlap_leave_the_filters_as_they_were():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        # The second begins inside of the first, and ends after it.
        first, second = quiet(UserWarning), quiet(FutureWarning)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        warnings.warn("left out", FutureWarning, stacklevel=1)
        second.__exit__(None, None, None)
        assert warnings.filters == before


def test_threads_leave_the_filters_as_they_were():
    barrier = Barrier(8)

    def job(number):
        barrier.wait()
        for _ in range(200):
            with quiet(UserWarning, f"of {number}"), quiet(FutureWarning):
                warnings.warn(f"of {number}", UserWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(job, range(8)))
        assert warnings.filters == before


def test_an_error_inside_ends_it():
    before = list(warnings.filters)
    with pytest.raises(LookupError), quiet():
        raise LookupError
    assert warnings.filters == before

"""BatchScaler: against a loop, known effects of batches, and batches that are new."""

import numpy as np
import pytest
from batch_effects import (
    LEVEL,
    N_GENES,
    SPREAD,
    batches,
    distance,
    profiles,
    with_effect,
    with_holes,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler

from skgex import BatchScaler
from skgex._shrunken_moments import shrunken_moments


def loop(X, batch, new_X, new_batch):
    """The transformer, gene by gene and sample by sample."""
    labels = sorted({*batch})
    pooled_mean, pooled_scale = np.empty(N_GENES), np.empty(N_GENES)
    own = {b: ([], [], []) for b in [*labels, *new_batch]}
    for j in range(N_GENES):
        measured = [x for x in X[:, j] if x == x]
        pooled_mean[j] = sum(measured) / len(measured)
        squares, df = 0.0, 0
        for b in own:
            source, names = (X, batch) if b in labels else (new_X, new_batch)
            values = [x[j] for x, c in zip(source, names, strict=True) if c == b]
            values = np.array([x for x in values if x == x])
            if b in labels and len(values):
                squares += ((values - values.mean()) ** 2).sum()
                df += len(values) - 1
            for moments, value in zip(
                own[b],
                (values.mean(), values.std(), len(values))
                if len(values)
                else (0, 0, 0),
                strict=True,
            ):
                moments.append(value)
        pooled_scale[j] = np.sqrt(squares / df)
    result = np.full(new_X.shape, np.nan)
    total = np.count_nonzero(~np.isnan(X), axis=0)
    for i, b in enumerate(new_batch):
        share = np.array(own[b][2]) / total if b in labels else 0.0
        mean, scale = shrunken_moments(*own[b], pooled_mean, pooled_scale, share=share)
        for j in range(N_GENES):
            z = (new_X[i, j] - mean[j]) / scale[j]
            result[i, j] = z * pooled_scale[j] + pooled_mean[j]
    return result


@pytest.mark.parametrize("holes", [False, True])
def test_it_is_that_of_a_loop(holes):
    X, _, batch = batches(6, 3, 9)
    new = with_effect(profiles(5, seed=5), 9)
    new_batch = np.array(["b1", "new", "b1", "new", "alone"])
    if holes:
        X, new = with_holes(X), with_holes(new)
    found = BatchScaler().fit(X, batch=batch).transform(new, batch=new_batch)
    assert_allclose(found, loop(X, batch, new, new_batch), rtol=1e-8)


def test_effects_of_batches_are_taken_out():
    X, clean, batch = batches(40, 60)
    scaler = BatchScaler()
    found = scaler.fit_transform(X, batch=batch)
    assert distance(X[:40], X[40:]) > 1
    assert distance(found[:40], found[40:]) < 0.1
    assert_allclose(found.mean(axis=0), X.mean(axis=0), atol=0.3)
    # up to one line for each gene
    matches = [np.corrcoef(a, b)[0, 1] for a, b in zip(found.T, clean.T, strict=True)]
    assert min(matches) > 0.9
    assert np.mean(matches) > 0.97
    spread = found[:40].std(axis=0) / found[40:].std(axis=0)
    assert np.std(np.log(spread)) < 0.1 < np.std(np.log(scaler.scale_[0] / SPREAD))
    # and those of new samples of these batches, which were not there in fit
    fresh = [with_effect(profiles(500, seed=i + 20), i) for i in range(2)]
    after = [scaler.transform(x, batch=[f"b{i}"] * 500) for i, x in enumerate(fresh)]
    assert distance(*after) < 0.3 < 1 < distance(*fresh)


def test_batches_that_are_alike_are_left_alone():
    X, batch = profiles(60), np.arange(60) % 20
    found = BatchScaler().fit_transform(X, batch=batch)
    centred = X.copy()
    for b in range(20):
        centred[batch == b] -= X[batch == b].mean(axis=0) - X.mean(axis=0)
    change = np.sqrt(np.mean(((found - X) / SPREAD) ** 2))
    assert change < 0.2 * np.sqrt(np.mean(((centred - X) / SPREAD) ** 2))


def test_small_batches_come_nearer_to_the_truth_than_by_their_own_moments():
    X, clean, batch = batches(*[4] * 12, tau=0.4)
    found = BatchScaler().fit_transform(X, batch=batch)
    plain = np.empty_like(X)
    for b in np.unique(batch):
        plain[batch == b] = StandardScaler().fit_transform(X[batch == b])
    plain = plain * X.std(axis=0) + X.mean(axis=0)

    def error(Y):
        difference = (Y - Y.mean(axis=0)) - (clean - clean.mean(axis=0))
        return np.mean((difference / SPREAD) ** 2)

    assert error(found) < 0.7 * error(plain)
    assert error(found) < 0.7 * error(X)


def test_confounded_groups_are_lost():
    """The trap that the documentation tells of."""
    y = np.repeat([0, 1], 30)
    X = profiles(60) + 2 * SPREAD * y[:, None]
    found = BatchScaler().fit_transform(X, batch=y)
    assert distance(found[y == 0], found[y == 1]) < 0.3  # that of the noise
    balanced = BatchScaler().fit_transform(X, batch=np.arange(60) % 2)
    assert distance(balanced[y == 0], balanced[y == 1]) > 1.8


# One batch, new batches


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_batch_is_left_as_it_is(dtype):
    X = with_holes(profiles(20)).astype(dtype)
    X[:, 3] = 7.3
    for batch in (None, ["A"] * 20):
        scaler = BatchScaler()
        found = scaler.fit_transform(X, batch=batch)
        assert_allclose(found, X, rtol=10 * np.finfo(dtype).eps)
        assert_allclose(scaler.mean_[0], np.nanmean(X, axis=0), rtol=1e-5)
        assert_allclose(scaler.scale_[0, 4], np.nanstd(X[:, 4], ddof=1), rtol=1e-5)
        assert scaler.batches_.tolist() == ([None] if batch is None else ["A"])
    # known batches do not depend on the other samples of the call
    assert_array_equal(scaler.transform(X[:1], batch=["A"]), found[:1])


def test_a_new_batch_is_brought_to_those_of_fit():
    scaler = BatchScaler().fit(profiles(100))  # one batch, without a name
    new = with_effect(profiles(30, seed=2), 3)
    batch = np.repeat(["x", "y"], 15)
    found = scaler.transform(new, batch=batch)
    assert distance(new, profiles(100)) > 1
    assert distance(found, profiles(100)) < 0.2
    # the other new batch plays no role, nor does the order of samples
    assert_array_equal(scaler.transform(new[:15], batch=batch[:15]), found[:15])
    order = np.random.default_rng(0).permutation(30)
    permuted = scaler.transform(new[order], batch=batch[order])
    assert_allclose(permuted, found[order], rtol=1e-12)
    # its samples do
    assert not np.allclose(scaler.transform(new[:3], batch=batch[:3]), found[:3])


def test_single_samples_as_new_batches():
    scaler = BatchScaler().fit(profiles(100))
    new = profiles(10, seed=2)
    found = scaler.transform(new, batch=np.arange(10))
    # from the same batches: next to nothing is changed
    assert np.sqrt(np.mean(((found - new) / SPREAD) ** 2)) < 0.2
    # a shift of all genes is seen, and taken out
    found = scaler.transform(new + 3 * SPREAD, batch=np.arange(10))
    assert np.sqrt(np.mean(((found - new) / SPREAD) ** 2)) < 0.3


def test_single_samples_among_the_batches_of_fit():
    X, _, batch = batches(20, 1, 20)
    scaler = BatchScaler().fit(X, batch=batch)
    assert np.isfinite(scaler.mean_).all()
    assert (scaler.scale_ > 0).all()
    # of scale nothing is known but that of the others
    assert np.std(np.log(scaler.scale_[1] / scaler.pooled_scale_)) < 0.05
    assert np.isfinite(scaler.transform(X, batch=batch)).all()


# Values that are missing or do not vary


def test_genes_that_were_not_measured():
    X, _, batch = batches(15, 15)
    X[:15, 0] = np.nan  # not in one batch
    X[:, 1] = np.nan  # nowhere
    scaler = BatchScaler().fit(X, batch=batch)
    found = scaler.transform(X, batch=batch)
    assert_array_equal(np.isnan(found), np.isnan(X))
    assert scaler.pooled_mean_[0] == pytest.approx(X[15:, 0].mean())
    assert np.isnan([scaler.pooled_mean_[1], *scaler.mean_[:, 1]]).all()
    # The batch in which it was measured has nothing to be brought to.
    assert_allclose(found[15:, 0], X[15:, 0])
    new = profiles(4, seed=3)
    found = scaler.transform(new, batch=["b0", "b0", "b1", "c"])
    assert_array_equal(found[:, 1], new[:, 1])
    shift = (scaler.mean_[0] - scaler.pooled_mean_) / scaler.scale_[0]
    assert shift[0] == pytest.approx(np.nanmedian(shift[2:]), abs=1e-6)


def test_genes_that_do_not_vary():
    X, _, batch = batches(15, 15)
    X[:, 0] = 0.1
    X[:, 1] = np.where(batch == "b0", 1.0, 2.0)
    scaler = BatchScaler().fit(X, batch=batch)
    found = scaler.transform(X, batch=batch)
    assert_array_equal(found[:, 0], 0.1)
    assert_allclose(found[:, 1], 1.5)
    assert_array_equal(scaler.pooled_scale_[:2], 0)
    # one that varies in a new batch is not stretched to nothing
    new = profiles(6, seed=3)
    found = scaler.transform(new, batch=["c"] * 6)
    assert_allclose(np.diff(found[:, 0]), np.diff(new[:, 0]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5).filter(lambda s: max(s) > 1),
    st.floats(0, 0.7),
    st.integers(-8, 8),
    st.sampled_from([1, 3, 9, 30]),
)
def test_finite_and_equivariant(sizes, holes, power, n_genes):
    """Also where batches are tiny, and little was measured of them."""
    X, _, batch = batches(*sizes)
    X = with_holes(X[:, :n_genes], holes)
    X[:, 0] = LEVEL[0]  # no sample is empty
    scaler = BatchScaler()
    found = scaler.fit_transform(X, batch=batch)
    assert_array_equal(np.isfinite(found), np.isfinite(X))
    assert_array_equal(found[:, 0], LEVEL[0])
    a = 2.0**power  # of two, which is exact
    assert_allclose(BatchScaler().fit_transform(a * X, batch=batch), a * found)
    back = BatchScaler().fit_transform(X[::-1], batch=batch[::-1])[::-1]
    assert_allclose(back, found, rtol=1e-6, atol=1e-6)
    moved = BatchScaler().fit_transform(X + 16, batch=batch)
    assert_allclose(moved, found + 16, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e30), ("float64", 1e300)])
def test_values_too_large_to_square(dtype, size):
    X = np.arange(24.0).reshape(8, 3)
    X[:, 1] *= size
    with pytest.raises(ValueError, match=f"Gene 1 .*squares are beyond {dtype}"):
        BatchScaler().fit(X.astype(dtype))

"""LogCPM: library sizes, logarithms, and what is no table of counts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from skgex import LogCPM
from skgex.datasets import load_tcga_genomewide, load_tcga_pancancer

COUNTS = np.random.default_rng(0).negative_binomial(1, 0.01, (12, 80)).astype(float)


def slow(counts, target=1e6, pseudocount=1.0):
    """The definition, value by value."""
    output = np.full(counts.shape, np.nan)
    for i, sample in enumerate(counts):
        size = sum(x for x in sample if not np.isnan(x))
        for j, x in enumerate(sample):
            if not np.isnan(x):
                output[i, j] = np.log2(x / size * target + pseudocount)
    return output


def test_known_values():
    counts = np.array([[1.0, 3.0], [0.0, 7.0]])
    expected = np.log2([[250_001, 750_001], [1, 1_000_001]])
    assert_allclose(LogCPM().fit_transform(counts), expected)
    assert_allclose(LogCPM(4).fit_transform(counts), np.log2([[2, 4], [1, 5]]))


@given(
    arrays(np.float64, (4, 6), elements=st.integers(0, 10**6)),
    arrays(bool, (4, 6)),
    st.floats(1, 1e6),
    st.floats(0.01, 10),
)
def test_definition(counts, hidden, target, pseudocount):
    counts[:, 0] += 1
    hidden[:, 0] = False
    counts[hidden] = np.nan
    log = LogCPM(target, pseudocount=pseudocount).fit_transform(counts)
    assert_allclose(log, slow(counts, target, pseudocount), rtol=1e-12, atol=1e-12)


def test_single_precision():
    log = LogCPM().fit_transform(COUNTS.astype(np.float32))
    assert log.dtype == np.float32
    assert_allclose(log, slow(COUNTS), rtol=1e-6)


def test_sizes_of_many_genes_keep_their_digits():
    """A sum in single precision would lose every one of the small counts."""
    counts = np.ones((1, 50_001), np.float32)
    counts[0, 0] = 2**26
    size = 2**26 + 50_000
    log = LogCPM(size).fit_transform(counts)
    assert_allclose(log[0, :2], np.log2([2**26 + 1, 2]), rtol=1e-6)


def test_depth_drops_out():
    depth = np.arange(1, 13)[:, None]
    assert_allclose(
        LogCPM().fit_transform(COUNTS * depth), LogCPM().fit_transform(COUNTS)
    )


def test_inverse_gives_counts_per_million():
    holes = np.where(np.random.default_rng(0).random((12, 80)) < 0.1, np.nan, COUNTS)
    model = LogCPM(pseudocount=0.5).fit(holes)
    scaled = model.inverse_transform(model.transform(holes))
    assert_allclose(np.nansum(scaled, axis=1), 1e6)
    sizes = np.nansum(holes, axis=1, keepdims=True)
    assert_allclose(scaled * sizes / 1e6, holes, atol=1e-8)


def test_median_of_the_library_sizes():
    model = LogCPM(None).fit(COUNTS)
    target = np.median(COUNTS.sum(axis=1))
    assert model.target_sum_ == target
    deeper = 10 * COUNTS[:3]
    assert_allclose(model.transform(deeper), slow(COUNTS[:3], target))


# What is refused


def test_negative_values():
    table = pd.DataFrame(COUNTS, columns=[f"G{i}" for i in range(80)])
    table.iloc[5, 3] = -0.5
    message = "Negative values in data passed to LogCPM: sample 5, gene 'G3'.*logarit"
    with pytest.raises(ValueError, match=message):
        LogCPM().fit(table)
    with pytest.raises(ValueError, match=message):
        LogCPM().fit(abs(table)).transform(table)


@pytest.mark.parametrize("log", [np.log2, np.log, np.log10])
def test_logarithms(log):
    message = "looks as if it were logarithms already: .* no value above .*Leave LogCPM"
    logged = log(COUNTS + 1)
    logged[0, 0] = np.nan
    with pytest.raises(ValueError, match=message):
        LogCPM().fit(logged)
    with pytest.raises(ValueError, match=message):
        LogCPM().fit(COUNTS).transform(logged)


def test_what_is_no_logarithm():
    """Few reads, expected counts with fractions, TPM, and panels."""
    few = np.minimum(COUNTS, 20.0)
    few[0, 0] = np.nan
    tpm = COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e6
    for counts in (few, COUNTS * 0.7, tpm, np.log2(COUNTS[:, :40] + 1)):
        assert_allclose(LogCPM().fit_transform(counts), slow(counts))


@pytest.mark.parametrize("log", [np.log2, np.log, np.log10])
@pytest.mark.parametrize("large", [31.0, 2500.0, 1e6])
def test_logarithms_beside_a_large_column(log, large):
    """One that is no gene, such as lengths: it makes no counts of the others."""
    table = pd.DataFrame(log(COUNTS + 1), columns=[f"G{i}" for i in range(80)])
    table.insert(3, "length", large)
    message = (
        r"logarithms already: .* no value above \d\S* but in 'length'\. Leave LogCPM "
        "out.* drop columns that are no genes"
    )
    for rows in (slice(None), slice(0, 1)):
        with pytest.raises(ValueError, match=message):
            LogCPM().fit(table[rows])
        with pytest.raises(ValueError, match="logarithms already"):
            LogCPM().fit(table.round()).transform(table[rows])
    table.iloc[0, 3] = np.nan
    table.iloc[1:4, 4:] = COUNTS[1:4, 3:]  # a few samples are counts
    with pytest.raises(ValueError, match=message):
        LogCPM().fit(table)
    LogCPM().fit(table.round())


@pytest.mark.parametrize("n_large", [1, 100])
def test_real_logarithms_beside_large_columns(n_large):
    logs = load_tcga_genomewide(as_frame=True).data.clip(lower=0).iloc[:, :10_000]
    logs.iloc[:, :n_large] = 2 ** logs.iloc[:, :n_large] + 30
    with pytest.raises(ValueError, match="logarithms already"):
        LogCPM().fit(logs)
    with pytest.raises(ValueError, match="logarithms already"):
        LogCPM().fit(logs.iloc[[7]])


def test_real_expression_is_no_logarithm():
    """As it is counted, as TPM, at a hundredth of the depth, whole and as panels."""
    rng = np.random.default_rng(0)
    for load in (load_tcga_genomewide, load_tcga_pancancer):
        counts = 2 ** load().data[:100].clip(min=0) - 1
        tpm = counts / counts.sum(axis=1, keepdims=True) * 1e6
        shallow = rng.poisson(counts / 100) * rng.choice([1, 0.9], counts.shape)
        for table in (counts, tpm, shallow):
            LogCPM().fit(table[table.sum(axis=1) > 0])
        for _ in range(20):
            genes = rng.choice(counts.shape[1], 80, replace=False)
            LogCPM().fit(counts[:, genes])
            LogCPM().fit(counts[:1, genes])


@given(st.integers(50, 400), st.floats(0.5, 3), st.floats(0, 0.9), st.integers(0, 99))
def test_integers_are_no_logarithms(n_genes, spread, zeros, seed):
    """Whatever their distribution, and whether one of them is large."""
    rng = np.random.default_rng(seed)
    rates = rng.lognormal(0, spread, n_genes) * (rng.random(n_genes) > zeros)
    counts = rng.poisson(rates, (5, n_genes)).astype(float)
    counts[:, 0] = 10_000
    assert_allclose(LogCPM().fit_transform(counts), slow(counts), atol=1e-12)


def test_sample_without_counts():
    empty = COUNTS.copy()
    empty[7] = 0
    with pytest.raises(ValueError, match=r"Sample 7 of X has no counts.*Drop it"):
        LogCPM().fit(empty)
    with pytest.raises(ValueError, match="Sample 7 of X has no counts"):
        LogCPM().fit(COUNTS).transform(empty)
    with pytest.raises(ValueError, match="X has no counts at all: every value"):
        LogCPM().fit(np.zeros((3, 4)))
    panel = LogCPM().fit_transform(empty[:, :40])
    assert_array_equal(panel[7], 0)
    assert np.isfinite(panel).all()


@pytest.mark.parametrize(
    "parameters", [{"target_sum": 0}, {"target_sum": "median"}, {"pseudocount": 0}]
)
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=f"The {next(iter(parameters))!r} parameter"):
        LogCPM(**parameters).fit(COUNTS)


@pytest.mark.parametrize("parameter", ["target_sum", "pseudocount"])
@pytest.mark.parametrize("value", [1e300, 1e-320])
def test_numbers_beyond_single_precision(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of LogCPM must be"):
        LogCPM(**{parameter: value}).fit(np.ones((3, 4)))

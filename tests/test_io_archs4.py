"""Counts of ARCHS4: which samples are found, and what is made of their counts."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from io_files import expression, write_archs4
from numpy.testing import assert_allclose, assert_array_equal

from skgex import LogCPM
from skgex.io import (
    _archs4_matrix,
    _matrix,
    read_archs4,
    read_expression,
    to_memmap,
)
from skgex.io._archs4_matrix import runs
from skgex.io._hdf5 import read_all

METADATA = {
    "series_id": ["GSE1", "GSE1", "GSE2", "GSE2,GSE3", "GSE4", "GSE4", "GSE5"],
    "title": ["a", "b", "LIVER (adult)", "c", "d", "e", "f"],
    "source_name_ch1": ["Liver", "lung", "lung", "fetal liver", "skin", "skin", "skin"],
    "singlecellprobability": [0.0, 0.9, 0.1, 0.5, 0.2, 0.0, 1.0],
    "molecule_ch1": ["total RNA"] * 5 + ["polyA RNA"] * 2,
}


@pytest.fixture
def archs4(tmp_path):
    X = expression(n_genes=6, missing=False)
    return X, write_archs4(tmp_path / "x.h5", X, metadata=METADATA)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"query": "liver"}, [0, 2, 3]),
        ({"query": "^liver$"}, [0]),
        ({"query": "GSE2|GSE5"}, [2, 3, 6]),
        ({"query": r"\(adult"}, [2]),
        ({"query": "s5"}, [5]),  # the accession
        ({"query": {"source_name_ch1": "LIVER"}}, [0, 3]),
        ({"query": {"source_name_ch1": "l", "series_id": "GSE2"}}, [2, 3]),
        ({"query": {"molecule_ch1": "poly"}}, [5, 6]),
        ({"max_single_cell": 0.5}, [0, 2, 4, 5]),
        ({"query": "liver", "samples": ["S3", "S1", "S0"]}, [3, 0]),
    ],
)
def test_archs4_finds_samples(options, expected, archs4):
    X, path = archs4
    found = read_archs4(path, **options)
    assert list(found.index) == list(X.index[expected])
    assert_array_equal(found, X.iloc[expected])


def test_archs4_returns_metadata(archs4):
    _, path = archs4
    X, about = read_archs4(path, samples=["S3", "S0"], return_metadata=True)
    assert list(about.index) == list(X.index) == ["S3", "S0"]
    fields = ["geo_accession", "series_id", "source_name_ch1", "title"]
    assert list(about) == fields
    assert about.loc["S3", "source_name_ch1"] == "fetal liver"
    _, about = read_archs4(path, query="skin", return_metadata=["molecule_ch1"])
    assert about["molecule_ch1"].tolist() == ["total RNA", "polyA RNA", "polyA RNA"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"query": "brain"}, "no sample matches query='brain'"),
        ({"samples": ["S1"], "max_single_cell": 0.5}, "with max_single_cell=0.5"),
        ({"query": "("}, "no regular expression"),
        ({"query": {"tissue": "x"}}, "meta/samples/tissue is missing.*'series_id'"),
        ({"normalize": "tpm"}, "'normalize' parameter"),
        ({"max_single_cell": 2}, "'max_single_cell' parameter"),
    ],
)
def test_archs4_bad_requests(options, message, archs4):
    with pytest.raises(ValueError, match=message):
        read_archs4(archs4[1], **options)


def test_archs4_gene_names(archs4):
    X, path = archs4
    read = read_archs4(path, gene_names="ensembl", genes=["ENSG3"])
    assert_array_equal(read["ENSG3"], X["g3"])


@pytest.mark.parametrize("chunks", [None, (1, 1), (6, 2), (4, 7)])
@pytest.mark.parametrize("genes", [None, ["g4", "g1"]])
def test_log_cpm_is_over_all_genes_of_the_file(genes, chunks, tmp_path, monkeypatch):
    monkeypatch.setattr(_archs4_matrix, "BLOCK_BYTES", 64)
    X = expression(n_genes=6, missing=False)
    X.columns = ["g0", "g1", "g2", "g1", "g4", "g5"]
    path = write_archs4(tmp_path / "x.h5", X, chunks)
    total = X.sum(axis=1).to_numpy()[:, None]
    summed = X.T.groupby(level=0).sum().T[genes or ["g0", "g1", "g2", "g4", "g5"]]
    result = read_archs4(path, genes=genes, normalize="log_cpm")
    assert list(result) == list(summed)
    assert_allclose(result, np.log2(summed * 1e6 / total + 1), rtol=1e-5)
    if genes is None:
        assert_allclose(result, LogCPM().fit_transform(summed), rtol=1e-5)


def test_log_cpm_names_the_sample_without_counts(tmp_path):
    X = expression(missing=False)
    X.loc["S4"] = 0
    path = write_archs4(tmp_path / "x.h5", X)
    assert read_archs4(path).loc["S4"].sum() == 0
    with pytest.raises(ValueError, match=r"x\.h5: sample 'S4' has no counts"):
        read_archs4(path, normalize="log_cpm")


def test_archs4_with_names_of_another_number(archs4):
    with h5py.File(archs4[1], "r+") as file:
        del file["meta/genes/symbol"]
        file["meta/genes/gene_symbol"] = ["a", "b"]
    with pytest.raises(ValueError, match=r"of shape \(6, 7\).*\(2, 7\) was expected"):
        read_archs4(archs4[1])


@given(st.data())
def test_runs_are_the_chunks_that_are_needed(data):
    end, chunk = data.draw(st.integers(1, 50)), data.draw(st.integers(1, 60))
    limit = data.draw(st.one_of(st.none(), st.integers(0, 60)))
    positions = data.draw(st.sets(st.integers(0, end - 1), min_size=1))
    ranges = list(runs(np.array(sorted(positions)), chunk, end, limit))
    read = [i for start, stop in ranges for i in range(start, stop)]
    needed = {p // chunk for p in positions}
    assert read == [i for i in range(end) if i // chunk in needed]
    if limit is not None:
        assert all(stop - start <= max(limit, chunk) for start, stop in ranges)


def grow(path, name, *shape, dtype=None):
    """Say that a dataset has many more values, which are not stored."""
    with h5py.File(path, "a") as file:
        dtype = dtype or file[name].dtype
        del file[name]
        file.create_dataset(name, shape, dtype, chunks=(*shape[:-1], 1000))


@pytest.mark.parametrize("dtype", [h5py.string_dtype(), "S10", "S100000", "i8"])
def test_more_names_than_a_file_can_hold(dtype, archs4, tmp_path):
    _, path = archs4
    n = 10**9 if dtype != "S100000" else 10**7
    grow(path, "data/expression", 6, n)
    grow(path, "meta/samples/geo_accession", n, dtype=dtype)
    for read in (read_archs4, read_expression, lambda p: to_memmap(p, tmp_path / "x")):
        with pytest.raises(
            ValueError, match=r"x\.h5 is damaged: .*geo_accession is sa"
        ):
            read(path)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("title", {"query": "a"}),
        ("title", {"return_metadata": ["title"]}),
        ("singlecellprobability", {"max_single_cell": 0.5}),
    ],
)
def test_more_metadata_than_a_file_can_hold(field, options, archs4):
    _, path = archs4
    grow(path, f"meta/samples/{field}", 10**9)
    with pytest.raises(ValueError, match=rf"{field} is said to have 1,000,000,000"):
        read_archs4(path, **options)


def test_names_that_a_file_can_hold(tmp_path):
    # However well they are compressed, and though there are more than a few.
    names = np.char.mod("S%07d", np.arange(10**5)).astype("S8")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for compression, name in ((None, "plain"), ("gzip", "small")):
            file.create_dataset(name, data=names, compression=compression, chunks=True)
        file["texts"] = names.astype(object)
        for dataset in file.values():
            assert len(read_all(dataset)) == 10**5


def test_a_table_larger_than_memory(archs4, monkeypatch, tmp_path):
    X, path = archs4
    monkeypatch.setattr(_matrix, "machine_bytes", lambda: X.size * 4 - 1)
    with pytest.raises(ValueError, match=r"7 samples x 6 genes take 0 GB.*to_memmap"):
        read_archs4(path)
    assert_array_equal(read_archs4(path, samples=["S3"]), X.loc[["S3"]])
    assert_array_equal(to_memmap(path, tmp_path / "x"), X)


def test_memory_of_this_machine_is_known():
    assert 2**28 < _matrix.machine_bytes() < 2**50

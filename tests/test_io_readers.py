"""What all readers have in common: the table that was written comes back."""

import builtins
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_files import FORMATS, expression, write
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from skgex import io
from skgex.io import _archs4_matrix, _matrix
from skgex.io._text import _line_matrix

READERS = {
    "xena": io.read_xena,
    "gct": io.read_gct,
    "archs4": io.read_archs4,
    "h5ad": io.read_h5ad,
}
KINDS = pytest.mark.parametrize("kind", FORMATS)
BASES = pytest.mark.parametrize("kind", READERS)


def read(kind, path, **options):
    return READERS[kind.partition("_")[0]](path, **options)


def table(kind, **options):
    return expression(missing=not kind.startswith("archs4"), **options)


def same(X, expected):
    assert X.index.name == "sample"
    assert X.columns.name == "gene"
    assert_frame_equal(X, expected, check_names=False)


@KINDS
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_table_comes_back(kind, dtype, tmp_path):
    expected = table(kind)
    X = read(kind, write(kind, tmp_path, expected), dtype=dtype)
    same(X, expected.astype(dtype))
    assert X.to_numpy().flags.c_contiguous


@KINDS
def test_selections_are_in_the_order_of_the_request(kind, tmp_path):
    expected = table(kind, n_samples=9, n_genes=12)
    path = write(kind, tmp_path, expected)
    genes, samples = ["g7", "g0", "g11", "g8"], np.array(["S8", "S2", "S3"])
    same(read(kind, path, genes=genes, samples=samples), expected.loc[samples, genes])
    same(read(kind, path, genes=genes[:1]), expected[genes[:1]])
    same(read(kind, str(path), samples=samples[:1]), expected.loc[samples[:1]])


@settings(max_examples=40)
@given(st.data())
def test_any_shape_selection_and_size_of_blocks(data):
    kind = data.draw(st.sampled_from(FORMATS))
    n, g = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    expected = table(kind, n_samples=n, n_genes=g, seed=n * g)
    genes = data.draw(
        st.lists(st.sampled_from(list(expected)), min_size=1, unique=True)
    )
    samples = data.draw(
        st.lists(st.sampled_from(list(expected.index)), min_size=1, unique=True)
    )
    block_bytes = data.draw(st.integers(1, 100))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = write(kind, Path(folder), expected)
        patch.setattr(_line_matrix, "PARSED_BYTES", block_bytes)
        for module in (_archs4_matrix, _matrix):
            patch.setattr(module, "BLOCK_BYTES", block_bytes)
        patch.setattr(_archs4_matrix, "_LARGEST_BLOCK_BYTES", 4 * block_bytes)
        X = read(kind, path, genes=genes, samples=samples)
    same(X, expected.loc[samples, genes])


def merged(X, how):
    """Merge columns of one name, the slow way."""
    columns = {}
    for gene in dict.fromkeys(X.columns):
        several = X.loc[:, X.columns == gene]
        columns[gene] = {
            "first": several.iloc[:, 0],
            "max": several.max(axis=1),
            "mean": several.mean(axis=1),
            "sum": several.sum(axis=1, min_count=1),
        }[how]
    return pd.DataFrame(columns)


@KINDS
@pytest.mark.parametrize("how", ["first", "max", "mean", "sum"])
def test_genes_that_recur_are_merged(kind, how, tmp_path):
    X = table(kind, n_genes=6)
    X.columns = ["a", "b", "a", "c", "b", "a"]
    path = write(kind, tmp_path, X)
    result = read(kind, path, on_duplicate=how)
    same(result, merged(X, how).astype(np.float32))
    chosen = read(kind, path, on_duplicate=how, genes=["c", "b"])
    same(chosen, merged(X, how)[["c", "b"]].astype(np.float32))


@KINDS
def test_genes_that_recur_are_refused_only_where_they_are_read(kind, tmp_path):
    X = table(kind)
    X.columns = ["a", "b", "a", "c", "d"]
    path = write(kind, tmp_path, X)
    with pytest.raises(
        ValueError, match=r"several genes named 'a'.*on_duplicate='sum'"
    ):
        read(kind, path, on_duplicate="error")
    same(read(kind, path, on_duplicate="error", genes=["d"]), X[["d"]])


@KINDS
def test_names_that_are_not_there(kind, tmp_path):
    path = write(kind, tmp_path, table(kind))
    with pytest.raises(
        ValueError, match=r"no gene 'TP53'.*begin with 'g0', 'g1', 'g2'"
    ):
        read(kind, path, genes=["g1", "TP53"])
    with pytest.raises(ValueError, match=r"no sample 'T9'.*7 samples begin with 'S0'"):
        read(kind, path, samples=["T9"])
    for parameter in ("genes", "samples"):
        with pytest.raises(ValueError, match=f"{parameter} is empty"):
            read(kind, path, **{parameter: []})
        with pytest.raises(ValueError, match="'S1' occurs more than once"):
            read(kind, path, **{parameter: ["S1", "S1"]})


@KINDS
def test_samples_that_recur_are_refused(kind, tmp_path):
    X = table(kind)
    X.index = ["A", *X.index[1:-1], "A"]
    path = write(kind, tmp_path, X)
    with pytest.raises(ValueError, match=r"x\..*'A' occurs more than once"):
        read(kind, path)


@BASES
def test_a_file_that_is_not_there(kind, tmp_path):
    with pytest.raises(FileNotFoundError):
        read(kind, tmp_path / "nothing")


@BASES
@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\0\0", b"\x1f\x8bnothing"])
def test_files_of_other_formats_are_refused(kind, content, tmp_path):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="other"):
        read(kind, path)


@KINDS
def test_truncated_files_are_refused(kind, tmp_path):
    path = write(kind, tmp_path, table(kind, n_samples=40, n_genes=40))
    whole = path.read_bytes()
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ValueError, match=r"x\."):
            read(kind, path)


@pytest.mark.parametrize("parameter", ["dtype", "on_duplicate"])
@BASES
def test_bad_parameters(kind, parameter, tmp_path):
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter"):
        read(kind, tmp_path / "x", **{parameter: "other"})


def test_without_h5py_errors_name_the_extra(tmp_path, monkeypatch):
    path = write("h5ad", tmp_path, table("h5ad"))
    original = builtins.__import__

    def without(name, *args, **options):
        if name.split(".")[0] == "h5py":
            raise ImportError
        return original(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'h5py.*pip install "skgex\[io\]"'):
        io.read_h5ad(path)


def test_float32_is_exactly_what_numpy_reads(tmp_path):
    X = np.random.default_rng(0).lognormal(0, 5, (20, 30)).astype(np.float32)
    expected = pd.DataFrame(
        X, [f"S{i}" for i in range(20)], [f"g{i}" for i in range(30)]
    )
    assert_array_equal(io.read_xena(write("xena", tmp_path, expected)), X)

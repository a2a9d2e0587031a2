"""Tables on disk: what is written, how it is opened, and what estimators do with it."""

import json
import mmap
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from io_files import FORMATS, expression, write, write_archs4
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from skgex import SCARF
from skgex._inputs import check_genes
from skgex._mapped_table import memory_map
from skgex.io import open_memmap, read_archs4, to_memmap


def same(X, expected):
    assert_frame_equal(X, expected.astype(np.float32), check_names=False)


def is_complete(path):
    names = {p.name for p in path.parent.iterdir() if p.name.startswith(path.name)}
    return names == {path.name, f"{path.name}.json"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.npy"


@pytest.fixture
def written(path):
    X = expression(n_samples=60, n_genes=8, missing=False)
    to_memmap(X, path)
    return X


# Writing


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("chunk_size", [None, 1, 3, 100])
def test_files_become_tables(kind, chunk_size, path, tmp_path):
    X = expression(n_samples=10, n_genes=12, missing=kind != "archs4")
    source = write(kind, tmp_path, X)
    same(to_memmap(source, path, chunk_size=chunk_size), X)
    same(open_memmap(path), X)
    assert is_complete(path)
    assert_array_equal(np.load(path), X)
    options = {"genes": ["g8", "absent", "g2"], "samples": ["S7", "S1"]}
    chosen = to_memmap(str(source), str(path), chunk_size=chunk_size, **options)
    same(chosen, X.reindex(index=options["samples"], columns=options["genes"]))


def test_tables_and_arrays_become_tables(path):
    X = expression(n_samples=11)
    same(to_memmap(X, path, chunk_size=2), X)
    chosen = to_memmap(X, path, genes=["g3", "h", "g1"], samples=["S9", "S2"])
    same(chosen, X.reindex(index=["S9", "S2"], columns=["g3", "h", "g1"]))
    same(to_memmap(X.to_numpy(), path, genes=list(X), samples=list(X.index)), X)
    numbered = to_memmap(X.to_numpy(), path, genes=list(X), dtype="float64")
    assert numbered.to_numpy().dtype == np.float64
    assert list(numbered.index[:2]) == ["0", "1"]
    integers = expression(missing=False).astype(int)
    same(to_memmap(integers, path), integers)


def test_a_memory_map_is_a_source(written, path, tmp_path):
    copy = tmp_path / "copy.npy"
    same(to_memmap(open_memmap(path), copy, chunk_size=7), written)


def test_cohorts_are_put_below_each_other(path, tmp_path):
    first, second, third = (expression(seed=seed) for seed in range(3))
    second.index, third.index = [f"T{i}" for i in range(7)], [f"U{i}" for i in range(7)]
    source = write("gct", tmp_path, second)
    whole = pd.concat([first, second, third])
    same(to_memmap((x for x in [first, source, third]), path, chunk_size=3), whole)
    genes = ["g4", "other", "g0"]
    parts = [first, second[["g4", "g3"]], third]
    expected = pd.concat(parts).reindex(columns=genes)
    expected.loc[second.index, "g0"] = np.nan
    same(to_memmap(parts, path, genes=genes), expected)


def test_parameters_of_the_reader(path, tmp_path):
    X = expression(missing=False)
    counts = write_archs4(tmp_path / "x.h5", X, metadata={"title": list("aabbbaa")})
    params = {"query": "b", "normalize": "log_cpm", "gene_names": "ensembl"}
    result = to_memmap(counts, path, reader_params=params, unit="log2(CPM + 1)")
    assert_frame_equal(result, read_archs4(counts, **params), check_exact=True)
    assert result.attrs == open_memmap(path).attrs == {"unit": "log2(CPM + 1)"}
    with pytest.raises(ValueError, match=r"reader_params has 'layer'.*'query'"):
        to_memmap(counts, path, reader_params={"layer": "x"})
    with pytest.raises(ValueError, match="'normalize' parameter of to_memmap"):
        to_memmap(counts, path, reader_params={"normalize": "x"})


def test_an_older_table_is_replaced(written, path):
    old = open_memmap(path)
    X = expression(seed=3)
    same(to_memmap(X, path), X)
    same(old, written)  # what was opened before stays what it was


X, Y = expression(), expression().set_axis([f"T{i}" for i in range(7)])


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (Path(__file__).parent, {}, "is a folder without tables of one sample"),
        (__file__, {}, r"test_io_memmap\.py"),
        (object(), {}, "object"),
        ([3], {}, r"source\[0\] is of type int"),
        ([], {}, "source is empty"),
        ([X, X], {}, r"source\[1\]: 'S0', 'S1', 'S2' and 4 more occurs more than once"),
        (
            [X, Y[["g0", "g1"]]],
            {},
            r"source\[1\].*'g2', 'g3', 'g4' in one of them only",
        ),
        ([X, Y[X.columns[::-1]]], {}, r"source\[1\].*another order"),
        ([X, Y], {"genes": ["g0"], "samples": ["S0"]}, "select in each"),
        ([X, Y[["g1"]]], {"genes": ["g0"]}, r"source\[1\] has no gene 'g0'"),
        (X.assign(sex="F"), {}, "gene 'sex' is of type .*not numeric"),
        (X.iloc[:0], {}, "no samples to read"),
        (X.iloc[:, :0], {}, "has no gene"),
        (X.set_axis(list("aabcd"), axis=1), {}, "several genes named 'a'"),
        (X.to_numpy(), {}, "genes must name each column"),
        (X.to_numpy(), {"genes": ["a"]}, "genes must name each column: 1 named"),
        (X.to_numpy(), {"genes": list(X), "samples": ["S"]}, "of 7 rows.*names 1"),
        (X, {"chunk_size": 0}, "'chunk_size' parameter"),
        (X, {"dtype": "int8"}, "'dtype' parameter"),
    ],
)
def test_bad_sources(source, options, message, path):
    with pytest.raises((ValueError, TypeError), match=message):
        to_memmap(source, path, **options)
    with pytest.raises(FileNotFoundError):
        open_memmap(path)


def test_a_source_that_is_not_there(path, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"table\.csv"):
        to_memmap(tmp_path / "table.csv", path)


def test_content_and_not_the_name_tells_what_a_file_is(path, tmp_path):
    X = expression()
    source = write("gct", tmp_path, X).rename(tmp_path / "table.csv")
    same(to_memmap(source, path), X)
    for delimiter in ",;":
        X.T.to_csv(source, sep=delimiter)
        same(to_memmap(source, path, chunk_size=2), X)
    # What read_expression takes as parameters.
    params = {"orient": "genes_in_rows", "on_duplicate": "sum"}
    same(to_memmap(source, path, reader_params=params), X)
    with pytest.raises(ValueError, match=r"reader_params has 'query'.*'orient'"):
        to_memmap(source, path, reader_params={"query": "x"})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("chunk_size", [None, 1, 3])
def test_samples_in_rows(kind, chunk_size, path, tmp_path):
    X, source = expression(n_samples=8), tmp_path / "x"
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        X.to_parquet(source)
    else:
        X.to_csv(source)
    params = {"orient": "samples_in_rows"}
    same(to_memmap(source, path, chunk_size=chunk_size, reader_params=params), X)
    options = {"genes": ["g3", "absent", "g0"], "samples": ["S5", "S2"]}
    chosen = to_memmap(source, path, reader_params=params, **options)
    same(chosen, X.reindex(index=options["samples"], columns=options["genes"]))


def test_a_folder_of_samples(path, tmp_path):
    for sample in ("b", "a"):
        folder = tmp_path / "all" / sample
        folder.mkdir(parents=True)
        text = "Name\tLength\tEffectiveLength\tTPM\tNumReads\nENST1\t9\t9\t.5\t3\n"
        (folder / "quant.sf").write_text(text)
    with pytest.warns(UserWarning, match="2 files of one sample"):
        X = to_memmap(tmp_path / "all", path)
    assert X.to_dict("index") == {"a": {"ENST1": 3}, "b": {"ENST1": 3}}


def test_genes_that_recur_in_a_table(path):
    X = expression().set_axis(list("abacd"), axis=1)
    result = to_memmap(X, path, reader_params={"on_duplicate": "max"})
    assert_array_equal(result["a"], X["a"].max(axis=1))


def test_the_progress_bar(path, capsys):
    to_memmap(expression(), path, chunk_size=2)
    assert not capsys.readouterr().out
    to_memmap(expression(), path, chunk_size=2, verbose=True)
    assert re.search(r"source.*4/4", capsys.readouterr().out)


# Opening


def test_no_value_is_read_or_copied(written, path):
    X = open_memmap(path)
    same(X, written)
    values = np.asarray(X)
    assert isinstance(memory_map(values), mmap.mmap)
    for view in (X.to_numpy(), X.iloc[10:20].to_numpy(), X.iloc[5].to_numpy()):
        assert np.shares_memory(view, values)
    assert not values.flags.writeable
    assert isinstance(memory_map(np.asarray(X.iloc[10:20])), mmap.mmap)


def test_estimators_take_the_map_itself(written, path, seen):
    X = open_memmap(path)
    for part in (X, X.iloc[8:50]):
        checked = check_genes(SCARF(), part, reset=True)
        assert np.shares_memory(checked, X.to_numpy())
    embedder = SCARF(hidden_dims=(8, 4), max_epochs=1, random_state=0)
    embedding = embedder.fit(X).transform(X)
    assert list(embedder.feature_names_in_) == list(written)
    assert all(np.shares_memory(read, X.to_numpy()) for read in seen["arrays"])
    in_memory = SCARF(hidden_dims=(8, 4), max_epochs=1, random_state=0).fit(written)
    assert_array_equal(embedding, in_memory.transform(written))


def test_the_table_is_read_only(written, path):
    X = open_memmap(path)
    with pytest.raises(ValueError, match="read-only"):
        X.iloc[0, 0] = -1
    same(open_memmap(path), written)


def change(key, value):
    def changed(path):
        file = path.with_name(f"{path.name}.json")
        about = json.loads(file.read_text())
        file.write_text(json.dumps({**about, key: value(about[key])}))

    return changed


def cut(path):
    path.write_bytes(path.read_bytes()[:-4])


def foreign(path):
    path.write_bytes(bytes(path.stat().st_size))


def of_another_shape(path):
    np.save(path, np.load(path).reshape(8, 60))


def of_another_dtype(path):
    np.save(path, np.load(path).view(np.int32))


def of_columns_first(path):
    np.save(path, np.asfortranarray(np.load(path)))


def zipped(path):
    size = path.stat().st_size
    with path.open("wb") as file:
        np.savez(file, np.zeros(3))
    path.write_bytes(path.read_bytes().ljust(size, b"\0"))


def rewrite_header(path, text):
    """Put another text in the place of numpy's header, of the same length."""
    content = path.read_bytes()
    path.write_bytes(content[:10] + text.ljust(117).encode() + content[127:])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "has 2,044 bytes, its description says 2,048"),
        (foreign, "not in numpy's format"),
        (of_another_shape, r"\(8, 60\) values of float32.*says \(60, 8\)"),
        (of_another_dtype, r"values of int32.*of float32"),
        (change("genes", lambda g: g[1:]), "it has 7 genes, its shape says 8"),
        (
            change("samples", lambda s: [*s, "x"]),
            "it has 61 samples, its shape says 60",
        ),
        (change("format", lambda f: 99), "of format 99.*update skgex"),
        (of_columns_first, "row by row"),
        (zipped, "not in numpy's format"),
        (lambda path: rewrite_header(path, "(" * 100), "not in numpy's format"),
    ],
)
def test_damaged_tables(damage, message, written, path):
    damage(path)
    with pytest.raises(ValueError, match=rf"table\.npy.*{message}"):
        open_memmap(path)


@pytest.mark.parametrize(
    "text",
    [b"{", b"[1]", b"{}", b"", b"null", b'"format"', b"\xff\xfe", b"[" * 10**5],
    ids=lambda text: repr(text[:9]),
)
def test_what_is_no_description(text, written, path):
    path.with_name("table.npy.json").write_bytes(text)
    with pytest.raises(ValueError, match=r"table\.npy\.json is no desc.*convert again"):
        open_memmap(path)


ENTRIES = {
    "shape": [[60], [60, 8, 1], [60, 8.0], [-60, -8], [60, True], 60, "60x8", {}],
    "dtype": ["f99", "int32", "object", 4, None, ["float32"]],
    "size": ["x", -1, None, 2048.0, True],
    "unit": [3, ["TPM"], {}],
    "genes": [5, None, {}, "abcdefgh", [*range(8)], [*"abcdefg", None], [*"abcdefgg"]],
    "samples": [5, None, [["a"]] * 60, ["a"] * 60],
    "format": [None, [], "1", 0],
}


@pytest.mark.parametrize("key", ENTRIES)
def test_a_description_that_lacks_an_entry(key, written, path):
    file = path.with_name("table.npy.json")
    about = json.loads(file.read_text())
    file.write_text(json.dumps({k: v for k, v in about.items() if k != key}))
    with pytest.raises(ValueError, match=rf"no description.*{key}.*convert again"):
        open_memmap(path)


@pytest.mark.parametrize("key", ENTRIES)
def test_a_description_with_an_entry_that_is_wrong(key, written, path):
    for value in ENTRIES[key]:
        change(key, lambda _, value=value: value)(path)
        with pytest.raises(ValueError, match=rf"{key}.*convert again"):
            open_memmap(path)


def test_tables_that_are_not_there(written, path, tmp_path):
    with pytest.raises(FileNotFoundError, match="write it with to_memmap"):
        open_memmap(tmp_path / "other.npy")
    shutil.copy(path, tmp_path / "other.npy")
    with pytest.raises(FileNotFoundError, match=r"no description .*other\.npy\.json"):
        open_memmap(tmp_path / "other.npy")

"""HDF5 files that are damaged or hostile: refused, never another table or a crash."""

import contextlib
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5ad_files import SAMPLES, SYMBOLS, values, write_file, write_table
from io_files import expression, write, write_archs4

from skgex.io import read_archs4, read_h5ad, write_expression

SPARSE = pytest.mark.parametrize("kind", ["csr", "csc"])


def change(path, name, value):
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = value
    return path


# Numbers that say where values belong


@SPARSE
@pytest.mark.parametrize("bad", [99, -1, 2**31 - 1, -(2**31), 2**40, 2**63])
def test_indices_out_of_range(bad, kind, tmp_path):
    path = write_file(tmp_path / "x.h5ad", kind=kind)
    with h5py.File(path) as file:
        indices = file["X/indices"][:].astype(np.uint64 if bad == 2**63 else np.int64)
    indices[3] = bad
    change(path, "X/indices", indices)
    with pytest.raises(ValueError, match=r"x\.h5ad: X is damaged: it has indices from"):
        read_h5ad(path)


@SPARSE
@pytest.mark.parametrize(
    "bad",
    [
        lambda bounds: bounds[::-1],
        lambda bounds: bounds + 1,
        lambda bounds: bounds - 1,
        lambda bounds: bounds[:-1],
        lambda bounds: np.append(bounds, bounds[-1]),
        lambda bounds: np.where(bounds == bounds[1], 10**9, bounds),
        lambda bounds: np.where(bounds == bounds[1], -(10**9), bounds),
        lambda bounds: np.where(bounds == bounds[-1], bounds - 1, bounds),
        lambda bounds: bounds.astype(float),
        lambda bounds: bounds[:, None],
        lambda bounds: np.where(np.arange(len(bounds)), bounds[-1], 0),
    ],
)
def test_bounds_that_do_not_rise(bad, kind, tmp_path):
    path = write_file(tmp_path / "x.h5ad", values() + 1, kind)
    with h5py.File(path) as file:
        bounds = file["X/indptr"][:].astype(np.int64)
    change(path, "X/indptr", bad(bounds))
    with pytest.raises(ValueError, match=r"x\.h5ad: X is damaged: it has"):
        read_h5ad(path)


@SPARSE
def test_sparse_matrices_with_a_part_of_another_length(kind, tmp_path):
    path = write_file(tmp_path / "x.h5ad", kind=kind)
    with h5py.File(path) as file:
        data = file["X/data"][:]
    change(path, "X/data", data[:-1])
    with pytest.raises(ValueError, match=r"values, .* indices and .* do not fit"):
        read_h5ad(path)
    with h5py.File(path, "r+") as file:
        del file["X/data"]
    with pytest.raises(ValueError, match="X is damaged: it has no data"):
        read_h5ad(path)


def test_values_that_recur_are_added_up_as_scipy_does(tmp_path):
    path = write_file(tmp_path / "x.h5ad", kind="csr")
    with h5py.File(path) as file:
        first, data = file["X/indptr"][1], file["X/data"][:]
        indices = file["X/indices"][:]
    indices[1] = indices[0]
    change(path, "X/indices", indices)
    row = np.zeros(6)
    np.add.at(row, indices[:first], data[:first])
    np.testing.assert_array_equal(read_h5ad(path).iloc[0], row)


@pytest.mark.parametrize("codes", [[0, 1, 2, 3, 4, 9], [0, 1, 2, 3, 4, -2]])
def test_codes_out_of_range(codes, tmp_path):
    column = {"codes": np.array(codes), "categories": SYMBOLS[:5]}
    path = write_file(tmp_path / "x.h5ad", symbol=column)
    with pytest.raises(ValueError, match=r"x\.h5ad is damaged.*out of range"):
        read_h5ad(path, gene_column="symbol")


@pytest.mark.parametrize(
    "break_index",
    [
        lambda var: var.attrs.__delitem__("_index"),
        lambda var: var.attrs.__setitem__("_index", ""),
        lambda var: var.attrs.__setitem__("_index", 3.5),
        lambda var: var.__delitem__("_index"),
        lambda var: (var.__delitem__("_index"), var.create_group("_index")),
        lambda var: change_member(var, "_index", 3),
        lambda var: change_member(var, "_index", np.zeros((6, 2))),
    ],
)
def test_tables_without_their_index(break_index, tmp_path):
    path = write_file(tmp_path / "x.h5ad")
    with h5py.File(path, "r+") as file:
        break_index(file["var"])
    with pytest.raises(ValueError, match=r"x\.h5ad is damaged"):
        read_h5ad(path)


def change_member(group, name, value):
    del group[name]
    group[name] = value


def test_a_number_of_names_that_no_memory_holds(tmp_path):
    path = write_file(tmp_path / "x.h5ad")
    with h5py.File(path, "r+") as file:
        del file["obs/_index"]
        file["obs"].create_dataset(
            "_index", (10**12,), h5py.string_dtype(), chunks=(9,)
        )
    with pytest.raises(ValueError, match="obs and var have 1,000,000,000,000 and 6"):
        read_h5ad(path)
    path = write_archs4(tmp_path / "x.h5", expression(missing=False))
    with h5py.File(path, "r+") as file:
        del file["meta/genes/symbol"]
        file["meta/genes"].create_dataset("symbol", (10**12,), "S9", chunks=(9,))
    with pytest.raises(ValueError, match="there are 1,000,000,000,000 genes"):
        read_archs4(path)


# Files that read other files


N = 10**9


def with_texts(obs):
    obs.create_dataset("_index", (N,), h5py.string_dtype(), chunks=(1000,))


def with_bytes(obs):
    obs.create_dataset("_index", (N,), "S9", chunks=(1000,), compression="gzip")


def with_codes(obs):
    obs.create_dataset("_index/codes", (N,), "i1", chunks=(1000,))
    obs["_index/categories"] = ["a"]


def with_a_mask(obs):
    obs.create_dataset("_index/values", (N,), "i8", chunks=(1000,))
    obs.create_dataset("_index/mask", (N,), "?", chunks=(1000,))


def with_categories(obs):
    obs["_index/codes"] = [0, 1, 2]
    categories = obs.create_dataset(
        "_index/categories", (N,), h5py.string_dtype(), chunks=(1000,)
    )
    assert categories.size == N


def dense(file, n):
    file.create_dataset("X", (n, 2), "f4", chunks=(min(n, 1000), 2))


def sparse(file, n):
    file.create_group("X").attrs.update({"encoding-type": "csr_matrix"})
    file["X"].attrs["shape"] = [n, 2]
    for name, size in (("data", 0), ("indices", 0), ("indptr", n + 1)):
        file["X"].create_dataset(name, (size,), "i8", maxshape=(None,))


@pytest.mark.parametrize("matrix", [dense, sparse])
@pytest.mark.parametrize(
    "names", [with_texts, with_bytes, with_codes, with_a_mask, with_categories]
)
def test_more_values_than_a_file_can_hold(names, matrix, tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        names(file.create_group("obs"))
        file["obs"].attrs["_index"] = "_index"
        file["var/_index"] = ["A", "B"]
        file["var"].attrs["_index"] = "_index"
        matrix(file, 3 if names is with_categories else N)
    with pytest.raises(ValueError, match=r"x\.h5ad is damaged: .* are too few"):
        read_h5ad(tmp_path / "x.h5ad")


def external_link(file, name, other):
    file[name] = h5py.ExternalLink(other, "X")


def soft_link_through_an_external_one(file, name, other):
    file["elsewhere"] = h5py.ExternalLink(other, "/")
    file[name] = h5py.SoftLink("/elsewhere/X")


def external_storage(file, name, other):
    file.create_dataset(name, (4, 6), "u1", external=[(other, 0, 24)])


def virtual_dataset(file, name, other):
    layout = h5py.VirtualLayout((4, 6), "f4")
    layout[:] = h5py.VirtualSource(other, "X", (4, 6))
    file.create_virtual_dataset(name, layout)


OTHERS = pytest.mark.parametrize(
    "put",
    [
        external_link,
        soft_link_through_an_external_one,
        external_storage,
        virtual_dataset,
    ],
)


@OTHERS
@pytest.mark.parametrize("name", ["X", "layers/a", "raw/X"])
def test_other_files_are_not_read(put, name, tmp_path):
    other = write_file(tmp_path / "other.h5ad")
    path = tmp_path / "x.h5ad"
    with h5py.File(path, "w") as file:
        write_table(file, "obs", SAMPLES)
        write_table(file, "var", SYMBOLS)
        write_table(file, "raw/var", SYMBOLS)
        put(file, name, str(other))
    layer = {"X": None, "layers/a": "a", "raw/X": "raw"}[name]
    with pytest.raises(ValueError, match=r"x\.h5ad: /.* not read, as a file could"):
        read_h5ad(path, layer=layer)


@OTHERS
@pytest.mark.parametrize("part", ["obs", "obs/_index", "var/_index", "X/data"])
def test_other_files_are_not_read_for_parts(put, part, tmp_path):
    other = write_file(tmp_path / "other.h5ad")
    path = write_file(tmp_path / "x.h5ad", kind="csr")
    with h5py.File(path, "r+") as file:
        del file[part]
        put(file, part, str(other))
    with pytest.raises(ValueError, match=r"x\.h5ad: /.* not read, as a file could"):
        read_h5ad(path)


@OTHERS
def test_other_files_are_not_read_by_references(put, tmp_path):
    path = write_file(tmp_path / "x.h5ad", symbol=np.zeros(6, int))
    other = write_file(tmp_path / "other.h5ad")
    with h5py.File(path, "r+") as file:
        put(file, "categories", str(other))
        if "link" not in put.__name__:  # a reference cannot point at a link
            file["var/symbol"].attrs["categories"] = file["categories"].ref
            column = "symbol"
        else:
            file["var/by_link"] = h5py.SoftLink("/categories")
            column = "by_link"
    with pytest.raises(ValueError, match="not read, as a file could"):
        read_h5ad(path, gene_column=column)


@OTHERS
@pytest.mark.parametrize(
    "part", ["data/expression", "meta/genes/symbol", "meta/samples/title"]
)
def test_archs4_reads_no_other_files(put, part, tmp_path):
    other = write_file(tmp_path / "other.h5ad")
    X = expression(missing=False)
    path = write_archs4(tmp_path / "x.h5", X, metadata={"title": list(X.index)})
    with h5py.File(path, "r+") as file:
        del file[part]
        put(file, part, str(other))
    with pytest.raises(ValueError, match=r"x\.h5: /.* not read, as a file could"):
        read_archs4(path, query="S1")


def test_links_within_a_file_are_followed(tmp_path):
    path = write_file(tmp_path / "x.h5ad")
    with h5py.File(path, "r+") as file:
        file["layers/same"] = h5py.SoftLink("/X")
        file["layers/again"] = h5py.SoftLink("same")
        file["layers/round"] = h5py.SoftLink("/layers/round")
        file["layers/nowhere"] = h5py.SoftLink("/nothing")
    for layer in ("same", "again"):
        np.testing.assert_array_equal(read_h5ad(path, layer=layer), values())
    for layer in ("round", "nowhere"):
        with pytest.raises(ValueError, match=r"x\.h5ad"):
            read_h5ad(path, layer=layer)


def test_a_filter_that_is_not_installed_is_named(tmp_path):
    path = write_file(tmp_path / "x.h5ad")
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((4, 6))
    plan.set_filter(32001, h5py.h5z.FLAG_OPTIONAL)
    with h5py.File(path, "r+") as file:
        del file["X"]
        space = h5py.h5s.create_simple((4, 6))
        h5py.h5d.create(file.id, b"X", h5py.h5t.IEEE_F32LE, space, plan)
    with pytest.raises(ValueError, match=r"HDF5 filter 32001.*pip install hdf5plugin"):
        read_h5ad(path)


# Bytes


@pytest.mark.parametrize("kind", ["h5ad", "archs4"])
def test_a_byte_changed_in_compressed_values_is_noticed(kind, tmp_path):
    X = expression(40, 30, missing=False)
    path = write_archs4(tmp_path / "x.h5", X, chunks=(30, 40))
    read, name = read_archs4, "data/expression"
    if kind == "h5ad":
        path, read, name = tmp_path / "x.h5ad", read_h5ad, "X"
        write_file(path, X.to_numpy(), samples=list(X.index), genes=list(X.columns))
        with h5py.File(path, "r+") as file:
            del file["X"]
            file.create_dataset("X", data=X, chunks=(40, 30), compression="gzip")
    with h5py.File(path) as file:
        chunk = file[name].id.get_chunk_info(0)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for i in rng.choice(chunk.size, 60, replace=False) + chunk.byte_offset:
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :])
        with contextlib.suppress(ValueError):
            np.testing.assert_array_equal(read(path), X)


CHANGED_BYTES = """
import random, sys, warnings
from pathlib import Path
from skgex import io
warnings.simplefilter("ignore")
path, read = Path(sys.argv[1]), getattr(io, sys.argv[2])
whole, rng = path.read_bytes(), random.Random(0)
# Text of variable length has no checksum, and HDF5 itself may search damaged stores of
# it without end.
store = whole.find(b"GCOL"), whole.rfind(b"GCOL") + 4096
for _ in range(250):
    damaged = bytearray(whole)
    for _ in range(rng.choice([1, 1, 4])):
        place = rng.randrange(len(whole))
        if not store[0] <= place < store[1]:
            damaged[place] = rng.randrange(256)
    path.write_bytes(damaged if rng.random() < 0.9 else damaged[:place])
    try:
        read(path)
    except ValueError as error:
        assert str(path) in str(error), error
print("alive")
"""


@pytest.mark.parametrize("kind", ["h5ad", "h5ad_csr", "h5ad_csc", "archs4"])
def test_changed_bytes_crash_nothing(kind, tmp_path):
    path = write(kind, tmp_path, expression(12, missing=False))
    reader = "read_archs4" if kind == "archs4" else "read_h5ad"
    run = subprocess.run(
        [sys.executable, "-c", CHANGED_BYTES, path, reader],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.stdout == "alive\n", run.stderr[-2000:]


@pytest.mark.parametrize("kind", [None, "csr", "csc"])
def test_cut_files_are_refused(kind, tmp_path):
    path = write_file(Path(tmp_path, "x.h5ad"), kind=kind)
    whole = path.read_bytes()
    for size in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"x\.h5ad is damaged"):
            read_h5ad(path)


@pytest.mark.parametrize("names", [[np.nan, 1, 2], ["", "b", "c"], ["nan", "b", "c"]])
def test_samples_without_a_name(tmp_path, names):
    write_expression(expression(3), tmp_path / "x.h5ad")
    with h5py.File(tmp_path / "x.h5ad", "r+") as file:
        obs = file["obs"]
        index = obs.attrs["_index"]
        del obs[index]
        kind = h5py.string_dtype() if isinstance(names[0], str) else float
        obs.create_dataset(index, data=names, dtype=kind)
    with pytest.raises(ValueError, match=r"1 samples without a name, .* row 0 of obs"):
        read_h5ad(tmp_path / "x.h5ad")

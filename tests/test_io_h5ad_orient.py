"""AnnData files with genes in rows."""

import h5py
import numpy as np
import pandas as pd
import pytest
from h5ad_files import SAMPLES, SYMBOLS, values, write_file
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgex.io import (
    _h5ad_by_genes,
    _h5ad_by_samples,
    _h5ad_matrix,
    read_h5ad,
    to_memmap,
)
from skgex.io._h5ad import open_h5ad

KINDS = pytest.mark.parametrize("kind", [None, "csr", "csc"])
TRANSPOSED = {"samples": SYMBOLS, "genes": SAMPLES}


@KINDS
def test_genes_in_rows_are_refused_with_what_to_do(kind, tmp_path):
    path = write_file(tmp_path / "x.h5ad", values().T, kind, **TRANSPOSED)
    message = r"transposed: obs has names of genes.*adata\.T.*orient='genes_in_rows'"
    with pytest.raises(ValueError, match=message):
        read_h5ad(path)
    with pytest.raises(ValueError, match=message):
        to_memmap(path, tmp_path / "x.npy")
    X = open_h5ad(path, orient="genes_in_rows").to_frame()
    assert (list(X.index), list(X)) == (SAMPLES, SYMBOLS)
    assert_array_equal(X, values())
    X = open_h5ad(path, orient="samples_in_rows").to_frame()
    assert_array_equal(X, values().T)


@pytest.mark.parametrize(
    ("samples", "genes"),
    [
        (SAMPLES, SYMBOLS),
        (list("abcd"), SYMBOLS),
        (SAMPLES, [f"probe {i}" for i in range(6)]),
        (["1012", "4413", "8002", "77"], [f"feature_{i}" for i in range(6)]),
        (list("wxyz"), list("ABCDEF")),
    ],
)
def test_names_that_do_not_say_so_are_read_as_they_are(samples, genes, tmp_path):
    path = write_file(tmp_path / "x.h5ad", samples=samples, genes=genes)
    assert_array_equal(read_h5ad(path), values())


def test_gene_columns_of_obs_where_genes_are_rows(tmp_path):
    path = write_file(tmp_path / "x.h5ad", values().T, **TRANSPOSED)
    with h5py.File(path, "r+") as file:
        file["obs/entrez"] = np.arange(6.0)
    options = {"orient": "genes_in_rows", "gene_column": "entrez"}
    X = open_h5ad(path, **options, genes=["5", "0"]).to_frame()
    assert_array_equal(X, values()[:, [5, 0]])
    with h5py.File(path, "r+") as file:
        file["obs/gene"] = [f"x{i}" for i in range(6)]
    with pytest.raises(ValueError, match="pass gene_column='gene'"):
        open_h5ad(path, orient="genes_in_rows", genes=["x1"])


def expected(X, samples, genes, how):
    """Select and merge, the slow way."""
    columns = {}
    for gene in genes:
        several = X.loc[:, X.columns == gene]
        columns[gene] = {
            "first": several.iloc[:, 0] if several.shape[1] else np.nan,
            "max": several.max(axis=1),
            "mean": several.mean(axis=1),
            "sum": several.sum(axis=1, min_count=1),
        }[how]
    return pd.DataFrame(columns, X.index).loc[samples]


@settings(max_examples=120)
@given(st.data())
def test_any_selection_from_any_storage_in_any_blocks(tmp_path_factory, data):
    n, g = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    names = data.draw(st.lists(st.sampled_from("ABCDE"), min_size=g, max_size=g))
    cells = st.sampled_from([0, 0, 1, 2.5, -3, np.nan])
    X = data.draw(st.lists(cells, min_size=n * g, max_size=n * g))
    X = pd.DataFrame(np.reshape(X, (n, g)), [f"S{i}" for i in range(n)], names)
    kind = data.draw(st.sampled_from([None, "csr", "csc"]))
    how = data.draw(st.sampled_from(["first", "max", "mean", "sum"]))
    orient = data.draw(st.sampled_from(["samples_in_rows", "genes_in_rows"]))
    genes = data.draw(
        st.lists(st.sampled_from("ABCDEX"), unique=True).map(lambda g: [names[0], *g])
    )
    genes = list(dict.fromkeys(genes))
    samples = data.draw(
        st.permutations(list(X.index)).map(lambda s: s[: max(1, n - 1)])
    )
    path = tmp_path_factory.mktemp("any") / "x.h5ad"
    table = X if orient == "samples_in_rows" else X.T
    dtype = data.draw(st.sampled_from(["f4", "f8", ">f4"]))
    index = {"samples": list(table.index), "genes": list(table.columns)}
    write_file(path, table.to_numpy(dtype), kind, **index)
    with pytest.MonkeyPatch.context() as patch:
        n_bytes = data.draw(st.integers(1, 100))
        for module in (_h5ad_matrix, _h5ad_by_samples, _h5ad_by_genes):
            patch.setattr(module, "BLOCK_BYTES", n_bytes)
        options = {"genes": genes, "samples": samples, "on_duplicate": how}
        matrix = open_h5ad(path, orient=orient, strict=False, **options)
        size = data.draw(st.sampled_from([None, 1, 2, 3]))
        result = np.full((len(samples), len(genes)), -99.0)
        blocks = list(matrix.blocks(size))
        for rows, columns, block in blocks:
            result[rows, columns] = block
        assert len(blocks) == matrix.n_blocks(size)
    assert_array_equal(result, expected(X, samples, genes, how).to_numpy(float))

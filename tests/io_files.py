"""Small files of the formats that `skgex.io` reads, in their real layout."""

import gzip

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy.sparse import csc_matrix, csr_matrix

FORMATS = ["xena", "xena_gz", "gct", "gct_gz", "archs4", "h5ad", "h5ad_csr", "h5ad_csc"]
NAMES = {"xena": "x.tsv", "gct": "x.gct", "archs4": "x.h5", "h5ad": "x.h5ad"}


def expression(n_samples=7, n_genes=5, seed=0, missing=True):
    """Return whole numbers, which every format keeps, with some values missing."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 1000, (n_samples, n_genes)).astype(np.float32)
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    samples = pd.Index([f"S{i}" for i in range(n_samples)], name="sample")
    return pd.DataFrame(X, samples, pd.Index([f"g{i}" for i in range(n_genes)]))


def lines_of(X, ids):
    """Return a line of text for each gene."""
    texts = X.T.astype(object).where(X.T.notna(), "NA").astype(str)
    return [
        "\t".join([*first, *row])
        for first, row in zip(ids, texts.to_numpy(), strict=True)
    ]


def write_text(path, lines):
    """Write lines, compressed if the name says so."""
    text = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def write_xena(path, X):
    header = "\t".join(["sample", *X.index])
    return write_text(path, [header, *lines_of(X, [[gene] for gene in X])])


def write_gct(path, X):
    header = "\t".join(["Name", "Description", *X.index])
    ids = [[gene, f"{gene} described"] for gene in X]
    size = f"{X.shape[1]}\t{X.shape[0]}"
    return write_text(path, ["#1.2", size, header, *lines_of(X, ids)])


def write_archs4(path, X, chunks=(2, 3), metadata=None):
    """Write counts as ARCHS4 does; its files have no missing values."""
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "data/expression",
            data=X.T.to_numpy(np.uint32),
            chunks=chunks and tuple(np.minimum(chunks, X.shape[::-1]).tolist()),
            compression=chunks and "gzip",
        )
        file["meta/genes/symbol"] = list(X.columns)
        file["meta/genes/ensembl_gene"] = [f"ENSG{i}" for i in range(X.shape[1])]
        file["meta/samples/geo_accession"] = list(X.index)
        for field, values in (metadata or {}).items():
            file[f"meta/samples/{field}"] = values
    return path


def write_h5ad(path, X, kind=None, **columns):
    """Write a dense or sparse X and its double as a layer, in chunks."""
    make = {"csr": csr_matrix, "csc": csc_matrix}.get(kind, np.asarray)
    chunked = {} if kind else {"chunks": (min(2, len(X)), X.shape[1])}
    index, genes = (pd.Index(list(n), dtype=object) for n in (X.index, X.columns))
    with h5py.File(path, "w") as file:
        # By elements, as anndata refuses the strings of pandas 3 in some versions.
        for name, factor in (("X", 1), ("layers/double", 2)):
            matrix = make(X.to_numpy() * factor)
            anndata.io.write_elem(file, name, matrix, dataset_kwargs=chunked)
        anndata.io.write_elem(file, "obs", pd.DataFrame(index=index))
        columns = {k: pd.Index(v, dtype=object) for k, v in columns.items()}
        anndata.io.write_elem(file, "var", pd.DataFrame(columns, genes))
    return path


def write(kind, folder, X):
    """Write a file of one of FORMATS."""
    base, _, variant = kind.partition("_")
    path = folder / NAMES[base]
    if variant == "gz":
        path = path.with_name(path.name + ".gz")
    if base == "h5ad":
        return write_h5ad(path, X, variant)
    return {"xena": write_xena, "gct": write_gct, "archs4": write_archs4}[base](path, X)

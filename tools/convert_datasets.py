"""Convert the source tables of the shipped data sets to the files skgex reads.

Usage: python tools/convert_datasets.py --source DIR [--output DIR]

``DIR`` holds one folder per set (``tcga_tall90``, ``tcga_eb``, ``breast_nki150``,
``tissue_u133_500``), each with ``X.npz`` (``X``, ``samples``, ``genes``) and
``meta.csv``, whose rows have the order of ``samples``. Expression values are stored
bit for bit as they come. The same input gives the same bytes.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

OUTPUT = Path(__file__).parents[1] / "skgex" / "datasets" / "data"


def clean_tcga(X, metadata):
    """Drop the one column whose source states no licence."""
    return metadata.drop(columns="subtype")


def clean_breast(X, metadata):
    """Name endpoints as in the TCGA sets; drop copies and constants."""
    endpoints = {
        f"{kind}.{endpoint}": f"{endpoint}_{word}"
        for endpoint in ("os", "rfs")
        for kind, word in (("t", "time"), ("e", "event"))
    }
    # t.dmfs and e.dmfs are `time` and `event`; every row is of the data set "NKI".
    copies = ["t.dmfs", "e.dmfs", "dataset"]
    metadata = metadata.drop(columns=copies).rename(columns=endpoints)
    return metadata.rename(columns={"id": "patient"}).astype({"patient": str})


def clean_tissues(X, metadata):
    """Name the array of each sample: equal profiles are one array, listed twice."""
    profiles = pd.Series([row.tobytes() for row in X], metadata.index)
    first = profiles.drop_duplicates()
    names = pd.Series(first.index, pd.Index(first))
    return metadata.assign(array=profiles.map(names))


def entrez_ids(folder, genes):
    """Read the Entrez ids of the genes."""
    table = pd.read_csv(folder / "genes.csv.gz", index_col=0, keep_default_na=False)
    return {"entrez": table.loc[genes, "entrez"].to_numpy(np.int32)}


SETS = {
    "tcga_pancancer": ("tcga_tall90", clean_tcga),
    "tcga_genomewide": ("tcga_eb", clean_tcga),
    "breast_nki": ("breast_nki150", clean_breast),
    "tissues_u133": ("tissue_u133_500", clean_tissues),
}


def convert(source, output):
    """Write ``NAME.npz`` and ``NAME.csv.gz`` for every set."""
    for name, (folder_name, clean) in SETS.items():
        folder = source / folder_name
        with np.load(folder / "X.npz") as arrays:
            X, samples, genes = (arrays[key] for key in ("X", "samples", "genes"))
        metadata = pd.read_csv(folder / "meta.csv", index_col=0)
        if not np.array_equal(metadata.index, samples):
            raise ValueError(f"{folder_name}: meta.csv and X.npz differ in samples")
        ids = entrez_ids(folder, genes) if name == "tcga_genomewide" else {}
        np.savez_compressed(output / f"{name}.npz", X=X, genes=genes, **ids)
        clean(X, metadata).to_csv(
            output / f"{name}.csv.gz",
            compression={"method": "gzip", "compresslevel": 9, "mtime": 0},
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    convert(arguments.source, arguments.output)

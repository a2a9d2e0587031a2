"""Tables of text that tests write, and what readers must make of them."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal

GENES = ["TP53", "MYC", "EGFR", "KRAS"]
SAMPLES = ["TCGA-A1-A0SB-01", "TCGA-A1-A0SD-01", "TCGA-A1-A0SE-01"]
NAN = np.nan


def zipped(content, *names):
    """Return a zip archive with the same content in each of its files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ["table.tsv"]:
            archive.writestr(name, content)
    return file.getvalue()


COMPRESSIONS = {
    None: lambda content: content,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}


def table(values=None, samples=SAMPLES, genes=GENES):
    """Return a table of samples x genes; by default halves, and some are missing."""
    if values is None:
        values = np.arange(len(samples) * len(genes)).reshape(len(samples), -1) / 2
        values[-1, 1] = NAN
    return pd.DataFrame(
        np.asarray(values, "float64"),
        pd.Index(samples, name="sample"),
        pd.Index(genes, name="gene"),
    )


def written(X, delimiter="\t", end="\n", corner="gene", missing="NA", number=repr):
    """Return the text of a table with genes in lines."""
    lines = [[corner, *X.index]]
    for gene, values in zip(X.columns, X.to_numpy().T, strict=True):
        lines.append([gene, *(missing if v != v else number(float(v)) for v in values)])
    return "".join(delimiter.join(map(str, line)) + end for line in lines)


def lines(*rows):
    """Return lines of a table, of which each is written with spaces for tabs."""
    return "".join("\t".join(row.split()) + "\n" for row in rows)


def same(result, expected, **about):
    """Compare a table, and what is said of its source."""
    assert result.index.name == "sample"
    assert result.columns.name == "gene"
    assert_frame_equal(result, expected, check_dtype=False, check_exact=True)
    source = result.attrs["source"]
    assert {key: source[key] for key in about} == about

"""Any table that is written comes back equal; a damaged one is refused or equal."""

import csv
import io
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from text_tables import COMPRESSIONS

from skgex._gene_names import clean_name, known_symbols
from skgex.io import _matrix, read_expression, to_memmap
from skgex.io._text import _line_matrix

FREE = st.text("abcXYZ019 -_.,;'()[]/µé", max_size=8)
NAMES = {
    "symbols": st.sampled_from(sorted(known_symbols())),
    "ensembl": st.integers(1, 10**9).map(lambda i: f"ENSG{i:011d}.{i % 7}"),
    "entrez": st.integers(1, 10**8).map(str),
    "double": st.sampled_from(sorted(known_symbols())).map(lambda s: f"{s} (7157)"),
    "probes": st.integers(1, 10**6).map(lambda i: f"{i}_s_at"),
    "any gene": FREE.map(lambda text: clean_name(f"zz{text}z")),
    "tcga": st.integers(0, 9999).map(lambda i: f"TCGA-A1-{i:04d}-01"),
    "gsm": st.integers(1000, 10**7).map(lambda i: f"GSM{i}"),
    "numbered": st.integers(1, 99).map(lambda i: f"sample_{i}"),
    "any sample": FREE.map(lambda text: clean_name(f"ww{text}w")),
}
GENES, SAMPLES = list(NAMES)[:6], list(NAMES)[6:]
NUMBERS = st.one_of(
    st.floats(-1e300, 1e300, allow_nan=False),
    st.floats(0, 20).map(lambda x: round(x, 3)),
    st.integers(0, 10**9).map(float),
    st.just(np.nan),
)
MISSING = ["", "NA", "NaN", "nan", "N/A", "NULL", "-", "---", "."]


@st.composite
def tables(draw, least=1):
    """Draw a table of samples x genes, and the kinds of its names."""
    kinds = draw(st.sampled_from(GENES)), draw(st.sampled_from(SAMPLES))
    genes, samples = (
        draw(st.lists(NAMES[kind], min_size=least, max_size=6, unique=True))
        for kind in kinds
    )
    n = len(samples) * len(genes)
    values = draw(st.lists(NUMBERS, min_size=n, max_size=n))
    values = np.reshape(values, (len(samples), len(genes)))
    return pd.DataFrame(values, samples, genes), kinds


@st.composite
def dialects(draw):
    """Draw how a table is written."""
    delimiter = draw(st.sampled_from("\t,; "))
    corner = draw(st.sampled_from(["gene", "Gene Symbol", "", "sample", None]))
    missing = MISSING if delimiter != " " and corner is not None else MISSING[1:]
    return {
        "delimiter": delimiter,
        "corner": "" if corner == "" and delimiter == " " else corner,
        "missing": draw(st.sampled_from(missing)),
        "decimal": draw(st.sampled_from("., " if delimiter in "\t;" else ".")).strip(),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    }


def rows_of(X, orient, dialect):
    """Return the fields of all lines."""
    frame = X.T if orient == "genes_in_rows" else X
    corner = dialect["corner"]
    if corner is not None and orient == "samples_in_rows":
        corner = corner and "sample_id"
    rows = [[*([] if corner is None else [corner]), *frame.columns]]
    for name, values in zip(frame.index, frame.to_numpy(), strict=True):
        cells = (
            repr(float(value)).replace(".", dialect["decimal"]) for value in values
        )
        cells = [dialect["missing"] if "nan" in cell else cell for cell in cells]
        rows.append([name, *cells])
    return rows


def text_of(rows, dialect):
    file = io.StringIO()
    csv.writer(
        file,
        delimiter=dialect["delimiter"],
        quoting=dialect["quoting"],
        lineterminator=dialect["end"],
    ).writerows(rows)
    return file.getvalue()


def read(content, orient="auto", reader=read_expression, **options):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        path = Path(folder, "table")
        path.write_bytes(content)
        if reader is to_memmap:
            options["reader_params"] = {"orient": orient}
            return pd.DataFrame(to_memmap(path, Path(folder, "x.npy"), **options))
        return reader(path, orient=orient, **options)


def same(result, X):
    assert list(result.index) == list(X.index)
    assert list(result.columns) == list(X.columns)
    assert_array_equal(result, X)


ORIENT = st.sampled_from(["genes_in_rows", "samples_in_rows"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])


@settings(max_examples=150)
@given(tables(), dialects(), ORIENT, ENCODINGS, st.sampled_from(list(COMPRESSIONS)))
def test_what_is_written_comes_back(drawn, dialect, orient, encoding, compression):
    X, kinds = drawn
    if not dialect["decimal"]:
        dialect["decimal"] = "."
    if dialect["decimal"] == ",":
        X.iloc[0, 0] = 0.5  # otherwise 1,234 might be in thousands
    text = text_of(rows_of(X, orient, dialect), dialect)
    content = COMPRESSIONS[compression](text.encode(encoding))
    same(read(content, orient, dtype="float64"), X)
    sure = kinds[0] not in ("any gene", "entrez") or kinds[1] in ("tcga", "gsm")
    if sure and len(X) > 1 and dialect["corner"] != "sample":
        same(read(content, dtype="float64"), X)


@settings(max_examples=25)
@given(
    tables(),
    dialects(),
    ORIENT,
    st.integers(1, 60),
    st.sampled_from([None, 1, 2]),
    st.data(),
)
def test_blocks_selections_and_memory_maps(drawn, dialect, orient, size, chunk, data):
    X, _ = drawn
    dialect["decimal"] = "."
    content = text_of(rows_of(X, orient, dialect), dialect).encode()
    genes, samples = (
        data.draw(st.lists(st.sampled_from(list(names)), min_size=1, unique=True))
        for names in (X.columns, X.index)
    )
    options = {"dtype": "float64", "orient": orient}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_line_matrix, "PARSED_BYTES", size)
        patch.setattr(_matrix, "BLOCK_BYTES", size)
        same(read(content, **options), X)
        chosen = {"genes": genes, "samples": samples}
        same(read(content, **options, **chosen), X.loc[samples, genes])
        same(read(content, reader=to_memmap, chunk_size=chunk, **options), X)
        chosen["genes"] = ["absent", *genes]
        mapped = read(content, reader=to_memmap, **options, **chosen)
        same(mapped, X.reindex(index=samples, columns=chosen["genes"]))


def refused_or_equal(content, orient, X):
    try:
        result = read(content, orient, dtype="float64")
    except ValueError:
        return
    same(result, X)


COMPRESSED = st.sampled_from(["gzip", "bz2", "xz", "zip"])


@settings(max_examples=200)
@given(tables(), ORIENT, COMPRESSED, st.data())
def test_compressed_files_that_are_cut_or_changed(drawn, orient, compression, data):
    X, _ = drawn
    plain = {"delimiter": "\t", "corner": "gene", "missing": "NA", "decimal": "."}
    text = text_of(rows_of(X, orient, plain), {**plain, "quoting": 0, "end": "\n"})
    content = COMPRESSIONS[compression](text.encode())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        refused_or_equal(content[:place], orient, X)
    changed = bytearray(content)
    changed[place] ^= data.draw(st.integers(1, 255))
    refused_or_equal(bytes(changed), orient, X)


@settings(max_examples=150)
@given(tables(least=2), dialects(), ORIENT, st.booleans(), st.data())
def test_a_field_that_is_missing_or_there_twice(drawn, dialect, orient, twice, data):
    X, _ = drawn
    dialect["decimal"] = "."
    rows = rows_of(X, orient, dialect)
    line = data.draw(st.integers(0, len(rows) - 1))
    place = data.draw(st.integers(0, len(rows[line]) - 1))
    rows[line][place : place + 1] = 2 * [rows[line][place]] if twice else []
    content = text_of(rows, dialect).encode()
    refused_or_equal(content, data.draw(st.sampled_from([orient, "auto"])), X)


@settings(max_examples=100)
@given(tables(least=2), dialects(), ORIENT, st.data())
def test_text_that_ends_within_a_line(drawn, dialect, orient, data):
    X, _ = drawn
    dialect["decimal"] = "."
    rows = rows_of(X, orient, dialect)
    *whole, _ = text_of(rows, dialect).split(dialect["end"])
    last = text_of([rows[-1][:-1]], dialect).rstrip("\r\n")
    if whole[-1].count("\n") or dialect["delimiter"] not in last:
        return
    kept = data.draw(st.integers(1, len(last)))
    text = dialect["end"].join([*whole[:-1], last[:kept]])
    with pytest.raises(ValueError, match="table"):
        read(text.encode(), orient)

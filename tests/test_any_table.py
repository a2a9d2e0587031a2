"""read_expression: tables that are drawn come back, damaged ones are refused."""

import bz2
import gzip
import lzma
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgex.io import _matrix, read_expression, to_memmap
from skgex.io._text import _line_matrix, _open

GENES = ["TP53", "MYC", "EGFR", "ENSG00000141510", "HLA-A", "C1orf112", "BRCA1", "KRAS"]
SAMPLES = ["TCGA-A1-A0SB-01", "TCGA-A1-A0SD-11", "S3", "patient 4", "GSM12345", "x9"]
HOLES = ["", "NA", "NaN", "na", "null", "-", "---", "?", "#N/A"]
COMPRESS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def compressed(path, content, kind):
    if kind != ".zip":
        path.write_bytes(COMPRESS[kind](content))
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.txt", content)
    return path


@st.composite
def tables(draw):
    """Draw a table, and the text of it in one of the ways that people write it."""
    n = draw(st.integers(2, len(SAMPLES)))
    genes = draw(st.permutations(GENES))[: draw(st.integers(2, len(GENES)))]
    number = st.one_of(
        st.integers(-50, 10**6).map(float),
        st.floats(-1e6, 1e6, allow_subnormal=False),
    )
    values = np.array(
        [[draw(number | st.just(np.nan)) for _ in genes] for _ in range(n)]
    )
    values[:, 0] = np.arange(n)  # a gene that is measured
    X = pd.DataFrame(values, draw(st.permutations(SAMPLES))[:n], genes)
    delimiter = draw(st.sampled_from("\t,;"))
    decimal = draw(st.sampled_from(".,")) if delimiter == ";" else "."
    hole, in_rows = draw(st.sampled_from(HOLES)), draw(st.booleans())
    quoted = draw(st.booleans())
    quote = '"{}"'.format if quoted else str
    frame = X.T if in_rows else X
    corner = draw(st.sampled_from(["gene", ""] if in_rows else ["sample_id", ""]))
    lines = [[quote(name) for name in [corner, *frame.columns]]]
    for name, row in frame.iterrows():
        texts = [hole if v != v else repr(v).replace(".", decimal) for v in row]
        lines.append([quote(name), *texts])
    if decimal == "," and not any("," in cell for line in lines[1:] for cell in line):
        lines[1][1] = "0,0"
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join(delimiter.join(line) for line in lines)
    text += end * draw(st.integers(1, 2))
    return X, text, "genes_in_rows" if in_rows else "samples_in_rows"


@settings(max_examples=50)
@given(
    table=tables(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    kind=st.sampled_from([*COMPRESS, ".zip"]),
    told=st.booleans(),
)
def test_what_was_written_comes_back(table, encoding, kind, told):
    X, text, orient = table
    with tempfile.TemporaryDirectory() as folder:
        path = compressed(Path(folder, "table"), text.encode(encoding), kind)
        options = {"orient": orient} if told else {}
        found = read_expression(path, dtype="float64", **options)
        assert found.attrs["source"]["orient"] == orient
        assert list(found.index) == list(X.index)
        assert list(found.columns) == list(X.columns)
        assert_array_equal(found, X)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_line_matrix, "PARSED_BYTES", 10)
            patch.setattr(_matrix, "BLOCK_BYTES", 64)
            params = {"orient": orient}
            mapped = to_memmap(
                path, Path(folder, "t.npy"), reader_params=params, dtype="float64"
            )
        assert_array_equal(mapped, X)


@settings(max_examples=50)
@given(
    table=tables(),
    kind=st.sampled_from([".gz", ".bz2", ".xz", ".zip"]),
    place=st.floats(0, 1, exclude_max=True),
    cut=st.booleans(),
    bit=st.integers(0, 7),
)
def test_a_damaged_file_is_refused_or_equal(table, kind, place, cut, bit):
    X, text, orient = table
    with tempfile.TemporaryDirectory() as folder:
        path = compressed(Path(folder, "table"), text.encode(), kind)
        content = bytearray(path.read_bytes())
        at = int(place * len(content))
        if cut:
            del content[at:]
        else:
            content[at] ^= 1 << bit
        path.write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = read_expression(path, dtype="float64", orient=orient)
            except ValueError:
                return
        assert_array_equal(found, X)


@settings(max_examples=30)
@given(table=tables(), line=st.integers(0, 20), twice=st.booleans())
def test_a_line_with_a_field_too_many_or_too_few_is_refused(table, line, twice):
    _, text, orient = table
    end = next(e for e in ("\r\n", "\n", "\r") if e in text)
    lines = [part for part in text.split(end) if part]
    delimiter = next(d for d in "\t;," if d in lines[0])
    # Not the header, which is allowed to be one short.
    at = 1 + line % (len(lines) - 1)
    fields = lines[at].split(delimiter)
    # An empty field behind the others may as well be a delimiter at the end.
    assume(fields[-1])
    fields = [*fields[:2], *fields[1:]] if twice else fields[:1] + fields[2:]
    lines[at] = delimiter.join(fields)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table")
        path.write_text("\n".join(lines) + "\n")
        with pytest.raises(ValueError, match="table"):
            read_expression(path, orient=orient)


def test_lines_that_unfold_without_end_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "table.gz"
    path.write_bytes(gzip.compress(b"gene\tP1\nTP53\t" + b"1" * 2000 + b"\n"))
    monkeypatch.setattr(_open, "_LONGEST_LINE", 1000)
    with pytest.raises(ValueError, match="unfolds to more than a table may have"):
        read_expression(path)
    path.write_bytes(gzip.compress(b"gene\tP1\n" + b"TP53\t1\n" * 60))
    monkeypatch.setattr(_open, "_MOST_LINES", 50)
    with pytest.raises(ValueError, match="50 lines"):
        read_expression(path)

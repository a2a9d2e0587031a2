"""Files that read_expression refuses: it says where the fault is and what to do."""

import bz2
import gzip
import json
import lzma
import pickle
import struct
import tarfile

import numpy as np
import pytest
from text_tables import COMPRESSIONS, GENES, SAMPLES, lines, table, written, zipped

from skgex.io import read_expression

X = table()
TEXT = written(X)


def refused(tmp_path, content, message, name="table.txt", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=rf"{name}\b.*{message}"):
        read_expression(path, **options)


OTHER_FILES = {
    b"<!DOCTYPE html><html><body>Sign in</body></html>": "is a web page.*Download",
    b"\n<html>": "is a web page",
    b"<?xml version='1.0'?><a/>": "is XML",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n": "git lfs pull",
    gzip.compress(b"RDX3\nX\n", mtime=0): r"data of R.*write\.csv",
    gzip.compress(b"X\n\0\0\0\3", mtime=0): r"object of R.*readRDS",
    b"%PDF-1.7\n": "is a PDF",
    json.dumps({"genes": ["TP53"]}).encode(): "is JSON",
    json.dumps([{"TP53": 1}]).encode(): "is JSON",
    b"\x28\xb5\x2f\xfd\0\0": "zstd.*unzstd",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\7": "RAR",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": r"old Excel \(\.xls\).*Save it as \.xlsx",
    b"%%MatrixMarket matrix coordinate\n": "sparse matrix of single cells",
    b"^SAMPLE = GSM1\n": "SOFT.*series matrix",
    b"##fileformat=VCFv4.2\n": "variants",
    b"##gff-version 3\n": "genome annotation",
    b"Status\ta.bam\tb.bam\nAssigned\t123\t456\nUnassigned_Unmapped\t0\t0\n": (
        "summary of featureCounts.*counts are in the file beside it"
    ),
    b"@HD\tVN:1.6\n": "aligned reads",
    gzip.compress(b"BAM\1\0", mtime=0): "aligned reads",
    pickle.dumps({"TP53": 1}, protocol=4): "",
    struct.pack("8f", *range(8)): "binary file",
    b"": "is empty",
    b"\n \n\n": "is empty",
    gzip.compress(b"", mtime=0): "is empty",
    b"gene\tS1\tS2\n": "header, but no line with a gene",
    b"TP53\nMYC\n": "is no table",
    b"Dear all,\nplease find the data elsewhere.\n": "fields, but 2 were expected",
    b"#only\n#comments\n": "is empty",
    zipped(TEXT, "a.tsv", "b.tsv"): "archive of 2 files .*a.tsv, b.tsv.*one",
    zipped(TEXT)[:-30]: "damaged|binary",
    b"!Series_title\t1\n": "begins as a series matrix.*holds no table",
}


def test_a_column_named_status_is_no_summary(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("Status\tS1\tS2\nTP53\t1\t2\nMYC\t3\t4\n")
    assert list(read_expression(path)) == ["TP53", "MYC"]


@pytest.mark.parametrize("content", OTHER_FILES, ids=OTHER_FILES.values())
def test_files_that_are_no_table(content, tmp_path):
    refused(tmp_path, content, OTHER_FILES[content])


def test_an_archive_is_no_table(tmp_path):
    path = tmp_path / "x"
    path.write_text(TEXT)
    for mode in ("w", "w:gz"):
        with tarfile.open(tmp_path / "y.tar", mode) as archive:
            archive.add(path, "x")
        content = (tmp_path / "y.tar").read_bytes()
        refused(tmp_path, content, "tar archive.*Unpack it")


def test_a_zip_archive_with_a_password(tmp_path):
    content = bytearray(zipped(TEXT))
    for mark, flag in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + flag] |= 1
    refused(tmp_path, bytes(content), "with a password")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_expression(tmp_path / "nothing.tsv")


# Values

VALUES = [
    *("high", "1.5.2", "0x10", "1 2", "1;5", "<1", "1%", "TRUE", "2020-01-02", "--1"),
    *("1_000", "1'234", "1\u2009234", "\u22121", "\uff11", "1.5d3", "NaN(1)", "1e"),
    *("#DIV/0!", "missing", "ND", "1,234.5", "1,234,567"),
]


@pytest.mark.parametrize("in_rows", [True, False])
@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_is_no_number_is_named(value, in_rows, tmp_path):
    frame = X.round(1).astype(object).fillna("NA")
    frame.loc[SAMPLES[1], "EGFR"] = value
    frame = frame.T if in_rows else frame
    text = frame.rename_axis(index="gene" if in_rows else "").to_csv(sep="\t")
    refused(
        tmp_path,
        text,
        f"value of gene 'EGFR' in sample '{SAMPLES[1]}' is .*, not a number",
    )


@pytest.mark.parametrize("value", ["inf", "-Inf", "Infinity", "1e400", "-1e39"])
def test_infinite_values_are_named(value, tmp_path):
    text = TEXT.replace("\t2.0", f"\t{value}")
    message = rf"gene 'TP53' in sample '{SAMPLES[1]}' is '{value}', which is infinite"
    refused(tmp_path, text, message)
    if value == "-1e39":
        path = tmp_path / "table.txt"
        assert read_expression(path, dtype="float64").loc[SAMPLES[1], "TP53"] == -1e39


def test_only_true_and_false_are_no_numbers(tmp_path):
    text = TEXT + "LAST\tTRUE\tFALSE\tTRUE\n"
    for options in ({}, {"genes": ["LAST"]}):
        refused(tmp_path, text, "gene 'LAST' in sample .* is 'TRUE'", **options)


def test_values_are_not_read_where_they_are_not_wanted(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text(TEXT + "LAST\tx\ty\tz\n")
    X_read = read_expression(path, genes=["MYC"])
    np.testing.assert_array_equal(X_read["MYC"], X["MYC"])


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_a_comma_that_may_be_one_of_thousands(delimiter, tmp_path):
    text = written(X, delimiter).replace("0.5", "1,234").replace(".", "")
    refused(tmp_path, text, "'1,234' may be 1234 or 1.234. Write numbers without")


@pytest.mark.parametrize("decimal", [",", "."])
def test_decimal_marks_are_not_mixed(decimal, tmp_path):
    other = "." if decimal == "," else ","
    more = table(np.full((3, 60), 1.25), genes=[f"g{i}" for i in range(60)])
    text = written(more, ";").replace(".", decimal) + f"TP53;1;2{other}500;3\n"
    refused(tmp_path, text, f"gene 'TP53' in sample '{SAMPLES[1]}' is '2{other}500'")


# Lines and columns


@pytest.mark.parametrize("number", [2, 3, 4, 5])
@pytest.mark.parametrize("delimiter", ["\t", ",", " "])
def test_a_field_too_few_or_too_many(number, delimiter, tmp_path):
    rows = [line.split("\t") for line in TEXT.splitlines()]
    rows = [[name.replace("-", "") for name in rows[0]], *rows[1:]]
    for change in (-1, 1):
        row = rows[number - 1]
        changed = row[:change] if change < 0 else [*row[:2], "7", *row[2:]]
        both = [*rows[: number - 1], changed, *rows[number:]]
        text = "".join(delimiter.join(row) + "\n" for row in both)
        refused(tmp_path, text, rf"line {number} has {4 + change} fields, but 4")


def test_every_line_lacks_a_field_or_has_one_more(tmp_path):
    fewer = lines("gene S1 S2 S3", "TP53 1 2", "MYC 3 4")
    refused(tmp_path, fewer, "line 2 has 3 fields, but 4")
    more = lines("gene S1 S2", "TP53 1 2 3", "MYC 3 4 5")
    refused(tmp_path, more, "header has 3 names, beginning with 'gene'.* 4 fields")
    value = "gene\tS1\tS2\nTP53\t1\t2\t\nMYC\t3\t4\t5\n"
    refused(tmp_path, value, "header has 3 names|column without a name")
    late = "gene\tS1\tS2\n" + 60 * "TP53\t1\t2\t\n" + "MYC\t3\t4\t5\n"
    refused(tmp_path, late, "line 62 has a value in a column without a name")
    shifted = lines("gene S1 S2 S3", "x TP53 1 2 3", "y MYC 3 4 5")
    refused(tmp_path, shifted, "header has 4 names")


def test_a_column_without_a_name(tmp_path):
    text = "gene\tS1\t\tS3\nTP53\t1\t2\t3\nMYC\t3\t4\t5\n"
    refused(tmp_path, text, "column 3 has no name above its values '2', '4'")


def test_no_header(tmp_path):
    refused(tmp_path, TEXT.split("\n", 1)[1], "has no header: its first line is 'TP53")


@pytest.mark.parametrize(
    "second", ["gene patient1 patient2 patient3", "sample A B C", " A B C"]
)
def test_two_lines_of_names(second, tmp_path):
    first, rest = TEXT.split("\n", 1)
    text = "\n".join([first, "\t".join(second.split(" ")), rest])
    refused(tmp_path, text, "two lines of names on top")


def test_a_header_in_the_middle(tmp_path):
    again = X.set_axis(list("ABCD"), axis=1)
    text = TEXT + written(again)
    refused(tmp_path, text, "value of gene 'gene' in sample")


@pytest.mark.parametrize(
    "columns",
    [
        "gene baseMean log2FoldChange lfcSE stat pvalue padj",
        "ID logFC AveExpr t P.Value adj.P.Val B",
        "gene p_val avg_log2FC pct.1 pct.2 p_val_adj cluster",
        "patient age os_time os_event BMI",
        "gene chr start end",
    ],
)
def test_tables_without_expression(columns, tmp_path):
    n = len(columns.split()) - 1
    text = lines(columns, "TP53" + n * " 1.5", "MYC" + n * " 2.5")
    refused(tmp_path, text, "no column has values of samples")


def test_names_that_occur_twice(tmp_path):
    twice = TEXT.replace(SAMPLES[1], SAMPLES[0])
    refused(tmp_path, twice, f"'{SAMPLES[0]}' occurs more than once among the samples")
    text = written(X.set_axis([*GENES[:3], "TP53"], axis=1))
    refused(tmp_path, text, "several genes named 'TP53'.*on_duplicate='sum'")


def test_lines_without_the_name_of_a_sample(tmp_path):
    text = written(X.rename({SAMPLES[1]: ""}).T, corner="sample_id")
    refused(tmp_path, text, "1 lines without the name of a sample")


def test_genes_without_names_alone(tmp_path):
    text = lines("gene S1 S2", "NA 1 2", "- 3 4")
    with pytest.warns(UserWarning, match="2 genes have no name"):
        refused(tmp_path, text, "no gene with a name")


def test_an_orientation_that_cannot_be_known(tmp_path):
    text = lines("id foo bar", "baz 1 2", "qux 3 4")
    refused(tmp_path, text, "cannot be told.*orient='genes_in_rows'")


# Cut off


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("compression", ["gzip", "bz2", "xz", "zip"])
def test_compressed_files_that_are_cut_off(compression, share, tmp_path):
    content = COMPRESSIONS[compression](TEXT.encode())
    refused(tmp_path, content[: int(share * len(content))], "")


def test_files_that_end_within_a_line(tmp_path):
    refused(tmp_path, TEXT[:-12], "line 5 has 2 fields, but 4 .*cut off")
    quoted = 'gene,description,S1\nTP53,"p53, or",1\nMYC,"cut'
    refused(tmp_path, quoted, "line 3: a quote is opened and not closed")
    for end in (-2, -1):  # within the last number, which cannot be seen
        path = tmp_path / "table.txt"
        path.write_text(TEXT[:end])
        with pytest.warns(UserWarning, match="not end with the end of a line"):
            read_expression(path)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_text_may_lack_the_last_end_of_a_line(compress, tmp_path):
    path = tmp_path / "table"
    path.write_bytes(compress(TEXT[:-1].encode()))
    np.testing.assert_array_equal(read_expression(path), X)


@pytest.mark.parametrize("kind", ["parquet", "feather", "xlsx"])
def test_tables_that_are_read_whole(kind, tmp_path):
    pytest.importorskip("openpyxl" if kind == "xlsx" else "pyarrow")
    path = tmp_path / "table"
    frame = X.T.rename_axis(columns=None)

    def write(frame):
        if kind == "xlsx":
            with open(path, "wb") as file:
                frame.to_excel(file, engine="openpyxl")
        else:
            getattr(frame, f"to_{kind}")(path)

    def fails(message, **options):
        with pytest.raises(ValueError, match=rf"table\b.*{message}"):
            read_expression(path, **options)

    write(frame)
    fails("return_metadata=True means nothing", return_metadata=True)
    fails("no gene 'A'", genes=["A"])
    whole = path.read_bytes()
    for share in (0.3, 0.7, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        fails("")
    text = frame.astype(str)
    text.iloc[2, 1] = "high"
    write(text)
    fails(f"value of '{SAMPLES[1]}' in line 4 is 'high', not a number")
    if kind != "xlsx":
        write(frame.replace(4.0, np.inf))
        fails("is infinite")
    write(frame.iloc[:0])
    fails("header, but no line")

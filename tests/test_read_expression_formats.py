"""Formats that read_expression takes, by their content."""

import zipfile

import pandas as pd
import pytest
from io_files import write_archs4, write_gct, write_h5ad
from pandas.testing import assert_frame_equal
from text_tables import GENES, NAN, SAMPLES, same, table, written

from skgex.io import _frame_file, _sheet, open_memmap, read_expression, to_memmap

X = table()


def test_featurecounts(file):
    text = (
        '# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "x.gtf"\n'
        "Geneid\tChr\tStart\tEnd\tStrand\tLength\ta.bam\tb.bam\n"
        "ENSG00000141510\tchr17;chr17\t1;2\t3;4\t-;-\t2000\t5\t6\n"
        "ENSG00000136997\tchr8\t1\t3\t+\t1500\t7\t8\n"
    )
    ids = ["ENSG00000141510", "ENSG00000136997"]
    result, _, genes = read_expression(file(text), return_metadata=True)
    about = ["Chr", "Start", "End", "Strand", "Length"]
    expected = table([[5, 7], [6, 8]], ["a.bam", "b.bam"], ids)
    same(result, expected, format="featureCounts", annotation=about)
    assert genes["Length"].to_dict() == dict(zip(ids, ["2000", "1500"], strict=True))


def test_a_series_matrix(file):
    text = (
        '!Series_title\t"A study"\n!Sample_title\t"first"\t"second"\n'
        '!Sample_characteristics_ch1\t"age: 60"\t"age: 70"\n'
        '!Sample_characteristics_ch1\t"sex: F"\t"sex: M"\n'
        "!series_matrix_table_begin\n"
        '"ID_REF"\t"GSM101"\t"GSM102"\n"1007_s_at"\t1.5\t\n"1053_at"\tnull\t4\n'
        "!series_matrix_table_end\n"
    )
    expected = table(
        [[1.5, NAN], [NAN, 4]], ["GSM101", "GSM102"], ["1007_s_at", "1053_at"]
    )
    result, samples, _ = read_expression(file(text), return_metadata=True)
    same(result, expected, format="series matrix")
    assert samples.loc["GSM102"].to_dict() == {
        "title": "second",
        "characteristics_ch1": "age: 70",
        "characteristics_ch1_2": "sex: M",
    }
    cut = text.removesuffix("!series_matrix_table_end\n")
    with pytest.raises(ValueError, match=r"table\.txt is cut off: its last line"):
        read_expression(file(cut))
    empty = text.replace('"1007_s_at"\t1.5\t\n"1053_at"\tnull\t4\n', "")
    with pytest.raises(ValueError, match="supplementary files"):
        read_expression(file(empty))


def test_gct(file, tmp_path):
    path = write_gct(tmp_path / "x.gct", X)
    same(read_expression(path), X, format="GCT 1.2", annotation=["Description"])
    text = "#1.3\n1\t2\t1\t1\nid\tsymbol\tS1\tS2\nsite\tna\tlung\tskin\nE1\tMYC\t1\t2\n"
    result, samples, _ = read_expression(
        file(text), id_column="symbol", return_metadata=True
    )
    same(result, table([[1], [2]], ["S1", "S2"], ["MYC"]), format="GCT 1.3")
    assert samples["site"].to_list() == ["lung", "skin"]


@pytest.mark.parametrize("name", ["TP53 (7157)", "TP53|7157", "TP53"])
def test_depmap_and_tcga(name, file):
    genes = [name, "MYC (4609)", "EGFR (1956)"]
    expected = table([[1, 2, 3], [4, 5, NAN]], ["ACH-000001", "ACH-000002"], genes)
    text = written(expected.T, ",", corner="", missing="")
    same(read_expression(file(text)), expected, orient="samples_in_rows")


@pytest.mark.parametrize("index", [True, False, None])
@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_columns_of_arrow(kind, index, tmp_path):
    pytest.importorskip("pyarrow")
    frame = X.T.rename_axis(columns=None, index="gene").assign(Length=2000)
    if index is None:  # no index but that of lines, names in a column
        frame = frame.reset_index()
    elif not index:
        frame = X.rename_axis(columns=None)
    path = tmp_path / "table"
    getattr(frame, f"to_{kind}")(path)
    orient = "samples_in_rows" if index is False else "genes_in_rows"
    same(read_expression(path), X, format=kind, orient=orient)
    same(read_expression(path, genes=["MYC"], samples=SAMPLES[:2]), X.iloc[:2, [1]])


def test_a_workbook(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "table.xlsx"
    with pd.ExcelWriter(path) as book:
        X.T.to_excel(book, sheet_name="one")
        (2 * X).to_excel(book, sheet_name="two")
    same(read_expression(path), X, format="xlsx")
    same(read_expression(path, sheet="two"), 2 * X, orient="samples_in_rows")
    same(read_expression(path, sheet=1), 2 * X)
    with pytest.raises(ValueError, match="no sheet 'three', only 'one', 'two'"):
        read_expression(path, sheet="three")


def test_a_workbook_with_a_title_and_gaps(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    path = tmp_path / "table.xlsx"
    empty = X.assign(MYC=NAN)
    empty.loc[SAMPLES[1]] = NAN
    values = empty.to_numpy(object, na_value=None).T.tolist()
    rows = [["Table S1. Expression"], [], ["gene", *SAMPLES]]
    rows += [[gene, *row] for gene, row in zip(GENES, values, strict=True)]
    rows.insert(5, [])

    def read():
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
        return read_expression(path)

    same(read(), empty)
    for value in ("high", True):
        rows[3][1] = value
        with pytest.raises(ValueError, match=f"in line 4 is {value!r}, not a number"):
            read()
    rows[3][1], rows[2][2] = 1, SAMPLES[0]
    with pytest.raises(ValueError, match="occurs more than once among the samples"):
        read()


def test_h5ad_archs4_and_memory_maps(tmp_path):
    whole = X.fillna(0).round()
    path = write_h5ad(tmp_path / "x", whole, symbol=["A", "B", "A", "C"])
    same(read_expression(path), whole, format="h5ad")
    by_symbol = read_expression(path, id_column="symbol", on_duplicate="first")
    assert by_symbol["A"].to_list() == whole["TP53"].to_list()
    counts = write_archs4(tmp_path / "y", whole)
    same(read_expression(counts), whole, format="ARCHS4")
    to_memmap(whole, tmp_path / "z.npy")
    same(read_expression(tmp_path / "z.npy"), whole, format="memory map")
    one = read_expression(tmp_path / "z.npy", genes=["MYC"], samples=SAMPLES[2:])
    same(one, whole.iloc[2:, [1]])


@pytest.mark.parametrize("name", ["csv", "parquet", "samples"])
def test_to_memmap_takes_what_read_expression_takes(name, file, tmp_path):
    path = file(written(X, ","), "x")
    if name == "parquet":
        pytest.importorskip("pyarrow")
        X.T.rename_axis(columns=None).to_parquet(path)
    elif name == "samples":
        file(written(X.T, "\t", corner=""), "x")
    for size in (None, 1, 3):
        to_memmap(path, tmp_path / "t.npy", chunk_size=size, dtype="float64")
        result = open_memmap(tmp_path / "t.npy")
        assert_frame_equal(result, X, check_exact=True, check_names=False)


def test_more_rows_of_parquet_than_a_file_can_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(_frame_file, "_FEW_ROWS", 1000)
    path = tmp_path / "x.parquet"
    X = pd.DataFrame({"gene": [f"G{i}" for i in range(5000)], "S1": 1.0, "S2": 2.0})
    X.to_parquet(path)
    assert read_expression(path).shape == (2, 5000)
    X.assign(gene="G").to_parquet(path)  # as dictionaries can repeat what is equal
    with pytest.raises(ValueError, match=r"x\.parquet is damaged.*have 5,000 rows, in"):
        read_expression(path)


def test_a_workbook_that_unpacks_to_much_more(tmp_path, monkeypatch):
    monkeypatch.setattr(_sheet, "_FEW_BYTES", 10**5)
    path = tmp_path / "x.xlsx"
    X = table()
    X.T.to_excel(path)
    assert read_expression(path).shape == X.shape
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/more.xml", b"<c/>" * 10**6)
    with pytest.raises(ValueError, match=r"x\.xlsx is damaged.*unpack to 4,0"):
        read_expression(path)

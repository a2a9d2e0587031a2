"""Habits of files that are read as they are meant, or refused by name."""

import gzip
import io
import pathlib

import h5py
import numpy as np
import pandas as pd
import pytest

from skgex.io import (
    read_archs4,
    read_expression,
    read_gct,
    read_h5ad,
    read_xena,
    to_memmap,
    write_expression,
)
from skgex.io._text._column_words import names_ids

NAN = np.nan
SAMPLES = ["TCGA-A1-A0SB-01", "TCGA-A1-A0SD-01", "TCGA-A2-A0T2-01"]
GENES = ["TP53", "MYC", "EGFR", "GAPDH"]
X = pd.DataFrame(
    [[1.5, 3, 0, 1000], [2, 4.25, 7, 2000], [0.5, 5, 8, 3000.5]], SAMPLES, GENES
)


def lines_of(X, delimiter="\t", text=str, corner="gene"):
    rows = [[corner, *X.index]]
    rows += [[gene, *map(text, X[gene].tolist())] for gene in X]
    return [delimiter.join(row) for row in rows]


def written(X=X, **options):
    return "\n".join([*lines_of(X, **options), ""])


@pytest.fixture
def file(tmp_path):
    def write(content, name="table.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def book(tmp_path):
    """Write sheets of rows, as a workbook."""
    openpyxl = pytest.importorskip("openpyxl")

    def write(*sheets, edit=None):
        made = openpyxl.Workbook()
        for number, rows in enumerate(sheets):
            page = made.active if not number else made.create_sheet(f"more{number}")
            for row in rows:
                page.append(list(row))
        if edit:
            edit(made)
        made.save(tmp_path / "book.xlsx")
        return tmp_path / "book.xlsx"

    return write


def same(read, expected=X):
    assert list(read.index) == list(expected.index)
    assert list(read.columns) == list(expected.columns)
    np.testing.assert_array_equal(read, expected.astype(np.float32))


# How fields and numbers are written


@pytest.mark.parametrize("text", [str, lambda x: str(x).replace(".", ",")])
@pytest.mark.parametrize("quote", ["", '"'])
def test_bars_between_fields(text, quote, file):
    content = written(delimiter=f"{quote}|{quote}", text=text)
    content = "\n".join(f"{quote}{line}{quote}" for line in content.splitlines())
    same(read_expression(file(content + "\n")))


def test_decimal_commas_in_quotes_between_commas(file):
    content = written(delimiter=",", text=lambda x: f'"{x}"'.replace(".", ","))
    same(read_expression(file(content)))


def test_decimal_commas_between_commas(file):
    content = written(delimiter=",", text=lambda x: f"{x:.1f}".replace(".", ","))
    with pytest.raises(ValueError, match=r"line 2 has 7 fields.*no commas between"):
        read_expression(file(content))


def english(x):
    return f"{x:,.2f}"


THOUSANDS = {
    "1,000.00": english,
    "1 000.00": lambda x: english(x).replace(",", " "),
    "1\u00a0000.00": lambda x: english(x).replace(",", "\u00a0"),
    "1'000.00": lambda x: english(x).replace(",", "'"),
    "1.000,00": lambda x: english(x).translate({44: ".", 46: ","}),
}


@pytest.mark.parametrize("cell", THOUSANDS)
@pytest.mark.parametrize("delimiter", "\t;")
def test_signs_of_thousands(cell, delimiter, file):
    content = written(delimiter=delimiter, text=THOUSANDS[cell])
    with pytest.raises(ValueError, match=r"'GAPDH'.*not a number.*signs of thousands"):
        read_expression(file(content))


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ("5%", "signs of percent"),
        ("#DIV/0!", "formula failed"),
        ("#VALUE!", "formula failed"),
        ("<0.1", "below a limit"),
        ("TRUE", "rather than truth"),
        ("1,5", "same decimal mark"),
        ("low", "Write NA"),
    ],
)
def test_the_remedy_goes_with_the_cell(cell, remedy, file):
    content = written().replace("4.25", cell)
    with pytest.raises(ValueError, match=rf"'MYC' in sample '{SAMPLES[1]}'.*{remedy}"):
        read_expression(file(content))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("delimiter", ",;\t")
def test_empty_columns_and_lines_of_spreadsheets(n, delimiter, file):
    more = delimiter * n
    content = "".join(f"{line}{more}\n" for line in lines_of(X, delimiter))
    same(read_expression(file(content + f"{delimiter * (n + 3)}\n" * 2)))


def test_a_value_below_the_empty_columns(file):
    content = "".join(f"{line},,\n" for line in lines_of(X, ","))
    content += "".join(f"KRT{i},1,2,3,,\n" for i in range(50)) + "KRAS,1,2,3,,4\n"
    with pytest.raises(ValueError, match="line 56 has a value in a column without a"):
        read_expression(file(content))


def test_ends_of_lines_of_two_kinds(file):
    with pytest.raises(ValueError, match=r"carriage return.*alike"):
        read_expression(file(written().replace("\n", "\r", 2)))


def test_notes_below_a_table(file):
    content = written() + "Values are TPM of RSEM\t\t\t\n"
    with pytest.warns(UserWarning, match="left out 'Values are TPM of RSEM', notes"):
        same(read_expression(file(content)))
    with pytest.raises(ValueError, match=r"line 6 has 1 fields.*'Values are TPM'"):
        read_expression(file(written() + "Values are TPM\n"))


def test_a_gene_without_a_value_is_no_note(file):
    content = written() + "HLA-A\t\t\t\nAFFX-BioB-5_at\t\t\t\n"
    expected = X.assign(**{"HLA-A": NAN, "AFFX-BioB-5_at": NAN})
    same(read_expression(file(content)), expected)


# What stands in columns


@pytest.mark.parametrize(
    "name",
    """
    chromosome_name start_position percentage_gene_gc_content num_exons tx_len
    exonic.gene.sizes bp_length gene_id.1 Length.2 gene_version transcript_count
    loc.start num.mark seg.mean p.adjust qval degrees_free smooth_sigma_sq
    """.split(),
)
def test_numbers_that_describe_genes(name, file):
    lines = lines_of(X)
    numbers = [name, "17", "8", "7", "12"]
    content = [
        line.replace("\t", f"\t{n}\t", 1)
        for line, n in zip(lines, numbers, strict=True)
    ]
    same(read_expression(file("\n".join([*content, ""]))))
    assert names_ids(name)


@pytest.mark.parametrize(
    "name", "gene_count tx_1 size_2 Mark_1 GC12 start_1 tumor_size_3 n_1 CDS-1".split()
)
def test_names_of_samples_that_hold_such_words(name):
    assert not names_ids(name)


@pytest.mark.parametrize("place", ["front", "end"])
@pytest.mark.parametrize("name", ["GC", "IQR", "detected", "level"])
def test_a_column_unlike_others_is_said(name, place, file):
    odd = pd.DataFrame([[17.0, 8, 7, 12]], [name], GENES)
    table = pd.concat([odd, X] if place == "front" else [X, odd])
    message = f"'{name}' beside '{SAMPLES[0]}'.*describes genes"
    with pytest.warns(UserWarning, match=message):
        same(read_expression(file(written(table))), table)


@pytest.mark.parametrize("orient", ["genes", "samples"])
@pytest.mark.parametrize("dtype", [float, int])
def test_tables_that_lost_the_names_of_their_lines(orient, dtype, file):
    table = X.T if orient == "genes" else X
    content = table.astype(dtype).to_csv(index=False)
    first = table.columns[0]
    with pytest.raises(ValueError, match=f"column '{first}' has numbers"):
        read_expression(file(content))


def test_values_are_no_names_either(file):
    with pytest.raises(ValueError, match=f"column '{SAMPLES[0]}' has numbers"):
        read_expression(file(written()), id_column=SAMPLES[0])


def test_numbers_may_name_genes(file):
    for corner in ("gene", "entrez", "", "ID_REF", "Unnamed: 0"):
        ids = X.set_axis(["7157", "4609", "1956", "2597"], axis=1)
        same(read_expression(file(written(ids, corner=corner))), ids)


def test_another_column_has_the_ids(file):
    head = f"Code Class,Gene Name,{','.join(SAMPLES)}\n"
    lines = [f"Endogenous,{line}" for line in lines_of(X, ",")[1:]]
    same(read_expression(file(head + "\n".join([*lines, ""]))))


def test_numbered_lines_beside_an_id_column(file):
    content = (
        ",SequencingID,ModelID,TP53 (7157),MYC (4609)\n"
        "0,CDS-1,ACH-001113,1.5,2\n1,CDS-2,ACH-001289,4,5\n"
    )
    with pytest.warns(UserWarning, match="left out 'SequencingID'"):
        read = read_expression(file(content), id_column="ModelID")
    expected = [[1.5, 2], [4, 5]]
    names = ["ACH-001113", "ACH-001289"], ["TP53 (7157)", "MYC (4609)"]
    same(read, pd.DataFrame(expected, *names))


LONG = {
    "sample first": ("sample,gene,count", ["S1,TP53,3", "S1,MYC,4", "S2,TP53,5"]),
    "gene first": ("gene,sample,count", ["TP53,S1,3", "TP53,S2,5", "MYC,S1,4"]),
    "tissues": (
        "Gene,Gene name,Tissue,TPM,nTPM",
        ["E1,TP53,liver,3,4", "E1,TP53,lung,3,4", "E1,TP53,skin,3,4"],
    ),
    "mutations": (
        "Hugo_Symbol,Tumor_Sample_Barcode,t_depth,n_depth",
        ["TP53,TCGA-A1-A0SB-01,3,4", "MYC,TCGA-A1-A0SD-01,3,4"],
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_a_line_for_each_gene_and_sample(name, file):
    head, lines = LONG[name]
    with pytest.raises(ValueError, match=r"has a line for each gene and each.*pivot"):
        read_expression(file("\n".join([head, *lines, ""])))


def test_quantities_of_tximport_are_said(file):
    content = ",abundance.S1,abundance.S2,counts.S1,counts.S2\nTP53,1,2,3,4\n"
    with pytest.warns(UserWarning, match="several quantities of each sample"):
        read_expression(file(content), orient="genes_in_rows")


def test_regions_are_no_genes(file):
    with pytest.raises(ValueError, match="regions of a genome, as in BED"):
        read_expression(
            file("chr1\t11869\t14409\tDDX11L1\nchr1\t14404\t2957\tWASH7P\n")
        )


# GCT


def test_gct_of_tissues_with_numbers_of_lines(file):
    lines = ["id\tName\tDescription\tGTEX-1\tGTEX-2"]
    lines += ["0\tENSG1.2\tTP53\t1\t2", "1\tENSG3.2\tMYC\t3\t4"]
    path = file("\n".join(["#1.2", "2 2", *lines, ""]))
    expected = pd.DataFrame([[1, 3], [2, 4]], ["GTEX-1", "GTEX-2"], ["TP53", "MYC"])
    same(read_gct(path, gene_column="Description"), expected)
    same(read_expression(path), expected.set_axis(["ENSG1.2", "ENSG3.2"], axis=1))


def test_a_version_of_gct_that_is_not_known(file):
    with pytest.raises(ValueError, match=r"first line must be #1\.2 or #1\.3"):
        read_expression(file("#1.4\n1\t1\nName\tDescription\tS1\nA\tx\t1\n"))


# Files of other kinds


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(gzip.compress(b"gene\tS1\nTP53\t1\n")), "compressed twice"),
        (b"\x5d\0\0\x80\0" + bytes(60), "unlzma"),
        (b"\x04\x22\x4d\x18" + bytes(60), "LZ4"),
        (b"\x1f\x9d\x90" + bytes(60), "uncompress"),
        (b"ORC" + bytes(60), "ORC.*parquet"),
        (b"SQLite format 3\0" + bytes(60), "database"),
        (b"\x80\x05\x95" + bytes(60), "pickle"),
        (b"\xff\xff\xff\xff" + bytes(60), "stream of Arrow"),
        (gzip.compress(b"\x89HDF\r\n\x1a\n" + bytes(60)), "HDF5.*decompressed"),
        (gzip.compress(b"PAR1" + bytes(60)), "parquet.*decompressed"),
        (b'<table border="1">', "web page"),
    ],
    ids=range(11),
)
def test_files_that_hold_no_text(content, what, file):
    for read in (read_expression, read_xena):
        with pytest.raises(ValueError, match=what):
            read(file(content))


def test_hidden_files_in_an_archive_are_passed_over(tmp_path):
    zipfile = pytest.importorskip("zipfile")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("folder/x.tsv", written())
        archive.writestr("folder/.DS_Store", "...")
    same(read_expression(tmp_path / "x.zip"))


# Workbooks

ROWS = [["gene", *SAMPLES], *([g, *X[g].tolist()] for g in GENES)]


def test_an_empty_sheet_is_passed_over(book):
    same(read_expression(book([], ROWS)))
    with pytest.raises(ValueError, match=r"sheet 'Sheet' is empty.*'Sheet', 'more1'"):
        read_expression(book([], ROWS), sheet=0)
    with pytest.raises(ValueError, match="sheet 'Sheet' is empty"):
        read_expression(book([]))


def test_another_sheet_than_the_first_has_the_table(book):
    with pytest.raises(ValueError, match="in another sheet than the first, name it"):
        read_expression(book([["Sheet", "Content"], ["more1", "TPM"]], ROWS))
    same(read_expression(book([["read", "me"]], ROWS), sheet=-1))


@pytest.mark.parametrize("sheet", [5, -3, "expression"])
def test_a_sheet_that_is_not_there(sheet, book):
    with pytest.raises(ValueError, match=f"no sheet {sheet!r}, only 'Sheet'"):
        read_expression(book(ROWS), sheet=sheet)


def test_names_of_groups_in_merged_cells(book):
    def merge(made):
        made.active.merge_cells("B1:C1")

    groups = ["", "Tumour", None, "Normal"]
    same(read_expression(book([groups, *ROWS], edit=merge)))
    same(read_expression(book([["Table S1"], [], groups, *ROWS])))


@pytest.mark.parametrize("missing", ["NA", "n/a", "---", "?", "", " ", None, "#N/A"])
def test_missing_values_in_cells(missing, book):
    rows = [[*row] for row in ROWS]
    rows[2][2] = missing
    expected = X.copy()
    expected.iloc[1, 1] = NAN
    same(read_expression(book(rows)), expected)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("#DIV/0!", "'#DIV/0!', not a number. A formula failed"),
        ("=1+1", "cell C3 of sheet 'Sheet' has a formula, but no value"),
        ("1,5", "'1,5', not a number. Use the same decimal mark"),
        ("5%", "percent"),
        ("1e400", "infinite or too large"),
        ("Infinity", "infinite or too large"),
    ],
)
def test_cells_that_are_no_number(cell, message, book):
    rows = [[*row] for row in ROWS]
    rows[2][2] = cell
    with pytest.raises(ValueError, match=message):
        read_expression(book(rows))


def test_notes_below_a_sheet(book):
    with pytest.warns(UserWarning, match="left out 'Values are TPM', notes"):
        same(read_expression(book([*ROWS, [], ["Values are TPM"]])))


def test_text_and_bytes_in_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    expected = X.copy()
    expected.iloc[1, 1] = NAN
    table = expected.astype(str).replace("nan", "NA").T.reset_index(names="gene")
    table["gene"] = [gene.encode() for gene in table["gene"]]
    table.to_parquet(tmp_path / "x")
    same(read_expression(tmp_path / "x"), expected)


# Paths

READERS = [read_expression, read_xena, read_gct, read_h5ad, read_archs4]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("path", "message"),
    [
        (io.BytesIO(b"x"), "path is of type BytesIO.*rather than the open file"),
        (io.StringIO("x"), "path is of type StringIO"),
        (5, "path is of type int"),
        (None, "path is of type NoneType"),
        (X, "path is of type DataFrame.*a table already"),
        (["a.tsv"], "path is of type list.*to_memmap"),
        ("https://example.org/a.tsv", "is a URL: download"),
        ("s3://bucket/a.tsv", "is a URL: download"),
        (written(), "is no path: it may be what a file holds"),
        ("a\0b", "is no path"),
        ("/dev/null", "pipe or a device"),
    ],
)
def test_what_is_no_path_of_a_file(read, path, message):
    with pytest.raises(ValueError, match=message):
        read(path)


def test_other_ways_to_name_a_file(file, tmp_path, monkeypatch):
    path = file(written(), "été 数据.tsv")
    for name in (str(path), bytes(path), path.as_uri(), f"file://{path}"):
        same(read_expression(name))
    monkeypatch.setenv("HOME", str(tmp_path))
    same(read_expression("~/été 数据.tsv"))


def test_a_source_that_is_no_path(tmp_path):
    with pytest.raises(ValueError, match=r"https://.* is a URL"):
        to_memmap("https://example.org/a.tsv", tmp_path / "x.npy")


def test_what_the_system_says_of_a_path_is_no_damage(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", "x" * 5000, f"{pathlib.Path(__file__)}/x"):
        with pytest.raises(
            OSError, match=r"levels of symbolic|too long|Not a directory"
        ):
            read_expression(path)


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe or a device, which cannot be read"):
        read_expression(tmp_path / "pipe")


def test_h5ad_compressed_as_a_whole(tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as made:
        made["X"] = X.to_numpy()
    path = tmp_path / "x.h5ad.gz"
    path.write_bytes(gzip.compress((tmp_path / "x.h5ad").read_bytes()))
    for read in (read_expression, read_h5ad):
        with pytest.raises(ValueError, match="decompress"):
            read(path)


def test_where_a_map_goes_is_no_open_file(tmp_path):
    with pytest.raises(ValueError, match="path is of type BytesIO"):
        to_memmap(X, io.BytesIO())


def test_a_map_replaces_no_other_file(file):
    path = file(written(), "table.tsv")
    with pytest.raises(ValueError, match=r"table\.tsv is there and is no memory map"):
        to_memmap(X, path)
    same(read_expression(path))


# Folders


@pytest.mark.parametrize("ending", [".htseq.counts", ".counts.txt.gz"])
def test_a_folder_of_counts_without_headers(ending, tmp_path):
    for number, sample in enumerate(["S0", "S1"]):
        text = f"ENSG00000000001\t{number}\nENSG00000000002\t5\n__no_feature\t4\n"
        content = text.encode()
        content = gzip.compress(content) if ending.endswith("gz") else content
        (tmp_path / f"{sample}{ending}").write_bytes(content)
    with pytest.warns(UserWarning, match="2 files of one sample"):
        read = read_expression(tmp_path)
    genes = ["ENSG00000000001", "ENSG00000000002"]
    same(read, pd.DataFrame([[0, 5], [1, 5]], ["S0", "S1"], genes))


def test_a_folder_of_featurecounts(tmp_path):
    head = "# Program:featureCounts v2\nGeneid\tChr\tStart\tEnd\tStrand\tLength\t"
    for sample in ("S0", "S1"):
        text = f"{head}{sample}.bam\nTP53\t1\t1\t2\t+\t2\t{sample[1]}\n"
        (tmp_path / f"{sample}.txt").write_text(text)
    with pytest.warns(UserWarning, match="2 files of one sample"):
        read = read_expression(tmp_path)
    same(read, pd.DataFrame([[0], [1]], ["S0.bam", "S1.bam"], ["TP53"]))


def test_names_over_several_lines(file):
    path = file(written(delimiter=",").replace(SAMPLES[1], '"TCGA-A1\n-A0SD"'))
    same(read_expression(path), X.rename({SAMPLES[1]: "TCGA-A1 -A0SD"}))


def test_names_are_no_formulas_in_workbooks(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    path = tmp_path / "x.xlsx"
    table = X.set_axis(["=1+1", "#N/A!", "+A1", "TP53"], axis=1)
    write_expression(table, path)
    same(read_expression(path, orient="genes_in_rows"), table)
    book = openpyxl.load_workbook(path)
    assert all(row[0].data_type == "s" for row in book.active.iter_rows())

"""Names of genes and samples, and what tools have made of them."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import skgex._gene_names as gene_names
from skgex._gene_names import (
    clean_name,
    id_kind,
    is_date,
    is_run,
    is_scientific,
    is_summary_row,
    is_unnamed,
    known_symbols,
    r_name,
    r_names,
    sample_kind,
    share_of_genes,
    share_of_samples,
    split_double,
    spreadsheet_symbols,
    strip_version,
)
from skgex.datasets import load_breast_nki, load_tcga_genomewide, load_tissues_u133

SYMBOLS = sorted(known_symbols())
FOLDER = Path(gene_names.__file__).parent


# Cleaning


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        (" TP53\t", "TP53"),
        ("\ufeffTP53", "TP53"),
        ("TP53\u200b", "TP53"),
        ("\xa0TP53\r\n", "TP53"),
        ('"TP53"', "TP53"),
        ('" TP53"', "TP53"),
        ("'1-Mar", "1-Mar"),
        ("'TP53'", "TP53"),
        ("2'-PDE", "2'-PDE"),
        ("7157.0", "7157"),
        (7157.0, "7157"),
        (7157, "7157"),
        ("100130426.00", "100130426"),
        ("7157.1", "7157.1"),
        ("ENSG00000141510.10", "ENSG00000141510.10"),
        ("RP11-34P13.0", "RP11-34P13.0"),
        ("TP53 (7157)", "TP53 (7157)"),
        (float("nan"), "nan"),
        ("", ""),
    ],
)
def test_clean_names(name, clean):
    assert clean_name(name) == clean


@given(st.text() | st.text("TP5'\" .0|\ufeff\u200b`"))
def test_cleaning_twice_is_cleaning_once(name):
    assert clean_name(clean_name(name)) == clean_name(name)


@given(
    st.sampled_from([*SYMBOLS, "7157", "ENSG00000141510.17", "TP53 (7157)"]),
    st.lists(st.sampled_from([" ", "\t", '"', "\ufeff", "\u200b", "\xa0", "\r"])),
    st.lists(st.sampled_from([" ", "\t", '"', "\u200b", "\xa0", "\r", "\n"])),
)
def test_what_stands_around_a_name_goes(name, before, after):
    assert clean_name("".join(before) + name + "".join(after)) == name


def test_genes_without_a_name():
    unnamed = ["", " ", "NA", "na", "N/A", "NaN", "None", "NULL", "unknown", "<NA>"]
    for name in [*unnamed, "-", "--", "---", "?", ".", None, float("nan")]:
        assert is_unnamed(name), name
        assert id_kind(name) is None
    for name in ["NA12878", "NAT1", "?|100130426", "NANOG", "0"]:
        assert not is_unnamed(name), name
    assert not any(map(is_unnamed, SYMBOLS))


# Forms


@pytest.mark.parametrize(
    ("name", "halves"),
    [
        ("TP53 (7157)", ("TP53", "7157")),
        ("TP53(7157)", ("TP53", "7157")),
        ("TP53 [7157]", ("TP53", "7157")),
        ("TP53|7157", ("TP53", "7157")),
        ("7157|TP53", ("TP53", "7157")),
        ("TP53|7157.0", ("TP53", "7157")),
        ("?|100130426", ("", "100130426")),
        ("ENSG00000141510.17|TP53", ("TP53", "ENSG00000141510.17")),
        ("TP53|ENSG00000141510", ("TP53", "ENSG00000141510")),
        ("TP53 (ENSG00000141510)", ("TP53", "ENSG00000141510")),
        ("ENSG00000141510_TP53", ("TP53", "ENSG00000141510")),
        ("TP53_ENSG00000141510.17", ("TP53", "ENSG00000141510.17")),
        ("HLA.A..3105.", ("HLA.A", "3105")),
        ("RP11-34P13.7|ENSG00000238009", ("RP11-34P13.7", "ENSG00000238009")),
        ("ENSG00000182378.15_PAR_Y|PLCXD1", ("PLCXD1", "ENSG00000182378.15_PAR_Y")),
        ("TP53_7157", None),  # may count probes
        ("ENSG00000182378.15_PAR_Y", None),
        ("ENSG00000182378.15_2_PAR_Y", None),
        ("TP53", None),
        ("TP53|MYC", None),
        ("AC104389.28", None),
        ("chr1|100|200", None),
        ("", None),
    ],
)
def test_names_that_hold_two(name, halves):
    assert split_double(name) == halves


def test_versions_go_and_the_copy_on_y_stays():
    assert strip_version("ENSG00000141510.17") == "ENSG00000141510"
    assert strip_version("ENST00000269305.9_2") == "ENST00000269305"
    assert strip_version("ENSG00000182378.15_PAR_Y") == "ENSG00000182378_PAR_Y"
    assert strip_version("AC104389.28") == "AC104389.28"


# R


@pytest.mark.parametrize(
    ("name", "mangled"),
    [
        ("HLA-A", "HLA.A"),
        ("7157", "X7157"),
        ("7A5", "X7A5"),
        ("TP53 (7157)", "TP53..7157."),
        ("?|100130426", "X..100130426"),
        ("5'OT", "X5.OT"),
        ("_x", "X_x"),
        (".5", "X.5"),
        (".a", ".a"),
        ("TP53", "TP53"),
        ("IGH@", "IGH."),
        ("NA", "NA."),
        ("TRUE", "TRUE."),
        ("", "X"),
    ],
)
def test_names_as_r_makes_them(name, mangled):
    """By the rules in its help page, worked out by hand."""
    assert r_name(name) == mangled


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("HLA.A", ("HLA-A",)),
        ("NKX2.5", ("NKX2-5",)),
        ("MT.CO1", ("MT-CO1",)),
        ("X7157", ("7157",)),
        ("RP11.34P13.7", ("RP11-34P13.7",)),
        ("TP53..7157.", ("TP53 (7157)",)),
        ("HLA.A..3105.", ("HLA-A (3105)",)),
        ("TP53.7157", ("TP53|7157",)),
        ("X1.Mar", ("1-Mar",)),
        ("AC104389.28", ()),
        ("TP53", ()),
        ("XIST", ()),
        ("a.b", ()),
    ],
)
def test_names_before_r(name, before):
    assert r_names(name) == before


@given(st.sampled_from(SYMBOLS))
def test_every_symbol_comes_back_from_r(symbol):
    mangled = r_name(symbol)
    assert r_names(mangled) == ((symbol,) if mangled != symbol else ())


# Spreadsheets


@pytest.mark.parametrize(
    ("names", "symbols"),
    [
        (["1-Mar", "Mar-1", "01-Mar", "Mar-01", "1-mar", "1. Mrz", "1-Mrz", "1 M\xe4rz",
          "01. M\xe4r", "1-Mar-24", "01-Mar-2024", "2001-03-01", "2001-03-01 00:00:00",
          "2001-03-01T00:00:00", "3/1/2024", "X1.Mar", '"1-Mar"'],
         ("MARCHF1", "MTARC1")),
        (["11-Mar", "Mar-11"], ("MARCHF11",)),
        (["2-Sep", "2-sept", "2-Sept.", "Sep-02", "2. Sep", "2-set"], ("SEPTIN2",)),
        (["15-Sep"], ("SELENOF",)),
        (["1-Dec", "1. Dez", "1-d\xe9c"], ("DELEC1", "BHLHE40")),
        (["4-Oct", "4. Okt"], ("POU5F1",)),
        # Month and year, or day and month, may be meant.
        (["2002-09-01"], ("SEPTIN1", "SEPTIN2")),
        (["9/3/2009"], ("SEPTIN3", "MARCHF9")),
        (["5-Jun", "2020-01-15", "30-Mar"], ()),
    ],
)  # fmt: skip
def test_dates_and_the_symbols_they_were(names, symbols):
    for name in names:
        assert spreadsheet_symbols(name) == symbols, name
        assert is_date(name), name


def test_what_is_no_date():
    names = ["MARCH1", "SEPT2", "DEC1", "40-Mar", "Set 1", "2024-13-01", "12-34"]
    for name in [*names, "43891", "1-Foo", "", "TCGA-A1-A0SB-01", "HLA-A"]:
        assert not is_date(name), name
        assert spreadsheet_symbols(name) == ()
    assert not any(map(is_date, SYMBOLS))


def test_numbers_that_were_clones():
    for name in ["2.31E+13", "2.31e+13", "2,31E+13", "1E+05", "2.310009e19"]:
        assert is_scientific(name), name
    for name in ["2310009E13Rik", "2310009E13", "E2F1", "7157", "7157.0"]:
        assert not is_scientific(name), name
    assert not any(map(is_scientific, SYMBOLS))


# Rows of counters


def test_summary_rows():
    htseq = ["no_feature", "ambiguous", "too_low_aQual", "not_aligned"]
    names = [*htseq, "alignment_not_unique", *(f"__{name}" for name in htseq)]
    names += ["N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"]
    names += ["Unassigned_Ambiguity", "Total", "total_counts", "*", " __no_feature"]
    for name in names:
        assert is_summary_row(name), name
    for name in ["ERCC-00002", "TOTAL1", "AMBIGUOUS1", "N_1", "_", "ENSG00000141510"]:
        assert not is_summary_row(name), name
    assert not any(map(is_summary_row, SYMBOLS))


# Kinds


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("symbol", ["TP53", "HLA-A", "C1orf112", "C1ORF112", "MARCH1", "SEPTIN2"]),
        ("symbol", [" TP53 ", "TP53|7157", "ENSG00000141510|TP53", "HLA.A", "Brca1"]),
        ("symbol", ["LOC100130426", "LINC01999", "MT-CO1", "tp53", "ZBTB11-AS1"]),
        ("Ensembl gene", ["ENSG00000141510.17", "ENSMUSG00000059552"]),
        ("Ensembl gene", ["ENSG00000182378.15_PAR_Y"]),
        ("Ensembl transcript", ["ENST00000269305.9", "ENST00000456328.2|ENSG0|DDX|"]),
        ("Ensembl protein", ["ENSP00000269305"]),
        ("Entrez", ["7157", "7157.0", "X7157", "?|100130426"]),
        ("RefSeq", ["NM_000546.6", "NR_046018"]),
        ("UniGene", ["Hs.1004"]),
        ("probe set", ["1007_s_at", "200000_at", "ILMN_1343291", "A_23_P100001"]),
        ("probe set", ["AFFX-BioB-3_at", "11715100_a_at"]),
        ("spike-in", ["ERCC-00002"]),
        ("microRNA", ["hsa-miR-21-5p", "hsa-let-7a"]),
        ("clone", ["RP11-34P13.7", "AC104389.28", "2310009E13Rik", "DKFZp434J0226"]),
        (
            None,
            ["gene", "Length", "chr1", "max", "S1", "TCGA-A1-A0SB-01", "X12", "1-x"],
        ),
    ],
)
def test_kinds_of_ids(kind, names):
    assert {name: id_kind(name) for name in names} == dict.fromkeys(names, kind)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("TCGA barcode", ["TCGA-A1-A0SB-01", "TCGA.A1.A0SB.01A.11R", "TCGA-A1-A0SB"]),
        ("GTEx id", ["GTEX-111CU-0326-SM-5GZXO", "GTEX-111CU"]),
        ("GEO sample", ["GSM38051", "GSM38051_tumor"]),
        ("SRA run", ["SRR1234567", "ERR123456", "DRR000001", "SRX123456", "SRS12345"]),
        ("DepMap id", ["ACH-000001"]),
        ("UUID", ["01234567-89ab-cdef-0123-456789abcdef"]),
        (
            "numbered sample",
            ["S1", "Sample_12", "P-01", "patient3", "case 7", "ctrl_2"],
        ),
        ("numbered sample", ["tumor1", "rep1", "KO_rep2", "liver_3", "X12", "V1"]),
        (None, ["TP53", "WT1", "HLA-A", "ENSG00000141510", "7157", "liver", "A549"]),
    ],
)
def test_kinds_of_samples(kind, names):
    assert {name: sample_kind(name) for name in names} == dict.fromkeys(names, kind)


@pytest.mark.parametrize(
    "load", [load_breast_nki, load_tcga_genomewide, load_tissues_u133]
)
def test_genes_and_samples_of_real_tables_are_told_apart(load):
    table = load(as_frame=True).data
    assert share_of_genes(table.columns) > 0.98
    assert share_of_samples(table.columns) < 0.02
    assert share_of_genes(table.index) < 0.02
    assert share_of_samples(table.index) > 0.98


def test_shares():
    assert share_of_genes(["TP53", "MYC", "", "NA", "liver"]) == pytest.approx(2 / 3)
    assert share_of_genes([]) == share_of_samples([""]) == 0
    assert share_of_genes(["TP53"] * 5000 + ["liver"] * 5000) == 0.5
    assert share_of_genes(["7157", "4609", "672"]) == 1
    assert share_of_genes([str(i) for i in range(100)]) == 0
    assert is_run(["3", "1", "2"])
    assert not is_run(["1", "2", "4"])


# The list


def test_the_list_is_sorted_symbols_of_all_years():
    text = gzip.decompress((FOLDER / "symbols.txt.gz").read_bytes()).decode("ascii")
    names = text.splitlines()
    assert names == sorted(set(names))
    assert all(re.fullmatch(r"[A-Z][A-Z0-9orf@-]*", name) for name in names)
    assert not any(re.match(r"LOC\d|ENS[GT]\d", name) for name in names)
    old_and_new = {"MARCH1", "MARCHF1", "SEPT2", "SEPTIN2", "MARC1", "MTARC1"}
    assert old_and_new <= known_symbols()
    assert (FOLDER / "symbols.txt.gz").stat().st_size < 100_000


def test_the_list_is_written_from_tables(tmp_path):
    tool = Path(__file__).parents[1] / "tools" / "gene_symbols.py"
    code = tool.read_text()
    for name in re.findall(r'"((?:breast|gtex|tcga|tissue)_\w+)"', code):
        (tmp_path / name).mkdir()
        genes = np.array(["TP53", "HLA-A", "C1orf112", "LOC123", "7157", "?|1", "Rgr"])
        np.savez(tmp_path / name / "X.npz", X=np.zeros((1, 7)), genes=genes)
    output = tmp_path / "symbols.txt.gz"
    command = [sys.executable, tool, "--data", tmp_path, "--output", output]
    for _ in range(2):
        subprocess.run(command, check=True, capture_output=True)
        written = output.read_bytes()
        assert gzip.decompress(written).decode().split() == [
            "C1orf112",
            "HLA-A",
            "TP53",
        ]
        assert written[4:8] == bytes(4)  # no time stamp

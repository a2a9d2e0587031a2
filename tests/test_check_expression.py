"""check_expression: names of genes and samples, and the report itself."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_tables import SYMBOLS, codes, counts, log_tpm

from skgex import GeneAligner, TopVarianceGenes
from skgex.datasets import (
    load_breast_nki,
    load_tcga_genomewide,
    load_tcga_pancancer,
    load_tissues_u133,
)
from skgex.io import ExpressionReport, check_expression
from skgex.io._check import names_report, words


def renamed(*names, n_genes=60):
    """Return counts whose first genes have these names."""
    X = counts(n_samples=12, n_genes=n_genes)
    X.columns = [*names, *X.columns[len(names) :]]
    return X


BAD_NAMES = {
    "summary_rows": ["__no_feature", "__ambiguous"],
    "annotation": ["Length", "entrez_id"],
    "spreadsheet_dates": ["1-Mar", "2-Sep"],
    "scientific_ids": ["2.31E+13"],
    "float_ids": ["7157.0"],
    "names_with_spaces": [" TP53 ", "\ufeffMYC"],
    "r_mangled": ["HLA.A", "HLA.B"],
    "versions": ["ENSG00000141510.17"],
    "par_y": ["ENSG00000002586.20_PAR_Y"],
    "double_names": ["TP53|7157", "MYC (4609)"],
}


@pytest.mark.parametrize("code", BAD_NAMES)
def test_bad_names_are_found_and_named(code):
    report = check_expression(renamed(*BAD_NAMES[code]))
    assert set(report[code].where) == set(BAD_NAMES[code])
    assert report[code].n == len(BAD_NAMES[code])
    assert report[code].remedy


def test_clean_names_give_no_finding():
    X = counts()
    assert names_report(X.columns, X.index) == []
    assert codes(check_expression(X)) <= {"zero_genes"}


@pytest.mark.parametrize(
    "names",
    [
        [f"ENSG{i:011d}" for i in range(300)],
        [f"{i * 7 + 3}" for i in range(300)],
        [f"RP11-{i}P{i % 20}.{i % 3 + 1}" for i in range(300)],
        [f"{i}_at" for i in range(300)],
        [f"LOC{i}" for i in range(300)],
        [f"MT-ND{i}" for i in range(5)] + ["HLA-A", "NKX2-1", "C1orf112"],
        [name.capitalize() for name in SYMBOLS[:500]],
        ["MARCHF1", "SEPTIN2", "DELEC1", "MARCH1", "SEPT2", "DEC1", "OCT4"],
        SYMBOLS,
    ],
    ids=lambda names: names[0],
)
def test_ordinary_ids_are_no_cause_for_alarm(names):
    assert names_report(names, [f"GSM{i}" for i in range(20)]) == []


def test_a_date_is_given_the_symbols_that_it_may_have_been():
    text = str(check_expression(renamed("1-Mar"))["spreadsheet_dates"])
    assert "'1-Mar' (MARCHF1 or MTARC1)" in text


def test_unnamed_genes_are_counted():
    report = check_expression(renamed("na", "---", "", " "))
    assert report["unnamed"].n == 4
    assert "duplicated_genes" not in report


def test_duplicated_names_are_an_error_each_named_once():
    report = check_expression(renamed("TP53", "TP53", "TP53", "MYC", "MYC"))
    assert report["duplicated_genes"].where == ("TP53", "MYC")
    assert report["duplicated_genes"].severity == "error"


@pytest.mark.parametrize(
    "pair",
    [
        ("ENSG00000141510.17", "ENSG00000141510"),
        ("ENSG00000141510.17", "ENSG00000141510.18"),
        ("TP53|7157", "TP53"),
        (" TP53", "TP53"),
    ],
)
def test_one_gene_under_two_names_is_found(pair):
    report = check_expression(renamed(*pair))
    assert set(report["same_genes"].where) == set(pair)
    assert report["same_genes"].n == 1


def test_copies_on_the_y_chromosome_and_genes_without_symbol_are_genes_of_their_own():
    names = ["ENSG00000002586.20", "ENSG00000002586.20_PAR_Y", "?|1", "?|2"]
    assert "same_genes" not in check_expression(renamed(*names))


def test_mixed_ids_are_found_with_their_shares():
    names = [f"ENSG{i:011d}" for i in range(20)]
    report = check_expression(renamed(*names))
    assert "67 % symbol, 33 % Ensembl gene" in report["mixed_ids"].what
    assert report["mixed_ids"].severity == "warning"
    few_others = check_expression(renamed(*names[:4]))
    assert few_others["mixed_ids"].severity == "note"


def test_transcripts_are_told_from_genes():
    X = counts(n_samples=10, n_genes=60)
    X.columns = [f"ENST{i:011d}" for i in range(60)]
    assert check_expression(X)["transcripts"].n == 60


def test_a_transposed_table_is_an_error_and_no_name_is_complained_of():
    X = counts(n_samples=20, n_genes=100)
    X.index = [f"TCGA-A1-{i:04d}-01" for i in range(20)]
    assert "transposed" not in check_expression(X)
    assert codes(check_expression(X.T), "error") == {"transposed"}


def test_a_long_table_without_telling_names_may_be_transposed():
    X = np.random.default_rng(0).normal(8, 2, (6000, 60))
    assert codes(check_expression(X)) == {"transposed_by_shape"}
    assert "transposed_by_shape" not in check_expression(X[:400])
    named = pd.DataFrame(X, columns=SYMBOLS[:60])
    assert "transposed_by_shape" not in check_expression(named)


def test_names_of_samples_that_recur_are_an_error():
    X = counts(n_samples=12)
    X.index = ["a", "a", *X.index[2:]]
    assert check_expression(X)["duplicated_samples"].where == ("a",)


def test_a_row_of_gene_lengths_is_no_sample():
    X = counts(n_samples=12)
    X.index = ["Length", "TIME", *X.index[2:]]  # the second is a cell line
    assert check_expression(X)["annotation_rows"].where == ("Length",)


def test_patients_with_several_samples_and_normal_tissue_are_noted():
    X = counts(n_samples=5)
    X.index = [
        *("TCGA-A1-A0SB-01", "TCGA-A1-A0SB-11", "TCGA-A1-A0SC-01"),
        *("TCGA-A1-A0SD-01", "TCGA-A1-A0SE-01"),
    ]
    report = check_expression(X)
    assert report["same_patients"].where == ("TCGA-A1-A0SB-01", "TCGA-A1-A0SB-11")
    assert report["normal_samples"].where == ("TCGA-A1-A0SB-11",)
    tumours = check_expression(X.iloc[[0, 2, 3, 4]])
    assert not {"same_patients", "normal_samples"} & codes(tumours)


def test_the_share_of_genes_of_a_model_is_what_gene_aligner_finds():
    X = counts(n_samples=12, n_genes=60)
    X.columns = [f"ENSG{i:011d}.3" for i in range(60)]
    genes = [f"ENSG{i:011d}" for i in range(50, 80)]
    aligner = GeneAligner(genes, min_coverage=0).fit(X)
    found = check_expression(X, genes=genes)["coverage"]
    assert f"{aligner.coverage_ * 30:.0f} of 30" in found.what
    assert found.where == tuple(genes[10:])
    assert found.severity == "error"
    model = TopVarianceGenes(20).fit(pd.DataFrame(np.eye(30), columns=genes))
    assert check_expression(X, genes=model)["coverage"] == found


@pytest.mark.parametrize(
    ("n_found", "severity"),
    [(0, "error"), (4, "error"), (5, "warning"), (8, "note"), (10, "note")],
)
def test_few_genes_of_a_model_are_an_error(n_found, severity):
    X = counts(n_samples=12, n_genes=60)
    genes = [*X.columns[:n_found], *(f"ENSG{i:011d}" for i in range(10 - n_found))]
    found = check_expression(X, genes=genes)["coverage"]
    assert found.severity == severity
    assert found.n == 10 - n_found


def test_columns_of_text_are_named_and_left_out():
    X = counts(n_samples=12, n_genes=60)
    plain = check_expression(X)
    report = check_expression(X.assign(diagnosis="sarcoma"))
    assert report["not_numbers"].where == ("diagnosis",)
    assert report.n_genes == 60
    assert report.unit == plain.unit
    assert check_expression(X.astype(str)).unit == "unknown"


@pytest.mark.parametrize("convert", [np.asarray, lambda X: X.astype("Float64")])
def test_values_are_judged_alike_in_other_containers(convert):
    X = log_tpm()
    X.iloc[3, 4] = np.nan
    assert check_expression(convert(X)).unit == "logarithms"
    assert check_expression(convert(X))["missing_values"].n == 1


def test_masked_values_are_missing():
    X = log_tpm().to_numpy()
    masked = np.ma.masked_greater(X, np.quantile(X, 0.99))
    assert "missing_values" in check_expression(masked)


def test_a_polars_table_is_read_with_its_names():
    polars = pytest.importorskip("polars")
    X = polars.DataFrame({"1-Mar": [1.0, 2.0], "TP53": [0.5, 0.25]})
    assert "spreadsheet_dates" in check_expression(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(3), "dimensions"),
        (np.zeros((0, 3)), "no samples"),
        (np.zeros((3, 0)), "no genes"),
        (pd.DataFrame(index=["a"]), "no genes"),
        ("file.tsv", "read_expression"),
    ],
)
def test_what_is_no_table_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        check_expression(X)


def test_the_report_is_printed_and_a_table():
    report = check_expression(renamed("__no_feature", "1-Mar", "TP53|7157"))
    assert isinstance(report, ExpressionReport)
    lines = str(report).splitlines()
    assert lines[0].startswith("12 samples x 60 genes. Values are counts")
    assert max(map(len, lines)) <= 88
    severities = [f.severity for f in report.findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    frame = report.to_frame()
    expected = ["finding", "severity", "where", "n", "what", "remedy"]
    assert list(frame.columns) == expected
    assert list(frame["finding"]) == [f.finding for f in report.findings]
    assert "__no_feature" in report._repr_html_()
    assert "1 error" in repr(report)
    with pytest.raises(KeyError):
        report["nothing"]


def test_the_report_of_a_table_without_faults_says_so():
    report = check_expression(log_tpm())
    assert "Nothing odd was found." in str(report)
    assert "Nothing odd" in report._repr_html_()
    assert len(report) == len(report.to_frame()) == 0


def test_html_is_escaped():
    X = renamed("<b>", " <i>")
    assert "<b>" not in check_expression(X)._repr_html_()


def test_readers_warn_with_the_words_of_the_report():
    names = ["__no_feature", "TP53", "1-Mar"]
    report = check_expression(renamed(*names))
    by_name = {f.finding: f for f in names_report(names, None)}
    assert by_name["summary_rows"] == words.summary_rows(["__no_feature"])
    assert str(report["summary_rows"]) == str(words.summary_rows(["__no_feature"]))
    assert str(report["spreadsheet_dates"]) == str(words.spreadsheet_dates(["1-Mar"]))


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (load_breast_nki, {"missing_values"}),
        (load_tcga_genomewide, set()),
        # Five of 90 genes have numbers for names, one is zero in all samples.
        (load_tcga_pancancer, {"mixed_ids", "zero_genes"}),
        # Livers that are there twice.
        (load_tissues_u133, {"equal_samples"}),
    ],
)
def test_shipped_data_give_no_false_alarm(load, expected):
    report = check_expression(load(as_frame=True).data)
    assert report.unit == "logarithms"
    assert codes(report) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=6))
def test_any_names_are_reported_without_an_error(names):
    X = pd.DataFrame(np.ones((2, len(names))), columns=names)
    report = check_expression(X)
    assert len(report.to_frame()) == len(report)
    assert str(report)
    twice = {name for name in names if names.count(name) > 1}
    if "duplicated_genes" in report:
        assert set(report["duplicated_genes"].where) <= twice


def test_names_that_gene_aligner_refuses_are_an_error_of_the_report():
    X, genes = renamed("HLA.A", "TP53"), ["HLA-A", "HLA:A", "TP53"]
    with pytest.raises(ValueError, match=r"HLA\.A") as refused:
        GeneAligner(genes, min_coverage=0).fit(X)
    assert str(refused.value) in check_expression(X, genes=genes)["coverage"].what


def test_genes_of_a_model_that_are_one_gene_are_refused():
    genes = ["ENSG00000141510.1", "ENSG00000141510.2"]
    with pytest.raises(ValueError, match="genes has"):
        check_expression(renamed("TP53"), genes=genes)


def test_counts_in_a_wide_range_are_no_ranks():
    rng = np.random.default_rng(0)
    rate = np.exp(rng.normal(3, 2.2, 20_000)) / 10
    counts = rng.poisson(rng.gamma(10, 1, (10, 20_000)) * rate).astype(float)
    report = check_expression(pd.DataFrame(counts))
    assert report.unit == "counts"
    assert "same_distribution" not in report
    ranks = counts.argsort(axis=1).argsort(axis=1)
    assert "ranks" in check_expression(pd.DataFrame(ranks)).detail

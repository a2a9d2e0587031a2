"""Tables that people have, read by read_expression: what was written comes back."""

import codecs

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from text_tables import COMPRESSIONS, GENES, NAN, SAMPLES, lines, same, table, written

from skgex.io import read_expression, read_xena

X = table()
ALL = {"dtype": "float64"}


# How text is written


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", " ", "   "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_delimiters_and_ends_of_lines(delimiter, end, file):
    path = file(written(X, delimiter, end))
    same(read_expression(path, **ALL), X, delimiter=delimiter[0], format="text")


@pytest.mark.parametrize("delimiter", ["\t", ";", " "])
def test_decimal_commas(delimiter, file):
    text = written(X, delimiter, number=lambda v: f"{v:.2f}".replace(".", ","))
    same(read_expression(file(text), **ALL), X, decimal=",", decimals=2)


@pytest.mark.parametrize(
    ("encoding", "mark", "said"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", codecs.BOM_UTF32_LE, "utf-32"),
        ("latin-1", b"", "utf-8"),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_encodings(encoding, mark, said, quote, file):
    names = ["Müller", "Jörg"]
    expected = table([[1, 2.5], [NAN, 4]], names, ["TP53", "MYC"])
    quoted = expected.set_axis([f"{quote}{name}{quote}" for name in names])
    text = written(quoted, ",", "\r\n", corner=f"{quote}gene{quote}")
    same(read_expression(file(mark + text.encode(encoding))), expected, encoding=said)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compression_is_found_by_content(compression, file):
    path = file(COMPRESSIONS[compression](written(X).encode()), "table.dat")
    same(read_expression(path), X, compression=compression)
    same(read_expression(str(path), samples=SAMPLES[:1]), X.iloc[:1])


@pytest.mark.parametrize(
    "missing",
    ["", "NA", "na", "NaN", "nan", "N/A", "#N/A", "NULL", "None", "-", ".", "---", " "],
)
def test_missing_values(missing, file):
    values = np.where(np.arange(12).reshape(3, 4) % 3, 1.5, NAN)
    expected = table(values)
    same(read_expression(file(written(expected, missing=missing))), expected)


@pytest.mark.parametrize("orient", ["auto", "genes_in_rows", "samples_in_rows"])
def test_samples_in_rows(orient, file):
    path = file(written(X.T, ",", corner="sample_id"))
    wrong = orient == "genes_in_rows"
    told = orient if wrong else "samples_in_rows"
    if wrong:
        expected = table(X.to_numpy().T, GENES, SAMPLES)
        same(read_expression(path, orient=orient), expected, orient=told)
    else:
        same(read_expression(path, orient=orient), X, orient=told)
        options = {"genes": ["KRAS", "TP53"], "samples": [SAMPLES[2], SAMPLES[0]]}
        chosen = read_expression(path, orient=orient, **options)
        same(chosen, X.loc[options["samples"], options["genes"]])


def test_columns_about_samples_are_no_genes(file):
    text = lines(
        "sample_id age stage TP53 MYC purity", "P1 60 II 1 2 .7", "P2 70 NA 3 4 .8"
    )
    expected = table([[1, 2], [3, 4]], ["P1", "P2"], ["TP53", "MYC"])
    result, samples, genes = read_expression(file(text), return_metadata=True)
    same(result, expected, annotation=["age", "stage", "purity"])
    assert samples.loc["P2"].to_dict() == {"age": "70", "stage": "NA", "purity": ".8"}
    assert genes.shape == (2, 0)


def test_quotes_and_fields_over_several_lines(file):
    text = (
        '"gene","description","P 1","P, 2"\r\n"TP53","p53, a ""guardian""","1","2"\r\n'
        '"MYC","in two\r\nlines",3,"4.5"\r\n'
    )
    result, _, genes = read_expression(file(text), return_metadata=True)
    same(result, table([[1, 3], [2, 4.5]], ["P 1", "P, 2"], ["TP53", "MYC"]))
    assert genes["description"].to_list() == ['p53, a "guardian"', "in two lines"]


def test_a_quote_inside_a_name(file):
    text = 'gene\tdescription\tS1\tS2\nTP53\t3\' end\t1\t2\nMYC\t5" or "x\t3\t4\n'
    expected = table([[1, 3], [2, 4]], ["S1", "S2"], ["TP53", "MYC"])
    same(read_expression(file(text)), expected)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# made by hand\n# in two lines\n", ""),
        ("Table S1. Expression in tumours\n\n", ""),
        ("\n\n", "\n\n"),
        ("", "# end\n"),
        ("", "\x1a"),
        ("", "\t\t\t\n"),
    ],
)
def test_lines_beside_the_table(before, after, file):
    same(read_expression(file(before + written(X) + after)), X)


def test_a_header_in_a_comment(file):
    same(read_expression(file("#" + written(X))), X)


def test_the_header_of_r_is_one_short(file):
    text = written(X, corner="").removeprefix("\t")
    same(read_expression(file(text)), X)
    named = '"gene" "a" "b"\n"1" "TP53" 1 2\n"2" "MYC" 3 4\n'
    expected = table([[1, 3], [2, 4]], ["a", "b"], ["TP53", "MYC"])
    same(read_expression(file(named)), expected)


@pytest.mark.parametrize("corner", ["gene", "", "sample"])
@pytest.mark.parametrize(
    ("in_header", "in_lines"),
    [(1, 1), (0, 1), (1, 0), (0, 2), (0, 0), (3, 3), (5, 5), (2, 0)],
)
def test_tabs_at_the_ends_of_lines(corner, in_header, in_lines, file):
    header, *rest = written(X, corner=corner).splitlines()
    text = "\n".join(
        [header + in_header * "\t", *(line + in_lines * "\t" for line in rest), ""]
    )
    same(read_expression(file(text)), X)


@pytest.mark.parametrize("line", ["MYC\t3\t4\t", "MYC\t3\t3\t", "MYC\t\t3\t"])
def test_a_tab_at_the_end_of_some_lines_may_be_a_value_too_many(line, file):
    text = f"gene\ta\tb\nTP53\t1\t2\n{line}\nEGFR\t5\t6\nKRAS\t7\t8\n"
    with pytest.raises(ValueError, match="line 3 has 4 fields, but 3"):
        read_expression(file(text))


# Columns and lines that are no expression

MERGED = {
    "cBioPortal": "Hugo_Symbol Entrez_Gene_Id",
    "gene_type": "gene_id gene_name gene_type",
    "nf-core": "gene_id gene_name",
    "transcripts": "transcript_id(s) gene_id length effective_length",
    "Gene ID (NCBI)": "Symbol Entrez_Gene_ID_(NCBI) Length_(bp)",
    "row numbers": "row gene",
    "an index": "X Unnamed:_0 gene_symbol",
}


@pytest.mark.parametrize("kind", MERGED)
def test_columns_about_genes_in_front(kind, file):
    names = MERGED[kind].split()
    ids = {
        "row": "1 2 3 4",
        "X": "1 2 3 4",
        "Unnamed:_0": "0 1 2 3",
        "gene_type": "protein_coding lncRNA NA protein_coding",
        "Entrez_Gene_Id": "7157 4609 1956 -2",
        "Entrez_Gene_ID_(NCBI)": "7157 4609 1956 3845",
        "length": "2500.5 2000 1500 1000",
        "effective_length": "2500.5 2000 1500 1000",
        "Length_(bp)": "2500.5 2000 1500 1000",
    }
    columns = [ids.get(name, " ".join(GENES)).split() for name in names]
    _, *rest = written(X).splitlines()
    rows = ["\t".join([*names, *SAMPLES]).replace("_:", ":").replace(":_", ": ")]
    for cells, line in zip(zip(*columns, strict=True), rest, strict=True):
        rows.append("\t".join([*cells, *line.split("\t")[1:]]))
    result = read_expression(file("\n".join([*rows, ""])))
    same(result, X)
    assert len(result.attrs["source"]["annotation"]) == len(names) - 1


@pytest.mark.parametrize("place", [1, 2, 4])
def test_a_description_anywhere(place, file):
    texts = ["Description", "tumor protein", "", "NA", "a kinase"]
    rows = [line.split("\t") for line in written(X).splitlines()]
    for row, text in zip(rows, texts, strict=True):
        row.insert(place, text)
    result, _, genes = read_expression(
        file("".join("\t".join(row) + "\n" for row in rows)), return_metadata=True
    )
    same(result, X, annotation=["Description"])
    assert genes["Description"].to_dict() == dict(zip(GENES, texts[1:], strict=True))


def test_text_under_another_name_is_left_out_and_said(file):
    text = lines("gene S1 S2 remark", "TP53 1 2 fine", "MYC 3 4 odd")
    with pytest.warns(UserWarning, match=r"table\.txt: left out 'remark', of text"):
        result = read_expression(file(text))
    same(result, table([[1, 3], [2, 4]], ["S1", "S2"], ["TP53", "MYC"]))
    assert "left out 'remark'" in result.attrs["source"]["notes"][0]


@pytest.mark.parametrize(
    "names", ["Total", "mean sd", "RowSums", "logFC t P.Value B", "S.Detection_Pval"]
)
@pytest.mark.filterwarnings("ignore:.*which sum up others or are of tests")
def test_columns_of_sums_and_tests_are_no_samples(names, file):
    n_names = len(names.split())
    rows = [line + n_names * "\t.5" for line in written(X).splitlines()[1:]]
    text = "\n".join(["\t".join(["gene", *SAMPLES, *names.split()]), *rows, ""])
    same(read_expression(file(text)), X, annotation=names.split())


COUNTED = {
    "HTSeq": "__no_feature __ambiguous __too_low_aQual __not_aligned",
    "old HTSeq": "no_feature ambiguous alignment_not_unique",
    "STAR": "N_unmapped N_multimapping N_noFeature N_ambiguous",
}


@pytest.mark.parametrize("kind", COUNTED)
@pytest.mark.parametrize("in_rows", [True, False])
def test_counts_of_other_reads_are_no_genes(kind, in_rows, file):
    names = COUNTED[kind].split()
    counts = pd.DataFrame(1e6, X.index, names)
    parts = [counts, X] if kind == "STAR" else [X, counts]
    both = pd.concat(parts, axis=1)
    text = written(both) if in_rows else written(both.T, corner="sample")
    with pytest.warns(UserWarning, match=f"left out '{names[0]}'.* are no genes"):
        same(read_expression(file(text)), X)


@pytest.mark.parametrize("name", ["Total", "Mean", "age", "class", "patient_id"])
def test_lines_about_samples_are_no_genes(name, file):
    with pytest.warns(UserWarning, match=f"left out '{name}'"):
        same(read_expression(file(written(X.assign(**{name: 9})))), X)


@pytest.mark.parametrize("name", ["Total", "gene_id", "Average"])
def test_lines_about_genes_are_no_samples(name, file):
    more = pd.concat([X, pd.DataFrame(9, [name], GENES)])
    with pytest.warns(UserWarning, match=f"left out '{name}', which describe genes"):
        same(read_expression(file(written(more.T, corner=""))), X)


@pytest.mark.parametrize("name", ["", "NA", "na", "---", "?", "NaN", "null"])
def test_genes_without_a_name_are_left_out_and_never_merged(name, file):
    more = pd.concat([table([[7], [8], [9]], genes=[name]), X], axis=1)
    with pytest.warns(UserWarning, match="1 gene has no name in column 'gene'"):
        same(read_expression(file(written(more)), on_duplicate="sum"), X)
    twice = pd.concat([more, more.iloc[:, :1]], axis=1)
    with pytest.warns(UserWarning, match="2 genes have no name"):
        same(read_expression(file(written(twice)), on_duplicate="sum"), X)


def test_names_are_cleaned(file):
    text = '\ufeffgene\t S1\t"S2"\n TP53 \t 1\t2 \n\u200bMYC\t3\u00a0\t4\n'
    expected = table([[1, 3], [2, 4]], ["S1", "S2"], ["TP53", "MYC"])
    same(read_expression(file(text)), expected)


def test_entrez_ids(file):
    text = written(X.set_axis(["7157.0", "4609", "1956.0", "3845"], axis=1))
    expected = X.set_axis(
        pd.Index(["7157", "4609", "1956", "3845"], name="gene"), axis=1
    )
    same(read_expression(file(text)), expected)


def test_names_that_a_spreadsheet_made_dates_are_said(file):
    text = written(X.rename(columns={"KRAS": "1-Mar"}))
    with pytest.warns(UserWarning, match=r"'1-Mar' \(MARCHF1 or MTARC1\)"):
        same(read_expression(file(text)), X.rename(columns={"KRAS": "1-Mar"}))


def test_a_second_header_with_quantities(file):
    header, *rest = written(X, corner="Hybridization REF").splitlines()
    second = "\t".join(["gene_id", *["normalized_count"] * 3])
    same(read_expression(file("\n".join([header, second, *rest, ""]))), X)


def test_several_quantities_of_each_sample_are_said(file):
    names = ["S1_count", "S1_TPM", "S2_count", "S2_TPM"]
    expected = table(np.arange(16).reshape(4, 4), names)
    path = file(written(expected))
    with pytest.warns(UserWarning, match=r"several quantities.*'count', 'tpm'"):
        same(read_expression(path), expected)


# Selections, duplicates, and what is said


@pytest.mark.parametrize("in_rows", [True, False])
def test_genes_that_recur(in_rows, file):
    values = [[1, 2, 3, NAN], [4, 5, NAN, NAN], [7, 8, 10, NAN]]
    several = table(values, genes=["MYC", "TP53", "MYC", "MYC"])
    text = written(several) if in_rows else written(several.T, corner="")
    path = file(text)
    with pytest.raises(ValueError, match=r"several genes named 'MYC'.*on_duplicate"):
        read_expression(path)
    for rule, merged in {
        "first": [1, 4, 7],
        "max": [3, 4, 10],
        "mean": [2, 4, 8.5],
        "sum": [4, 4, 17],
    }.items():
        expected = pd.DataFrame({"MYC": merged, "TP53": [2, 5, 8]}, SAMPLES)
        result = read_expression(path, on_duplicate=rule)
        assert_frame_equal(result, expected, check_names=False, check_dtype=False)
        chosen = read_expression(path, on_duplicate=rule, genes=["TP53", "MYC"])
        same(chosen, result[["TP53", "MYC"]])


def test_names_that_are_not_there(file):
    path = file(written(X))
    with pytest.raises(ValueError, match=r"has no gene 'BRCA1'"):
        read_expression(path, genes=["TP53", "BRCA1"])
    with pytest.raises(ValueError, match=r"has no sample 'S9'"):
        read_expression(path, samples=["S9"])
    with pytest.raises(ValueError, match=r"no column 'symbol'.*only 'gene'"):
        read_expression(path, id_column="symbol")
    with pytest.raises(ValueError, match=r"value_column='TPM'.*several samples"):
        read_expression(path, value_column="TPM")
    with pytest.raises(ValueError, match="sheet=2 means nothing"):
        read_expression(path, sheet=2)


def test_another_column_names_the_lines(file):
    text = lines("gene_id symbol a b", "ENSG1 TP53 1 2", "ENSG2 MYC 3 4")
    expected = table([[1, 3], [2, 4]], ["a", "b"], ["TP53", "MYC"])
    result = read_expression(file(text), id_column="symbol")
    same(result, expected, id_column="symbol", annotation=["gene_id"])


def test_the_source_survives_pandas(file):
    result = read_expression(file(written(X)))
    source = result.attrs["source"]
    for value in source.values():
        assert isinstance(value, str | int | list | None)
    other = read_expression(file(written(X)))
    assert result.copy().attrs["source"] == source
    both = pd.concat([result, other.set_axis(["a", "b", "c"])])
    assert both.attrs["source"] == source
    assert result.iloc[:2].attrs["source"] == source
    assert result.equals(other)


def test_what_was_found_is_printed(file, capsys):
    read_expression(file(lines("gene Length a b", "TP53 9 1 2", "MYC 9 3 4")))
    assert not capsys.readouterr().out
    path = file(lines("gene Length a b", "TP53 9 1 2", "MYC 9 3 4"))
    read_expression(path, verbose=True)
    assert capsys.readouterr().out.splitlines() == [
        "table.txt: text, separated by tabs.",
        "Genes stand in lines, named by 'gene': 2 samples, 2 genes.",
        "Not expression: 'Length'.",
    ]


def test_a_guess_by_shape_is_said(file):
    guessed = table(np.ones((2, 7)), ["foo", "bar"], [f"quux{i}" for i in "abcdefg"])
    for frame, found in ((guessed, "genes"), (guessed.T, "samples")):
        with pytest.warns(UserWarning, match=f"lines are taken for {found} since"):
            same(read_expression(file(written(frame, corner=""))), guessed)


def test_lines_that_are_only_numbered_are_said(file):
    numbered = table(samples=["S1", "S2", "S3"], genes=["0", "1", "2", "3"])
    with pytest.warns(UserWarning, match="genes have numbers for names, '0', '1'"):
        same(read_expression(file(written(numbered, corner=""))), numbered)


def test_warnings_point_to_the_caller(file):
    path = file(written(X.assign(__no_feature=1)))
    with pytest.warns(UserWarning, match="left out") as found:
        read_expression(path)
    assert found[0].filename == __file__


def test_read_xena_finds_the_same(file):
    path = file(written(X, ";", corner="sample"))
    assert_frame_equal(read_xena(path), read_expression(path))
    wrong = file(written(X.T, corner="sample"))
    with pytest.raises(ValueError, match=r"has samples in its lines.*read_expression"):
        read_xena(wrong)

"""GeneAligner: by which rules columns are genes, and what is left or refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skgex import GeneAligner
from skgex._gene_names import known_symbols, r_name
from skgex.datasets import load_tcga_genomewide

TP53 = "ENSG00000141510"
PLCXD1 = "ENSG00000182378"
# Those with a hyphen are the ones that R changes.
SYMBOLS = sorted(known_symbols())
SYMBOLS = sorted({*SYMBOLS[::97], *[s for s in SYMBOLS if "-" in s][::3]})


def table_of(names):
    """Return one sample, whose values count the columns from 1."""
    return pd.DataFrame([np.arange(1.0, len(names) + 1)], columns=names)


def matched(names, genes, **parameters):
    """Return the column of each gene, counted from 1, 0 for none; and the rules."""
    aligner = GeneAligner(genes, min_coverage=0, **parameters).fit(table_of(names))
    values = aligner.transform(table_of(names))[0]
    return np.nan_to_num(values).tolist(), aligner.matches_["rule"].tolist()


# One rule after the other


@pytest.mark.parametrize(
    ("column", "gene", "rule"),
    [
        ("TP53", "TP53", "exact"),
        (" TP53", "TP53", "spaces"),
        ("TP53", "TP53 ", "spaces"),
        ('"TP53"', "TP53", "spaces"),
        ("\ufeffTP53", "TP53", "spaces"),
        ("7157.0", "7157", "spaces"),
        ("7157", "7157.0", "spaces"),
        (f"{TP53}.17", TP53, "version"),
        (TP53, f"{TP53}.17", "version"),
        (f" {TP53}.17 ", f"{TP53}.3", "version"),
        ("TP53 (7157)", "TP53", "double name"),
        ("TP53|7157", "TP53", "double name"),
        ("TP53|7157", "7157", "double name"),
        ("?|100130426", "100130426", "double name"),
        (f"{TP53}.17|TP53", "TP53", "double name"),
        (f"{TP53}.17|TP53", TP53, "double name"),
        (f"TP53|{TP53}", f"{TP53}.2", "double name"),
        ("TP53 (7157)", "TP53|7157", "double name"),
        ("TP53", "TP53|7157", "double name"),
        ("7157", "TP53|7157", "double name"),
        (f"{TP53}.17", f"TP53|{TP53}", "double name"),
        ("MARCH1|55016", "MARCHF1|55016", "double name"),
        (f"TP53|{TP53}", "TP53|7157", "double name"),
        ("HLA.A", "HLA-A", "R name"),
        ("HLA-A", "HLA.A", "R name"),
        ("X7157", "7157", "R name"),
        ("X7157", "TP53|7157", "R name"),
        ("TP53.7157", "TP53|7157", "R name"),
        ("HLA.A..3105.", "HLA-A", "R name"),
        ("HLA.A", "HLA-A|3105", "R name"),
        ("RP11.34P13.7", "RP11-34P13.7", "R name"),
    ],
)
def test_rules(column, gene, rule):
    assert matched(["A", column], ["B", gene]) == ([0, 2], [rule])
    aligner = GeneAligner([gene]).fit(table_of(["A", column]))
    assert aligner.matches_.tolist() == [(column, gene, rule)]
    assert aligner.matches_.dtype.names == ("column", "gene", "rule")


@pytest.mark.parametrize(
    ("column", "gene"),
    [
        ("tp53", "TP53"),
        ("TP53.1", "TP53"),
        ("TP53_7157", "TP53"),
        ("TP53|MYC", "TP53"),
        ("SLC35E2|9906", "SLC35E2|728661"),
        ("HLA.A..3105.", "HLA-A|9999"),
        ("?|7157", "?|4609"),
        ("?", "?|4609"),
        ("1-Mar", "MARCHF1"),
        ("AC104389-28", "AC104389.2"),
        (f"{PLCXD1}.15_PAR_Y", PLCXD1),
        (f"{PLCXD1}.15_PAR_Y|PLCXD1", "PLCXD1"),
    ],
)
def test_other_genes_stay_other_genes(column, gene):
    assert matched(["A", column], ["A", gene]) == ([1, 0], ["exact"])
    assert matched(["A", gene], ["A", column]) == ([1, 0], ["exact"])


def test_the_symbol_comes_before_the_id():
    assert matched(["TP53|7157"], ["7157", "TP53"])[0] == [0, 1]
    assert matched([f"{TP53}|TP53"], [TP53, "TP53"])[0] == [0, 1]


def test_versions_alone_are_switched_off():
    genes = [TP53, "HLA-A", "MYC"]
    columns = [f"{TP53}.17", "HLA.A", "MYC "]
    expected = ([0, 2, 3], ["R name", "spaces"])
    assert matched(columns, genes, strip_version=False) == expected


def test_exact_names_win():
    for columns in (
        ["HLA.A", "HLA-A"],
        ["HLA-A|3105", "HLA-A"],
        ["HLA.A..3105.", "HLA-A"],
    ):
        assert matched(columns, ["HLA-A"], on_duplicate="sum") == ([2], ["exact"])
    assert matched(["HLA.A"], ["HLA-A", "HLA.A"]) == ([0, 1], ["exact"])
    assert matched(["TP53|7157"], ["TP53", "TP53|7157"]) == ([0, 1], ["exact"])
    # Columns of one id are columns of one gene.
    columns = ["TP53", " TP53", f"{TP53}.1", f"{TP53}.2", TP53]
    assert matched(columns, ["TP53", TP53], on_duplicate="sum")[0] == [3, 12]


def test_a_column_that_may_be_several_genes():
    genes = ["SLC35E2|9906", "TP53", "SLC35E2|728661"]
    message = (
        r"Column 'SLC35E2' of X may be gene 'SLC35E2\|9906' or 'SLC35E2\|728661'\. Say "
        r"which by mapping=\{'SLC35E2': 'SLC35E2\|9906'\}, or drop it by mapping="
    )
    with pytest.raises(ValueError, match=message):
        matched(["TP53", "SLC35E2"], genes)
    chosen = {"SLC35E2": "SLC35E2|728661"}
    assert matched(["TP53", "SLC35E2"], genes, mapping=chosen)[0] == [0, 1, 2]
    dropped = {"SLC35E2": None}
    assert matched(["TP53", "SLC35E2"], genes, mapping=dropped)[0] == [0, 1, 0]
    # One of the genes is there by its own name, and the column is left.
    assert matched(["SLC35E2|9906", "SLC35E2"], genes)[0] == [1, 0, 0]
    with pytest.raises(
        ValueError, match=r"'HLA\.A' of X may be gene 'HLA-A' or 'HLA/A'"
    ):
        matched(["HLA.A"], ["HLA-A", "HLA/A"])
    with pytest.raises(ValueError, match=r"', and 1 more such columns\. Say which"):
        matched(["A", "B"], ["A|1", "A|2", "B|3", "B|4"])


def test_genes_without_a_name_are_no_genes():
    names = ["---", "na", "", "TP53", "?", "---"]
    assert matched(names, ["---", "TP53", "na", "?"]) == ([0, 4, 0, 0], ["exact"])
    assert list(GeneAligner().fit(table_of(names)).genes_) == ["TP53"]
    assert matched(names, ["A"], mapping={"---": "A"})[0] == [3.5]
    assert matched(["A", "B"], ["B", "NA"], mapping={"A": "NA"})[0] == [2, 0]


def test_numbers_of_columns_are_no_ids():
    """X1, X2, ... are the columns of a matrix without names in R."""
    numbered = [f"X{i}" for i in range(1, 30)]
    assert matched([*numbered, "TP53"], ["9", "10", "TP53"])[0] == [0, 0, 30]
    assert matched(["X9", "X7157", "TP53"], ["9", "10", "TP53"])[0] == [1, 0, 3]
    numbers = [str(i) for i in range(1, 30)]
    assert matched([*numbers, "TP53"], ["X9", "X10", "TP53"])[0] == [0, 0, 30]


def test_mapping_of_a_half():
    for column in ("TP53|7157", "X|7157", f"{TP53}.3|TP53", f"{TP53}.3_TP53"):
        mapping = {"7157": "A", TP53: "A"}
        assert matched([column], ["A"], mapping=mapping) == ([1], ["mapping"])
    assert matched(["7157.0 ", "B"], ["B", "A"], mapping={"7157": "A"})[0] == [2, 1]
    assert matched(["B", "TP53|7157"], ["B", "TP53"], mapping={"7157": None})[0] == [
        1,
        0,
    ]


def test_without_genes_the_names_are_clean():
    names = [" TP53", "7157.0", f"{TP53}.3 ", "TP53|7157", "HLA.A", "TP53"]
    aligner = GeneAligner().fit(table_of(names))
    assert list(aligner.genes_) == ["TP53", "7157", TP53, "TP53|7157", "HLA.A"]
    assert_array_equal(aligner.transform(table_of(names)), [[3.5, 2, 3, 4, 5]])
    assert_array_equal(aligner.transform(table_of(["HLA-A", "TP53", TP53])), [
        [2, np.nan, 3, np.nan, 1]
    ])  # fmt: skip


# The copy on the Y chromosome


@pytest.mark.parametrize("tail", ["", "|PLCXD1"])
@pytest.mark.parametrize("how", ["mean", "sum"])
def test_the_copy_on_y(tail, how):
    copy = f"{PLCXD1}.15_PAR_Y{tail}"
    both = [f"{PLCXD1}.15{tail}", copy]
    sum_of = 3 if how == "sum" else 1
    assert matched(both, [PLCXD1], on_duplicate=how)[0] == [sum_of]
    if tail:
        assert matched(both, ["PLCXD1"], on_duplicate=how)[0] == [sum_of]
    # A model that has the copy gets it.
    assert matched(both, [f"{PLCXD1}_PAR_Y", PLCXD1], on_duplicate=how)[0] == [2, 1]
    # The copy alone is not the gene.
    assert matched(["A", copy], ["A", PLCXD1], on_duplicate=how)[0] == [1, 0]
    mapping = {f"{PLCXD1}_PAR_Y": PLCXD1}
    if not tail:
        alone = matched(["A", copy], ["A", PLCXD1], on_duplicate=how, mapping=mapping)
        assert alone == ([1, 2], ["exact", "mapping"])


def test_the_rule_of_a_sum_with_the_copy():
    columns = [f"{PLCXD1}.15_PAR_Y", f"{PLCXD1}.15"]
    rules = matched(columns, [PLCXD1], on_duplicate="sum")[1]
    assert rules == ["PAR_Y", "version"]
    assert matched(columns, None, on_duplicate="sum")[0] == [1, 2]


# Many names at once


NAMES = {
    "symbol": lambda i: SYMBOLS[i],
    "number": lambda i: str(1000 + 7 * i),
    "Ensembl": lambda i: f"ENSG{10_000_000_000 + i}.{i % 20 + 1}",
    "TCGA": lambda i: f"{SYMBOLS[i]}|{1000 + 7 * i}",
    "DepMap": lambda i: f"{SYMBOLS[i]} ({1000 + 7 * i})",
    "both": lambda i: f"{NAMES['Ensembl'](i)}|{SYMBOLS[i]}",
}
HOLDS = {
    "symbol": {"symbol"},
    "number": {"number"},
    "Ensembl": {"Ensembl"},
    "TCGA": {"symbol", "number"},
    "DepMap": {"symbol", "number"},
    "both": {"symbol", "Ensembl"},
}
MARKS = [str, " {} ".format, '"{}"'.format, "\ufeff{}".format]
PLACES = st.lists(
    st.integers(0, len(SYMBOLS) - 1), min_size=1, max_size=60, unique=True
)


@given(
    PLACES, PLACES, *[st.sampled_from(sorted(NAMES))] * 2, *[st.sampled_from(MARKS)] * 2
)
def test_names_that_share_an_id_match_and_no_others(
    of_table, of_model, kind, model_kind, mark, model_mark
):
    columns = [mark(NAMES[kind](i)) for i in of_table]
    genes = [model_mark(NAMES[model_kind](i)) for i in of_model]
    shared = set(of_table) & set(of_model)
    if not shared or not HOLDS[kind] & HOLDS[model_kind]:
        with pytest.raises(ValueError, match="X has 0 of the"):
            matched(columns, genes)
        return
    expected = [of_table.index(i) + 1 if i in shared else 0 for i in of_model]
    assert matched(columns, genes)[0] == expected


@given(PLACES, PLACES, *[st.sampled_from(sorted(NAMES))] * 2, st.booleans())
def test_names_that_r_has_changed_match_their_gene_or_none(
    of_table, of_model, kind, model_kind, in_model
):
    columns = [NAMES[kind](i) for i in of_table]
    genes = [NAMES[model_kind](i) for i in of_model]
    if in_model:
        genes = [r_name(gene) for gene in genes]
    else:
        columns = [r_name(column) for column in columns]
    found = matched([*columns, "other"], [*genes, "other"])[0][:-1]
    own = [of_table.index(i) + 1 if i in of_table else 0 for i in of_model]
    if kind == model_kind:
        assert found == own
    else:
        assert all(column in (0, own[gene]) for gene, column in enumerate(found))


def test_every_symbol_that_r_changes_comes_back():
    changed = {symbol for symbol in known_symbols() if r_name(symbol) != symbol}
    assert len(changed) > 300
    genes = sorted(changed | set(SYMBOLS))
    columns = [r_name(gene) for gene in genes[::-1]]
    assert matched(columns, genes)[0] == list(range(len(genes), 0, -1))


# Genes in rows


def test_genes_in_rows():
    table = load_tcga_genomewide(as_frame=True).data.iloc[:30, :500]
    genes = list(table.columns)
    message = r"X has 500 of the 500 genes as rows, and 0 as columns: it is transposed"
    for aligner in (GeneAligner(genes), GeneAligner(genes, min_coverage=0)):
        with pytest.raises(ValueError, match=message + ". Give X.T"):
            aligner.fit(table.T)
        with pytest.raises(ValueError, match=message):
            aligner.fit(table).transform(table.T)
    by_id = table.set_axis([f" {gene}|1" for gene in genes], axis=1)
    with pytest.raises(ValueError, match=message):
        GeneAligner(genes).fit(by_id.T)
    with pytest.raises(
        ValueError, match="X seems to be transposed: its rows are named"
    ):
        GeneAligner().fit(table.T)
    GeneAligner().fit(table)
    GeneAligner(genes[:2], min_coverage=0).fit(table)


def test_samples_may_have_names_of_genes():
    """As those of a screen, in which genes were switched off one by one."""
    genes = ["TP53", "MYC", "KRAS", "EGFR", "ERBB2", "BRCA1"]
    table = pd.DataFrame(np.eye(6), genes, genes[::-1])
    assert GeneAligner().fit(table).coverage_ == 1
    assert GeneAligner(genes).fit(table).coverage_ == 1
    assert GeneAligner(["EGFR", "A", "B"], min_coverage=0).fit(table[["EGFR"]])
    numbers = table.set_axis(["101", "7", "12", "30", "9", "25"], axis=0)
    assert GeneAligner().fit(numbers.set_axis(list("ghijkl"), axis=1)).coverage_ == 1


def test_tables_without_an_index():
    table = pl.from_pandas(table_of(["TP53 ", "B"]))
    aligner = GeneAligner(["TP53", "A", "C"], min_coverage=0).fit(table)
    assert aligner.matches_.tolist() == [("TP53 ", "TP53", "spaces")]
    assert len(GeneAligner().fit(np.eye(3)).matches_) == 0

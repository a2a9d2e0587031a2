"""GeneAligner: names, duplicates, coverage, and what is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from discovery import tiny
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skgex import SCARF, GeneAligner

TP53, ACTB, MYC = "ENSG00000141510", "ENSG00000075624", "ENSG00000136997"
VALUES = np.random.default_rng(0).normal(size=(30, 6))
TABLE = pd.DataFrame(VALUES, [f"S{i}" for i in range(30)], list("ABCDEF"))


def aligned(table, genes, **parameters):
    """Return the aligned table."""
    aligner = GeneAligner(genes, **parameters).set_output(transform="pandas")
    return aligner.fit_transform(table)


# Columns


@pytest.mark.parametrize("genes", [list("FAC"), list("CXA"), list("FEDCBA"), ["A"]])
def test_columns_are_those_of_pandas_reindex(genes):
    pd.testing.assert_frame_equal(aligned(TABLE, genes), TABLE.reindex(columns=genes))


def test_polars():
    aligner = GeneAligner(list("CXA")).set_output(transform="polars")
    table = TABLE.astype(np.float32)
    output = aligner.fit_transform(pl.from_pandas(table))
    assert output.columns == list("CXA")
    assert_array_equal(output.to_numpy(), table.reindex(columns=list("CXA")))


def test_transform_takes_tables_with_other_columns():
    aligner = GeneAligner(list("ABCD")).fit(TABLE)
    for columns in (list("FDBA"), list("ABCD"), list("CB")):
        other = TABLE[columns].assign(extra=1.0)
        expected = TABLE[columns].reindex(columns=list("ABCD"))
        assert_array_equal(aligner.transform(other), expected)
    assert aligner.coverage_ == 1
    assert_array_equal(aligner.feature_names_in_, TABLE.columns)


def test_columns_that_are_dropped_need_not_be_expression():
    table = TABLE.assign(stage="II", E=np.inf)
    pd.testing.assert_frame_equal(aligned(table, list("AB")), TABLE[["A", "B"]])
    message = "infinity: sample 0, gene 'E'"
    with pytest.raises(ValueError, match=message):
        GeneAligner(list("AEX")).fit(table)
    with pytest.raises(ValueError, match=message):
        GeneAligner(list("AEX")).fit(TABLE).transform(table)


def test_without_genes_those_of_the_table():
    table = TABLE.set_axis([f"{TP53}.1", "B", f"{TP53}.2", "X", "D", "A"], axis=1)
    output = aligned(table, None, mapping={"X": "B", "D": None})
    assert list(output) == [TP53, "B", "A"]
    assert_array_equal(output[TP53], VALUES[:, [0, 2]].mean(axis=1))
    assert_array_equal(output["B"], VALUES[:, [1, 3]].mean(axis=1))
    assert GeneAligner().fit(table).coverage_ == 1


def test_arrays_pass_through():
    for aligner in (GeneAligner(), GeneAligner(list("ABCDEF"))):
        assert aligner.fit_transform(VALUES) is VALUES
    assert_array_equal(aligner.get_feature_names_out(), list("ABCDEF"))
    assert_array_equal(
        aligner.transform(TABLE[list("FDBA")]),
        TABLE[list("FDBA")].reindex(columns=list("ABCDEF")),
    )
    numbered = pd.DataFrame(VALUES)
    assert_array_equal(GeneAligner(list("ABCDEF")).fit_transform(numbered), VALUES)
    message = r"array of 6 columns without names, and there are 2 genes\. Give a table"
    with pytest.raises(ValueError, match=message):
        GeneAligner(["A", "B"]).fit(VALUES)


def test_arrays_after_a_table_have_its_columns():
    aligner = GeneAligner(list("CXA")).fit(TABLE)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        output = aligner.transform(VALUES)
    assert_array_equal(output, TABLE.reindex(columns=list("CXA")))
    for genes in (list("ABC"), [*"ABCDEF", "X"]):
        aligner = GeneAligner(genes).fit(TABLE)
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            output = aligner.transform(VALUES)
        assert_array_equal(output, TABLE.reindex(columns=genes))


# Ids


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        (f"{TP53}.17", TP53),
        (TP53, TP53),
        ("ENSMUSG00000059552.8", "ENSMUSG00000059552"),
        ("ENST00000269305.9", "ENST00000269305"),
        (f"{TP53}.17_2", TP53),
        ("ENSG00000182378.15_PAR_Y", "ENSG00000182378_PAR_Y"),
        ("RP11-34P13.7", "RP11-34P13.7"),
        ("AC000123.4", "AC000123.4"),
        ("ENSEMBL.1", "ENSEMBL.1"),
        ("HLA-A", "HLA-A"),
        ("7157.1", "7157.1"),
    ],
)
def test_versions(name, id_):
    table = pd.DataFrame({name: [1.0, 2.0]})
    assert list(aligned(table, None)) == [id_]
    assert list(aligned(table, None, strip_version=False)) == [name]


def test_versions_differ_and_the_names_asked_for_come_out():
    table = TABLE.iloc[:, :3].set_axis([f"{TP53}.17", f"{MYC}.9", ACTB], axis=1)
    genes = [ACTB + ".1", TP53 + ".18"]
    output = aligned(table, genes)
    assert list(output) == genes
    assert_array_equal(output, VALUES[:, [2, 0]])
    with pytest.raises(ValueError, match=r"X has 0 of the 2 genes"):
        aligned(table, genes, strip_version=False)


def test_the_copy_on_the_y_chromosome_is_not_merged():
    gene = "ENSG00000182378"
    table = TABLE.iloc[:, :2].set_axis([f"{gene}.15", f"{gene}.15_PAR_Y"], axis=1)
    assert_array_equal(aligned(table, [gene])[gene], VALUES[:, 0])
    assert_array_equal(aligned(table, [gene + "_PAR_Y", gene]), VALUES[:, [1, 0]])


@pytest.mark.parametrize("kind", [dict, pd.Series])
def test_mapping(kind):
    names = [f"{TP53}.17", f"{ACTB}.16", MYC, "KRAS", "old", "junk"]
    table = TABLE.set_axis(names, axis=1)
    mapping = {TP53: "TP53", f"{ACTB}.2": "ACTB", MYC: None, "junk": np.nan}
    mapping |= {"old": "KRAS"}
    output = aligned(table, ["ACTB", "KRAS", "TP53", "junk"], mapping=kind(mapping))
    assert_array_equal(output["ACTB"], VALUES[:, 1])
    assert_array_equal(output["KRAS"], VALUES[:, 3:5].mean(axis=1))
    assert_array_equal(output["TP53"], VALUES[:, 0])
    assert output["junk"].isna().all()


def test_the_exact_id_has_precedence_in_a_mapping():
    table = TABLE.iloc[:, :2].set_axis([f"{TP53}.1", f"{TP53}.2"], axis=1)
    mapping = {f"{TP53}.1": "old", TP53: "TP53"}
    assert list(aligned(table, None, mapping=mapping)) == ["old", "TP53"]


def test_missing_targets_of_pandas():
    mapping = pd.Series(["A", pd.NA], ["x", "y"], dtype="string")
    table = TABLE.iloc[:, :2].set_axis(["x", "y"], axis=1)
    assert list(aligned(table, None, mapping=mapping)) == ["A"]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"A": 7157}, "mapping has 7157 as the target of 'A'; ids are strings"),
        ({7157: "A"}, "mapping has 'A' as the target of 7157; ids are strings"),
        (pd.Series(["x", "y"], ["A", "A"]), "several targets for 'A': 'x' and 'y'"),
        ({f"{TP53}.1": "x", f"{TP53}.2": "y"}, "'ENSG00000141510' without its version"),
        (["A"], "The 'mapping' parameter"),
    ],
)
def test_bad_mapping(mapping, message):
    with pytest.raises(ValueError, match=message):
        GeneAligner(["A"], mapping=mapping).fit(TABLE)


# Duplicates


REDUCERS = {
    "mean": lambda x: x.mean() if len(x) else np.nan,
    "sum": lambda x: x.sum() if len(x) else np.nan,
    "max": lambda x: x.max() if len(x) else np.nan,
}


@given(
    st.lists(st.sampled_from("ABCX"), min_size=1, max_size=12),
    st.sampled_from(sorted(REDUCERS)),
    st.integers(0, 100),
)
def test_duplicates_by_a_loop(columns, how, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(4, len(columns)))
    values[rng.random(values.shape) < 0.6] = np.nan
    columns[0] = "A"
    table = pd.DataFrame(values, columns=columns)
    aligner = GeneAligner(list("CAB"), on_duplicate=how, min_coverage=0)
    output = aligner.fit_transform(table)
    for place, gene in enumerate("CAB"):
        of_gene = values[:, [c == gene for c in columns]]
        for row in range(4):
            measured = of_gene[row][~np.isnan(of_gene[row])]
            expected = REDUCERS[how](measured)
            np.testing.assert_allclose(output[row, place], expected, rtol=1e-12)
    assert aligner.coverage_ == len(set(columns) & set("ABC")) / 3


def test_the_first_of_the_columns():
    table = TABLE.set_axis(list("BABCCA"), axis=1)
    table.iloc[3, 1] = np.nan
    output = aligned(table, list("ABC"), on_duplicate="first")
    assert_array_equal(output, table.iloc[:, [1, 0, 3]])


def test_duplicates_may_be_an_error():
    table = TABLE.set_axis(["A", "B", f"{TP53}.1", "C", f"{TP53}.2", "D"], axis=1)
    message = rf"2 columns of gene '{TP53}': '{TP53}\.1', '{TP53}\.2'\. Drop all but"
    with pytest.raises(ValueError, match=message):
        aligned(table, ["A", TP53], on_duplicate="error")
    assert_array_equal(aligned(table, ["A", "B"], on_duplicate="error"), VALUES[:, :2])


def test_single_precision_is_merged_in_double():
    table = pd.DataFrame(np.full((2, 3), 2.0**24, np.float32), columns=list("AAA"))
    table.iloc[:, 1:] = np.float32(1)
    output = aligned(table, ["A"], on_duplicate="sum")
    assert output.dtypes["A"] == np.float32
    assert_array_equal(output["A"], 2.0**24 + 2)


# Genes of an embedder, coverage


def test_genes_of_a_fitted_embedder():
    genes = list("FAXC")
    embedder = tiny(SCARF, max_epochs=1).fit(pd.DataFrame(VALUES[:, :4], columns=genes))
    expected = TABLE.reindex(columns=genes)
    for source in (embedder, FrozenEstimator(embedder), pd.Index(genes)):
        assert_array_equal(GeneAligner(source).fit_transform(TABLE), expected)
    frozen = FrozenEstimator(embedder)
    model = make_pipeline(GeneAligner(frozen), frozen, LogisticRegression())
    model.set_output(transform="pandas")
    y = np.arange(30) % 2
    scores = cross_val_score(model, TABLE, y, cv=3, error_score="raise")
    assert np.isfinite(scores).all()
    assert GeneAligner(frozen).fit(TABLE).coverage_ == 0.75


def test_other_estimators_have_genes_too():
    names = TABLE.columns[:3]
    pca = PCA(2).fit(TABLE[names])
    assert_array_equal(GeneAligner(pca).fit(TABLE).genes_, names)


def test_embedders_without_genes():
    embedder = tiny(SCARF, max_epochs=1)
    message = r"genes=SCARF\(.*is not fitted.*FrozenEstimator\(embedder\)"
    with pytest.raises(NotFittedError, match="(?s)" + message):
        GeneAligner(embedder).fit(TABLE)
    embedder.fit(VALUES)
    for source in (embedder, FrozenEstimator(embedder)):
        with pytest.raises(ValueError, match=r"(?s)fitted on an array, without names"):
            GeneAligner(source).fit(TABLE)
    named = tiny(SCARF, max_epochs=1).fit(TABLE)
    with pytest.raises(NotFittedError, match="is not fitted"):
        clone(GeneAligner(named)).fit(TABLE)
    clone(GeneAligner(FrozenEstimator(named))).fit(TABLE)


def test_too_few_genes():
    message = (
        r"X has 1 of the 5 genes, and min_coverage=0\.5 asks for 3\. Among its 6 "
        "columns are 'B', 'C', 'D', among the genes it lacks 'V', 'W', 'X'"
    )
    with pytest.raises(ValueError, match=message):
        GeneAligner(list("VWAXY")).fit(TABLE)
    aligner = GeneAligner(list("ABCD"), min_coverage=0.75).fit(TABLE)
    aligner.transform(TABLE[list("DCB")])
    with pytest.raises(ValueError, match=r"X has 2 of the 4 genes.* asks for 3"):
        aligner.transform(TABLE[list("CBEF")])


def test_shares_are_those_of_decimal_numbers():
    genes = [*"ABC", *(f"X{i}" for i in range(27))]
    assert GeneAligner(genes, min_coverage=0.1).fit(TABLE).coverage_ == 0.1


def test_one_gene_is_needed_in_any_case():
    with pytest.raises(ValueError, match=r"X has 0 of the 2 genes.*asks for 1"):
        GeneAligner(["X", "Y"], min_coverage=0).fit(TABLE)
    assert GeneAligner(["X", "A"], min_coverage=0).fit(TABLE).coverage_ == 0.5


@pytest.mark.parametrize(
    ("genes", "message"),
    [
        (["A", "B", "A"], "genes has 'A' more than once"),
        ([f"{TP53}.1", f"{TP53}.2"], r"which are one gene without their versions"),
        (["A", 7157], "list of strings, .*; it is one with 7157 of length 2"),
        ([], "not empty; it is list of length 0"),
        ({"A", "B"}, "in order, .*; it is set of length 2"),
        (np.array([["A"], ["B"]]), "list of strings"),
        ("A", "The 'genes' parameter"),
    ],
)
def test_bad_genes(genes, message):
    with pytest.raises(ValueError, match=message):
        GeneAligner(genes).fit(TABLE)


def test_labels_that_are_no_strings():
    message = r"column label 7157, which is not a string.*astype\(str\)"
    for labels in ([7157, 60, 4609, 1, 2, 3], ["A", 7157, "B", "C", "D", "E"]):
        with pytest.raises(ValueError, match=message):
            GeneAligner().fit(TABLE.set_axis(labels, axis=1))


@pytest.mark.parametrize(
    "parameters",
    [{"on_duplicate": "median"}, {"min_coverage": 2}, {"strip_version": "yes"}],
)
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=f"The {next(iter(parameters))!r} parameter"):
        GeneAligner(**parameters).fit(TABLE)

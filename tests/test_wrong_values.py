"""Values that are no numbers: the gene and the row are named, whatever they come in."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from discovery import ESTIMATORS, class_name, make_target, tiny

import skgex
from skgex.datasets import make_cohort
from skgex.evaluation import ampute
from skgex.io import (
    check_expression,
    open_memmap,
    read_expression,
    to_memmap,
    write_expression,
)

COHORT = make_cohort(n_samples=40, n_genes=12, random_state=0)
X = np.abs(COHORT.data)
TABLE = pd.DataFrame(X, columns=[f"G{i}" for i in range(12)])
OBJECTS = TABLE.astype(object)
EVERY = pytest.mark.parametrize("Estimator", ESTIMATORS, ids=class_name)


def fit(Estimator, X):
    y = make_target(Estimator, COHORT.target, COHORT.factors[:, 0])
    parameters = {"max_epochs": 1} if hasattr(Estimator(), "max_epochs") else {}
    return tiny(Estimator, **parameters).fit(X, y)


def with_cell(value):
    cells = OBJECTS.to_numpy(copy=True)
    cells[3, 4] = value
    return pd.DataFrame(cells, columns=TABLE.columns)


WRONG = {
    "text": (with_cell("low"), r"'low' in gene 'G4', row 3.*no number"),
    "a thousands sign": (with_cell("1,234"), r"'1,234' in gene 'G4', row 3"),
    "a dict": (with_cell({"a": 1}), r"\{'a': 1\} in gene 'G4', row 3"),
    "no time": (with_cell(pd.NaT), r"NaT in gene 'G4', row 3"),
    "too large": (with_cell(10**400), r"1000.* in gene 'G4', row 3"),
    "in an array": (with_cell("low").to_numpy(), r"'low' in column 4, row 3"),
    "a column of text": (TABLE.assign(G4="low"), r"'low' in gene 'G4', row 0"),
    "categories": (
        TABLE.assign(G4=pd.Categorical(["a", "b"] * 20)),
        r"'a' in gene 'G4', row 0",
    ),
    "periods": (TABLE.assign(G4=pd.Period("2020")), r"2020.* in gene 'G4', row 0"),
    "polars": (pl.from_pandas(TABLE.assign(G4="low")), r"'low' in gene 'G4', row 0"),
    "dates": (TABLE.assign(G4=pd.Timestamp("2020")), r"'G4' of type datetime64"),
    "durations": (TABLE.assign(G4=pd.Timedelta("1D")), r"'G4' of type timedelta64"),
    "dates of polars": (
        pl.from_pandas(TABLE).with_columns(
            G4=pl.lit("2020-01-01").str.to_date("%Y-%m-%d")
        ),
        r"'G4' of type Date",
    ),
    "an array of dates": (X.astype("i8").astype("M8[D]"), r"type datetime64\[D\]"),
    "complex": (TABLE.astype({"G4": complex}), r"'G4' of type complex128"),
    "complex tensor": (torch.tensor(X).to(torch.complex64), r"pass X\.real"),
    "dicts": (TABLE.to_dict("records"), r"Pass pandas\.DataFrame\(X\)"),
    "rows that are made one by one": (map(list, X), r"type map.*list of values"),
    "a set": ({1.0, 2.0}, r"type set.*list of values"),
    "batches": (torch.utils.data.DataLoader(torch.tensor(X)), r"Pass a tensor"),
}


@EVERY
@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_number_is_named(Estimator, name):
    given, message = WRONG[name]
    with pytest.raises((ValueError, TypeError), match=message):
        fit(Estimator, given)


def test_columns_that_are_not_taken_may_hold_anything():
    dated = TABLE.assign(date=pd.Timestamp("2020"), grade="high")
    aligned = skgex.GeneAligner(genes=["G0", "G3"]).fit_transform(dated)
    np.testing.assert_array_equal(aligned, X[:, [0, 3]])
    assert "date" in str(check_expression(dated))


@pytest.mark.parametrize("name", ["text", "in an array", "dates", "complex"])
def test_the_evaluation_names_it_too(name):
    given, message = WRONG[name]
    with pytest.raises((ValueError, TypeError), match=message):
        ampute(given, 0.2, random_state=0)


def test_the_evaluation_names_a_gene_that_is_there_twice():
    with pytest.raises(ValueError, match="2 columns of the gene 'G0'"):
        ampute(TABLE.set_axis(["G0", *TABLE.columns[:11]], axis=1), 0.2)


@pytest.mark.parametrize("name", ["in an array", "an array of dates"])
def test_the_report_names_it_too(name):
    given, message = WRONG[name]
    with pytest.raises((ValueError, TypeError), match=message):
        check_expression(given)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_infinite_values_are_in_no_memory_map(value, tmp_path):
    table = TABLE.astype(float)
    table.iloc[3, 4] = value
    message = r"source: the value of gene 'G4' in sample '3' is infinite, or too large"
    with pytest.raises(ValueError, match=message):
        to_memmap(table, tmp_path / "x.npy")
    assert not (tmp_path / "x.npy").exists()


@pytest.mark.parametrize("source", [{"G0": [1.0]}, torch.tensor(X), 5, None])
def test_what_is_no_source_is_refused(source, tmp_path):
    with pytest.raises(ValueError, match=r"source is of type \w+: a path, a DataFrame"):
        to_memmap(source, tmp_path / "x.npy")


def test_a_table_of_polars_is_a_source(tmp_path):
    to_memmap(pl.from_pandas(TABLE), tmp_path / "x.npy")
    np.testing.assert_array_equal(open_memmap(tmp_path / "x.npy"), X)


def test_truth_beside_numbers_is_written_as_numbers(tmp_path):
    table = TABLE.assign(G4=TABLE["G4"] > 1)
    table.index = [f"S{i}" for i in table.index]
    write_expression(table, tmp_path / "x.tsv")
    read = read_expression(tmp_path / "x.tsv", orient="genes_in_rows")
    np.testing.assert_array_equal(read, table.astype(np.float32))


TUNED = [skgex.FineTunedClassifier, skgex.FineTunedRegressor]
Y = COHORT.target.astype(float)


@pytest.mark.parametrize("Tuned", TUNED, ids=class_name)
@pytest.mark.parametrize(
    ("name", "message"),
    [("y", "1 samples, sample 7 the first"), ("sample_weight", "has masked values")],
)
def test_a_mask_of_targets_and_weights_is_not_passed_over(Tuned, name, message):
    masked = {name: np.ma.masked_array(np.ones(40), np.arange(40) == 7)}
    with pytest.raises(ValueError, match=message):
        tiny(Tuned).fit(X, **{"y": Y, **masked})
    plain = np.ma.masked_array(Y, np.zeros(40, bool))
    assert len(tiny(Tuned).fit(X, plain).predict(X)) == 40


def test_targets_that_are_no_numbers():
    dates = pd.Series(pd.date_range("2020", periods=40))
    for given in (dates, dates.to_numpy(), dates - dates[0]):
        with pytest.raises(ValueError, match="y has dates or times"):
            tiny(skgex.FineTunedRegressor).fit(X, given)
    labels = pd.Series(["high", "low"] * 20)
    for given in (labels, labels.astype("category"), list(labels)):
        with pytest.raises(ValueError, match=r"'high'.*use FineTunedClassifier"):
            tiny(skgex.FineTunedRegressor).fit(X, given)

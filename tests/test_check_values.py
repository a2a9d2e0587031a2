"""check_expression: units, odd values, missing values and odd samples."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_tables import codes, counts, cut, log_tpm, table, tpm

from skgex.io import check_expression, open_memmap, read_expression, to_memmap
from skgex.io._check import _table

rng = np.random.default_rng(0)


def z_scores():
    X = log_tpm()
    return (X - X.mean()) / X.std()


def quantile_normalized():
    X = log_tpm()
    typical = np.sort(X.to_numpy(), axis=1).mean(axis=0)
    # Zeros in random order, or it would depend on the processor's way of sorting.
    noise = 1e-9 * np.random.default_rng(0).random(X.shape)
    return table(typical[(X.to_numpy() + noise).argsort(axis=1).argsort(axis=1)])


def beta_values():
    values = np.where(rng.random((20, 400)) < 0.5, 0.08, 0.9)
    return table(np.clip(values + rng.normal(0, 0.04, values.shape), 0, 1))


UNITS = {
    "counts": (counts(), "counts"),
    "estimated counts": (counts() + (rng.random((40, 1000)) < 0.4) * 0.37, "counts"),
    "TPM": (tpm(), "TPM or CPM"),
    "TPM of some genes": (cut(tpm(), 300), "TPM or CPM"),
    "rounded TPM": (tpm(n_genes=3000).round(), "TPM or CPM"),
    "CPM": (counts().pipe(lambda X: X.div(X.sum(axis=1), axis=0) * 1e6), "TPM or CPM"),
    "log2(TPM + 1)": (log_tpm(), "logarithms"),
    "log2(TPM + .001)": (np.log2(tpm() + 0.001), "logarithms"),
    "ln(TPM + 1)": (np.log1p(tpm()), "logarithms"),
    "log10(TPM + 1)": (np.log10(tpm() + 1), "logarithms"),
    "log10 of some genes": (cut(np.log10(tpm() + 1), 200), "logarithms"),
    "log ratios": (log_tpm() - log_tpm().median(), "logarithms"),
    "z-scores": (z_scores(), "z-scores"),
    "z-scores of samples": (log_tpm().pipe(
        lambda X: X.sub(X.mean(axis=1), axis=0).div(X.std(axis=1), axis=0)
    ), "z-scores"),
    "ranks with ties": (counts().rank(axis=1), "unknown"),
    "ranks": (counts().add(rng.random((40, 1000)) / 2).rank(axis=1), "unknown"),
    "array intensities": (2.0 ** table(rng.normal(8, 1.5, (20, 300))), "unknown"),
    "beta values": (beta_values(), "unknown"),
    "all the same": (table(np.full((20, 60), 5.0)), "unknown"),
    "nothing": (table(np.full((20, 60), np.nan)), "unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_is_found(name):
    X, unit = UNITS[name]
    report = check_expression(X)
    assert report.unit == unit
    assert report.detail


@pytest.mark.parametrize(
    "name", [n for n in UNITS if n not in ("all the same", "nothing")]
)
def test_no_unit_is_a_cause_for_alarm(name):
    found = codes(check_expression(UNITS[name][0]), "error", "warning")
    assert found == ({"beta_values"} if name == "beta values" else set())


@pytest.mark.parametrize(
    ("X", "form"),
    [
        (log_tpm(), "log2(TPM or CPM + 1)"),
        (np.log2(tpm() + 0.001), "log2(TPM or CPM + 0.001)"),
        (np.log1p(tpm()), "ln(TPM or CPM + 1)"),
        (np.log10(tpm() + 1), "log10(TPM or CPM + 1)"),
        (np.log10(counts() + 1), "log10(counts + 1)"),
    ],
)
def test_base_and_offset_are_found_where_sums_or_whole_numbers_give_them_away(X, form):
    assert form in check_expression(X).detail


def test_a_table_that_is_one_distribution_is_noted():
    assert codes(check_expression(quantile_normalized())) == {"same_distribution"}
    assert "same_distribution" not in check_expression(log_tpm())
    ranks, _ = UNITS["ranks"]
    assert "same_distribution" in check_expression(ranks)


FIRST = {"log2": np.log2, "ln": np.log, "log10": np.log10}


@pytest.mark.parametrize("second", ["log2", "ln"])
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("linear", [counts(), tpm(), cut(tpm(n_genes=4000), 400)])
def test_a_second_logarithm_is_found_and_the_first_is_not_taken_for_one(
    linear, first, second
):
    once = FIRST[first](linear + 1)
    assert "logged_twice" not in check_expression(once)
    if len(linear.columns) == 400 and first != "log2":
        return  # nothing gives it away
    twice = check_expression(FIRST[second](once + 1))
    assert twice["logged_twice"].severity == "error"


@pytest.mark.parametrize(
    "values", [rng.normal(0, 1, (30, 200)), rng.random((30, 200)) * 4]
)
def test_small_values_alone_are_no_second_logarithm(values):
    assert "logged_twice" not in check_expression(values)


def test_logarithms_of_counts_of_several_depths_are_not_scaled():
    assert "unscaled_logarithms" in check_expression(np.log2(counts() + 1))
    assert "unscaled_logarithms" not in check_expression(log_tpm())


def test_samples_in_another_unit_are_named():
    linear, logs = tpm(), log_tpm()
    some = linear.copy()
    some.iloc[:3] = logs.iloc[:3]
    report = check_expression(some)
    assert report["mixed_units"].where == tuple(some.index[:3])
    assert report.unit == "TPM or CPM"
    few = logs.copy()
    few.iloc[5] = linear.iloc[5]
    report = check_expression(few)
    assert report["mixed_units"].where == (few.index[5],)
    assert report.unit == "logarithms"


def test_samples_with_hardly_any_counts_are_not_in_another_unit():
    X = counts() + 0.0
    X.iloc[4] = (X.iloc[4] / 5000).round()
    assert "mixed_units" not in check_expression(X)


@pytest.mark.parametrize("base", [2, np.e])
def test_samples_with_logarithms_to_another_base_are_named(base):
    X = cut(log_tpm(n_genes=3000), 600) * np.log(2) / np.log(base)
    assert "odd_scale" not in check_expression(X)
    X.iloc[7] *= np.log(base) / np.log(10)
    assert check_expression(X)["odd_scale"].where == (X.index[7],)


def test_one_large_column_does_not_hide_logarithms():
    X = log_tpm()
    X["gene size in bp"] = 1000.0 + np.arange(len(X))
    report = check_expression(X)
    assert report["odd_columns"].where == ("gene size in bp",)
    assert report.unit == "logarithms"


def test_counts_below_zero_are_an_error_at_the_place_of_the_first():
    X = counts()
    X.iloc[2, 5] = X.iloc[7, 9] = -999
    found = check_expression(X)["negative_counts"]
    assert found.n == 2
    assert X.index[2] in found.what
    assert found.where == (X.columns[5],)


def test_infinite_values_are_counted_and_do_not_spoil_the_rest():
    X = log_tpm()
    X.iloc[1, 3], X.iloc[4, 6] = np.inf, -np.inf
    report = check_expression(X)
    assert report["infinite"].n == 2
    assert repr(X.columns[3]) in report["infinite"].what
    assert codes(report, "error") == {"infinite"}
    assert report.unit == "logarithms"


def test_constant_empty_and_unexpressed_genes_are_told_apart():
    X = log_tpm()
    X.iloc[:, 0], X.iloc[:, 1], X.iloc[:, 2] = 3.5, np.nan, 0
    report = check_expression(X)
    assert report["constant_genes"].where == (X.columns[0],)
    assert report["empty_genes"].where == (X.columns[1],)
    assert report["zero_genes"].where == (X.columns[2],)
    floored = np.log2(2**X - 1 + 0.001)
    assert check_expression(floored)["zero_genes"].where == (X.columns[2],)


def test_blocks_of_missing_values_are_told_from_holes_at_random():
    X = log_tpm(n_samples=60)
    holes = X.mask(rng.random(X.shape) < 0.1)
    report = check_expression(holes)
    assert codes(report, "error", "warning") == set()
    assert "10 %" in report["missing_values"].what
    holes.iloc[:20, 100:300] = np.nan
    holes.iloc[20:30, 300:400] = np.nan
    found = check_expression(holes)["missing_blocks"]
    assert found.n == 2
    assert "20 samples lack 200 genes, 10 samples lack 100 genes" in found.what
    assert set(found.where) == set(X.columns[100:300])


def test_zeros_in_the_place_of_missing_values_are_found():
    X = log_tpm(n_samples=60)
    high = X.columns[X.min() > 9][:40]
    assert len(high) == 40
    assert "zeros_for_missing" not in check_expression(X)
    X.iloc[:25, X.columns.get_indexer(high)] = 0
    found = check_expression(X)["zeros_for_missing"]
    assert set(found.where) == set(high)
    assert "25 samples" in found.what


def test_samples_of_the_same_values_are_found_in_groups():
    X = log_tpm()
    X.iloc[9] = X.iloc[2]
    X.iloc[[20, 30]] = X.iloc[[10, 10]]
    found = check_expression(X)["equal_samples"]
    assert found.where == tuple(X.index[[2, 9, 10, 20, 30]])
    assert "2 groups" in found.what
    assert "nearly_equal_samples" not in check_expression(X)


def test_repeated_measurements_are_found():
    X = log_tpm()
    X.iloc[9] = np.maximum(X.iloc[2] + rng.normal(0, 0.05, X.shape[1]), 0)
    found = check_expression(X)["nearly_equal_samples"]
    assert set(found.where) == set(X.index[[2, 9]])
    assert found.severity == "warning"
    assert "equal_samples" not in check_expression(X)


def test_planned_replicates_are_only_noted():
    X = log_tpm(n_samples=12)
    again = (
        (X + rng.normal(0, 0.05, X.shape)).clip(0).set_axis([f"{s}b" for s in X.index])
    )
    assert (
        check_expression(pd.concat([X, again]))["nearly_equal_samples"].severity
        == "note"
    )


def test_a_sample_whose_genes_are_in_another_order_is_like_no_other():
    X = log_tpm()
    X.iloc[6] = rng.permutation(X.iloc[6])
    assert check_expression(X)["odd_profiles"].where == (X.index[6],)


def test_samples_that_failed_are_named():
    X = counts(n_samples=40)
    X.iloc[1] = 0
    X.iloc[2] = np.nan
    X.iloc[3, : int(0.7 * X.shape[1])] = np.nan
    X.iloc[4] = rng.poisson(X.iloc[4] / 3000)
    report = check_expression(X)
    assert report["zero_samples"].where == (X.index[1],)
    assert report["empty_samples"].where == (X.index[2],)
    assert report["odd_missing"].where == (X.index[3],)
    assert report["odd_totals"].where == (X.index[4],)
    assert report["odd_zeros"].where == (X.index[4],)


def test_a_memory_map_of_many_blocks_gives_the_same_report(tmp_path, monkeypatch):
    X = log_tpm(n_samples=60)
    X.iloc[50] = X.iloc[3]
    X.iloc[7, 5] = np.nan
    mapped = to_memmap(X, tmp_path / "x.npy")
    whole = check_expression(X.astype(np.float32))
    monkeypatch.setattr("skgex.io._check._table._BLOCK_BYTES", 7 * 4000)
    report = check_expression(open_memmap(tmp_path / "x.npy"))
    assert report == whole
    assert codes(report) == {"equal_samples", "missing_values"}
    assert len(mapped) == 60


def test_nothing_is_changed():
    X = log_tpm().astype(np.float32)
    X.iloc[0, 0] = np.inf
    before = X.copy()
    check_expression(X)
    pd.testing.assert_frame_equal(X, before)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_samples=st.integers(1, 30),
    n_genes=st.integers(1, 120),
    form=st.sampled_from(["counts", "logs", "signed"]),
    hole=st.sampled_from([0, 0.2, 0.9, 1]),
    odd=st.sampled_from([None, np.inf, -1e30, 1e30]),
)
def test_any_numbers_are_reported_without_a_warning(
    seed, n_samples, n_genes, form, hole, odd
):
    draw = np.random.default_rng(seed)
    X = draw.normal(0, 3, (n_samples, n_genes))
    if form == "counts":
        X = draw.poisson(np.exp(X)).astype(float)
    elif form == "logs":
        X = np.maximum(X + 5, 0)
    X[draw.random(X.shape) < hole] = np.nan
    if odd is not None:
        X[0, 0] = odd
    report = check_expression(X)
    assert str(report)
    assert ("infinite" in report) == (odd == np.inf)
    n_missing = int(np.isnan(X).any(axis=0).sum())
    missing = report["missing_values"].n if "missing_values" in report else 0
    assert missing == n_missing


# Numbers that stand for missing values


@pytest.mark.parametrize("mark", [-99, -999, -9999.0, -99999])
@pytest.mark.parametrize("X", [counts(), log_tpm(), z_scores()], ids=["n", "log", "z"])
def test_a_mark_of_missing_values(X, mark):
    X = X.astype(float).copy()
    assert "marked_missing" not in check_expression(X)
    X.iloc[7, 5] = X.iloc[9, 5] = X.iloc[9, 8] = mark
    found = check_expression(X)["marked_missing"]
    assert (found.severity, found.n, found.where) == ("error", 3, (str(X.columns[5]),))
    assert f"3 values are {mark:g}, far below all others" in found.what
    assert repr(str(X.index[7])) in found.what
    assert "marked_missing" not in check_expression(X.mask(X == mark))


def test_marks_in_a_memory_map_of_several_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(_table, "_BLOCK_BYTES", 4 * 1000 * 7)
    X = to_memmap(log_tpm(), tmp_path / "plain")
    assert "marked_missing" not in check_expression(X)
    marked = log_tpm()
    marked.iloc[20, 3] = marked.iloc[38, 3] = -999
    X = to_memmap(marked, tmp_path / "marked")
    found = check_expression(X)["marked_missing"]
    assert found.n == 2
    assert repr(str(X.index[20])) in found.what


def test_values_as_low_as_others_are_no_mark():
    low = np.random.default_rng(0).normal(-600, 50, (40, 60))
    low[3, 4] = -999
    assert low.min() == -999
    for values in (low, np.full((20, 60), -999.0)):
        assert "marked_missing" not in check_expression(table(values))


def test_readers_warn_of_a_mark(tmp_path):
    text = "gene\tS1\tS2\nTP53\t5.25\t-999\nMYC\t3\t7.5\nEGFR\t2\t4\n"
    (tmp_path / "x.tsv").write_text(text)
    message = r"x\.tsv: 1 value is -999.* 'TP53' in sample 'S2'.*X\.mask\(X == -999\)"
    with pytest.warns(UserWarning, match=message):
        read_expression(tmp_path / "x.tsv")
    (tmp_path / "x.tsv").write_text(text.replace("-999", "-9.99"))
    assert read_expression(tmp_path / "x.tsv").loc["S2", "TP53"] == np.float32(-9.99)

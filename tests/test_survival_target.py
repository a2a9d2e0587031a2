"""Survival targets: what is accepted, and what is refused with a remedy."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given
from numpy.testing import assert_array_equal
from sklearn.exceptions import DataConversionWarning
from sksurv.util import Surv

from skgex._follow_up import as_surv, check_survival
from skgex.datasets import load_breast_nki

EVENT = np.array([True, False, True, False])
TIME = np.array([3.0, 2.5, 1.0, 7.0])
TABLE = pd.DataFrame({"dead": EVENT, "days": TIME})


def fields(first, second, names=("event", "time")):
    """Return a structured array of two columns with their own dtypes."""
    columns = [np.asarray(first), np.asarray(second)]
    dtype = [(name, c.dtype) for name, c in zip(names, columns, strict=True)]
    return np.rec.fromarrays(columns, dtype=dtype)


def refuses(y, message, **options):
    with pytest.raises(ValueError, match=message):
        check_survival(y, **options)


# What is accepted


@pytest.mark.parametrize(
    "y",
    [
        Surv.from_arrays(EVENT, TIME),
        Surv.from_arrays(EVENT, TIME, name_event="dead", name_time="days"),
        as_surv(EVENT, TIME),
        fields(EVENT, TIME.astype(np.float32), names=("a", "b")),
        fields(EVENT.astype(int), TIME),
        fields(EVENT.astype(float), TIME),
        TABLE.to_records(index=False),
        TABLE,
        TABLE[["days", "dead"]],
        TABLE.set_index(pd.Index(list("abcd"))),
        TABLE.convert_dtypes(),
        pl.from_pandas(TABLE),
    ],
    ids=[
        "Surv",
        "names",
        "as_surv",
        "single",
        "integers",
        "floats",
        "records",
        "table",
        "order",
        "index",
        "nullable",
        "polars",
    ],
)
def test_events_and_times(y):
    event, time = check_survival(y)
    assert event.dtype == bool
    assert time.dtype == np.float64
    assert_array_equal(event, EVENT)
    assert_array_equal(time, TIME)


@pytest.mark.parametrize(
    "convert",
    [
        list,
        np.float32,
        pd.Series,
        pl.Series,
        torch.tensor,
        lambda y: np.array(y, dtype=object),
    ],
)
def test_plain_times_are_events(convert):
    event, time = check_survival(convert(TIME))
    assert event.all()
    assert event.dtype == bool
    assert time.dtype == np.float64
    assert_array_equal(time, TIME)


def test_whole_numbers_of_days():
    event, time = check_survival(fields(EVENT, TIME.astype(int)))
    assert_array_equal(event, EVENT)
    assert_array_equal(time, TIME.astype(int))


def test_targets_of_the_shipped_data():
    for as_frame in (False, True):
        _, y = load_breast_nki(return_X_y=True, as_frame=as_frame)
        refuses(y, "contain NaN: 4 of 150")
        event, time = check_survival(y[np.isfinite(y["time"])])
        assert len(time) == 146
        assert event.sum() == 53


def test_column_is_read_with_a_warning():
    for column in (TIME[:, None], TABLE[["days"]], as_surv(EVENT, TIME)[:, None]):
        with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
            assert_array_equal(check_survival(column)[1], TIME)


def test_result_is_what_scikit_survival_takes():
    y = as_surv(list(EVENT), list(TIME))
    expected = Surv.from_arrays(EVENT, TIME)
    assert y.dtype == expected.dtype
    assert_array_equal(y, expected)


@given(st.lists(st.tuples(st.booleans(), st.floats(1e-9, 1e9)), min_size=1))
def test_property_there_and_back(pairs):
    y = np.array(pairs, dtype=[("event", bool), ("time", float)])
    back = as_surv(*check_survival(y, allow_all_censored=True))
    assert_array_equal(back, y)


def test_input_is_not_changed():
    y = as_surv(EVENT, TIME)
    event, time = check_survival(y)
    event[:], time[:] = True, 0
    assert_array_equal(y, as_surv(EVENT, TIME))


# What is refused


class Model:
    """Stands for an estimator."""


@pytest.mark.parametrize("estimator", [Model(), "Model"])
def test_missing_target(estimator):
    message = "Model requires y to be passed, but the target y is None"
    refuses(None, message, estimator=estimator)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None.*Surv.from_arrays"),
        ("dead", "y should be a 1d array"),
        (5.0, "y should be a 1d array"),
        ({"event": EVENT}, "y should be a 1d array"),
        ([], r"found 0 sample\(s\)"),
        (TABLE[:0], r"found 0 sample\(s\)"),
        ([[1.0, 2.0], [3.0]], "y cannot be made an array"),
        (np.c_[EVENT, TIME], r"shape \(4, 2\); say .*event=y\[:, 0\] == 1, time=y"),
        ([(True, 5.0), (False, 6.0)], r"shape \(2, 2\); say which column"),
        (np.ones((4, 3)), r"1d array, got an array of shape \(4, 3\); use a struct"),
        (EVENT, "events .bool. without their times"),
        (fields(EVENT, EVENT), "events .bool. without their times"),
        (["dead", "alive"], "Expected numbers in y, got dtype <U5"),
        (np.array([1 + 1j]), "Expected numbers in y, got dtype complex128"),
        (np.array([object()]), "Expected numbers in y, got dtype object"),
    ],
)
def test_wrong_type(y, message):
    refuses(y, message)


def test_swapped_fields():
    message = (
        r"swapped: 'dead' holds events.*event=y\['dead'\], time=y\['days'\].*"
        r"y\[\['dead', 'days'\]\]"
    )
    for event in (EVENT, EVENT.astype(int), EVENT.astype(float)):
        refuses(fields(TIME, event, names=("days", "dead")), message)
    # Times of zero and one are times all the same.
    refuses(fields(EVENT * 1.0, EVENT, names=("days", "dead")), message)
    check_survival(fields(EVENT, np.ones(4)))


def test_remedy_of_swapped_fields_works():
    swapped = fields(TIME, EVENT, names=("days", "dead"))
    assert_array_equal(check_survival(swapped[["dead", "days"]])[0], EVENT)


def test_number_of_fields():
    refuses(TABLE.to_records(), r"3 field\(s\), 'index', 'dead', 'days'.*index=False")
    refuses(as_surv(EVENT, TIME)[["time"]], r"1 field\(s\), 'time', but two")


def test_events_that_are_neither_true_nor_false():
    message = r"field 'event' of y, must be.*1 sample\(s\).*such as "
    refuses(fields([1, 0, np.nan, 1], TIME), message + r"nan\.$")
    refuses(fields([1, 0, -1, 1], TIME), message + r"-1\.$")


def test_codes_of_several_events():
    codes = [0, 1, 2, 0]
    refuses(fields(codes, TIME), r"such as 2\. Competing.*y\['event'\] == code")
    coded = TABLE.assign(dead=codes)
    refuses(coded, r"Column 'dead' of y has codes of several.*y\['dead'\] == code")
    event, _ = check_survival(coded.assign(dead=coded["dead"] == 2))
    assert_array_equal(event, [False, False, True, False])


def test_times_of_entry():
    entry = TABLE["days"] / 2
    table = TABLE.assign(entry=entry)
    message = r"Times of entry \(left truncation\) are not known to these models"
    refuses(table, r"has 'dead', 'days', 'entry'\. Choose.*" + message)
    refuses(table.to_records(index=False), r"y has 3 field\(s\).*" + message)
    with pytest.raises(ValueError, match=r"Choose them by") as error:
        check_survival(TABLE.assign(age=TABLE["days"].iloc[::-1].to_numpy()))
    assert "entry" not in str(error.value)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (TABLE.assign(age=60), r"'dead', 'days', 'age'\. Choose"),
        (TABLE.astype(float), r"'dead', 'days' of dtype float64, float64"),
        (TABLE.astype({"dead": int}), r"'dead', 'days' of dtype int64, float64"),
        (pd.DataFrame(np.ones((4, 900))), "0, 1, 2 and 897 more. Choose"),
        (TABLE[[]], "it has none"),
        (TABLE.set_axis(["x", "x"], axis=1), "'x', 'x'"),
        (
            TABLE.assign(dead=pd.array([True, None, True, False], "boolean")),
            "of dtype object, float64",
        ),
    ],
)
def test_table_without_one_event_and_one_time(table, columns):
    message = "exactly two columns, one bool.*one numeric.*" + columns
    refuses(table, message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refuses(table, r"y\[\[event, time\]\].*astype\(bool\)")


def test_times_that_are_no_numbers():
    lengths = TABLE.assign(days=pd.to_timedelta(TIME, "D"))
    refuses(lengths, "column 'days' of y, got dtype timedelta64.*one unit, such as day")
    words = fields(EVENT, ["3 days", "2 days", "1 day", "7 days"])
    refuses(words, "field 'time' of y, got dtype <U6")


@pytest.mark.parametrize("make", [lambda t: as_surv(EVENT, t), lambda t: t])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "contain NaN: 2 of 4, the first is sample 1.*leave these samples out"),
        (np.inf, r"contain infinity \(inf\): 2 of 4, the first is sample 1"),
        (0.0, "zero or negative: 2 of 4, the first is sample 1.*small follow-up"),
        (-0.5, "zero or negative: 2 of 4, the first is sample 1"),
    ],
)
def test_times_out_of_range(make, value, message):
    time = TIME.copy()
    time[[1, 3]] = value
    refuses(make(time), message)


def test_missing_time_of_a_table():
    days = pd.array([3.0, None, 1.0, 7.0], "Float64")
    refuses(TABLE.assign(days=days), "contain NaN: 1 of 4, the first is sample 1")


def test_times_of_zero_where_only_their_order_counts():
    y = as_surv(EVENT, TIME - 1)
    assert_array_equal(check_survival(y, allow_zero=True)[1], TIME - 1)
    refuses(as_surv(EVENT, TIME - 2), "some are negative: 1 of 4", allow_zero=True)


def test_all_censored():
    y = as_surv(~(EVENT | True), TIME)
    message = "All 4 samples of y are censored: Model needs an event"
    refuses(y, message, estimator="Model")
    event, time = check_survival(y, allow_all_censored=True)
    assert not event.any()
    assert_array_equal(time, TIME)


@given(
    st.one_of(
        st.none(),
        st.text(),
        st.integers(),
        st.lists(st.one_of(st.none(), st.text(), st.floats(), st.booleans())),
        st.lists(st.lists(st.floats())),
        st.dictionaries(st.text(), st.floats()),
        st.sets(st.integers()),
        st.binary(),
        st.dates(),
    )
)
def test_property_nothing_but_a_value_error(y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataConversionWarning)
        try:
            event, time = check_survival(y)
        except ValueError:
            return
    assert event.all()
    assert (time > 0).all()

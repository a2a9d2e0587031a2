"""What is given to Displays by mistake, and what they say of it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal, assert_series_equal

from skgex.plotting import (
    AttentionDisplay,
    EmbeddingDisplay,
    LabelEfficiencyDisplay,
    RestorationDisplay,
    RiskGroupsDisplay,
    SurvivalCalibrationDisplay,
)

N = 40
RNG = np.random.default_rng(0)
RISK = RNG.normal(size=N)
Y = np.array([(i % 3 > 0, i + 1.0) for i in range(N)], dtype="?,f8")
SURVIVAL = RNG.uniform(size=(N, 2))
X = pd.DataFrame(RNG.normal(size=(N, 4)), columns=list("abcd"))
RESTORED = X + RNG.normal(size=X.shape)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def results(**columns):
    table = pd.DataFrame(
        {
            "estimator": ["a", "b"] * 4,
            "split": [0, 0, 1, 1] * 2,
            "fraction": [0.1] * 4 + [0.5] * 4,
            "n_labeled": [4] * 4 + [20] * 4,
            "score": np.arange(8) / 8,
        }
    )
    return table.assign(**columns)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (results(score="high"), "must have numbers in 'score'"),
        (results(fraction="low"), "must have numbers in .*'fraction'"),
        (results(fraction=np.nan), "no value of 'fraction' in row 0"),
        (results(estimator=[None, "b"] * 4), "no value of 'estimator' in row 0"),
        (results(fraction=0.0), "no place on a logarithmic axis"),
        (pd.concat([results(), results()[["score"]]], axis=1), "'score' twice"),
    ],
    ids=["words", "shares", "place", "name", "zero", "twice"],
)
def test_tables_that_are_none(table, message):
    with pytest.raises(ValueError, match=message):
        LabelEfficiencyDisplay.from_results(table)


def test_numbers_as_objects_and_names_twice_change_nothing():
    first, second = (
        LabelEfficiencyDisplay.from_results(table, estimators=names).summary
        for table, names in [
            (results(), ["a"]),
            (results(score=results()["score"].astype(object)), ["a", "a"]),
        ]
    )
    assert_frame_equal(first, second)


@pytest.mark.parametrize(
    "ax", [1, "ax", [], np.array([])], ids=["1", "text", "[]", "0"]
)
def test_what_is_no_axes(ax):
    draw = [
        lambda: LabelEfficiencyDisplay.from_results(results(), ax=ax),
        lambda: RiskGroupsDisplay.from_groups(Y, RISK > 0, ax=ax),
        lambda: EmbeddingDisplay.from_embedding(X, ax=ax),
        lambda: RestorationDisplay.from_predictions(X, RESTORED, ax=ax),
    ]
    for drawn in draw:
        with pytest.raises(ValueError, match="must be Axes, an array of them, or a"):
            drawn()


@pytest.mark.parametrize(
    ("risk", "message"),
    [
        (np.ma.array(RISK, mask=RISK > 1), "masked array"),
        (pd.date_range("2020", periods=N), "must be numbers"),
        (RISK + 1j, "must be numbers"),
        (RISK[:, None], "of shape|must ascend|all among"),
    ],
    ids=["masked", "dates", "complex", "column"],
)
def test_risks_that_are_no_numbers(risk, message):
    with pytest.raises(ValueError, match=message):
        RiskGroupsDisplay.from_predictions(Y, risk, thresholds=[0.0])
    if risk.ndim == 1:
        with pytest.raises(ValueError, match=message):
            RiskGroupsDisplay.from_predictions(Y, RISK, train_risk=risk)


@pytest.mark.parametrize("train", [[], [0.0, np.nan]], ids=["none", "nan"])
def test_no_risks_of_training(train):
    with pytest.raises(ValueError, match="train_risk has no risk, or one that is NaN"):
        RiskGroupsDisplay.from_predictions(Y, RISK, train_risk=train)


@pytest.mark.parametrize("names", [["a", "a"], [1, "1"], [None, "b"]], ids=str)
def test_groups_that_cannot_be_told_apart(names):
    with pytest.raises(ValueError, match=r"names=.* must be of one group each"):
        RiskGroupsDisplay.from_predictions(Y, RISK, thresholds=[0.0], names=names)


def test_a_masked_group_is_none():
    group = np.ma.array(RISK > 0, mask=RISK > 1)
    with pytest.raises(ValueError, match="group is a masked array"):
        RiskGroupsDisplay.from_groups(Y, group)


@pytest.mark.parametrize("number", [0, -1, np.nan, np.inf, "a"], ids=str)
@pytest.mark.parametrize("name", ["time_scale", "max_time"])
def test_scales_of_time(name, number):
    with pytest.raises(ValueError, match=f"{name}=.* must be a positive number"):
        RiskGroupsDisplay.from_groups(Y, RISK > 0, **{name: number})


@pytest.mark.parametrize(
    ("survival", "times", "message"),
    [
        (np.ma.array(SURVIVAL, mask=SURVIVAL > 0.9), [5, 20], "is a masked array"),
        (SURVIVAL + 1j, [5, 20], "survival must be numbers"),
        (SURVIVAL, [5, np.nan], "times=.* must be numbers"),
        (SURVIVAL, [], "times=.* must be numbers, one at least"),
        (SURVIVAL, ["a", "b"], "times must be numbers"),
    ],
    ids=["masked", "complex", "nan", "none", "text"],
)
def test_survival_that_is_no_number(survival, times, message):
    with pytest.raises(ValueError, match=message):
        SurvivalCalibrationDisplay.from_predictions(Y, survival, times)


def test_restored_genes_are_matched_by_name():
    # In another order they were compared with other genes, in silence.
    hidden = X > 0
    one = RestorationDisplay.from_predictions(X, RESTORED, hidden=hidden)
    two = RestorationDisplay.from_predictions(
        X, RESTORED[list("dcba")].iloc[::-1], hidden=hidden[list("badc")]
    )
    assert_series_equal(one.r2, two.r2)
    assert_array_equal(one.restored, two.restored)
    with pytest.raises(ValueError, match="restored has another columns than X"):
        RestorationDisplay.from_predictions(X, RESTORED.add_prefix("other"))


def test_masked_values_were_not_restored():
    mask = X.to_numpy() > 1
    masked = np.ma.array(RESTORED.to_numpy(), mask=mask)
    shown = RestorationDisplay.from_predictions(X.to_numpy(), masked)
    assert len(shown.restored) == (~mask).sum()


@pytest.mark.parametrize("hidden", [X.to_numpy(), X.to_numpy()[:4] > 0, "a"])
def test_what_does_not_say_what_was_hidden(hidden):
    with pytest.raises(ValueError, match="hidden must be True or False, of shape"):
        RestorationDisplay.from_predictions(X.to_numpy(), RESTORED, hidden=hidden)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_permutations": 10**12}, "n_permutations=.* at most 1,000,000"),
        ({"n_genes": 0}, "n_genes=.* must be positive"),
        ({"limit": -1}, "limit=-1 must be a positive number"),
        ({"y": np.where(RISK > 1, None, "a")}, "y is missing for sample"),
        ({"y": np.ma.array(RISK > 0, mask=RISK > 1)}, "y is a masked array"),
    ],
    ids=["endless", "genes", "limit", "missing", "masked"],
)
def test_attention_of_what(options, message):
    given = {"attention": abs(X), "y": RISK > 0, "n_permutations": 2} | options
    with pytest.raises(ValueError, match=message):
        AttentionDisplay.from_attention(**given)


def test_masked_attention_was_not_measured():
    mask = X.to_numpy() > 1
    shown, holed = (
        AttentionDisplay.from_attention(values, RISK > 0, n_permutations=1).relative
        for values in (
            np.ma.array(abs(X).to_numpy(), mask=mask),
            abs(X).mask(mask).to_numpy(),
        )
    )
    assert_frame_equal(shown, holed)

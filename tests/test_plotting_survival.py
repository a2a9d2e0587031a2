"""Risk groups and calibration; scikit-survival is the oracle."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sksurv.compare import compare_survival
from sksurv.datasets import load_veterans_lung_cancer
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv
from survival_cohorts import planted_cohort, without_network
from survival_oracles import slow_cox_fit

from skgex import SCARF, FineTunedCoxPH
from skgex.plotting import RiskGroupsDisplay, SurvivalCalibrationDisplay
from skgex.plotting._hazard_ratios import hazard_ratios
from skgex.plotting._kaplan_meier import (
    kaplan_meier,
    log_rank_test,
    survival_at,
)


def make_patients(n=90, seed=0, ties=False):
    """Return risks, and follow-up that is shorter where they are high."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    time = rng.exponential(1000 * np.exp(-risk)) + 1
    censored = rng.exponential(1500, n) + 1
    event, time = time <= censored, np.minimum(time, censored)
    event[0] = True
    return risk, Surv.from_arrays(event, np.ceil(time / 300) if ties else time)


cohorts = st.builds(
    make_patients, st.integers(2, 60), st.integers(0, 1000), st.booleans()
)

# ----------------------------------------------------------------------------
# estimates


@given(cohorts)
def test_curves_and_intervals_are_those_of_scikit_survival(cohort):
    _, y = cohort
    time, survival, (low, high) = kaplan_meier_estimator(
        y["event"], y["time"], conf_type="log-log"
    )
    curve = kaplan_meier(y["event"], y["time"])
    assert [field[0] for field in curve] == [0, 1, 1, 1, len(y), 0]
    assert_array_equal(curve.time[1:], time)
    assert_allclose(curve.survival[1:], survival, atol=1e-12)
    assert_allclose(curve.low[1:], low, atol=1e-12)
    assert_allclose(curve.high[1:], high, atol=1e-12)
    for t, n in zip(curve.time, curve.n_at_risk, strict=True):
        assert n == (y["time"] >= t).sum()
    assert curve.n_events.sum() == y["event"].sum()


def test_a_curve_by_hand():
    event = np.array([1, 0, 1, 1, 0], dtype=bool)
    curve = kaplan_meier(event, np.array([1.0, 2, 2, 4, 5]))
    assert_allclose(curve.survival, [1, 4 / 5, 3 / 5, 3 / 10, 3 / 10])
    s, sigma = 3 / 10, np.sqrt(1 / 20 + 1 / 12 + 1 / 2)
    expected = [s ** np.exp(sign * 1.959964 * sigma / np.log(s)) for sign in (-1, 1)]
    assert_allclose([curve.low[3], curve.high[3]], expected, rtol=1e-6)
    assert_allclose(survival_at(curve, 3.9)[0], 3 / 5)
    assert_allclose(survival_at(curve, 4)[0], 3 / 10)
    assert np.isnan(survival_at(curve, 5.1)).all()


def test_follow_up_of_zero_begins_with_the_events_there():
    curve = kaplan_meier(np.array([True, False]), np.array([0.0, 1]))
    assert_array_equal(curve.time, [0, 1])
    assert_array_equal(curve.survival, [0.5, 0.5])


def test_where_all_have_died_survival_stays_at_zero():
    curve = kaplan_meier(np.ones(2, bool), np.array([1.0, 2]))
    assert_array_equal(survival_at(curve, 10), [0, 0, 0])


@given(cohorts, st.integers(2, 4))
def test_the_log_rank_test_is_that_of_scikit_survival(cohort, n_groups):
    _, y = cohort
    group = np.arange(len(y)) % min(n_groups, len(y))
    _, place = np.unique(group, return_inverse=True)
    chi2, p_value = log_rank_test(y["event"], y["time"], place)
    at_risk = [
        any((y["time"][group == g] >= t).any() for t in y["time"][y["event"]])
        for g in range(group.max() + 1)
    ]
    if all(at_risk):
        expected = compare_survival(y, group)
        assert_allclose([chi2, p_value], expected, rtol=1e-6, atol=1e-9)


def test_the_log_rank_test_by_hand():
    event, time = np.ones(4, bool), np.array([1.0, 2, 3, 4])
    chi2, _ = log_rank_test(event, time, np.array([0, 0, 1, 1]))
    excess = 2 - (2 / 4 + 1 / 3)
    variance = 1 / 4 + 2 / 9
    assert_allclose(chi2, excess**2 / variance)


def test_groups_that_nobody_is_left_in_take_no_degree_of_freedom():
    risk, y = make_patients()
    two = (risk > 0).astype(int)
    alone = log_rank_test(y["event"], y["time"], two)
    first = np.append(y["time"], y["time"][y["event"]].min() / 2)
    event = np.append(y["event"], False)
    assert_allclose(log_rank_test(event, first, np.append(two, 2)), alone)
    assert log_rank_test(np.zeros(4, bool), np.ones(4), np.arange(4)) == (0, 1)


# ----------------------------------------------------------------------------
# risk groups


def test_groups_are_those_of_the_training_risks():
    risk, y = make_patients(seed=1)
    train_risk, _ = make_patients(seed=2)
    display = RiskGroupsDisplay.from_predictions(
        y, risk, train_risk=train_risk, quantiles=[0.25, 0.75]
    )
    low, high = np.quantile(train_risk, [0.25, 0.75])
    assert_array_equal(display.thresholds, [low, high])
    group = np.where(risk <= low, 0, np.where(risk <= high, 1, 2))
    names = ["low risk", "middle", "high risk"]
    assert list(display.curves) == names
    for g, (name, line, band) in enumerate(
        zip(names, display.lines_, display.bands_, strict=True)
    ):
        here = y[group == g]
        time, survival, (lower, upper) = kaplan_meier_estimator(
            here["event"], here["time"], conf_type="log-log"
        )
        assert line.get_drawstyle() == "steps-post"
        assert_array_equal(line.get_xdata(), [0, *time])
        assert_allclose(line.get_ydata(), [1, *survival])
        (path,) = band.get_paths()
        drawn = np.unique(path.vertices[:, 1])
        assert_allclose(np.isin(drawn.round(9), np.r_[1, lower, upper].round(9)), 1)
        text = f"{name} ({here['event'].sum()} of {len(here)})"
        assert display.labels_[g].get_text() == text
    assert_allclose(display.p_value, compare_survival(y, group)[1])


def test_a_group_does_not_depend_on_the_other_patients():
    risk, y = make_patients()
    some = np.flatnonzero(risk > -0.5)
    event = np.flatnonzero(y["event"])
    some = np.union1d(some, event)
    whole, part = (
        RiskGroupsDisplay.from_predictions(y[rows], risk[rows], thresholds=[0.5])
        for rows in (np.arange(len(y)), some)
    )
    assert_array_equal(whole.curves["high risk"], part.curves["high risk"])


def test_numbers_at_risk_stand_below_the_ticks():
    risk, y = make_patients()
    y["time"] = np.round(y["time"])
    display = RiskGroupsDisplay.from_predictions(
        y, risk, thresholds=[0], time_scale=365.25, time_name="years", max_time=4
    )
    display.figure_.canvas.draw()
    ax = display.ax_
    assert ax.get_xlabel() == "years"
    assert_array_equal(display.at_risk_.columns, ax.get_xticks())
    written = [t for t in ax.texts if t.get_text().replace(",", "").isdigit()]
    for name, group in (("low risk", risk <= 0), ("high risk", risk > 0)):
        for tick in ax.get_xticks():
            expected = (y["time"][group] / 365.25 >= tick).sum()
            assert display.at_risk_.loc[name, tick] == expected
    assert len(written) == display.at_risk_.size
    under = ax.xaxis.get_tightbbox()
    for text, (_, number) in zip(
        written, display.at_risk_.stack().items(), strict=True
    ):
        assert text.get_text() == f"{number:,}"
        box = text.get_window_extent()
        assert box.y1 < under.y0
        tick = ax.transData.transform((text.xy[0], 0))[0]
        assert abs((box.x0 + box.x1) / 2 - tick) < 1.5
        # Within the figure, which has made room for them.
        assert box.y0 >= 0
    assert max(line.get_xdata().max() for line in display.lines_) == 4
    without = RiskGroupsDisplay.from_predictions(y, risk, thresholds=[0], at_risk=False)
    assert len(without.ax_.texts) == 2


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_numbers_at_risk_lie_within_figures_of_any_layout(layout):
    risk, y = make_patients()
    figure, axes = plt.subplots(2, 1, figsize=(6, 9), layout=layout)
    for ax in axes:
        RiskGroupsDisplay.from_predictions(y, risk, thresholds=[0], ax=ax)
    figure.canvas.draw()
    upper, lower = (
        [text.get_window_extent() for text in ax.texts if text.get_text().isdigit()]
        for ax in axes
    )
    assert min(box.y0 for box in lower) >= 0
    assert min(box.y0 for box in upper) >= axes[1].bbox.y1


def test_small_p_values_are_given_as_such():
    risk, y = make_patients(300)
    display = RiskGroupsDisplay.from_predictions(y, risk, thresholds=[0])
    assert display.p_value < 1e-4
    title = display.ax_.get_title(loc="left")
    assert title.startswith("log-rank p < 0.0001, hazard ratio ")


def test_rows_of_the_table_do_not_overlap():
    risk, y = make_patients()
    display = RiskGroupsDisplay.from_predictions(y, risk, thresholds=[-0.5, 0, 0.5])
    assert list(display.curves) == [f"risk group {i}" for i in (1, 2, 3, 4)]
    display.figure_.canvas.draw()
    boxes = [
        text.get_window_extent()
        for text in display.ax_.texts
        if text not in display.labels_
    ]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_an_estimator_is_asked_for_risks():
    X = np.random.default_rng(0).normal(size=(80, 5))
    _, y = make_patients(80)
    cox = CoxPHSurvivalAnalysis().fit(X[:40], y[:40])
    train_risk = cox.predict(X[:40])
    one = RiskGroupsDisplay.from_estimator(cox, X[40:], y[40:], train_risk=train_risk)
    two = RiskGroupsDisplay.from_predictions(
        y[40:], cox.predict(X[40:]), thresholds=np.quantile(train_risk, [1 / 3, 2 / 3])
    )
    assert one.p_value == two.p_value
    for name in one.curves:
        pd.testing.assert_frame_equal(one.curves[name], two.curves[name])


def test_an_estimator_knows_its_thresholds():
    X, y = planted_cohort(120, 5)
    new, y_new = planted_cohort(80, 5, seed=1)
    cox = without_network(alpha=5.0, cv=3).fit(X, y)
    display = RiskGroupsDisplay.from_estimator(cox, new, y_new, quantiles=[0.3, 0.6])
    assert_array_equal(display.thresholds, cox.risk_thresholds([0.3, 0.6]))
    group = cox.predict_risk_group(new, [0.3, 0.6])
    counts = [curve["n_at_risk"].iloc[0] for curve in display.curves.values()]
    assert_array_equal(counts, np.bincount(group))
    pipe = make_pipeline(StandardScaler(), clone(cox))
    search = GridSearchCV(pipe, {"finetunedcoxph__alpha": [5.0]}, cv=2).fit(X, y)
    display = RiskGroupsDisplay.from_estimator(search, new, y_new)
    best = search.best_estimator_[-1]
    assert_array_equal(display.thresholds, best.risk_thresholds())


@given(cohorts, st.integers(2, 4))
def test_hazard_ratios_are_those_of_a_cox_model(cohort, n_groups):
    _, y = cohort
    event, time = y["event"], y["time"]
    group = np.arange(len(y)) % n_groups
    names = [f"g{i}" for i in range(n_groups)]
    if len(y) < 12 * n_groups or min(np.bincount(group[event], minlength=n_groups)) < 3:
        return
    table = hazard_ratios(event, time, group, names)
    dummies = (group[:, None] == np.arange(1, n_groups)).astype(float)
    beta, covariance = slow_cox_fit(dummies, event, time)
    if np.abs(beta).max() > 5:
        return
    width = 1.959963984540054 * np.sqrt(np.diag(covariance))
    assert table.index.tolist() == names
    assert table.iloc[0].tolist() == [1, 1, 1]
    expected = np.exp(np.stack([beta, beta - width, beta + width], axis=1))
    assert_allclose(table.iloc[1:], expected, rtol=1e-5)


def test_hazard_ratio_of_treatment_in_r():
    # coxph(Surv(time, status) ~ trt, veteran): coef 0.01774, se 0.18066
    data, y = load_veterans_lung_cancer()
    test = data["Treatment"].to_numpy(dtype=str) == "test"
    arms = np.where(test, "test", "standard")
    y = Surv.from_arrays(y["Status"], y["Survival_in_days"])
    display = RiskGroupsDisplay.from_groups(y, arms)
    ratio, low, high = display.hazard_ratios.loc["test"]
    assert_allclose(np.log(ratio), 0.01774, atol=5e-6)
    assert_allclose(np.log(high / low) / 2 / 1.959964, 0.18066, atol=5e-6)
    title = display.ax_.get_title(loc="left")
    assert title.endswith(f", hazard ratio {ratio:.2g} ({low:.2g} to {high:.2g})")


def test_hazard_ratios_without_a_bound_are_left_out():
    _, y = make_patients()
    third = np.arange(len(y)) % 3
    none = third == 2
    y["event"][none] = False
    display = RiskGroupsDisplay.from_groups(y, third)
    table = display.hazard_ratios
    assert table.loc["2"].isna().all()
    assert table.loc["1"].notna().all()
    assert "ratio" not in display.ax_.get_title(loc="left")
    # Without an event in the first group there is nothing to compare with.
    display = RiskGroupsDisplay.from_groups(y, third, names=[2, 1, 0])
    assert display.hazard_ratios.iloc[1:].isna().all(axis=None)
    # All of one die before anybody of the other: no ratio is large enough.
    time = np.r_[np.arange(1, 5), np.arange(11, 15)]
    apart = hazard_ratios(np.ones(8, bool), time, np.repeat([0, 1], 4), ["a", "b"])
    assert apart.loc["b"].isna().all()


def test_groups_that_were_cut_by_the_outcome_are_said():
    _, y = make_patients()
    with pytest.warns(UserWarning, match="cut by the outcome: all events of one are"):
        RiskGroupsDisplay.from_groups(y, y["time"] > np.median(y["time"]))
    with pytest.warns(UserWarning, match="outcome: in one all had the event, in the"):
        RiskGroupsDisplay.from_groups(y, y["event"])
    event = np.flatnonzero(y["event"])
    few = np.isin(np.arange(len(y)), event[np.argsort(y["time"][event])[:4]])
    RiskGroupsDisplay.from_groups(y, few)  # by chance, perhaps


def test_risks_that_are_their_own_thresholds_are_said():
    risk, y = make_patients()
    with pytest.warns(UserWarning, match="all among train_risk: their groups are cut"):
        RiskGroupsDisplay.from_predictions(y, risk, train_risk=risk)
    X = np.random.default_rng(0).normal(size=(80, 5))
    _, y = make_patients(80)
    cox = CoxPHSurvivalAnalysis().fit(X, y)
    with pytest.warns(UserWarning, match="all among train_risk"):
        RiskGroupsDisplay.from_estimator(cox, X[:40], y[:40], train_risk=cox.predict(X))


def test_groups_made_elsewhere():
    _, y = make_patients()
    stage = np.array(["I", "II", "III"])[np.arange(len(y)) % 3]
    display = RiskGroupsDisplay.from_groups(y, stage)
    assert list(display.curves) == ["I", "II", "III"]
    assert display.thresholds is None
    assert_allclose(display.p_value, compare_survival(y, stage)[1])
    title = display.ax_.get_title(loc="left")
    assert title.startswith(f"log-rank p = {display.p_value:.2g}, hazard ratio of the ")
    display = RiskGroupsDisplay.from_groups(y, stage, names=["III", "II", "I"])
    assert list(display.curves) == ["III", "II", "I"]
    display = RiskGroupsDisplay.from_groups(y, np.zeros(len(y), int))
    assert display.p_value is None
    with pytest.raises(ValueError, match=r"group has 'III', which is not in"):
        RiskGroupsDisplay.from_groups(y, stage, names=["I", "II"])


def test_empty_groups_are_said_and_left_out():
    risk, y = make_patients()
    with pytest.warns(UserWarning, match=r"group\(s\) \['high risk'\]"):
        display = RiskGroupsDisplay.from_predictions(y, risk, thresholds=[0, 99])
    assert list(display.curves) == ["low risk", "middle"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "Give either thresholds or train_risk"),
        ({"thresholds": [0], "train_risk": [0, 1]}, "Give either thresholds or"),
        ({"thresholds": [1, 0]}, r"thresholds \[1.0, 0.0\] must ascend"),
        ({"thresholds": []}, "must be a list of numbers"),
        ({"train_risk": [1, 1, 1]}, "must ascend; training risks of too few"),
        ({"train_risk": [1, 2], "quantiles": [50]}, r"quantiles=\[50\] must lie in"),
        ({"thresholds": [0], "names": ["a"]}, "names has 1, but 1 thresholds make 2"),
    ],
    ids=["none", "both", "order", "empty", "equal", "percent", "names"],
)
def test_wrong_thresholds_are_refused(change, message):
    risk, y = make_patients()
    with pytest.raises(ValueError, match=message):
        RiskGroupsDisplay.from_predictions(y, risk, **change)


def test_risks_that_are_missing_are_refused():
    risk, y = make_patients()
    risk[3] = np.nan
    with pytest.raises(ValueError, match="risk has 1 NaN"):
        RiskGroupsDisplay.from_predictions(y, risk, thresholds=[0])


# ----------------------------------------------------------------------------
# calibration


def test_observed_survival_stands_over_the_mean_of_what_was_predicted():
    risk, y = make_patients(120)
    times = np.array([200.0, 600.0])
    survival = np.exp(-times * np.exp(risk)[:, None] / 1000)
    display = SurvivalCalibrationDisplay.from_predictions(y, survival, times)
    for j, t in enumerate(times):
        edges = np.quantile(survival[:, j], [1 / 3, 2 / 3])
        group = (survival[:, j, None] > edges).sum(axis=1)
        line, errors = display.lines_[j], display.errors_[j]
        for g in range(3):
            here = y[group == g]
            time, observed, (low, high) = kaplan_meier_estimator(
                here["event"], here["time"], conf_type="log-log"
            )
            last = np.flatnonzero(time <= t)[-1]
            predicted = survival[group == g, j].mean()
            assert_allclose(line.get_xydata()[g], [predicted, observed[last]])
            assert_allclose(
                errors.get_segments()[g],
                [[predicted, low[last]], [predicted, high[last]]],
            )
    assert [label.get_text() for label in display.labels_] == ["200", "600"]


def test_estimators_of_both_packages_are_asked_for_survival():
    X = np.random.default_rng(0).normal(size=(100, 6))
    _, y = make_patients(100)
    own = FineTunedCoxPH(SCARF(max_epochs=0), alpha=5, cv=None, max_epochs=0)
    for model in (own, CoxPHSurvivalAnalysis()):
        model.fit(X[:50], y[:50])
        display = SurvivalCalibrationDisplay.from_estimator(
            model, X[50:], y[50:], 300, n_bins=2, time_scale=100, time_name="weeks"
        )
        predicted = [f(300) for f in model.predict_survival_function(X[50:])]
        table = display.table
        assert_allclose(
            np.average(table.predicted, weights=table.n), np.mean(predicted)
        )
        assert table.n.tolist() == [25, 25]
        assert display.labels_[0].get_text() == "3 weeks"


def test_samples_with_the_same_prediction_are_in_one_group():
    _, y = make_patients()
    survival = np.where(np.arange(len(y)) < 70, 0.5, 0.9)
    table = SurvivalCalibrationDisplay.from_predictions(y, survival, 300).table
    assert table.n.tolist() == [70, 20]


def test_groups_that_nobody_is_followed_up_in_are_said():
    risk, y = make_patients()
    y["event"][-1], y["time"][-1] = False, y["time"].max() + 1
    late = y["time"].max()
    with pytest.warns(UserWarning, match="Nobody was followed up until"):
        display = SurvivalCalibrationDisplay.from_predictions(y, 0.5 - risk / 9, late)
    assert len(display.lines_[0].get_xdata()) < 3


@pytest.mark.parametrize(
    ("survival", "n_bins", "message"),
    [
        (np.full((90, 2), 0.5), 3, "shape .90, 2., but there are 1 times"),
        (np.full(90, 1.5), 3, "must be probabilities"),
        (np.full(90, np.nan), 3, "must be probabilities"),
        (np.full(90, 0.5), 0, "n_bins=0 must be a positive whole number"),
    ],
    ids=["shape", "range", "nan", "bins"],
)
def test_wrong_survival_is_refused(survival, n_bins, message):
    _, y = make_patients()
    with pytest.raises(ValueError, match=message):
        SurvivalCalibrationDisplay.from_predictions(y, survival, 300, n_bins=n_bins)


def test_axes_are_taken_and_settings_left_alone():
    from matplotlib.figure import Figure

    before = dict(matplotlib.rcParams)
    risk, y = make_patients()
    left, right = Figure(figsize=(9, 4), layout="constrained").subfigures(1, 2)
    one = RiskGroupsDisplay.from_predictions(
        y, risk, thresholds=[0], ax=left.subplots(), line_kw={"lw": 4}
    )
    two = SurvivalCalibrationDisplay.from_predictions(
        y, 1 / (1 + np.exp(risk)), 300, ax=right, error_kw={"color": "red"}
    )
    assert (one.figure_, two.figure_) == (left, right)
    assert {line.get_linewidth() for line in one.lines_} == {4}
    left.figure.canvas.draw()
    assert not plt.get_fignums()
    assert dict(matplotlib.rcParams) == before

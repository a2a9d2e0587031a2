"""Displays of the protocols: lines by estimator, named at their ends."""

import subprocess
import sys
from itertools import combinations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

import skgex
from skgex.evaluation import cohort_size_curve, label_efficiency_curve
from skgex.plotting import (
    CohortSizeDisplay,
    LabelEfficiencyDisplay,
    MissingnessDisplay,
    PanelSizeDisplay,
)
from skgex.plotting._labels import push_apart, spread

NAMES = ["SCARF", "VIME", "BYOL", "from scratch", "LR", "PCA + LR"]
COLUMNS = {
    LabelEfficiencyDisplay: ("fraction", [0.02, 0.1, 1.0]),
    CohortSizeDisplay: ("n_samples", [10, 20, 40]),
    MissingnessDisplay: ("rate", [0.1, 0.3, 0.5]),
    PanelSizeDisplay: ("n_genes", [16, 64, 256]),
}
DISPLAYS = pytest.mark.parametrize("Display", COLUMNS, ids=lambda d: d.__name__)


def make_table(Display, names=NAMES, n_draws=3, seed=0):
    """Return a table of results, in an order that no function would use."""
    x, values = COLUMNS[Display]
    rng = np.random.default_rng(seed)
    rows = [
        {"estimator": name, "draw": draw, "split": 0, x: value}
        for value in values[::-1]
        for draw in range(n_draws)
        for name in names
    ]
    table = pd.DataFrame(rows)
    score = "error" if Display is MissingnessDisplay else "score"
    table[score] = rng.normal(0.8, 0.01, len(table))
    return table.assign(n_labeled=100, mechanism="MCAR")


def score_of(table):
    return "error" if "error" in table else "score"


def boxes(display):
    """Return the pixels that names take when they are drawn."""
    display.figure_.canvas.draw()
    renderer = display.figure_.canvas.get_renderer()
    # Without the lines that lead to them.
    return [
        matplotlib.text.Text.get_window_extent(label, renderer)
        for label in display.labels_
    ]


def assert_apart(display):
    for one, other in combinations(boxes(display), 2):
        assert not one.overlaps(other)


@DISPLAYS
def test_lines_are_the_means_and_bands_the_standard_deviations(Display):
    table, (x, values) = make_table(Display), COLUMNS[Display]
    display = Display.from_results(table)
    assert [line.get_label() for line in display.lines_] == NAMES
    for name, line, band in zip(NAMES, display.lines_, display.bands_, strict=True):
        scores = np.array(
            [
                table.loc[(table.estimator == name) & (table[x] == v), score_of(table)]
                for v in values
            ]
        )
        mean, std = scores.mean(axis=1), scores.std(axis=1, ddof=1)
        assert_array_equal(line.get_xdata(), values)
        assert_allclose(line.get_ydata(), mean)
        (path,) = band.get_paths()
        for v, low, high in zip(values, mean - std, mean + std, strict=True):
            drawn = path.vertices[path.vertices[:, 0] == v, 1]
            assert_allclose([drawn.min(), drawn.max()], [low, high])


@DISPLAYS
def test_names_that_end_close_together_do_not_overlap(Display):
    display = Display.from_results(make_table(Display))
    assert [label.get_text() for label in display.labels_] == NAMES
    assert_apart(display)
    for box in boxes(display):
        assert display.ax_.bbox.x0 < box.x0
        assert box.x1 < display.ax_.bbox.x1 + 1


def test_names_stay_apart_when_the_figure_changes_its_size():
    display = LabelEfficiencyDisplay.from_results(make_table(LabelEfficiencyDisplay))
    display.figure_.set_size_inches(4, 2.5)
    assert_apart(display)
    display.ax_.set_ylim(0, 1)
    assert_apart(display)
    order = np.argsort([line.get_ydata()[-1] for line in display.lines_])
    heights = np.array([box.y0 for box in boxes(display)])
    assert (np.diff(heights[order]) > 0).all()


def test_the_range_is_drawn_and_said():
    table = make_table(CohortSizeDisplay, ["a"])
    display = CohortSizeDisplay.from_results(table, interval="range")
    by_size = table.groupby("n_samples").score
    assert_array_equal(display.summary["low"], by_size.min())
    assert_array_equal(display.summary["high"], by_size.max())
    assert display.ax_.get_ylabel() == "score\nmean and range"


def test_one_score_has_no_band():
    table = make_table(PanelSizeDisplay, n_draws=1)
    display = PanelSizeDisplay.from_results(table, score_name="accuracy")
    assert not display.bands_
    assert display.ax_.get_ylabel() == "accuracy"


def test_without_interval_there_is_no_band():
    display = PanelSizeDisplay.from_results(make_table(PanelSizeDisplay), interval=None)
    assert not display.bands_
    assert display.ax_.get_ylabel() == "score\nmean"


def test_estimators_are_drawn_in_the_order_given_with_their_styles():
    table = make_table(CohortSizeDisplay)
    display = CohortSizeDisplay.from_results(
        table,
        estimators=["LR", "SCARF"],
        styles={"LR": {"c": "black", "ls": ":"}},
        line_kw={"lw": 5},
        fill_kw={"alpha": 0.5},
        label_kw={"fontsize": 7},
    )
    assert [line.get_label() for line in display.lines_] == ["LR", "SCARF"]
    line = display.lines_[0]
    assert (line.get_color(), line.get_linestyle()) == ("black", ":")
    assert {line.get_linewidth() for line in display.lines_} == {5}
    assert {band.get_alpha() for band in display.bands_} == {0.5}
    assert {label.get_fontsize() for label in display.labels_} == {7}


def test_many_lines_differ_in_more_than_colour():
    names = [f"estimator {i}" for i in range(12)]
    display = PanelSizeDisplay.from_results(make_table(PanelSizeDisplay, names))
    lines = display.lines_
    looks = {(i.get_color(), i.get_marker(), i.get_linestyle()) for i in lines}
    assert len(looks) == len(names)
    assert_apart(display)


def test_shares_have_their_numbers_and_a_logarithmic_axis():
    table = make_table(LabelEfficiencyDisplay)
    table["n_labeled"] = (table["fraction"] * 2000).astype(int)
    display = LabelEfficiencyDisplay.from_results(table)
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ticks == ["2 %\n40", "10 %\n200", "100 %\n2,000"]
    assert display.ax_.get_xscale() == "log"
    assert display.summary["n_labeled"].tolist() == [40, 200, 2000] * len(NAMES)


def test_each_mechanism_and_kind_of_rows_has_a_panel():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product(
        [
            NAMES,
            ["mnar", "block", "mar"],
            ["held out", "in the fit"],
            [0.5, 0.1],
            range(3),
        ],
        names=["estimator", "mechanism", "rows", "rate", "split"],
    )
    table = pd.DataFrame({"error": rng.random(len(index))}, index).reset_index()
    display = MissingnessDisplay.from_results(table)
    assert display.ax_.shape == (2, 3)
    means = table.groupby(["mechanism", "rows", "estimator", "rate"]).error.mean()
    for i, rows in enumerate(["held out", "in the fit"]):
        for j, mechanism in enumerate(["mnar", "block", "mar"]):
            ax = display.ax_[i, j]
            title = {"mnar": "MNAR", "mar": "MAR"}.get(mechanism, mechanism)
            assert ax.get_title(loc="left") == f"{title}, {rows}"
            for name, line in zip(NAMES, ax.lines, strict=True):
                assert_array_equal(line.get_xdata(), [0.1, 0.5])
                assert_allclose(line.get_ydata(), means[mechanism, rows, name])
            # Named in the last column only.
            assert len(ax.texts) == (len(NAMES) if j == 2 else 0)
    assert_apart(display)


def test_failures_are_left_out_and_said():
    table = make_table(CohortSizeDisplay, ["a", "b"])
    gone = (table.estimator == "b") & (table.n_samples == 40)
    table.loc[gone, "score"] = np.nan
    with pytest.warns(UserWarning, match=r"3 of 18 values of 'score' .* of 'b'"):
        display = CohortSizeDisplay.from_results(table)
    assert np.isnan(display.lines_[1].get_ydata()[-1])
    assert_allclose(display.labels_[1].xy, display.lines_[1].get_xydata()[1])
    assert_apart(display)


def test_an_estimator_that_always_fails_has_no_name_in_the_way():
    table = make_table(CohortSizeDisplay, ["a", "b"])
    table.loc[table.estimator == "b", "score"] = np.nan
    with pytest.warns(UserWarning, match="NaN"):
        display = CohortSizeDisplay.from_results(table)
    assert [label.get_text() for label in display.labels_] == ["a"]


def test_tables_of_the_functions_are_drawn():
    from sklearn.linear_model import LogisticRegression

    X, y = skgex.datasets.load_tissues_u133(return_X_y=True)
    models = {"LR": LogisticRegression(max_iter=10000)}
    X = X[:, :10]
    table = label_efficiency_curve(models, X, y, fractions=[0.2, 1], n_splits=1)
    display = LabelEfficiencyDisplay.from_results(table)
    assert_array_equal(display.lines_[0].get_ydata(), table.score)
    table = cohort_size_curve(models, X, y, sizes=[20, 40], n_draws=1)
    display = CohortSizeDisplay.from_results(table)
    assert_array_equal(display.lines_[0].get_ydata(), table.score)


# ----------------------------------------------------------------------------
# where it is drawn


@DISPLAYS
def test_given_axes_are_drawn_in_without_pyplot(Display):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    ax = left.subplots()
    display = Display.from_results(make_table(Display), ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is left
    assert Display.from_results(make_table(Display), ax=right).figure_ is right
    assert not plt.get_fignums()
    figure.canvas.draw()


def test_the_place_of_one_axes_is_shared_out():
    table = make_table(MissingnessDisplay)
    table = pd.concat([table, table.assign(mechanism="MNAR")])
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    before = axes[0].get_position()
    display = MissingnessDisplay.from_results(table, ax=axes[0])
    assert display.ax_.shape == (1, 2)
    for ax in display.ax_.flat:
        assert ax.figure is figure
        assert ax.get_position().x1 <= before.x1 + 1e-9
    figure, axes = plt.subplots(1, 2)
    display = MissingnessDisplay.from_results(table, ax=axes)
    assert_array_equal(display.ax_, axes.reshape(1, 2))
    with pytest.raises(ValueError, match="ax has 3 Axes, but 2 panels are drawn"):
        MissingnessDisplay.from_results(table, ax=plt.subplots(3)[1])
    with pytest.raises(ValueError, match="ax has 1 Axes, but 2 panels are drawn"):
        display.plot(ax=plt.figure().add_axes((0.1, 0.1, 0.8, 0.8)))


@DISPLAYS
def test_settings_of_matplotlib_are_left_alone(Display):
    before = dict(matplotlib.rcParams)
    display = Display.from_results(make_table(Display))
    display.figure_.canvas.draw()
    assert dict(matplotlib.rcParams) == before


def test_a_display_is_drawn_again():
    display = CohortSizeDisplay.from_results(make_table(CohortSizeDisplay))
    first = display.ax_
    assert display.plot() is display
    assert display.ax_ is not first
    assert len(display.lines_) == len(NAMES)


def test_figures_pickle():
    import pickle

    display = CohortSizeDisplay.from_results(make_table(CohortSizeDisplay))
    pickle.loads(pickle.dumps(display.figure_)).canvas.draw()


def test_without_matplotlib_the_extra_is_named_before_anything_else():
    code = """
import inspect, sys
sys.modules["matplotlib"] = None
import skgex
for name in skgex.plotting.__all__:
    Display = getattr(skgex.plotting, name)
    for maker in filter(lambda name: name.startswith("from_"), dir(Display)):
        make = getattr(Display, maker)
        given = [p for p in inspect.signature(make).parameters.values()
                 if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        try:
            make(*[None] * len(given))
        except ImportError as error:
            print(f"{name}.{maker}", error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not run.stderr
    makers = [line.split()[0].split(".") for line in run.stdout.splitlines()]
    assert {name for name, _ in makers} == set(skgex.plotting.__all__)
    for line, maker in zip(run.stdout.splitlines(), makers, strict=True):
        assert line == (
            f"{'.'.join(maker)} {'.'.join(maker)} needs matplotlib, which is not "
            'installed: pip install "skgex[plot]"'
        )


# ----------------------------------------------------------------------------
# what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interval": "sem"}, 'interval=\'sem\' must be "std", "range" or None'),
        ({"estimators": ["XGB"]}, r"estimators=\['XGB'\] must be among those"),
        ({"estimators": []}, r"estimators=\[\] must be among those"),
        ({"score": "f1"}, "score='f1' must be a column of results, such as 'score'"),
        ({"styles": {"XGB": {}}}, r"styles has \['XGB'\]"),
    ],
    ids=["interval", "estimators", "none", "score", "styles"],
)
def test_wrong_parameters_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        CohortSizeDisplay.from_results(make_table(CohortSizeDisplay), **change)


def test_tables_that_are_none_are_refused():
    table = make_table(CohortSizeDisplay)
    with pytest.raises(
        ValueError, match=r"lacks .* 'rate', 'mechanism' .*missingness_"
    ):
        MissingnessDisplay.from_results(table.drop(columns="mechanism"))
    with pytest.raises(ValueError, match="no rows"):
        CohortSizeDisplay.from_results(table[:0])
    with pytest.raises(TypeError, match="DataFrame that cohort_size_curve returns"):
        CohortSizeDisplay.from_results(table.to_dict())
    with pytest.raises(ValueError, match=r"score=None must be .* 'score', 'error'"):
        CohortSizeDisplay.from_results(table.drop(columns="score"))


# ----------------------------------------------------------------------------
# moving names apart


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6), st.floats(0.5, 15))
def test_moves_are_the_smallest_that_keep_the_gap(heights, gap):
    heights = np.array(heights)
    moved = spread(heights, gap, 0, 100)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(moved[order]) >= gap - 1e-9).all()
    assert moved.min() >= -1e-9
    assert moved.max() <= 100 + 1e-9
    # The same by a general solver, from a place where all bounds are kept.
    target = heights[order]
    start = np.linspace(0, 100, len(target)) if len(target) > 1 else target
    limits = [{"type": "ineq", "fun": lambda p: np.diff(p) - gap}]
    best = minimize(
        lambda p: ((p - target) ** 2).sum(),
        start,
        jac=lambda p: 2 * (p - target),
        bounds=[(0, 100)] * len(target),
        constraints=limits if len(target) > 1 else [],
        method="SLSQP",
    )
    assert ((moved[order] - target) ** 2).sum() <= best.fun + 1e-4


def test_without_room_the_gap_counts_more_than_the_bounds():
    assert_allclose(np.diff(spread([1, 1, 1], 5, 0, 2)), 5)


@given(st.integers(0, 1000), st.integers(1, 25))
def test_boxes_are_pushed_apart(seed, n):
    rng = np.random.default_rng(seed)
    centres, sizes = 100 * rng.random((n, 2)), 5 + 20 * rng.random((n, 2))
    moved = push_apart(centres, sizes)
    assert_array_equal(moved[:, 0], centres[:, 0])
    for i, j in combinations(range(n), 2):
        apart = np.abs(moved[i] - moved[j]) >= (sizes[i] + sizes[j]) / 2 - 0.1
        assert apart.any()


def test_boxes_on_top_of_each_other_are_pushed_apart():
    moved = push_apart(np.zeros((4, 2)), np.ones((4, 2)))
    assert (np.diff(np.sort(moved[:, 1])) > 0.99).all()

"""What the Displays of the protocols share: a line for each estimator."""

import numpy as np

from ._axes import check_matplotlib, make_axes, merged, open_frame
from ._labels import label_ends
from ._styles import line_style
from ._summary import (
    INTERVALS,
    check_results,
    find_score,
    select_estimators,
    summarise,
)

SCORE_NAMES = {
    "error": "error of hidden values (standard deviations)",
    "r": "correlation of hidden values, median gene",
    "bias": "restored less hidden values (standard deviations)",
    "coverage": "hidden values in their 90 % interval",
}


class CurvesDisplay:
    """Mean scores by estimator along one axis, in one panel or several.

    A subclass says what the columns of the table are, and has a docstring.
    """

    # The function that makes the table, its column on the x-axis, and others needed.
    _maker = "skgex.evaluation"
    _x = "x"
    _others = ()
    _xlabel = ""
    _log = True
    _scores = ("score", "error")

    def __init__(self, summary, *, score_name="score", interval=None):
        self.summary = summary
        self.score_name = score_name
        self.interval = interval

    @classmethod
    def from_results(
        cls,
        results,
        *,
        score=None,
        score_name=None,
        interval: str | None = "std",
        estimators=None,
        ax=None,
        styles=None,
        line_kw=None,
        fill_kw=None,
        label_kw=None,
    ):
        """Draw a table of results.

        Parameters
        ----------
        results : DataFrame
            What the function of :mod:`skgex.evaluation` returns.
        score : str, default=None
            Column to draw. None takes the first there is of `score` and `error`.
        score_name : str, default=None
            What the y-axis is called. None takes a name that suits the column.
        interval : {"std", "range", None}, default="std"
            Band around the mean over splits and draws: one standard deviation to both
            sides, from the lowest to the highest, or none. It shows how much scores
            vary. It is no confidence interval of the mean, since the training samples
            of splits and draws overlap.
        estimators : list of str, default=None
            Which estimators to draw, and in which order. None draws all.
        ax : Axes, array of Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure.
        styles : dict of str to dict, default=None
            Keywords of the line of an estimator, by its name, such as `color`.
        line_kw : dict, default=None
            Keywords of all lines, for :class:`matplotlib.lines.Line2D`.
        fill_kw : dict, default=None
            Keywords of all bands, for ``Axes.fill_between``.
        label_kw : dict, default=None
            Keywords of the names, for :class:`matplotlib.text.Text`.

        Returns
        -------
        display : object
            The display, drawn.

        Raises
        ------
        ValueError
            If the table lacks columns, or has none of the estimators.

        Warns
        -----
        UserWarning
            If scores are NaN, those of estimators that failed.
        """
        check_matplotlib(f"{cls.__name__}.from_results")
        check_results(results, ["estimator", cls._x, *cls._others], cls._maker)
        score = find_score(results, score, cls._scores)
        chosen = select_estimators(results, estimators)
        summary = cls._summarise(chosen, score, interval)
        name = SCORE_NAMES.get(score, score) if score_name is None else score_name
        display = cls(summary, score_name=name, interval=interval)
        return display.plot(
            ax, styles=styles, line_kw=line_kw, fill_kw=fill_kw, label_kw=label_kw
        )

    def plot(self, ax=None, *, styles=None, line_kw=None, fill_kw=None, label_kw=None):
        """Draw the lines, each with its name at its end.

        Parameters
        ----------
        ax : Axes, array of Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure.
        styles : dict of str to dict, default=None
            Keywords of the line of an estimator, by its name.
        line_kw : dict, default=None
            Keywords of all lines, for :class:`matplotlib.lines.Line2D`.
        fill_kw : dict, default=None
            Keywords of all bands, for ``Axes.fill_between``.
        label_kw : dict, default=None
            Keywords of the names, for :class:`matplotlib.text.Text`.

        Returns
        -------
        self : object
            The display.
        """
        if self._log and (self.summary[self._x] <= 0).any():
            raise ValueError(
                f"{self._x!r} has values of zero or less, which have no place on a "
                "logarithmic axis."
            )
        panels = self._panels()
        axes = self._make_axes(ax, panels)
        names = list(dict.fromkeys(self.summary["estimator"]))
        if not isinstance(styles, dict | None):
            raise ValueError(f"styles={styles!r} must be a dict of dict by estimator.")
        unknown = set(styles or {}) - set(names)
        if unknown:
            raise ValueError(f"styles has {sorted(unknown)}, but drawn are {names}.")
        self.lines_, self.bands_, self.labels_ = [], [], []
        for place, (title, table) in np.ndenumerate(_objects(panels)):
            here = axes[place]
            lines = self._draw_lines(here, table, names, styles, line_kw, fill_kw)
            self._finish_x(here, table)
            # Panels side by side have the same lines: they are named in the last.
            if place[1] == axes.shape[1] - 1:
                self.labels_ += label_ends(here, lines, names, label_kw)
            here.set_title(title, loc="left", fontsize="medium")
            open_frame(here)
            here.grid(axis="y", alpha=0.25)
        name = self.score_name
        if (self.summary["n"] > 1).any():
            name = f"{name}\nmean {INTERVALS[self.interval]}".rstrip()
        for here in axes[:, 0]:
            here.set_ylabel(name)
        self.ax_ = axes[0, 0] if axes.size == 1 else axes
        self.figure_ = axes[0, 0].figure
        return self

    @classmethod
    def _summarise(cls, results, score, interval):
        return summarise(results, ["estimator", cls._x], score, interval)

    def _panels(self):
        """Return rows of panels, each of a title and the summary to draw in it."""
        return [[("", self.summary)]]

    def _make_axes(self, ax, panels):
        rows, columns = len(panels), len(panels[0])
        # The last panel has names as well, and is as wide as the others without them.
        ratios = [1] * (columns - 1) + [1.0 if columns == 1 else 1.7]
        return make_axes(
            f"{type(self).__name__}.plot",
            ax,
            (rows, columns),
            figsize=(6.5 if columns == 1 else 2.2 * columns + 2.3, 1 + 3 * rows),
            width_ratios=ratios,
            sharey="row",
        )

    def _draw_lines(self, ax, table, names, styles, line_kw, fill_kw):
        lines = []
        for i, name in enumerate(names):
            part = table[table["estimator"] == name]
            style = merged({**line_style(i), "linewidth": 2}, line_kw)
            style = merged(style, (styles or {}).get(name))
            (line,) = ax.plot(part[self._x], part["mean"], label=name, **style)
            lines.append(line)
            if self.interval is not None and (part["n"] > 1).any():
                fill = {"color": line.get_color(), "alpha": 0.12, "linewidth": 0}
                self.bands_.append(
                    ax.fill_between(
                        part[self._x],
                        part["low"],
                        part["high"],
                        **merged(fill, fill_kw),
                    )
                )
        self.lines_ += lines
        return lines

    def _finish_x(self, ax, table):
        """Put ticks where values are, and end the axis where they end."""
        values = np.unique(table[self._x])
        if self._log:
            ax.set_xscale("log")
        if len(values) <= 8:
            ax.set_xticks(values, self._tick_labels(table, values))
            ax.set_xticks([], minor=True)
        ax.set_xlabel(self._xlabel)
        ax.spines.bottom.set_bounds(values[0], values[-1])

    def _tick_labels(self, table, values):
        return [f"{value:g}" for value in values]


def _objects(panels):
    """Return a 2d array of the panels, which are pairs."""
    array = np.empty((len(panels), len(panels[0])), dtype=object)
    for i, row in enumerate(panels):
        for j, panel in enumerate(row):
            array[i, j] = panel
    return array

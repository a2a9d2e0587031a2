"""Survival curves of groups, and how they are drawn."""

import numpy as np
import pandas as pd

from ._at_risk import write_at_risk
from ._axes import check_positive, make_axes, merged, open_frame
from ._labels import label_ends
from ._styles import DASHES, ordered_colors


class GroupCurves:
    """Draws `curves`, with `p_value` and `hazard_ratios` in the title."""

    def plot(
        self,
        ax=None,
        *,
        time_scale=1.0,
        time_name="time",
        max_time=None,
        at_risk=True,
        line_kw=None,
        fill_kw=None,
        label_kw=None,
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : Axes, Figure or SubFigure, default=None
            Where to draw. None makes a new figure. Numbers at risk take their room from
            the axes, unless the figure has a layout of its own that makes room.
        time_scale : float, default=1.0
            Times are divided by it: 365.25 for days drawn as years.
        time_name : str, default="time"
            What the x-axis is called, such as "years".
        max_time : float, default=None
            Where the x-axis ends, in its own unit. None ends it at the last follow-up.
        at_risk : bool, default=True
            Whether numbers at risk are written below the axis.
        line_kw : dict, default=None
            Keywords of all lines, for :class:`matplotlib.lines.Line2D`.
        fill_kw : dict, default=None
            Keywords of all bands, for ``Axes.fill_between``.
        label_kw : dict, default=None
            Keywords of the names, for :class:`matplotlib.text.Text`.

        Returns
        -------
        self : RiskGroupsDisplay
            The display.
        """
        check_positive(time_scale=time_scale, max_time=max_time)
        ((ax,),) = make_axes(f"{type(self).__name__}.plot", ax, figsize=(6.5, 4.5))
        last = max(curve["time"].iloc[-1] for curve in self.curves.values())
        end = last / time_scale if max_time is None else max_time
        colors = ordered_colors(len(self.curves))
        self.lines_, self.bands_, labels = [], [], []
        for i, (name, curve) in enumerate(self.curves.items()):
            n, n_events = curve["n_at_risk"].iloc[0], curve["n_events"].sum()
            labels.append(f"{name} ({n_events} of {n})")
            steps = _until(curve.assign(time=curve["time"] / time_scale), end)
            style = {"color": colors[i], "linewidth": 2, "linestyle": DASHES[i % 4]}
            style = {**style, "drawstyle": "steps-post", "label": name}
            self.lines_ += ax.plot(
                steps["time"], steps["survival"], **merged(style, line_kw)
            )
            fill = {"color": self.lines_[-1].get_color(), "alpha": 0.15, "linewidth": 0}
            band = ax.fill_between(
                steps["time"],
                steps["low"],
                steps["high"],
                step="post",
                **merged(fill, fill_kw),
            )
            self.bands_.append(band)
        ax.set(xlim=(0, end), ylim=(0, 1.03), xlabel=time_name)
        ax.set_ylabel("share without event")
        ticks = [tick for tick in ax.get_xticks() if 0 <= tick <= end]
        ax.set_xticks(ticks)
        ax.spines.bottom.set_bounds(0, end)
        open_frame(ax)
        if self.p_value is not None:
            text = _title(self.p_value, self.hazard_ratios)
            ax.set_title(text, loc="left", fontsize="medium")
        self.labels_ = label_ends(ax, self.lines_, labels, label_kw)
        self.at_risk_ = self._count(ticks, time_scale)
        if at_risk:
            write_at_risk(ax, self.at_risk_, colors)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _count(self, ticks, time_scale):
        """Return how many of each group are still followed up at the ticks."""
        counts = {}
        for name, curve in self.curves.items():
            numbers = np.append(curve["n_at_risk"], 0)
            # Of the first time that is not earlier.
            places = np.searchsorted(curve["time"] / time_scale, ticks)
            counts[name] = numbers[places]
        return pd.DataFrame.from_dict(counts, orient="index", columns=ticks)


def _until(curve, end):
    """Return the steps of a curve up to a time, to which the last one lasts."""
    steps = curve[curve["time"] <= end]
    if curve["time"].iloc[-1] > end:
        steps = pd.concat([steps, steps.iloc[-1:].assign(time=end)])
    return steps


def _title(p, hazard_ratios):
    """Return what is written of the test, and of the last group to the first."""
    text = f"log-rank p = {p:.2g}" if p >= 1e-4 else "log-rank p < 0.0001"
    if hazard_ratios is None or hazard_ratios.iloc[-1].isna().any():
        return text
    ratio, low, high = hazard_ratios.iloc[-1]
    which = "" if len(hazard_ratios) == 2 else " of the last to the first"
    return f"{text}, hazard ratio{which} {ratio:.2g} ({low:.2g} to {high:.2g})"

"""A table of the numbers at risk below the axis of time."""

# In sizes of the font: from one row to the next, and to the heading.
ROW = 1.3
# Of the axis: what ticks, their labels and the name of the axis take.
HEAD = 3.5


def write_at_risk(ax, table, colors):
    """Write a row for each group below the axis, with numbers under the ticks.

    Parameters
    ----------
    ax : Axes
        Whose x-axis is time.
    table : DataFrame
        Numbers, with names of groups as the index and times as columns.
    colors : list
        Of the groups.
    """
    size = ax.xaxis.label.get_fontsize()
    if ax.figure.get_figure(root=True).get_layout_engine() is None:
        _make_room(ax, (len(table) + 1) * ROW * size)
    rows = [("at risk", ax.xaxis.label.get_color(), [])]
    rows += [
        (name, color, list(numbers.items()))
        for (name, numbers), color in zip(table.iterrows(), colors, strict=False)
    ]
    for i, (name, color, numbers) in enumerate(rows):
        style = {
            "xycoords": ax.get_xaxis_transform(),
            "textcoords": "offset points",
            "annotation_clip": False,
            "color": color,
            "va": "top",
            "fontsize": 0.9 * size,
        }
        down = -(HEAD + i * ROW) * size
        ax.annotate(name, (0, 0), xytext=(-1.2 * size, down), ha="right", **style)
        for time, number in numbers:
            ax.annotate(
                f"{number:,}", (time, 0), xytext=(0, down), ha="center", **style
            )


def _make_room(ax, points):
    """Raise the lower edge of the axes."""
    box = ax.get_position()
    height = points * ax.figure.dpi / 72 / ax.figure.bbox.height
    box.y0 += min(height, box.height / 2)
    ax.set_position(box)

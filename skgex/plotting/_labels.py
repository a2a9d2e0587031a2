"""Names beside what they name, moved apart where they would overlap.

Where names may stand depends on the size of the axes in pixels, which is known when
they are drawn, and changes with the window: so places are found at each drawing.
"""

import numpy as np
from sklearn.isotonic import isotonic_regression

# Points between the end of a line and its name.
PAD = 10
# Height of a line of text, in sizes of its font.
LINE_HEIGHT = 1.35


def spread(heights, gap, low, high):
    """Move heights apart until each is `gap` from the next, all of them within bounds.

    The sum of the squared moves is the least there is. If the bounds leave too little
    room, they are ignored.
    """
    heights = np.asarray(heights, dtype=float)
    order = np.argsort(heights, kind="stable")
    steps = gap * np.arange(len(heights))
    room = high - low - steps[-1]
    bounds = {"y_min": low, "y_max": low + room} if room >= 0 else {}
    moved = np.empty(len(heights))
    # A gap to each neighbour is an ascending order of heights without their steps.
    moved[order] = isotonic_regression(heights[order] - steps, **bounds) + steps
    return moved


def push_apart(centres, sizes, n_rounds=200):
    """Move boxes up and down until no two overlap; centres and sizes are (n, 2)."""
    centres, sizes = np.array(centres, dtype=float), np.asarray(sizes, dtype=float)
    reach = (sizes[:, None] + sizes[None]) / 2
    for _ in range(n_rounds):
        distance = centres[:, None] - centres[None]
        overlap = np.maximum(reach - np.abs(distance), 0)
        overlap[np.diag_indices(len(centres))] = 0
        pairs = (overlap > 0).all(axis=2)
        if not pairs.any():
            break
        # Of two at the same height the first goes up.
        sign = np.sign(distance[:, :, 1])
        tied = sign == 0
        first = np.tri(len(centres), dtype=bool).T
        sign[tied] = np.where(first, 1, -1)[tied]
        moves = np.where(pairs, sign * overlap[:, :, 1], 0)
        centres[:, 1] += moves.sum(axis=1) / np.maximum(2, pairs.sum(axis=1) + 1)
        centres[:, 1] += 1e-3 * np.sign(moves.sum(axis=1))
    return centres


class _Places:
    """Where the names of some axes stand, found once for each drawing."""

    def __init__(self, ax, points):
        self.ax, self.points = ax, points
        self.labels, self.last = [], (None, None)

    def find(self, renderer):
        """Return the place of each name in pixels, of shape (n_labels, 2)."""
        points = self.ax.transData.transform(self.points)
        fonts = [(label.get_text(), label.get_fontsize()) for label in self.labels]
        key = points.tobytes(), self.ax.bbox.bounds, self.ax.figure.dpi, tuple(fonts)
        if self.last[0] != key:
            self.last = key, self._find(renderer, points)
        return self.last[1]


class _AtEnds(_Places):
    """Names in a column to the right of all lines."""

    def _find(self, renderer, points):
        sizes = [label.get_fontsize() for label in self.labels]
        gap = renderer.points_to_pixels(LINE_HEIGHT * max(sizes))
        box = self.ax.bbox
        heights = spread(points[:, 1], gap, box.y0 + gap / 2, box.y1 - gap / 2)
        x = points[:, 0].max() + renderer.points_to_pixels(PAD)
        return np.column_stack([np.full(len(heights), x), heights])


class _AtPoints(_Places):
    """Names around points."""

    def _find(self, renderer, points):
        sizes = [self._size(renderer, label) for label in self.labels]
        return push_apart(points, sizes)

    def _size(self, renderer, label):
        font = label.get_fontproperties()
        text = label.get_text()
        width, height, _ = renderer.get_text_width_height_descent(text, font, False)
        return width + 2, max(height, renderer.points_to_pixels(font.get_size())) + 2


class _Place:
    """The place of one of the names, as matplotlib asks for it."""

    def __init__(self, places, i):
        self.places, self.i = places, i

    def __call__(self, renderer):
        from matplotlib.transforms import Affine2D

        return Affine2D().translate(*self.places.find(renderer)[self.i])


def label_ends(ax, lines, names, label_kw=None):
    """Write a name at the right end of each line, and make room for it in the axes.

    Returns
    -------
    labels : list of Annotation
    """
    named = [(line, name, _last(line)) for line, name in zip(lines, names, strict=True)]
    # A line without any point has no end.
    named = [(*rest, end) for *rest, end in named if end is not None]
    ends = np.array([end for _, _, end in named], dtype=float).reshape(-1, 2)
    places = _AtEnds(ax, ends)
    for i, (line, name, _) in enumerate(named):
        color = line.get_color()
        leader = {
            "arrowstyle": "-",
            "color": color,
            "alpha": 0.6,
            "linewidth": 0.8,
            "relpos": (0, 0.5),
            "shrinkA": 2,
            "shrinkB": 3,
        }
        label = ax.annotate(
            name,
            xy=ends[i],
            xytext=(0, 0),
            textcoords=_Place(places, i),
            arrowprops=leader,
            **{"color": color, "va": "center", "ha": "left", **(label_kw or {})},
        )
        places.labels.append(label)
    _make_room(ax, ends, places.labels)
    return places.labels


def label_points(ax, points, names, colors, label_kw=None):
    """Write each name around its point.

    Returns
    -------
    labels : list of Annotation
    """
    from matplotlib.patheffects import withStroke

    points = np.asarray(points, dtype=float)
    # The paper shows around the letters, so that they are read on top of points.
    halo = [withStroke(linewidth=2.5, foreground=ax.get_facecolor())]
    places = _AtPoints(ax, points)
    for i, (name, color) in enumerate(zip(names, colors, strict=True)):
        style = {
            "color": color,
            "weight": "bold",
            "path_effects": halo,
            "va": "center",
            "ha": "center",
            **(label_kw or {}),
        }
        label = ax.annotate(
            name,
            xy=points[i],
            xytext=(0, 0),
            textcoords=_Place(places, i),
            arrowprops={
                "arrowstyle": "-",
                "color": color,
                "linewidth": 0.8,
                "shrinkA": 0,
                "shrinkB": 0,
            },
            **style,
        )
        places.labels.append(label)
    return places.labels


def _last(line):
    """Return the last point of a line that is not NaN, if there is one."""
    x, y = line.get_data(orig=False)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    return (x[known[-1]], y[known[-1]]) if len(known) else None


def _make_room(ax, ends, labels):
    """Move the right limit so that names lie within the axes, on any scale of x."""
    if not labels:
        return
    from matplotlib.text import Text

    # Without the lines that lead to the names.
    widths = [Text.get_window_extent(label).width for label in labels]
    needed = max(widths) + (PAD + 2) * ax.figure.dpi / 72
    share = min(needed / ax.bbox.width, 0.6)
    scale = ax.xaxis.get_transform()
    left, last = scale.transform([ax.get_xlim()[0], ends[:, 0].max()])
    right = left + (last - left) / (1 - share)
    ax.set_xlim(right=scale.inverted().transform([right])[0])
    # The name of the axis stands below what was drawn.
    ax.xaxis.label.set_x((1 - share) / 2)

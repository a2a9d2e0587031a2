"""Colours, markers and dashes that are told apart by colour-blind readers, too."""

# Of Okabe and Ito, without black and yellow: the one is lost on dark paper, the other
# on light paper. The lightest come last, since names have the colour of their line.
COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#7F7F7F",
    "#E69F00",
    "#56B4E9",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
DASHES = ("-", "--", "-.", ":")


def line_style(i):
    """Return colour, marker and dashes of the line at a place."""
    return {
        "color": COLORS[i % len(COLORS)],
        "marker": MARKERS[i % len(MARKERS)],
        "linestyle": DASHES[i // len(COLORS) % len(DASHES)],
    }


def ordered_colors(n):
    """Return colours of groups in an order, from low to high."""
    low, middle, high = COLORS[0], "#7F7F7F", COLORS[1]
    few = {1: [low], 2: [low, high], 3: [low, middle, high]}
    return few.get(n) or [COLORS[i % len(COLORS)] for i in range(n)]

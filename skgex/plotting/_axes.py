"""Axes to draw in: those of the caller, or new ones."""

from numbers import Real

import numpy as np

# Seen on light and on dark paper; for reference lines and what is beside the point.
GREY = "#7F7F7F"


def check_matplotlib(caller):
    """Say which extra is needed, before anything is computed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib, which is not installed: pip install "
            '"skgex[plot]"'
        ) from error


def make_axes(
    caller, ax=None, shape=(1, 1), *, figsize=(6, 4), width_ratios=None, sharey=False
):
    """Return an array of Axes of the given shape.

    Parameters
    ----------
    caller : str
        Named in the message if matplotlib is not installed.
    ax : Axes, array of Axes, Figure, SubFigure or None, default=None
        Where to draw. None makes a new figure by pyplot, which is the only case in
        which pyplot is imported. A figure is filled. The place of a single Axes is
        shared out if several panels are drawn.
    shape : tuple of int, default=(1, 1)
        Numbers of rows and columns of panels.
    figsize : tuple of float, default=(6, 4)
        Inches, of a new figure.
    width_ratios : sequence of float, default=None
        Relative widths of the columns.
    sharey : bool or str, default=False
        Which panels have a y-axis in common, as in ``Figure.subplots``.
    """
    check_matplotlib(caller)
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.figure(figsize=figsize, layout="constrained")
    if hasattr(ax, "add_subfigure"):
        return ax.subplots(
            *shape, squeeze=False, width_ratios=width_ratios, sharey=sharey
        )
    given = np.asarray(ax, dtype=object)
    if not given.size or not all(hasattr(a, "get_subplotspec") for a in given.flat):
        raise ValueError(f"ax={ax!r:.60} must be Axes, an array of them, or a figure.")
    if given.size == np.prod(shape):
        return given.reshape(shape)
    if given.size > 1 or ax.get_subplotspec() is None:
        raise ValueError(
            f"ax has {given.size} Axes, but {np.prod(shape)} panels are drawn: give as "
            "many, or one of plt.subplots(), whose place is shared out, or a figure."
        )
    ax.set_axis_off()
    grid = ax.get_subplotspec().subgridspec(*shape, width_ratios=width_ratios)
    return grid.subplots(squeeze=False, sharey=sharey)


def check_positive(**numbers):
    """Refuse what is no positive number. None stands for a default."""
    for name, number in numbers.items():
        is_number = isinstance(number, Real) and 0 < number < np.inf
        if not (number is None or is_number):
            raise ValueError(f"{name}={number!r} must be a positive number.")


def open_frame(ax):
    """Leave out the lines of the frame that no scale belongs to."""
    ax.spines[["top", "right"]].set_visible(False)


def merged(defaults, given):
    """Return keywords for matplotlib; those given count, also under their short names.

    Two names for one property, such as "lw" and "linewidth", are an error to
    matplotlib.
    """
    given = dict(given or {})
    short = {"lw": "linewidth", "ls": "linestyle", "c": "color", "ms": "markersize"}
    given = {short.get(name, name): value for name, value in given.items()}
    return {**defaults, **given}

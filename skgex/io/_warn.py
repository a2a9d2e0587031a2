"""Warnings that point to the line of the caller's own code."""

import sys
import warnings

_INSIDE = ("skgex.", "sklearn.", "contextlib")


def warn(text):
    """Warn, at the first line outside of this package."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(_INSIDE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)

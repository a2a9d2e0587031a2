"""Warnings that point to the line of the caller's own code."""

import sys
import warnings

# What stands between the caller's line and the place that warns: this package, and
# those that call it back.
_BETWEEN = {"skgex", "sklearn", "sksurv", "skorch", "joblib", "torch", "contextlib"}


def warn_caller(text, category=UserWarning):
    """Warn, at the first line outside of this package and of those in between.

    Unlike a number of levels this holds however many decorators and wrappers, such as
    a pipeline, the call has passed through.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back and _package(frame) in _BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def _package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]

"""Experiments of the papers as functions that return tidy tables."""

from ._ampute import ampute
from ._cohort_size import cohort_size_curve
from ._label_efficiency import label_efficiency_curve
from ._missingness import missingness_curve

__all__ = [
    "ampute",
    "cohort_size_curve",
    "label_efficiency_curve",
    "missingness_curve",
]

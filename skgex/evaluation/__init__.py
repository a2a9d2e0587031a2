"""Experiments of the papers as functions that return tidy tables."""

from ._ampute import ampute
from ._cohort_size import cohort_size_curve
from ._concordance import concordance_interval
from ._label_efficiency import label_efficiency_curve
from ._missingness import missingness_curve

__all__ = [
    "ampute",
    "cohort_size_curve",
    "concordance_interval",
    "label_efficiency_curve",
    "missingness_curve",
]

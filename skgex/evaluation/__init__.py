"""Experiments of the papers as functions that return tidy tables."""

from ._cohort_size import cohort_size_curve
from ._label_efficiency import label_efficiency_curve

__all__ = ["cohort_size_curve", "label_efficiency_curve"]

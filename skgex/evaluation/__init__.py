"""Experiments of the papers as functions that return tidy tables."""

from ._label_efficiency import label_efficiency_curve

__all__ = ["label_efficiency_curve"]

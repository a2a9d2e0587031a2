"""Imputation: fill in what was not measured."""

from ._imputer import GexImputer

__all__ = ["GexImputer"]

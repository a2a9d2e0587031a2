"""Experiments of the papers as functions that return tidy tables."""

from ._ampute import ampute
from ._auc import auc_interval
from ._brier import brier_interval
from ._cohort_size import cohort_size_curve
from ._concordance import concordance_interval
from ._label_efficiency import label_efficiency_curve
from ._labels_saved import labels_saved
from ._missingness import missingness_curve
from ._paired import paired_difference
from ._panel_size import panel_size_curve
from ._transfer import transfer_matrix

__all__ = [
    "ampute",
    "auc_interval",
    "brier_interval",
    "cohort_size_curve",
    "concordance_interval",
    "label_efficiency_curve",
    "labels_saved",
    "missingness_curve",
    "paired_difference",
    "panel_size_curve",
    "transfer_matrix",
]

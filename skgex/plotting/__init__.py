"""Figures of estimators and experiments, in scikit-learn's Display convention.

They need matplotlib, ``pip install "skgex[plot]"``, which loads with the first drawing.
"""

from ._cohort_size import CohortSizeDisplay
from ._label_efficiency import LabelEfficiencyDisplay
from ._missingness import MissingnessDisplay
from ._panel_size import PanelSizeDisplay

__all__ = [
    "CohortSizeDisplay",
    "LabelEfficiencyDisplay",
    "MissingnessDisplay",
    "PanelSizeDisplay",
]

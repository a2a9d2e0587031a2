"""Figures of estimators and experiments, in scikit-learn's Display convention.

They need matplotlib, ``pip install ".[plot]"`` in a checkout. It loads with the first
drawing.
"""

from ._attention import AttentionDisplay
from ._calibration import SurvivalCalibrationDisplay
from ._cohort_size import CohortSizeDisplay
from ._embedding import EmbeddingDisplay
from ._label_efficiency import LabelEfficiencyDisplay
from ._missingness import MissingnessDisplay
from ._panel_size import PanelSizeDisplay
from ._restoration import RestorationDisplay
from ._risk_groups import RiskGroupsDisplay
from ._training_curve import TrainingCurveDisplay

__all__ = [
    "AttentionDisplay",
    "CohortSizeDisplay",
    "EmbeddingDisplay",
    "LabelEfficiencyDisplay",
    "MissingnessDisplay",
    "PanelSizeDisplay",
    "RestorationDisplay",
    "RiskGroupsDisplay",
    "SurvivalCalibrationDisplay",
    "TrainingCurveDisplay",
]

"""Supervised estimators on a pretrained encoder."""

from ._classifier import FineTunedClassifier
from ._regressor import FineTunedRegressor

__all__ = ["FineTunedClassifier", "FineTunedRegressor"]

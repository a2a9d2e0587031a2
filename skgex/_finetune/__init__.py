"""Supervised estimators on a pretrained encoder."""

from ._classifier import FineTunedClassifier
from ._regressor import FineTunedRegressor
from ._split import LabeledKFold

__all__ = ["FineTunedClassifier", "FineTunedRegressor", "LabeledKFold"]

"""scikit-learn estimators for bulk gene expression."""

import lazy_loader

__version__ = "0.1.0.dev0"

# torch and skorch load with the first estimator that is asked for, not before.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["datasets", "evaluation", "io", "nn", "plotting"],
    submod_attrs={
        "_attributions": ["gene_attributions"],
        "_finetune": ["FineTunedClassifier", "FineTunedRegressor", "LabeledKFold"],
        "_impute": ["GexImputer"],
        "_persistence": ["load"],
        "_restore": ["GeneRestorer"],
        "_survival._cox_ph": ["FineTunedCoxPH"],
        "_survival._discrete_hazard": ["FineTunedDiscreteHazard"],
        "_survival._selector": ["UnivariateCoxSelector"],
        "_survival._split": ["EventStratifiedKFold"],
        "preprocessing": [
            "BatchScaler",
            "GeneAligner",
            "LogCPM",
            "QuantileNormalizer",
            "TopVarianceGenes",
        ],
        "pretext": ["BYOL", "SCARF", "VIME", "GexBERT"],
    },
)

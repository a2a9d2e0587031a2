# The public names, and where they come from: lazy_loader reads this file when the
# package is imported, type checkers and editors read it too. It is the only list.
from . import datasets as datasets
from . import evaluation as evaluation
from . import io as io
from . import nn as nn
from . import plotting as plotting
from ._attributions import gene_attributions as gene_attributions
from ._finetune import FineTunedClassifier as FineTunedClassifier
from ._finetune import FineTunedRegressor as FineTunedRegressor
from ._finetune import LabeledKFold as LabeledKFold
from ._impute import GexImputer as GexImputer
from ._persistence import load as load
from ._restore import GeneRestorer as GeneRestorer
from ._survival._cox_ph import FineTunedCoxPH as FineTunedCoxPH
from ._survival._discrete_hazard import (
    FineTunedDiscreteHazard as FineTunedDiscreteHazard,
)
from ._survival._selector import UnivariateCoxSelector as UnivariateCoxSelector
from ._survival._split import EventStratifiedKFold as EventStratifiedKFold
from .preprocessing import BatchScaler as BatchScaler
from .preprocessing import GeneAligner as GeneAligner
from .preprocessing import LogCPM as LogCPM
from .preprocessing import QuantileNormalizer as QuantileNormalizer
from .preprocessing import TopVarianceGenes as TopVarianceGenes
from .pretext import BYOL as BYOL
from .pretext import SCARF as SCARF
from .pretext import VIME as VIME
from .pretext import GexBERT as GexBERT

__version__: str

"""The parameters of the survival estimators."""

from numbers import Integral, Real

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from .._covariates import CONSTRAINT
from ..pretext._base import BaseEmbedder


class SurvivalParameters:
    """What all survival estimators are told; see `FineTunedCoxPH` for the meaning."""

    _parameter_constraints: dict = {
        "embedder": [HasMethods(["fit", "transform"]), None],
        "covariates": CONSTRAINT,
        "alpha": [Interval(Real, 0, None, closed="neither"), StrOptions({"cv"})],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "scaling": [StrOptions({"rank", "standard"})],
        "cv": ["cv_object"],
        "prior_weight": [Interval(Real, 0, None, closed="left"), StrOptions({"cv"})],
        "freeze": ["boolean"],
        "encoder_lr": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [
            Interval(Integral, 2, None, closed="left"),
            StrOptions({"auto"}),
        ],
        **{
            name: BaseEmbedder._parameter_constraints[name]
            for name in (
                "max_epochs",
                "lr",
                "weight_decay",
                "device",
                "callbacks",
                "warm_start",
                "verbose",
                "random_state",
            )
        },
    }

    def __init__(
        self,
        embedder,
        *,
        covariates,
        alpha,
        l1_ratio,
        scaling,
        cv,
        prior_weight,
        freeze,
        encoder_lr,
        max_epochs,
        batch_size,
        lr,
        weight_decay,
        device,
        callbacks,
        warm_start,
        verbose,
        random_state,
    ):
        self.embedder = embedder
        self.covariates = covariates
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.scaling = scaling
        self.cv = cv
        self.prior_weight = prior_weight
        self.freeze = freeze
        self.encoder_lr = encoder_lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.device = device
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

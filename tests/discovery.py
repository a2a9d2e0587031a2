"""Find the public estimators, so that common tests need no list of them."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.feature_selection import SelectorMixin

import skgex

# Small and quick; each estimator takes what it has a parameter for. Whatever the tests
# depend on is set here, so that defaults may change, and machines differ.
TINY = {
    "device": "cpu",
    "corruption_rate": 0.3,
    "temperature": 0.3,
    "mask_rate": 0.3,
    "alpha": 2.0,
    "decay": 0.99,
    "head_init": "probe",
    "dropout": 0.0,
    "normalization": "batch",
    "clip": 10.0,
    "weight_decay": 0.01,
    "n_iter_no_change": None,
    "hidden_dims": (16, 8),
    "projection_dims": (16, 8),
    "embedding_dim": 8,
    "n_heads": 2,
    "n_layers": 1,
    "n_decoder_layers": 1,
    "n_genes_per_step": 16,
    "n_bins": 8,
    "max_epochs": 5,
    "batch_size": 16,
    "lr": 1e-2,
    "encoder_lr": 1e-2,
    "random_state": 0,
}


def public_estimators():
    """Return the estimator classes among the public names, in their order."""
    values = [getattr(skgex, name) for name in sorted(skgex.__all__)]
    return [v for v in values if inspect.isclass(v) and issubclass(v, BaseEstimator)]


def tiny(Estimator, **parameters):
    """Return an instance that is fitted in a fraction of a second."""
    if issubclass(Estimator, SelectorMixin):
        return Estimator(**{"k": 1, **parameters})
    accepted = inspect.signature(Estimator).parameters
    small = {name: value for name, value in TINY.items() if name in accepted}
    if "embedder" in accepted:
        small.pop("corruption_rate", None)  # of the embedder
        tuned = is_fine_tuned(Estimator) or is_survival(Estimator)
        small["embedder"] = tiny(skgex.SCARF if tuned else skgex.GexBERT)
    if is_survival(Estimator):
        small |= {"alpha": "cv", "cv": 2}
    return Estimator(**{**small, **parameters})


def takes(Estimator, parameter):
    """Whether the class has such a parameter."""
    return parameter in inspect.signature(Estimator).parameters


def is_fine_tuned(Estimator):
    """Whether the class takes an embedder, and classes or values as a target."""
    return is_classifier(Estimator()) or is_regressor(Estimator())


def is_survival(Estimator):
    """Whether the class takes an embedder and follow-up."""
    return hasattr(Estimator, "predict_survival_function")


def is_preprocessor(Estimator):
    """Whether the class is of the unit that prepares tables, and trains nothing."""
    return Estimator.__module__.startswith("skgex.preprocessing.")


ESTIMATORS = public_estimators()
PREPROCESSORS = [e for e in ESTIMATORS if is_preprocessor(e)]
# Those that learn how genes go together, or with a target.
LEARNERS = [e for e in ESTIMATORS if e not in PREPROCESSORS]
SELECTORS = [e for e in LEARNERS if issubclass(e, SelectorMixin)]
EMBEDDERS = [e for e in LEARNERS if not takes(e, "embedder") and e not in SELECTORS]
MLP_EMBEDDERS = [e for e in EMBEDDERS if takes(e, "hidden_dims")]
FINE_TUNED = [e for e in ESTIMATORS if is_fine_tuned(e)]
SURVIVAL = [e for e in ESTIMATORS if is_survival(e)]
# They give expression back, as an embedder inside of them restores it.
RESTORERS = [
    e for e in LEARNERS if e not in EMBEDDERS + FINE_TUNED + SURVIVAL + SELECTORS
]
# Those with a training loop of their own.
TRAINED = [e for e in ESTIMATORS if takes(e, "max_epochs")]


def class_name(Estimator):
    """Name a parametrised test by its estimator."""
    return Estimator.__name__


def make_target(Estimator, classes, values):
    """Return the target that fits the kind of an estimator; None for the others."""
    if is_classifier(Estimator()):
        return classes
    if Estimator in SELECTORS + SURVIVAL:
        return make_follow_up(values)
    return values if is_regressor(Estimator()) else None


def make_follow_up(values):
    """Return events and times, which are shorter where values are large."""
    y = np.empty(len(values), [("event", bool), ("time", float)])
    y["event"] = np.arange(len(values)) % 3 > 0
    y["time"] = 1 + np.max(values, initial=0) - values
    return y


def with_network(Estimator):
    """Return parameters under which a survival estimator always trains its network."""
    return {"alpha": 2.0, "cv": None} if Estimator in SURVIVAL else {}

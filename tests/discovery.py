"""Find the public estimators, so that common tests need no list of them."""

import inspect

from sklearn.base import BaseEstimator, is_classifier, is_regressor

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
    accepted = inspect.signature(Estimator).parameters
    small = {name: value for name, value in TINY.items() if name in accepted}
    if "embedder" in accepted:
        small["embedder"] = tiny(skgex.SCARF)
    return Estimator(**{**small, **parameters})


def is_fine_tuned(Estimator):
    """Whether the class takes an embedder and a target."""
    return "embedder" in inspect.signature(Estimator).parameters


ESTIMATORS = public_estimators()
EMBEDDERS = [e for e in ESTIMATORS if not is_fine_tuned(e)]
FINE_TUNED = [e for e in ESTIMATORS if is_fine_tuned(e)]


def class_name(Estimator):
    """Name a parametrised test by its estimator."""
    return Estimator.__name__


def make_target(Estimator, classes, values):
    """Return the target that fits the kind of an estimator; None for embedders."""
    if is_classifier(Estimator()):
        return classes
    return values if is_regressor(Estimator()) else None

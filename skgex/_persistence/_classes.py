"""The classes that a file may hold, by the names they have in files."""

from importlib import import_module

from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from torch import nn

PACKAGE = __name__.partition(".")[0]
FOREIGN = {
    "sklearn.FrozenEstimator": FrozenEstimator,
    **{
        f"torch.{cls.__name__}": cls
        for cls in (
            nn.BatchNorm1d,
            nn.GELU,
            nn.Identity,
            nn.LayerNorm,
            nn.Linear,
            nn.ModuleList,
            nn.ReLU,
            nn.Sequential,
        )
    },
}
# What files of earlier versions hold, whose layers drew from the global generator.
RENAMED = {"torch.Dropout": f"{PACKAGE}.Dropout"}


def class_name(cls):
    """Return the name of a class in files.

    Raises
    ------
    ValueError
        If it is not one that a file may hold.
    """
    for name, known in FOREIGN.items():
        if cls is known:
            return name
    name = f"{PACKAGE}.{cls.__name__}"
    if _own_classes().get(name) is not cls:
        raise ValueError(
            f"{cls.__module__}.{cls.__qualname__} cannot be saved: only what is part "
            f"of {PACKAGE} can. Use joblib for estimators of your own, and load such "
            "files only from those you trust."
        )
    return name


def find_class(name):
    """Return the class of that name, which no file can choose freely.

    Raises
    ------
    ValueError
        If there is no such class, or not in this version.
    """
    name = RENAMED.get(name, name)
    cls = FOREIGN.get(name) or _own_classes().get(name) or _public_estimator(name)
    if cls is None:
        raise ValueError(
            f"it holds {name!r}, which this version of {PACKAGE} does not know"
        )
    return cls


def is_public(cls):
    """Whether a class is an estimator that users know and that can be saved."""
    name = f"{PACKAGE}.{cls.__name__}"
    return hasattr(cls, "save") and _public_estimator(name) is cls


def _public_estimator(name):
    """Return an estimator among the public names, which load when asked for."""
    package, _, own = str(name).partition(".")
    public = import_module(PACKAGE)
    if package != PACKAGE or own not in public.__all__:
        return None
    cls = getattr(public, own)
    return cls if isinstance(cls, type) and issubclass(cls, BaseEstimator) else None


def _own_classes():
    """Return the estimators and modules of the package that have been imported."""
    found, queue = {}, [BaseEstimator, nn.Module]
    while queue:
        for cls in queue.pop().__subclasses__():
            queue.append(cls)
            if cls.__module__.partition(".")[0] == PACKAGE:
                found[f"{PACKAGE}.{cls.__name__}"] = cls
    return found

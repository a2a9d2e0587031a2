"""Which callbacks of skorch can be run, and what to say of those that fail."""

import inspect

from skorch.callbacks import Callback, InputShapeSetter, LRScheduler
from skorch.callbacks.scoring import ScoringBase

# Names that skorch gives to the callbacks of the core.
_OWN_NAMES = {"KeepWeights", "FitTask"}
_CANNOT_RUN = {
    ScoringBase: (
        "scores predictions for an X and a y, which batches of a training without "
        "labels are not: give scikit-learn's ScoringMonitor to set_callbacks, or read "
        "losses by PassthroughScoring"
    ),
    LRScheduler: (
        "sets the learning rate, which here is warmed up and then falls along a "
        "cosine: leave it out, and set its peak by `lr`"
    ),
    InputShapeSetter: (
        "sets the number of inputs of a network, which `fit` does: leave it out"
    ),
}


def check_callbacks(callbacks):
    """Refuse what skorch would not run, before anything is trained.

    Raises
    ------
    ValueError
        If one is no callback of skorch, cannot be made or run, or a name is given
        twice.
    """
    names = set(_OWN_NAMES)
    for given in callbacks or ():
        named = isinstance(given, tuple) and len(given) == 2
        callback = given[1] if named else given
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, Callback):
            raise ValueError(
                f"callbacks holds {given!r}, which is not a callback of skorch; give "
                "instances of classes in skorch.callbacks, or of your own derived from "
                "skorch.callbacks.Callback. Callbacks of scikit-learn are set by "
                "set_callbacks."
            )
        _check_kind(kind, callback)
        if named:
            _check_name(given[0], names)


def _check_kind(kind, callback):
    for other, why in _CANNOT_RUN.items():
        if issubclass(kind, other):
            raise ValueError(f"callbacks holds {kind.__name__}, which {why}.")
    if kind is callback:
        try:
            inspect.signature(kind).bind()
        except TypeError as error:
            raise ValueError(
                f"callbacks holds the class {kind.__name__}, which cannot be made "
                f"without arguments ({error}): give an instance."
            ) from None


def _check_name(name, names):
    if not isinstance(name, str) or name in names:
        raise ValueError(
            f"callbacks names a callback {name!r}: names must be strings, and no two "
            f"the same, nor any of {', '.join(sorted(_OWN_NAMES))}."
        )
    names.add(name)


def failed(callback, method, error):
    """Return what is raised in place of an error of one of skorch's own callbacks.

    Parameters
    ----------
    callback : Callback
        The one that failed.
    method : str
        Which of its methods did.
    error : Exception
        What it raised.

    Returns
    -------
    error : ValueError
        It names the parameter and the remedy.
    """
    said = str(error.args[0]) if error.args else type(error).__name__
    remedy = "Leave it out, or look at its arguments."
    if "valid_" in said:
        remedy = (
            "There is a validation loss under early stopping only: set "
            "n_iter_no_change, or have it monitor 'train_loss'."
        )
    return ValueError(
        f"callbacks holds {type(callback).__name__}, which failed in {method}: "
        f"{said.rstrip('.')}. {remedy}"
    )

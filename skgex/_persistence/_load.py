"""The function `load`."""

from typing import Any

import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._warn import warn_caller
from ._classes import PACKAGE, is_public
from ._coherent import check_estimator
from ._decode import Decoder
from ._file import read

# What data that do not fit together lead to. Not errors of the file system, nor the
# ImportError of an optional dependency, which says what to install.
INVALID = (
    AttributeError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)


def load(path, *, device=None) -> Any:
    """Load an estimator that was saved by its method `save`.

    Nothing in the file is run: it holds data only, and classes by names that are
    looked up among those of this package. A file that was cut short or damaged is
    refused, and so is one that would take many times its size in memory. The checksum
    detects damage, not tampering: load files only from people you trust.

    Parameters
    ----------
    path : path-like
        The file.
    device : str or torch.device, default=None
        Where the estimator is to compute; None for where it did, or for ``"auto"``,
        with a warning, if there is no such device here.

    Returns
    -------
    estimator : estimator
        With the parameters and the fitted attributes that it had; `unit_` is the
        unit of expression that it expects, or None if it was not said. Callbacks and
        requests for metadata are not saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it was not written by `save`, is damaged, or is from a newer version.

    Examples
    --------
    >>> import tempfile
    >>> import skgex
    >>> from skgex.datasets import load_tissues_u133
    >>> X, tissue = load_tissues_u133(return_X_y=True)
    >>> model = skgex.FineTunedClassifier(skgex.SCARF(max_epochs=1), max_epochs=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.fit(X, tissue).save(f"{folder}/tissues.safetensors")
    ...     loaded = skgex.load(f"{folder}/tissues.safetensors")
    >>> bool((loaded.predict(X) == model.predict(X)).all())
    True
    """
    try:
        estimator = _read_estimator(path)
        _set_device(estimator, device)
    except INVALID as error:
        raise ValueError(
            f"Cannot load {str(path)!r} as an estimator of {PACKAGE}: {_reason(error)}."
        ) from error
    return estimator


def _read_estimator(path):
    """Return the estimator in a file, which is one that has the method `save`."""
    header, arrays, budget = read(path)
    estimator = Decoder(arrays, budget).decode(header["estimator"])
    kind = type(estimator)
    if not is_public(kind):
        raise ValueError(f"it holds a {kind.__name__}, no estimator")
    check_is_fitted(estimator)
    for part in _estimators(estimator):
        check_estimator(part)
    unit = estimator.unit_ = header["unit"]
    if not isinstance(unit, str | None):
        raise TypeError(f"a unit of type {type(unit).__name__}")
    return estimator


def _reason(error):
    if type(error) is ValueError:
        return error
    what = "it is nested too deeply" if isinstance(error, RecursionError) else error
    return (
        f"its content is not valid, the file is damaged or was not written by save "
        f"({type(error).__name__}: {what})"
    )


def _set_device(estimator, device):
    """Set where an estimator, and those inside of it, compute."""
    for part in _estimators(estimator):
        if "device" not in vars(part):
            continue
        saved = torch.device(part.device).type if part.device != "auto" else "auto"
        if device is not None:
            part.device = device
        elif saved == "cuda" and not torch.cuda.is_available():
            warn_caller(
                f"device={part.device!r} of the saved {type(part).__name__} is not "
                "here; 'auto' is taken instead."
            )
            part.device = "auto"


def _estimators(estimator):
    """Yield an estimator and all that it holds, each once."""
    found, queue = {id(estimator)}, [estimator]
    while queue:
        part = queue.pop()
        yield part
        for value in vars(part).values():
            if isinstance(value, BaseEstimator) and id(value) not in found:
                found.add(id(value))
                queue.append(value)

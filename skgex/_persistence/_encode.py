"""Turn fitted estimators into JSON and arrays."""

import math

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import nn

from .._training import History
from .._warn import warn_caller
from ._classes import class_name
from ._file import digest

# What belongs to a session rather than to a model.
NOT_SAVED = {"_skl_callbacks", "_metadata_request", "unit_"}
# What every module has: the class sets it up again.
MODULE_STATE = {*vars(nn.Module())}


# Arrays of so many numbers take half the space if that is asked for. Smaller ones,
# such as covariances, would gain little and might lose what makes them invertible.
_LARGE = 2**17


class Encoder:
    """Describe values as JSON; arrays are kept aside.

    An object that is met again, such as the encoder inside an objective, is referred
    to; so are arrays with equal content.

    Parameters
    ----------
    half_precision : bool, default=False
        Whether large arrays of single precision are kept in half of it.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays, by the names that the JSON has for them.
    """

    def __init__(self, half_precision=False):
        self.half_precision = half_precision
        self.arrays = {}
        self._names = {}
        self._seen = {}

    def encode(self, value, path):
        """Return a value as JSON.

        Parameters
        ----------
        value : object
            Plain data, an array, a module, or an estimator.
        path : str
            Where it is found, for messages.

        Raises
        ------
        ValueError
            If it is, or holds, something else.
        """
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"$": "float", "of": str(value)}
        if isinstance(value, (nn.Module, BaseEstimator, nn.Parameter)):
            return self._shared(value, path)
        for kind, encode in KINDS.items():
            if isinstance(value, kind):
                return encode(self, value, path)
        raise ValueError(
            f"{path} is {value!r}, a {type(value).__name__}, which cannot be saved; "
            "plain values, arrays, networks and estimators can."
        )

    def _shared(self, value, path):
        """Return an object in full when it is met first, a reference thereafter."""
        if id(value) in self._seen:
            return {"$": "again", "of": self._seen[id(value)][0]}
        number = len(self._seen)
        # The object is kept as well: a new one must not take its identity.
        self._seen[id(value)] = number, value
        if isinstance(value, nn.Parameter):
            kind, of = "parameter", self._array(value.detach().numpy())
            return {"$": kind, "id": number, "of": of, "trained": value.requires_grad}
        describe = self._module if isinstance(value, nn.Module) else self._estimator
        name = class_name(type(value))
        return {"$": "object", "id": number, "class": name, **describe(value, path)}

    def _estimator(self, estimator, path):
        state = {k: v for k, v in vars(estimator).items() if k not in NOT_SAVED}
        if state.get("callbacks"):
            warn_caller(
                f"{path}: callbacks are not saved; set them again after loading."
            )
            state["callbacks"] = None
        if callable(state.get("covariates")) or isinstance(
            state.get("covariates"), slice
        ):
            # What it selected is saved: no code is.
            state["covariates"] = state["covariates_"].tolist()
        if "start" in state:
            # What came of it is saved, and it may be larger.
            state["start"] = None
        return {"state": self._named(state, path)}

    def _module(self, module, path):
        # As in a pickle: a module may leave out what it can draw again.
        state = module.__getstate__()
        own = {k: v for k, v in state.items() if k not in MODULE_STATE}
        return {
            "training": module.training,
            "parameters": self._named(state["_parameters"], path),
            "buffers": self._named(state["_buffers"], path),
            "modules": self._named(state["_modules"], path),
            "state": self._named(own, path),
        }

    def _named(self, values, path):
        return {k: self.encode(v, f"{path}.{k}") for k, v in values.items()}

    def _sequence(self, values, path):
        return [self.encode(v, f"{path}[{i}]") for i, v in enumerate(values)]

    def _mapping(self, values, path):
        items = [[key, value] for key, value in values.items()]
        return {"$": "dict", "of": [self._sequence(item, path) for item in items]}

    def _ndarray(self, array, path):
        if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
            return {"$": "array", "of": self._array(array)}
        if array.dtype.kind in "OUT":
            values = self._sequence(array.ravel().tolist(), path)
            kind = "str" if array.dtype.kind == "U" else "object"
            return {"$": "objects", "of": values, "shape": array.shape, "dtype": kind}
        raise ValueError(f"{path} is an array of {array.dtype}, which cannot be saved.")

    def _array(self, array):
        """Return the name of an array, after its content, with its kind and shape.

        And with the order of its axes in memory: products of matrices that lie in
        another order are rounded otherwise.
        """
        axes = np.argsort([-abs(stride) for stride in array.strides], kind="stable")
        array = np.ascontiguousarray(array.transpose(axes)).reshape(
            [array.shape[axis] for axis in axes]
        )
        dtype = str(array.dtype)
        if self.half_precision and dtype == "float32" and array.size >= _LARGE:
            array = _halved(array)
        name = self._names.setdefault(digest(array), f"a{len(self.arrays)}")
        self.arrays[name] = array
        return [name, dtype, list(array.shape), axes.tolist()]

    def digests(self):
        """Return the digest of each array by its name."""
        return {name: digest for digest, name in self._names.items()}

    def _random_state(self, value, path):
        return {"$": "random_state", "of": self._sequence(value.get_state(), path)}


def _halved(array):
    """Return an array in half precision, if all of it is in its range."""
    largest = np.finfo(np.float16).max
    fits = np.isfinite(array).all() and np.abs(array).max() <= largest
    return array.astype(np.float16) if fits else array


def _of(kind):
    """Return a method that marks a sequence as being of some kind."""
    return lambda self, value, path: {"$": kind, "of": self._sequence(value, path)}


# In this order: a history is a list.
KINDS = {
    History: _of("history"),
    list: Encoder._sequence,
    tuple: _of("tuple"),
    dict: Encoder._mapping,
    np.ndarray: Encoder._ndarray,
    np.generic: lambda self, value, path: {
        "$": "scalar",
        "of": self._ndarray(np.asarray(value), path),
    },
    torch.Tensor: lambda self, value, path: {
        "$": "tensor",
        "of": self._array(value.detach().numpy()),
    },
    torch.device: lambda self, value, path: str(value),
    np.random.RandomState: Encoder._random_state,
}

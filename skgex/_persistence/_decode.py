"""Turn JSON and arrays into fitted estimators, without running code of the file."""

import inspect

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import nn

from .._training import History
from ._classes import find_class
from ._coherent import check_layer


class Decoder:
    """Make values from their description by an Encoder.

    Objects are made without calling their constructors, and get nothing but data: no
    name in a file decides what is imported or called.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The arrays, by the names that the description has for them.
    budget : Budget
        How much memory the values may take.
    """

    def __init__(self, arrays, budget):
        self._arrays, self._budget = arrays, budget
        self._seen = {}

    def decode(self, node):
        """Return the value that `node` describes."""
        if isinstance(node, list):
            return [self.decode(value) for value in node]
        if not isinstance(node, dict):
            return node
        return KINDS[node["$"]](self, node)

    def _again(self, node):
        return self._seen[node["of"]]

    def _array(self, node):
        name, dtype, shape, axes = node["of"]
        array = self._arrays[name]
        # All that is made of it is a copy, of four bytes a value for half precision.
        self._budget.spend(array.size * max(array.itemsize, np.dtype(dtype).itemsize))
        if array.dtype == np.float16 and dtype == "float32":
            array = array.astype(np.float32)
        if str(array.dtype) != dtype or list(array.shape) != shape:
            raise ValueError(
                f"array {name} is {array.dtype} of shape {array.shape}, not {dtype} "
                f"of shape {tuple(shape)}"
            )
        if sorted(axes) != [*range(array.ndim)]:
            raise ValueError(f"array {name} has no axes {axes}")
        return array.transpose(np.argsort(axes))

    def _tensor(self, node):
        # In memory of torch's own, whose alignment decides how sums are rounded.
        return torch.from_numpy(self._array(node)).clone()

    def _parameter(self, node):
        parameter = nn.Parameter(self._tensor(node), bool(node["trained"]))
        if not parameter.isfinite().all():
            raise ValueError("it has weights that are NaN or infinite")
        return self._seen.setdefault(node["id"], parameter)

    def _objects(self, node):
        dtype = {"str": str, "object": object}[node["dtype"]]
        values = np.empty(len(node["of"]), dtype=object)
        values[:] = self.decode(node["of"])
        if dtype is str:
            if not all(isinstance(value, str) for value in values):
                raise ValueError("an array of text holds something else")
            # Each text takes as much as the longest.
            longest = max(map(len, values), default=0)
            self._budget.spend(4 * longest * len(values))
        return values.astype(dtype).reshape(node["shape"])

    def _random_state(self, node):
        state, known = np.random.RandomState(), tuple(self.decode(node["of"]))
        # numpy reads where it is told to, and ends the interpreter beyond its memory.
        if not 0 <= known[2] <= len(known[1]) == _N_KEYS:
            raise ValueError("the state of a random generator is out of range")
        state.set_state(known)
        return state

    def _object(self, node):
        cls = find_class(node["class"])
        new = self._seen[node["id"]] = cls.__new__(cls)
        if issubclass(cls, BaseEstimator):
            # A file of before a parameter was there stands for its default.
            vars(new).update(_defaults(cls) | self._named(node["state"]))
            return new
        nn.Module.__init__(new)
        vars(new).update(self._named(node["state"]))
        for name, value in self._named(node["parameters"]).items():
            new.register_parameter(name, value)
        for name, value in self._named(node["buffers"]).items():
            new.register_buffer(name, value)
        for name, value in self._named(node["modules"]).items():
            new.add_module(name, value)
        new.training = bool(node["training"])
        check_layer(new)
        return new

    def _named(self, nodes):
        return {str(name): self.decode(node) for name, node in nodes.items()}

    def _scalar(self, node):
        return self.decode(node["of"])[()]


_N_KEYS = len(np.random.RandomState(0).get_state()[1])


def _defaults(cls):
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


KINDS = {
    "again": Decoder._again,
    "array": lambda self, node: self._array(node).copy(order="K"),
    "dict": lambda self, node: dict(self.decode(node["of"])),
    "float": lambda self, node: float(node["of"]),
    "history": lambda self, node: History(self.decode(node["of"])),
    "object": Decoder._object,
    "objects": Decoder._objects,
    "parameter": Decoder._parameter,
    "random_state": Decoder._random_state,
    "scalar": Decoder._scalar,
    "tensor": Decoder._tensor,
    "tuple": lambda self, node: tuple(self.decode(node["of"])),
}

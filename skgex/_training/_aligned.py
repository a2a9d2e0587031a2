"""Linear layers of few outputs whose sums do not depend on where a row lies."""

from contextlib import nullcontext

from torch import nn
from torch.nn.functional import linear, pad
from torch.overrides import TorchFunctionMode

# Rows that begin at multiples of so many values lie alike for all processors; a product
# of so many outputs is computed in another way, that does not look at where they do.
_WIDTH, _MANY_OUTPUTS = 16, 16


def aligned(module):
    """Return a context in which the linear layers of a module treat all rows alike.

    For few outputs some processors add up a row in an order that depends on the address
    at which it begins. With a width that is filled up with zeros all begin alike.

    Parameters
    ----------
    module : Module
        What will be applied.

    Returns
    -------
    context : context manager
    """
    if any(type(m) is nn.Linear and _is_uneven(m.weight) for m in module.modules()):
        return _Aligned()
    return nullcontext()


def _is_uneven(weight):
    n_outputs, n_inputs = weight.shape
    return n_outputs < _MANY_OUTPUTS and n_inputs % _WIDTH > 0


class _Aligned(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is linear and len(args) > 1 and _is_uneven(args[1]):
            fill = (0, -args[1].shape[1] % _WIDTH)
            args = (pad(args[0], fill), pad(args[1], fill), *args[2:])
        return func(*args, **(kwargs or {}))

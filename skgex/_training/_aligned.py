"""Products with few outputs whose sums do not depend on where a row lies."""

from contextlib import nullcontext

import torch
from torch import nn
from torch.nn.functional import linear, pad
from torch.overrides import TorchFunctionMode

# Rows that begin at multiples of so many values lie alike for all processors; a product
# of so many outputs is computed in another way, that does not look at where they do.
_WIDTH, _MANY_OUTPUTS = 16, 16
_PRODUCTS = {
    *(torch.matmul, torch.mm, torch.bmm),
    *(torch.Tensor.matmul, torch.Tensor.mm, torch.Tensor.bmm, torch.Tensor.__matmul__),
}


def aligned(module):
    """Return a context in which a module treats all rows alike.

    For few outputs some processors add up a row in an order that depends on the address
    at which it begins. In linear layers all begin alike with a width that is filled up
    with zeros; other products, as with few factors, are filled up to many outputs.

    Parameters
    ----------
    module : Module
        What will be applied.

    Returns
    -------
    context : context manager
    """
    if any(map(_needs_it, module.modules())):
        return _Aligned()
    return nullcontext()


def _needs_it(module):
    if type(module) is nn.Linear:
        return _is_uneven(module.weight)
    # What has factors says so by its loadings.
    loadings = getattr(module, "loadings", None)
    return loadings is not None and min(loadings.shape) < _MANY_OUTPUTS


def _is_uneven(weight):
    n_outputs, n_inputs = weight.shape
    return n_outputs < _MANY_OUTPUTS and n_inputs % _WIDTH > 0


def _missing_outputs(matrix):
    return max(0, _MANY_OUTPUTS - matrix.shape[-1]) if matrix.ndim > 1 else 0


class _Aligned(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is linear and len(args) > 1 and _is_uneven(args[1]):
            fill = (0, -args[1].shape[1] % _WIDTH)
            args = (pad(args[0], fill), pad(args[1], fill), *args[2:])
        elif not kwargs and func in _PRODUCTS and _missing_outputs(args[1]):
            fill = (0, _missing_outputs(args[1]))
            found = func(args[0], pad(args[1], fill))
            return found[..., : args[1].shape[-1]].contiguous()
        elif not kwargs and func is torch.addmm and _missing_outputs(args[2]):
            added, left, right = args
            fill = (0, _missing_outputs(right))
            found = torch.mm(left, pad(right, fill))[:, : right.shape[1]]
            return found.contiguous().add_(added)
        return func(*args, **(kwargs or {}))

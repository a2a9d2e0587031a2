"""Where random numbers come from: generators of their own for each fit.

`draws_from(seed)` is entered by each fit, and by whatever must draw the same again.
What draws inside of it, be it layers, corruption or the order of batches, asks for the
generator in force on its device. It is handed down by the context, which is each
thread's own, and not kept in modules: these are copied, pickled and saved. Torch's
global generators are left alone, so that neither the caller nor another fit of the
process has a part in what is drawn.

Outside of it, where modules are used by themselves, torch's global generators are in
force, as in torch's own modules.
"""

from contextlib import contextmanager
from contextvars import ContextVar

import torch

_IN_FORCE = ContextVar("draws", default=None)
# Far from the seeds that users choose, or that are next to one another.
_ASIDE = 0x9E3779B97F4A7C15


class Draws:
    """The generators of a fit: one for each device, made when it is asked for.

    Parameters
    ----------
    seed : int
        Seed of all of them.
    """

    def __init__(self, seed):
        self.seed = seed
        self._generators = {}

    def generator(self, device):
        """Return the generator of a device."""
        if device not in self._generators:
            made = torch.Generator(device).manual_seed(self.seed)
            self._generators[device] = made
        return self._generators[device]

    def aside(self, device):
        """Return a new generator, which is the same whatever was drawn before."""
        return torch.Generator(device).manual_seed((self.seed ^ _ASIDE) % 2**63)


@contextmanager
def draws_from(seed):
    """Draw from generators with this seed inside of the context, in this thread."""
    token = _IN_FORCE.set(Draws(seed))
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


@contextmanager
def draws_aside():
    """Draw inside of the context without a change to what is drawn behind it."""
    draws = _IN_FORCE.get()
    seed = torch.initial_seed() if draws is None else draws.seed
    with draws_from((seed ^ _ASIDE) % 2**63):
        yield


def generator(device="cpu"):
    """Return the generator in force for a device; None is torch's global one."""
    draws = _IN_FORCE.get()
    return None if draws is None else draws.generator(torch.device(device))


def generator_aside(device="cpu"):
    """Return a generator for what is kept, and may have been drawn before or not.

    Drawing it does not change what is drawn next.
    """
    draws = _IN_FORCE.get()
    return None if draws is None else draws.aside(torch.device(device))


def uniform(shape, device="cpu"):
    """Draw float32 numbers between 0 and 1."""
    return torch.rand(
        shape, generator=generator(device), device=device, dtype=torch.float32
    )


def normal(shape, device="cpu"):
    """Draw float32 numbers from the standard normal distribution."""
    return torch.randn(
        shape, generator=generator(device), device=device, dtype=torch.float32
    )


def integers(high, shape=(), device="cpu", dtype=torch.int64):
    """Draw integers from 0 to `high` - 1."""
    return torch.randint(
        high, shape, generator=generator(device), device=device, dtype=dtype
    )


def permutation(n, device="cpu"):
    """Draw an order of `n` things."""
    return torch.randperm(n, generator=generator(device), device=device)


def new_seed():
    """Draw a seed for what has generators of its own."""
    return int(integers(2**31 - 1))


def random_int16(shape, device="cpu"):
    """Draw integers that are uniform over the 16-bit range."""
    # A 64-bit draw costs as much as a 16-bit one, and makes four of them.
    n = torch.Size(shape).numel()
    words = torch.empty((n + 3) // 4, dtype=torch.int64, device=device)
    words.random_(-(2**63), None, generator=generator(device))
    return words.view(torch.int16)[:n].view(shape)


def bernoulli_mask(shape, rate, device="cpu", rows=slice(None)):
    """Draw a mask whose entries are True with probability `rate`.

    The probability is rounded to a multiple of 2**-16. Only some `rows` are returned.
    """
    levels = 2**16
    threshold = round(rate * levels) - levels // 2
    if threshold >= levels // 2:  # not a 16-bit number any more
        return torch.ones(shape, dtype=torch.bool, device=device)[rows]
    return random_int16(shape, device)[rows] < threshold

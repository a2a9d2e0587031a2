"""Which rows of a batch are this process's, where several train one network.

Each process has the whole batch, and draws for the whole batch what is random: so all
have the same draws as one process would have, and each uses those of its own rows. What
needs other rows, as the negatives of a contrastive loss do, is gathered.

The training core enters `share_of` around the loss of a batch. The mean of what the
processes return is then the loss of the batch. Outside of it, as where one process
trains, all rows are its own, and nothing here does anything.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
from torch import distributed

_IN_FORCE = ContextVar("share", default=None)
# With fewer rows for each process, all of them compute the whole batch.
_MIN_ROWS = 2


class Share(NamedTuple):
    """The rows of one process among those of a batch."""

    rank: int
    n_processes: int
    n_rows: int

    @property
    def sizes(self):
        """Return how many rows each process has; they differ by one at most."""
        size, more = divmod(self.n_rows, self.n_processes)
        return [size + (rank < more) for rank in range(self.n_processes)]

    @property
    def size(self):
        """Return how many rows this process has."""
        return self.sizes[self.rank]

    @property
    def rows(self):
        """Return them as a slice."""
        start = sum(self.sizes[: self.rank])
        return slice(start, start + self.size)


@contextmanager
def share_of(rank, n_processes, n_rows):
    """Have a batch of so many rows computed by several processes in the context."""
    is_enough = n_rows >= _MIN_ROWS * n_processes
    token = _IN_FORCE.set(Share(rank, n_processes, n_rows) if is_enough else None)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def share():
    """Return the share in force, or None where one process computes all."""
    return _IN_FORCE.get()


def own_rows():
    """Return this process's rows of the batch as a slice."""
    mine = _IN_FORCE.get()
    return slice(None) if mine is None else mine.rows


def own(values):
    """Return this process's rows of a tensor that has all rows of the batch."""
    mine = _IN_FORCE.get()
    return values if mine is None else values[mine.rows]


def own_draws(draw, shape, *args):
    """Draw for all rows of the batch, and return the draws of this process's rows.

    Parameters
    ----------
    draw : callable
        Returns a tensor of the shape that is its first argument.
    shape : tuple of int
        Shape of the draws, beginning with the number of rows of this process.
    *args
        What else `draw` is given.
    """
    mine = _IN_FORCE.get()
    if mine is None:
        return draw(shape, *args)
    if shape[0] != mine.size:
        raise RuntimeError(
            f"Drawn for {shape[0]} rows, where this process has {mine.size} of a batch "
            f"of {mine.n_rows}: the processes would not draw the same any more."
        )
    return draw((mine.n_rows, *shape[1:]), *args)[mine.rows]


def part_of_mean(mean, count, total):
    """Return what the mean over some values is to the mean over those of the batch.

    Parameters
    ----------
    mean : tensor of shape ()
        Mean over values of this process's rows.
    count, total : number or tensor
        How many these are, and how many there are in all.
    """
    mine = _IN_FORCE.get()
    if mine is None:
        return mean
    return mean * (mine.n_processes * count / total)


def part_of_row_mean(mean):
    """Return what the mean over this process's rows is to that over the batch."""
    mine = _IN_FORCE.get()
    return mean if mine is None else part_of_mean(mean, mine.size, mine.n_rows)


def total_of(count):
    """Return the sum over the processes of a tensor that has no gradient."""
    if _IN_FORCE.get() is None:
        return count
    count = count.clone()
    distributed.all_reduce(count)
    return count


def gathered(values):
    """Return the values of all processes' rows, in their order.

    Gradients flow back to the process whose rows they are of.

    Parameters
    ----------
    values : tensor of shape (n_own_rows, ...)
    """
    mine = _IN_FORCE.get()
    return values if mine is None else _Gather.apply(values, mine.rows, mine.n_rows)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, rows, n_rows):
        ctx.rows = rows
        # The sum with zeros is what was put in, whatever the sizes of the shares are.
        out = values.new_zeros((n_rows, *values.shape[1:]))
        out[rows] = values
        distributed.all_reduce(out)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(gradient)
        return gradient[ctx.rows], None, None

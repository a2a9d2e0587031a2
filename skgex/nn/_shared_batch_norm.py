"""Batch normalisation over the rows of all processes that train one network."""

from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import distributed, nn

from ._shares import share


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation whose statistics are those of the whole batch.

    Torch has this for GPUs only. Where one process computes all it does the same as
    its base class.
    """

    def forward(self, X):
        """Normalise (n, d) rows of one process."""
        mine = share()
        if mine is None or not self.training:
            return super().forward(X)
        if len(X) != mine.size:
            raise RuntimeError(
                f"Batch normalisation of {len(X)} rows, where this process has "
                f"{mine.size} of a batch of {mine.n_rows}."
            )
        weight, bias = self.weight, self.bias
        if weight is None:
            weight, bias = torch.ones_like(X[0]), torch.zeros_like(X[0])
        out, mean, var = _Normalize.apply(X, weight, bias, self.eps, mine)
        self._keep(mean, var * (mine.n_rows / (mine.n_rows - 1)))
        return out

    @torch.no_grad()
    def _keep(self, mean, var):
        """Let statistics of a batch count in those that are used later."""
        if not self.track_running_stats:
            return
        self.num_batches_tracked.add_(1)
        weight = self.momentum
        if weight is None:
            weight = 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(var, weight)


class _Normalize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X, weight, bias, eps, mine):
        own_mean = X.mean(0)
        found = torch.stack([own_mean, (X - own_mean).square_().mean(0)])
        all_found = found.new_zeros(mine.n_processes, *found.shape)
        all_found[mine.rank] = found
        distributed.all_reduce(all_found)
        means, variances = all_found.unbind(1)
        # All know how many rows each process has.
        shares = X.new_tensor(mine.sizes)[:, None] / mine.n_rows
        mean = (shares * means).sum(0)
        var = (shares * (variances + (means - mean).square_())).sum(0)
        ctx.save_for_backward(X, weight, mean, var)
        ctx.eps, ctx.n_rows = eps, mine.n_rows
        ctx.mark_non_differentiable(mean, var)
        out = F.batch_norm(X, mean, var, weight, bias, False, 0.0, eps)
        return out, mean, var

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient, *_):
        X, weight, mean, var = ctx.saved_tensors
        # As if the statistics were constants; what they depend on comes after.
        of_X, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient.contiguous(), X, weight, mean, var, None, None, False, ctx.eps,
            [True, True, True],
        )  # fmt: skip
        sums = torch.stack([of_weight, of_bias])
        distributed.all_reduce(sums)
        spread = (var + ctx.eps).rsqrt_()
        sums.mul_(weight * spread / ctx.n_rows)
        slope = spread.mul_(sums[0])
        offset = torch.addcmul(sums[1], mean, slope, value=-1)
        of_X.sub_(torch.addcmul(offset, X, slope))
        return of_X, of_weight, of_bias, None, None


@contextmanager
def batch_norm_shared(module):
    """Normalise over the rows of all processes in the context.

    The layers are the same objects, of another class: optimisers, callbacks and other
    modules hold them already.
    """
    layers = [m for m in module.modules() if type(m) is nn.BatchNorm1d]
    for layer in layers:
        layer.__class__ = SharedBatchNorm
    try:
        yield
    finally:
        for layer in layers:
            layer.__class__ = nn.BatchNorm1d

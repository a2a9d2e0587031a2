"""The net of an objective that several processes train."""

import torch
from torch import distributed

from ..nn._shares import share_of
from ._callbacks import StopTraining, raised_by_callback
from ._net import ObjectiveNet

# Gradients of fewer values are sent together, as each message takes its time.
_FEW = 2**20


class SharedNet(ObjectiveNet):
    """An `ObjectiveNet` of which each process computes its share of each batch.

    Gradients are averaged, so that all processes take the same steps. They are not
    overlapped with their computation: where processes share the cores of a machine
    there is no time to win.

    Parameters
    ----------
    processes : Processes
        Those that train.
    """

    def __init__(self, module, *, processes, **kwargs):
        super().__init__(module, **kwargs)
        self.processes = processes

    def initialize_optimizer(self, triggered_directly=None):
        super().initialize_optimizer(triggered_directly)
        for value in self.module_.state_dict().values():
            distributed.broadcast(value, 0)
        return self

    def infer(self, x, **_):
        with share_of(self.processes.rank, self.processes.n_processes, len(x[0])):
            return super().infer(x)

    def validation_step(self, batch, **_):
        step = super().validation_step(batch)
        (mean,) = self.processes.mean([float(step["loss"])])
        return {**step, "loss": torch.tensor(mean, dtype=torch.float64)}

    def notify(self, method_name, **cb_kwargs):
        if method_name != "on_epoch_end":
            return super().notify(method_name, **cb_kwargs)
        stops = False
        try:
            super().notify(method_name, **cb_kwargs)
        except StopTraining:
            stops = True
        except KeyboardInterrupt as interrupt:
            if not raised_by_callback(interrupt):
                raise
            stops = True
        # One that stops, as by its own clock, would leave the others waiting.
        if self.processes.any(stops):
            raise StopTraining
        return self

    def _backward(self, loss):
        super()._backward(loss / self.processes.n_processes)
        gradients = [p.grad for p in self.module_.parameters() if p.grad is not None]
        few = [g for g in gradients if g.numel() < _FEW or not g.is_contiguous()]
        together = torch.cat([g.flatten() for g in few])
        kept = {id(g) for g in few}
        sent = [together, *(g for g in gradients if id(g) not in kept)]
        for work in [distributed.all_reduce(g, async_op=True) for g in sent]:
            work.wait()
        for g, mean in zip(few, together.split([g.numel() for g in few]), strict=True):
            g.copy_(mean.view_as(g))

    def _numbers(self, losses):
        losses = super()._numbers(losses)
        return self.processes.mean(losses) if losses else losses

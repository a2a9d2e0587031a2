"""skorch callbacks of the core."""

import dis
import math
from copy import deepcopy

import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback
from torch import nn

from .._warn import warn_caller

# Share of the loss, for one validation sample, by which weights must be better than
# those before training; it falls with the square root of the number of samples.
START_MARGIN = 0.03


class StopTraining(Exception):
    """Raised by a callback to end training early and keep what was learned."""


class KeepWeights(Callback):
    """Keep the best weights, stop when they no longer improve or are not finite."""

    def __init__(self, patience):
        self.patience = patience

    def on_train_begin(self, net, **kwargs):
        self.best_loss_, self.best_epoch_, self.kept_ = math.inf, 0, None
        self.names_ = ["train_loss", "valid_loss"][: 1 if self.patience is None else 2]

    def keep_start(self, net, valid_batches):
        """Let the weights before training count, unless others are clearly better.

        What a few samples say of small differences is chance.
        """
        margin = START_MARGIN / math.sqrt(len(valid_batches.rows))
        self.best_loss_ = (1 - margin) * net.evaluate(valid_batches)
        self._keep(net)

    def on_epoch_end(self, net, **kwargs):
        epoch, row = len(net.history), net.history[-1]
        finite = all(math.isfinite(row[name]) for name in self.names_)
        if not finite or not _are_finite(net.module_):
            self._give_up(net, epoch)
        if self.patience is None:
            self._keep(net)
            return
        better = bool(row["valid_loss"] < self.best_loss_)
        # To skorch the first epoch is the best so far; here it may be the start.
        net.history.record("valid_loss_best", better)
        if better:
            self.best_loss_, self.best_epoch_ = row["valid_loss"], epoch
            self._keep(net)
        elif epoch - self.best_epoch_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net, **kwargs):
        if self.patience is not None and self.kept_ is not None:
            net.module_.load_state_dict(self.kept_)

    def _keep(self, net):
        state = net.module_.state_dict()
        if self.kept_ is None:
            self.kept_ = {name: value.clone() for name, value in state.items()}
        for name, value in state.items():
            self.kept_[name].copy_(value)

    def _give_up(self, net, epoch):
        message = not_finite(net, f"The loss was not finite in epoch {epoch}")
        if self.kept_ is None:
            raise ValueError(message)
        net.module_.load_state_dict(self.kept_)
        warn_caller(
            f"{message} Training was stopped and the last finite weights were kept.",
            ConvergenceWarning,
        )
        raise StopTraining


def not_finite(net, what):
    """Return what to say, and to do, of a loss that is not finite."""
    rate = "lr" if net.lr >= net.encoder_lr else "encoder_lr"
    # What is extreme by itself comes first.
    causes = {**net.module_.suspects(), rate: (getattr(net, rate), "lower")}
    given = " and ".join(f"{name}={value:g}" for name, (value, _) in causes.items())
    remedies = ", or ".join(f"{verb} `{name}`" for name, (_, verb) in causes.items())
    return f"{what} with {given}; {remedies}, or look for genes with extreme values."


def _are_finite(module):
    """Return whether all weights are; a device is waited for once."""
    sums = [value.sum() for value in module.parameters()]
    return not sums or bool(torch.stack([s.float() for s in sums]).isfinite().all())


class FitTask(Callback):
    """Report epochs to scikit-learn's callbacks, and stop when one of them asks to.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The task whose subtasks the epochs are.
    estimator : estimator
        The estimator being fitted.
    X, y : array-like
        Its training data.
    fitted : callable
        Returns the fitted attributes as of now, as a dict; they are copied.
    """

    def __init__(self, context, estimator, X, y, fitted):
        self.context = context
        self.fitted = fitted
        self.arguments = {"estimator": estimator, "X": X, "y": y}

    def on_epoch_begin(self, net, **kwargs):
        self.epoch_ = self.context.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(**self.arguments)

    def on_epoch_end(self, net, **kwargs):
        if self.epoch_.call_on_fit_task_end(
            **self.arguments, reconstruction_attributes=self._snapshot
        ):
            raise StopTraining

    def _snapshot(self):
        # Copied as one, since the encoder is a part of the objective.
        state = deepcopy(self.fitted())
        for value in state.values():
            if isinstance(value, nn.Module):
                value.cpu().eval()
        return state


def raised_by_callback(interrupt):
    """Tell skorch's way to stop training from the user's Ctrl-C.

    The one is raised by a statement of a callback, the other between any two
    instructions, also while a callback is at work.
    """
    frame = interrupt.__traceback__
    while frame.tb_next is not None:
        frame = frame.tb_next
    code = frame.tb_frame.f_code
    owner = frame.tb_frame.f_locals.get((*code.co_varnames, "self")[0])
    instruction = code.co_code[frame.tb_lasti]
    # The core's own stop by StopTraining; what interrupts them is the user.
    return (
        isinstance(owner, Callback)
        and not isinstance(owner, KeepWeights | FitTask)
        and instruction == dis.opmap["RAISE_VARARGS"]
    )

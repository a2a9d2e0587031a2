"""Train an objective."""

import math
from contextlib import nullcontext
from functools import partial

import torch
from skorch.history import History

from ..nn._shared_batch_norm import batch_norm_shared
from ._callbacks import KeepWeights, StopTraining, not_finite, raised_by_callback
from ._net import ObjectiveNet
from ._out_of_memory import out_of_memory
from ._processes import processes
from ._shared_net import SharedNet


def train(
    objective,
    batches,
    *,
    valid_batches=None,
    max_epochs,
    lr,
    encoder_lr=None,
    weight_decay=0.0,
    patience=None,
    keep_start=False,
    device,
    callbacks=(),
    verbose=0,
    seed=0,
):
    """Train `objective` in place; it comes back on the CPU, in evaluation mode.

    Processes that were launched together share the work, and come to the same weights.

    Parameters
    ----------
    objective : Objective
        What to train.
    batches, valid_batches : Batches
        Training and validation part; the latter may be None.
    max_epochs : int
        Number of passes over `batches`.
    lr, encoder_lr : float
        Peak learning rate, and that of the encoder if it differs.
    weight_decay : float
        Decoupled weight decay of AdamW, on weights only.
    patience : int or None
        Epochs without a lower validation loss before stopping. The best weights are
        restored. None trains for `max_epochs`.
    keep_start : bool, default=False
        Whether the weights before training count among them.
    device : torch.device
        Where to train.
    callbacks : sequence of skorch callbacks
        Run in addition to those of the core.
    verbose : int
        Whether skorch prints a line for each epoch.
    seed : int
        Seed of the validation corruptions.

    Returns
    -------
    history : skorch.history.History
        One row for each epoch.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts: a half-trained model never passes for a trained one.
    MemoryError
        If the device has too little memory for a batch.
    """
    _check_decay(lr, lr if encoder_lr is None else encoder_lr, weight_decay)
    others = processes()
    if others is not None:
        others.check_same(batches.reader, batches.rows)
    net = _net_for(others)(
        objective,
        weight_decay=weight_decay,
        encoder_lr=lr if encoder_lr is None else encoder_lr,
        valid_seed=seed,
        lr=lr,
        max_epochs=max_epochs,
        callbacks=[KeepWeights(patience), *callbacks],
        verbose=verbose if others is None or not others.rank else 0,
        device=device,
        train_split=None,
    )
    keep_start = keep_start and patience is not None and max_epochs
    try:
        with nullcontext() if others is None else batch_norm_shared(objective):
            _train(net, batches, valid_batches, keep_start)
    except torch.OutOfMemoryError as error:
        objective.cpu().eval()
        n_rows = math.ceil(len(batches.rows) / len(batches))
        what = f"Training with {n_rows} samples in a batch"
        raise out_of_memory(error, device, what, "Lower `batch_size`") from error
    return _without_batches(net.history)


def _train(net, batches, valid_batches, keep_start):
    net.initialize()
    net.notify("on_train_begin")
    if keep_start:
        net.callbacks[0].keep_start(net, valid_batches)
    _run_epochs(net, batches, valid_batches)
    net.notify("on_train_end")
    _check_outcome(net, batches)


def _net_for(others):
    return ObjectiveNet if others is None else partial(SharedNet, processes=others)


def _run_epochs(net, batches, valid_batches):
    objective = net.module_
    try:
        net.fit_loop((batches, valid_batches))
    except StopTraining:
        pass
    except KeyboardInterrupt as interrupt:
        if not raised_by_callback(interrupt):
            raise
    finally:
        objective.cpu().eval()


def _check_decay(lr, encoder_lr, weight_decay):
    """Refuse a decay that makes weights grow, with another sign at each step."""
    name, rate = max((("lr", lr), ("encoder_lr", encoder_lr)), key=lambda pair: pair[1])
    if weight_decay > 1 and rate * weight_decay > 1:
        raise ValueError(
            f"weight_decay={weight_decay:g} takes {rate * weight_decay:g} times of "
            f"each weight away in a step with {name}={rate:g}, and must take less than "
            f"all of it; lower `weight_decay` to 1 / {name} at the most."
        )


def _check_outcome(net, batches):
    """Refuse weights whose loss is not finite, though it was before the last step."""
    objective = net.module_
    if not len(net.history):
        return
    batch = next(batches.in_order())
    objective.to(net.device)
    loss = net.evaluate([batch])
    objective.cpu().eval()
    if not math.isfinite(loss):
        raise ValueError(not_finite(net, "The loss is not finite after training"))


def _without_batches(history):
    hidden = ("batches", "train_batch_count", "valid_batch_count")
    return History(
        {key: value for key, value in row.items() if key not in hidden}
        for row in history
    )

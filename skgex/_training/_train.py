"""Train an objective."""

from skorch.history import History

from ._callbacks import KeepWeights, StopTraining, raised_by_callback
from ._net import ObjectiveNet


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
    """
    net = ObjectiveNet(
        objective,
        weight_decay=weight_decay,
        encoder_lr=lr if encoder_lr is None else encoder_lr,
        valid_seed=seed,
        lr=lr,
        max_epochs=max_epochs,
        callbacks=[KeepWeights(patience), *callbacks],
        verbose=verbose,
        device=device,
        train_split=None,
    ).initialize()
    net.notify("on_train_begin")
    if keep_start and patience is not None and max_epochs:
        net.callbacks[0].keep_start(net, valid_batches)
    try:
        net.fit_loop((batches, valid_batches))
    except StopTraining:
        pass
    except KeyboardInterrupt as interrupt:
        if not raised_by_callback(interrupt):
            raise
    finally:
        objective.cpu().eval()
    net.notify("on_train_end")
    return _without_batches(net.history)


def _without_batches(history):
    hidden = ("batches", "train_batch_count", "valid_batch_count")
    return History(
        {key: value for key, value in row.items() if key not in hidden}
        for row in history
    )

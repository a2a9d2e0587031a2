"""Train an encoder and a head on the labelled samples."""

from copy import deepcopy
from functools import partial

import numpy as np
from torch import nn

from .._training import Batches, split_validation, train
from ._corrupted import make_corruption
from ._objective import SupervisedObjective

# Fewer samples than this cannot tell a better epoch from a luckier one.
MIN_VALIDATION = 20


def fine_tune(estimator, model, reader, labels, groups, seed, task):
    """Train an encoder and a head, and return the history.

    Parameters
    ----------
    estimator : BaseFineTuned
        Has the settings and the loss.
    model : (torch.nn.Module, torch.nn.Module, torch.nn.Module)
        Standardizer, encoder and head; the last two are trained.
    reader : RowReader
        Training data; the embedding if the encoder is frozen.
    labels : (tensor, tensor, tensor)
        Rows, encoded targets and weights of the labelled samples.
    groups : array-like of shape (n_samples,) or None
        Samples of a group are on one side of the validation split.
    seed : int
        Seed of the split and of the batches.
    task : FitTask
        For callbacks.

    Returns
    -------
    history : list of dict
        One row for each epoch.
    """
    standardizer, encoder, head = model
    rows, target, weight = labels
    fit_rows, valid_rows = _split(estimator, rows, target, groups, seed)
    if estimator.freeze:
        standardizer = encoder = nn.Identity()
    batch_size = estimator.batch_size
    if batch_size == "auto":
        batch_size = min(max(len(fit_rows) // 25, 32), 256)
    make_batches = partial(
        Batches,
        reader,
        batch_size=batch_size,
        prepare=deepcopy(standardizer).to(reader.device),
        # Weights are relative to their mean, so that lr means the same for all.
        targets=[
            _spread(values, rows, len(reader))
            for values in (target, weight / weight.mean())
        ],
    )
    corruption = make_corruption(estimator)
    return train(
        SupervisedObjective(encoder, head, estimator._loss, corruption),
        make_batches(fit_rows, shuffle=True),
        valid_batches=None if valid_rows is None else make_batches(valid_rows),
        max_epochs=estimator.max_epochs,
        lr=estimator.lr,
        encoder_lr=estimator.encoder_lr,
        weight_decay=estimator.weight_decay,
        patience=None if valid_rows is None else estimator.n_iter_no_change,
        device=reader.device,
        callbacks=[*(estimator.callbacks or ()), task],
        verbose=estimator.verbose,
        seed=seed,
    )


def _split(estimator, rows, target, groups, seed):
    fraction = estimator.validation_fraction
    n_valid = int(fraction * len(rows))
    if estimator.n_iter_no_change is None or n_valid < MIN_VALIDATION:
        return rows, None
    fit, valid = split_validation(
        len(rows),
        fraction,
        seed,
        groups=None if groups is None else np.asarray(groups)[rows],
        y=estimator._stratify(target, n_valid),
    )
    return rows[fit], rows[valid]


def _spread(values, rows, n_rows):
    """Put the values of some rows where Batches looks for them."""
    spread = values.new_zeros((n_rows, *values.shape[1:]))
    spread[rows] = values
    return spread

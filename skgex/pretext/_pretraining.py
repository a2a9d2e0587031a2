"""Train the objective of an embedder."""

from copy import deepcopy
from functools import partial

import torch

from .._training import Batches, recalibrate_batch_norm, train

N_RECALIBRATION = 8192


def train_objective(embedder, standardizer, objective, reader, groups, seed, task):
    """Train an objective in place, and return the history.

    Parameters
    ----------
    embedder : BaseEmbedder
        Has the settings, and splits off what validates.
    standardizer : torch.nn.Module
        Standardises genes.
    objective : Objective
        What is trained.
    reader : RowReader
        Training data.
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
    make_batches = partial(
        Batches,
        reader,
        batch_size=embedder.batch_size,
        prepare=deepcopy(standardizer).to(reader.device),
        targets=objective.targets(),
    )
    rows, valid_rows = embedder._split(len(reader), groups, seed)
    history = train(
        objective,
        make_batches(rows, shuffle=True),
        valid_batches=None if valid_rows is None else make_batches(valid_rows),
        max_epochs=embedder.max_epochs,
        lr=embedder.lr,
        weight_decay=embedder.weight_decay,
        patience=None if valid_rows is None else embedder.n_iter_no_change,
        keep_start=embedder._keep_start,
        device=reader.device,
        callbacks=[*(embedder.callbacks or ()), task],
        verbose=embedder.verbose,
        seed=seed,
    )
    n_few = min(len(reader), N_RECALIBRATION)
    few = torch.linspace(0, len(reader) - 1, n_few, dtype=torch.float64)
    few = make_batches(few.long(), shuffle=True)
    objective.to(reader.device).finish(few)
    objective.release()
    recalibrate_batch_norm(objective.encoder, few)
    objective.cpu()
    return history

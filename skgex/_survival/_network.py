"""The network's part of a risk."""

from copy import deepcopy
from functools import partial
from math import ceil

import numpy as np
import torch
from scipy.optimize import minimize
from torch import nn

from .._training import Batches, RowReader, apply_by_batches, train
from ..nn._layers import zero_linear

# Up to so many samples a step sees all of them, and risk sets are whole.
FULL_BATCH = 4096
# What a network must gain in log likelihood to be used, as by Akaike's criterion:
# it brings two weights.
MIN_GAIN = 2.0
_MOST_LOSS = 1e300


def start_head(embedding_dim, biases, earlier, prior_weight):
    """Return a head that says nothing yet, or in part what an earlier one said."""
    head = zero_linear(embedding_dim, len(biases))
    with torch.no_grad():
        head.bias.copy_(biases)
        if earlier is not None and earlier.speaks_to(len(biases)):
            head.weight.add_(prior_weight * earlier.head.weight)
    return head


def fit_network(estimator, task, X, data, folds, model, held_out, known, seed, report):
    """Train the network, weighted by samples held out.

    It learns the risk by itself, not what the linear part leaves of it: in samples that
    the linear part was fitted to that is too little, and in others it depends on the
    very samples that are to judge the network.

    Parameters
    ----------
    estimator : BaseFineTunedSurvival
        The estimator being fitted.
    task : CoxTask or HazardTask
        Its objective and likelihood.
    X : ndarray of shape (n_samples, n_genes)
        Training data.
    data : SurvivalData
        Its follow-up.
    folds : list of (ndarray, ndarray)
        Inner folds. Without any the network is used if `cv` is None, and left out
        where `cv` found too few events for folds.
    model : tuple of torch.nn.Module
        Linear part, standardizer, encoder and head; all but the second are modified.
    held_out : ndarray of shape (n_samples,) or None
        Linear log risk of each sample by models of the other folds.
    known : ndarray of shape (n_samples,) or None
        The same of covariates, which are not weighed against the network.
    seed : int
        For the order of batches.
    report : FitTask
        Reports epochs.

    Returns
    -------
    history : list of dict
        Of its training.
    held_out : tuple of ndarray of shape (n_samples,) and (n_samples, n_outputs), or \
            None
        Weighted as in the model: the linear log risk, and what networks of the other
        folds add. None where no network was trained, or there are no folds.
    """
    linear, standardizer, encoder, head = model
    if not estimator.max_epochs or not (folds or estimator.cv is None):
        return [], None
    if estimator.freeze:
        module = nn.Sequential(standardizer, encoder)
        X = apply_by_batches(module, X, estimator._device)
        standardizer, encoder = nn.Identity(), nn.Identity()
    network = (standardizer, encoder, head)
    biases = head.bias.detach().clone()
    if folds:
        outputs = held_out_outputs(estimator, task, network, X, data, folds, seed)
        parts = held_out, known, outputs, biases
        loss = partial(_held_out_loss, task, data, folds, *parts)
        weights = choose_weights(loss)
        if not weights[1]:
            return [], None
    rows = torch.arange(len(X))
    history = train_network(estimator, task, network, X, data, rows, seed, report)
    if not folds:
        return history, None
    scale_layer(linear[-1], weights[0])
    scale_layer(head, weights[1], biases)
    added = biases + weights[1] * (outputs - biases)
    return history, (weights[0] * held_out, added.numpy())


def _held_out_loss(task, data, folds, held_out, known, outputs, biases, weight, share):
    """Return the loss of weighted risks, in the folds where they were held out."""
    risk = torch.from_numpy(known) + weight * torch.from_numpy(held_out)
    mixed = biases + share * (outputs - biases)
    tests = [torch.from_numpy(test) for _, test in folds]
    return sum(task.loss(risk[test], mixed[test], data.take(test)) for test in tests)


def train_network(estimator, task, model, X, data, rows, seed, report=None):
    """Train the encoder and the head on some samples; return the history.

    Parameters
    ----------
    estimator : BaseFineTunedSurvival
        The estimator being fitted.
    model : tuple of torch.nn.Module
        Standardizer, encoder and head; the last two are trained in place.
    X : ndarray of shape (n_samples, n_genes)
        Training data.
    data : SurvivalData
        Its follow-up.
    rows : int64 tensor
        The samples.
    seed : int
        For the order of batches.
    report : FitTask or None, default=None
        Reports epochs.
    """
    standardizer, encoder, head = model
    reader = RowReader(X, estimator._device)
    batch_size = estimator.batch_size
    if batch_size == "auto":
        batch_size = max(2, ceil(len(rows) / ceil(len(rows) / FULL_BATCH)))
    batches = Batches(
        reader,
        rows,
        batch_size,
        prepare=deepcopy(standardizer).to(reader.device),
        targets=task.columns(data),
        shuffle=batch_size < len(rows),
    )
    return train(
        task.objective(encoder, head, len(rows)),
        batches,
        max_epochs=estimator.max_epochs,
        lr=estimator.lr,
        encoder_lr=estimator.encoder_lr,
        weight_decay=estimator.weight_decay,
        device=reader.device,
        callbacks=[] if report is None else [*(estimator.callbacks or ()), report],
        verbose=0 if report is None else estimator.verbose,
        seed=seed,
    )


def held_out_outputs(estimator, task, model, X, data, folds, seed):
    """Return what networks trained on the other folds say of each sample."""
    standardizer, encoder, head = model
    outputs = np.zeros((len(X), head.out_features))
    for train_rows, test_rows in folds:
        own = (standardizer, deepcopy(encoder), deepcopy(head))
        rows = torch.from_numpy(train_rows)
        train_network(estimator, task, own, X, data, rows, seed)
        outputs[test_rows] = apply_by_batches(
            nn.Sequential(*own), X[test_rows], estimator._device
        )
    return torch.from_numpy(outputs)


def choose_weights(loss):
    """Return the weights of the linear risk and of the network that suit best.

    Parameters
    ----------
    loss : callable
        Negative log likelihood of the samples held out, given both weights.

    Returns
    -------
    weights : ndarray of shape (2,)
        The linear risk alone, (1, 0), unless the gain is more than two parameters gain
        by chance.
    """
    alone = np.array([1.0, 0.0])

    def bounded(weights):
        # Differences of infinite losses, as of covariates that order the times, are
        # no numbers.
        return np.nan_to_num(float(loss(*weights)), nan=_MOST_LOSS, posinf=_MOST_LOSS)

    best = minimize(
        bounded,
        np.array([0.7, 0.3]),
        method="L-BFGS-B",
        bounds=[(0, 1.5), (0, 1)],
    )
    return best.x if best.fun < bounded(alone) - MIN_GAIN else alone


def scale_layer(layer, weight, start=0.0):
    """Scale what a linear layer adds to its first biases, in place."""
    with torch.no_grad():
        layer.weight.mul_(weight)
        layer.bias.copy_(start + weight * (layer.bias - start))

"""Batches of rows: for training, for statistics over the batch, for prediction."""

import math
from copy import deepcopy

import numpy as np
import torch
from sklearn.model_selection import (
    GroupShuffleSplit,
    ShuffleSplit,
    StratifiedShuffleSplit,
)
from torch import nn

from ..nn._draws import permutation
from ._aligned import aligned
from ._fixed_blocks import block_rows, fill_block
from ._modes import usual_modes
from ._out_of_memory import by_smaller_blocks
from ._rows import RowReader, check_profiles


def resolve_device(device):
    """Return the torch device that the parameter `device` names."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is not a torch device; use 'auto', 'cpu' or 'cuda'."
        ) from error
    if device.type == "mps":
        raise ValueError(
            f"device='{device}' computes in single precision only, and likelihoods and "
            "low-rank models need double precision; use device='cpu', as 'auto' does "
            "on a Mac."
        )
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f"device='{device}' was asked for, but torch sees no CUDA device here; "
            "use device='auto' to fall back to the CPU."
        )
    if device.type == "cuda" and device.index is None:
        # Tensors name their device with its number, and are compared with this one.
        device = torch.device("cuda", torch.cuda.current_device())
    if device.type == "cpu":
        return torch.device("cpu")  # Tensors do not know of "cpu:0".
    _check_computes(device)
    return device


def _check_computes(device):
    """Refuse a device that torch knows of, but does not compute on here."""
    try:
        if device.type == "cuda" and device.index < torch.cuda.device_count():
            return  # Not asked, as that would be to wait for it.
        torch.ones(2, dtype=torch.float32, device=device).sum().item()
    except Exception as error:
        raise ValueError(
            f"device='{device}' holds no values, or is not at hand on this machine; "
            "use 'auto', 'cpu' or 'cuda'."
        ) from error


class Batches:
    """Whole batches of rows, and of tensors that go with them.

    An epoch is cut into batches of nearly equal size, none above `batch_size` (but for
    one of 3 where it is 2): no sample is dropped, and no batch is of a single one.

    Parameters
    ----------
    reader : RowReader
        The rows.
    rows : int64 tensor
        Which rows take part.
    batch_size : int
        Upper bound on the rows of a batch.
    prepare : callable
        Applied to the expression part of each batch.
    targets : tuple of tensor, default=()
        Tensors with one entry for each row of the reader.
    shuffle : bool, default=False
        Whether to draw a new order in each epoch.
    """

    def __init__(self, reader, rows, batch_size, prepare, targets=(), shuffle=False):
        self.reader = reader
        self.rows = rows
        self.prepare = prepare
        self.targets = tuple(target.to(reader.device) for target in targets)
        self.shuffle = shuffle
        # Two rows at least: a batch of one has no variance and no other sample.
        self.n_batches = max(1, min(math.ceil(len(rows) / batch_size), len(rows) // 2))

    def __len__(self):
        return self.n_batches

    def __iter__(self):
        order = self.rows
        if self.shuffle:
            order = order[permutation(len(order))]
        return self._read(order)

    def in_order(self):
        """Return the same batches, without drawing an order."""
        return self._read(self.rows)

    def _read(self, order):
        for rows in order.tensor_split(self.n_batches):
            targets = (t[rows.to(t.device)] for t in self.targets)
            yield self.prepare(self.reader.take(rows)), *targets


@usual_modes()
@torch.inference_mode()
def apply_by_batches(
    module, X, device, gene_names=None, dtype=torch.float32, allow_empty=False
):
    """Apply `module` to the rows of `X` in bounded memory.

    Always to as many rows at a time: what it makes of a row is the same, bit for bit,
    whatever other rows there are. If a device has too little memory for as many, fewer
    are taken, and the last bits may differ.

    Parameters
    ----------
    module : torch.nn.Module
        Module (n, n_genes) -> (n, d), on the CPU.
    X : ndarray of shape (n_samples, n_genes)
        Input.
    device : torch.device
        Where to compute.
    gene_names : sequence of str, default=None
        Names for the messages about bad values.
    dtype : torch.dtype, default=torch.float32
        Precision of the computation and of the output.
    allow_empty : bool, default=False
        Whether a sample may be without any measured gene.

    Returns
    -------
    output : ndarray of shape (n_samples, d)
    """
    reader = RowReader(X, device)
    module.eval()
    if (device.type, dtype) != ("cpu", torch.float32):
        # A copy: others may apply it at the same time, or train it later.
        module = deepcopy(module).to(device, dtype)
    size = block_rows(module, device, reader.shape[1])

    def apply(size):
        return _apply_blocks(module, reader, size, gene_names, dtype, allow_empty)

    return by_smaller_blocks(apply, size, device)


@usual_modes()
@torch.inference_mode()
def apply_in_place(module, X, gene_names=None):
    """Put in the place of rows what `apply_by_batches` makes of them on a CPU.

    Parameters
    ----------
    module : torch.nn.Module
        Module (n, n_genes) -> (n, n_genes).
    X : ndarray of shape (n_samples, n_genes), dtype float32
        Input in row order, in memory that is ours to change.
    gene_names : sequence of str, default=None
        Names for the messages about bad values.
    """
    module.eval()
    size = block_rows(module, torch.device("cpu"), X.shape[1])
    output = torch.from_numpy(X)
    # Rows are copied where they are read.
    options = gene_names, torch.float32, False, output
    _apply_blocks(module, RowReader(X), size, *options)


def _apply_blocks(module, reader, size, gene_names, dtype, allow_empty, output=None):
    for rows in torch.arange(len(reader)).split(size):
        batch = reader.take(rows)
        check_profiles(batch, int(rows[0]), gene_names, allow_empty)
        with aligned(module):
            found = module(fill_block(batch.to(dtype), size))[: len(rows)].cpu()
        if output is None:
            # Not put together from parts at the end, when both would be held.
            output = found.new_empty(len(reader), *found.shape[1:])
        output[rows[0] : rows[0] + len(rows)] = found
    return output.numpy()


def split_validation(n_samples, fraction, seed, *, groups=None, y=None):
    """Split rows into a training and a validation part.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    fraction : float
        Share of the rows, or of the groups, that validate.
    seed : int
        Seed of the split.
    groups : array-like of shape (n_samples,), default=None
        Samples of one group, such as a patient, stay together.
    y : array-like of shape (n_samples,), default=None
        Classes to keep in proportion; ignored with `groups`.

    Returns
    -------
    train, valid : int64 tensor
        The rows of the two parts.
    """
    options = {"test_size": fraction, "random_state": seed % 2**32, "n_splits": 1}
    if groups is not None:
        splitter = GroupShuffleSplit(**options)
    else:
        splitter = (ShuffleSplit if y is None else StratifiedShuffleSplit)(**options)
    train, valid = next(splitter.split(np.zeros((n_samples, 1)), y, groups))
    return torch.from_numpy(np.sort(train)), torch.from_numpy(np.sort(valid))


@torch.no_grad()
def recalibrate_batch_norm(encoder, batches):
    """Recompute the statistics of batch normalisation on clean inputs.

    In training they mix clean and corrupted views, whereas `encoder` will only see
    clean profiles.
    """
    layers = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm1d)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over all batches
        layer.train()
    encoder.to(batches.reader.device)
    for X, *_ in batches:
        encoder(X)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    encoder.cpu().eval()

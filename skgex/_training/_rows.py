"""Read an expression matrix by rows, in bounded memory, wherever it lies."""

import mmap
from contextlib import nullcontext

import numpy as np
import torch

from .._inputs import gene_label
from .._mapped_table import MappedTable, memory_map
from ._quiet import quiet

_CHUNK_BYTES = 32 * 2**20
_RELEASE_BYTES = 16 * 2**20


class RowReader:
    """Rows of an array, or of a memory map, as float32 tensors.

    Pages of a memory map that were read count as memory of the process until they
    are given back. They are, every few batches; reading them again is cheap as long as
    the operating system keeps them in its cache. It is told which rows are wanted: by
    itself it would read around each of them, several times as much.

    Parameters
    ----------
    X : ndarray or MappedTable of shape (n_samples, n_genes)
        Of dtype float32 or float64. An array in memory that is not in row order is
        copied into it, as rows are read many times.
    device : torch.device or str, default="cpu"
        Where `take` puts its rows. On a CUDA device with enough free memory the whole
        array is moved there once.
    """

    def __init__(self, X, device="cpu"):
        self.device = torch.device(device)
        self.shape, self._table = X.shape, None
        if isinstance(X, MappedTable):
            self._table, X = X, X.values
        self._map = memory_map(X)
        # Nor does torch read backwards, which is what X[::-1] would have it do.
        if not X.flags.c_contiguous and (self._map is None or min(X.strides) < 0):
            X, self._map = np.ascontiguousarray(X), None
        # torch warns that it could write to a read-only array; nothing here does.
        with nullcontext() if X.flags.writeable else quiet(message=".*not writable"):
            self._data = torch.from_numpy(X)
        self._row_bytes = X.itemsize * X.shape[1]
        self._unreleased = 0
        if self._map is not None:
            # Otherwise a row is all over the file, each value on a page of its own.
            self._is_in_row_order = X.strides[1] == X.itemsize
            self._row_stride, self._offset = X.strides[0], _offset(X, self._map)
        if self.device.type == "cuda" and self._fits_on_device():
            self._move()

    def __len__(self):
        return self.shape[0]

    def take(self, rows):
        """Return the given rows as a new float32 tensor on the device."""
        batch = self.read(rows)
        if batch.device != self.device:
            batch = batch.to(torch.float32).pin_memory()
            return batch.to(self.device, non_blocking=True)
        return batch.to(torch.float32)

    def chunks(self, size=None):
        """Yield all rows in order as new tensors of their own dtype, on the CPU."""
        # As of the same rows in memory: sums depend on where chunks begin.
        row_bytes = self._data.element_size() * self.shape[1]
        size = size or max(1, _CHUNK_BYTES // max(1, row_bytes))
        for start in range(0, len(self), size):
            if self._table is None:
                chunk = self._data[start : start + size].cpu().clone()
                self._count(len(chunk))
            else:
                chunk = self.read(torch.arange(start, min(start + size, len(self))))
            yield chunk

    def read(self, rows):
        """Return the given rows as a new tensor of their own dtype, where they lie."""
        if self._table is None:
            return self._stored(rows)
        samples = rows.numpy(force=True)
        stored = self._stored(torch.from_numpy(self._table.rows[samples]))
        return torch.from_numpy(self._table._arranged(stored.numpy(), samples))

    def _stored(self, rows):
        self._read_ahead(rows)
        batch = self._data.index_select(0, rows.to(self._data.device))
        self._count(len(rows))
        return batch

    def _move(self):
        """Move all rows to the device."""
        if self._table is None:
            self._data = self._data.to(self.device, torch.float32)
        else:
            # Chunk by chunk, as they need not fit into memory.
            moved = torch.empty(self.shape, dtype=torch.float32, device=self.device)
            start = 0
            for chunk in self.chunks():
                moved[start : start + len(chunk)] = chunk
                start += len(chunk)
            self._data = moved
        self._release()
        self._map = self._table = None

    def _read_ahead(self, rows):
        if self._map is None or not self._is_in_row_order or not len(rows):
            return
        rows = np.unique(rows.cpu().numpy())
        last = np.append(np.diff(rows) > 1, True)  # of a run of rows
        first = np.append(True, last[:-1])
        start = self._offset + rows[first] * self._row_stride
        start -= start % mmap.PAGESIZE
        end = self._offset + rows[last] * self._row_stride + self._row_bytes
        for place, size in zip(start.tolist(), (end - start).tolist(), strict=True):
            self._map.madvise(mmap.MADV_WILLNEED, place, size)

    def _count(self, n_rows):
        self._unreleased += n_rows * self._row_bytes
        if self._unreleased >= _RELEASE_BYTES:
            self._release()

    def _release(self):
        if self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED)
        self._unreleased = 0

    def _fits_on_device(self):
        free, _ = torch.cuda.mem_get_info(self.device)
        return 4 * self.shape[0] * self.shape[1] < free // 2


def _offset(X, pages):
    """Return where in a memory map the first value of an array lies, in bytes."""
    whole = np.frombuffer(pages, np.uint8)
    return X.__array_interface__["data"][0] - whole.__array_interface__["data"][0]


def check_profiles(X, first_row=0, gene_names=None, allow_empty=False):
    """Refuse infinite values and samples without any measured gene.

    Parameters
    ----------
    X : tensor of shape (n, n_genes)
        Some rows of the input.
    first_row : int, default=0
        Number of the first of them in the whole input.
    gene_names : sequence of str, default=None
        Names for the error message; positions are given without them.
    allow_empty : bool, default=False
        Whether a sample may be without any measured gene.

    Raises
    ------
    ValueError
        Naming the sample and the gene.
    """
    # Both are rare: one sum, in which either leaves a trace, answers for most rows.
    if X.sum().isfinite():
        return
    infinite = X.isinf()
    if infinite.any():
        row, gene = infinite.nonzero()[0].tolist()
        raise ValueError(
            f"Input X contains infinity: sample {first_row + row}, gene "
            f"{gene_label(gene, gene_names)}. Mark values that were not measured as "
            "NaN, and take logarithms of x + 1 rather than of x; in single precision "
            "values beyond 3e38 are infinite."
        )
    empty = X.isnan().all(1)
    if empty.any() and not allow_empty:
        row = first_row + int(empty.nonzero()[0])
        raise ValueError(
            f"Input X contains NaN in every gene of sample {row}; drop samples without "
            "a measured gene."
        )


def check_all_profiles(reader, gene_names=None, allow_empty=False):
    """Refuse what `check_profiles` refuses, in one pass over all rows."""
    first_row = 0
    for chunk in reader.chunks():
        # As single precision, in which they are read, makes infinity of 1e39.
        check_profiles(chunk.float(), first_row, gene_names, allow_empty)
        first_row += len(chunk)


def gene_moments(reader, gene_names=None, allow_empty=False):
    """Mean, standard deviation and number of measured values of each gene.

    One pass over the rows, which are checked on the way. Moments of chunks are merged
    in float64 by the formula of Chan, Golub and LeVeque (1983). NaN is not counted.

    Returns
    -------
    mean, std : ndarray of shape (n_genes,)
        NaN for a gene without a measured value. `std` divides by the count.
    count : ndarray of shape (n_genes,)
        Number of measured values.
    """
    n_genes = reader.shape[1]
    count = torch.zeros(n_genes, dtype=torch.float64, device="cpu")
    mean, spread = torch.zeros_like(count), torch.zeros_like(count)
    first_row = 0
    for chunk in reader.chunks():
        # As single precision, in which they are read, makes infinity of 1e39.
        check_profiles(chunk.float(), first_row, gene_names, allow_empty)
        first_row += len(chunk)
        missing = chunk.isnan()
        n_new = (~missing).sum(0).double()
        # A first guess of the mean keeps the digits of values that are far from zero.
        guess = mean.to(chunk.dtype) if count.any() else chunk[0].nan_to_num(nan=0.0)
        chunk.sub_(guess).masked_fill_(missing, 0)
        new_mean = chunk.sum(0).double() / n_new.clamp(min=1)
        chunk.sub_(new_mean.to(chunk.dtype)).masked_fill_(missing, 0)
        # What rounding left of the mean is taken out of the mean, and of the spread.
        rest = chunk.sum(0).double() / n_new.clamp(min=1)
        new_spread = chunk.square_().sum(0).double() - n_new * rest.square()
        new_mean = new_mean.to(chunk.dtype).double() + rest + guess.double()
        total = count + n_new
        share = n_new / total.clamp(min=1)
        shift = new_mean - mean
        mean += torch.where(n_new > 0, shift * share, 0)
        spread += torch.where(n_new > 0, new_spread + shift.square() * count * share, 0)
        count = total
    std = (spread.clamp(min=0) / count).sqrt()
    mean[count == 0] = torch.nan
    return mean.numpy(), std.numpy(), count.numpy().astype(int)


def is_constant(mean, std):
    """Whether genes with such moments are constant, but for rounding."""
    return std <= 10 * np.finfo(np.float32).eps * np.abs(mean)


def gene_ranges(reader):
    """Smallest and largest measured value of each gene, as float64 tensors."""
    options = {"dtype": torch.float64, "device": "cpu"}
    low = torch.full((reader.shape[1],), torch.inf, **options)
    high = -low
    for chunk in reader.chunks():
        missing = chunk.isnan()
        low = low.minimum(chunk.masked_fill(missing, torch.inf).amin(0))
        high = high.maximum(chunk.masked_fill(missing, -torch.inf).amax(0))
    return low, high

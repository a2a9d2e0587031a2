"""The counts of an ARCHS4 file, read by the chunks that it is stored in."""

import numpy as np

from ..preprocessing import LogCPM
from ._archs4_metadata import dataset
from ._hdf5 import open_hdf5
from ._matrix import BLOCK_BYTES, Matrix, file_identity

_LARGEST_BLOCK_BYTES = 16 * BLOCK_BYTES


class Archs4Matrix(Matrix):
    """Counts of some samples and genes of an ARCHS4 file.

    Parameters
    ----------
    path : path-like
        The file.
    places : ndarray of int
        Places of the samples in the file, in the order of the table.
    samples : list of str
        Their names.
    selection : GeneSelection
        The genes.
    normalize : {"log_cpm"} or None
        What to make of the counts.
    dtype : str
        Of the values.
    """

    def __init__(self, path, places, samples, selection, normalize, dtype):
        self.path, self.name = path, str(path)
        self.samples, self.genes = samples, selection.names
        self.dtype = np.dtype(dtype)
        self.places, self._selection = places, selection
        self._normalize = normalize

    def identity(self):
        return [file_identity(self.path), self._selection.rule, self._normalize]

    def n_blocks(self, size=None):
        with open_hdf5(self.path) as file:
            return len(self._plan(dataset(file, "data/expression"), size))

    def blocks(self, size=None, start=0):
        with open_hdf5(self.path) as file:
            data = dataset(file, "data/expression")
            for rows in self._plan(data, size)[start:]:
                counts, library = self._read(data, self.places[rows])
                table = self._selection.apply(counts)
                if self._normalize:
                    table = self._log_cpm(table, library, rows)
                yield rows, slice(None), table

    def _plan(self, data, size):
        """Return the rows of each block: all samples of one strip of the file."""
        width = self._strip_width(data, size)
        rows = np.argsort(self.places, kind="stable")
        strip = self.places[rows] // width
        return np.split(rows, np.flatnonzero(np.diff(strip)) + 1)

    def _strip_width(self, data, size):
        sample_bytes = max(1, len(self._selection.needed)) * self.dtype.itemsize
        chunk = (data.chunks or (1, 1))[1]
        wanted = size or max(1, BLOCK_BYTES // sample_bytes)
        largest = max(1, _LARGEST_BLOCK_BYTES // sample_bytes)
        # A chunk is decompressed as a whole, so that strips should not cut through it.
        return min(max(1, wanted // chunk) * chunk, max(wanted, largest))

    def _read(self, data, places):
        """Read the genes that are needed, and the total over all genes, of samples."""
        needed = self._selection.needed
        counts = np.empty((len(places), len(needed)), self.dtype)
        library = np.zeros(len(places))
        chunk_genes, chunk_samples = data.chunks or (1, 1)
        genes = np.arange(data.shape[0]) if self._normalize else needed
        for left, right in runs(places, chunk_samples, data.shape[1]):
            inside = slice(*np.searchsorted(places, [left, right]))
            local = places[inside] - left
            limit = BLOCK_BYTES // (data.dtype.itemsize * (right - left))
            for low, high in runs(genes, chunk_genes, data.shape[0], limit):
                strip = data[low:high, left:right]
                if len(local) < right - left:
                    strip = strip[:, local]
                library[inside] += strip.sum(axis=0, dtype=np.float64)
                here = slice(*np.searchsorted(needed, [low, high]))
                counts[inside, here] = strip[needed[here] - low].T
        return counts, library

    def _log_cpm(self, counts, library, rows):
        if not library.all():
            sample = self.samples[rows[np.argmin(library)]]
            raise ValueError(
                f"{self.path}: sample {sample!r} has no counts at all, which cannot be "
                "scaled to a million: leave it out of samples."
            )
        # One gene more stands for those that are not selected.
        rest = np.maximum(library - np.nansum(counts, axis=1, dtype=np.float64), 0)
        counts = np.column_stack([counts, rest.astype(counts.dtype)])
        return LogCPM().fit_transform(counts)[:, :-1]


def runs(positions, chunk, end, limit=None):
    """Yield ranges of whole chunks that hold sorted positions, gaps left out.

    With a limit ranges are no longer than that, or than a chunk.
    """
    chunks = np.unique(positions // chunk)
    longest = len(chunks) if limit is None else max(1, limit // chunk)
    for group in np.split(chunks, np.flatnonzero(np.diff(chunks) > 1) + 1):
        for i in range(0, len(group), longest):
            part = group[i : i + longest]
            yield int(part[0]) * chunk, min(end, (int(part[-1]) + 1) * chunk)
